//! Keys are compared and nothing else: renaming them in their order commutes with `step`.

use bytes::Bytes;
use concord::systems::catalog::durable::snapshot;
use concord::systems::catalog::task::{Call, Returned};
use concord::systems::catalog::{
    EngineRoute, Error, Input, Output, Route, Saved, Snapshot, Split, State, StoreCall,
};
use concord::systems::machine::Machine as _;
use proptest::prelude::*;

use super::events::{Event, wild_events};
use super::world::references;
use crate::common::cases;

/// Keeps the order of keys, prefixes, the empty key, and that a zero byte follows a key at once.
fn key_of(key: &Bytes) -> Bytes {
    let renamed = key.iter().flat_map(|byte| match byte {
        0 => vec![0],
        byte => vec![2 * (byte - 32), 7],
    });
    renamed.collect()
}

fn route_of(route: Route) -> Route {
    Route {
        start: key_of(&route.start),
        end: route.end.as_ref().map(key_of),
        ..route
    }
}

fn routes_of(routes: Vec<Route>) -> Vec<Route> {
    routes.into_iter().map(route_of).collect()
}

fn input_of(input: Input) -> Input {
    match input {
        Input::Begin { node, task, call } => Input::Begin {
            node,
            task,
            call: call_of(call),
        },
        Input::UpdateRoute {
            node,
            start,
            end,
            group,
        } => Input::UpdateRoute {
            node,
            start: key_of(&start),
            end: end.as_ref().map(key_of),
            group,
        },
        Input::Store(StoreCall::Put {
            key,
            value,
            commit_ts,
            expire_at,
        }) => Input::Store(StoreCall::Put {
            key: key_of(&key),
            value,
            commit_ts,
            expire_at,
        }),
        input => input,
    }
}

fn call_of(call: Call) -> Call {
    match call {
        Call::Save { expected, routes } => Call::Save {
            expected,
            routes: routes_of(routes),
        },
        Call::Split {
            expected,
            route_id,
            key,
        } => Call::Split {
            expected,
            route_id,
            key: key_of(&key),
        },
        Call::Access { key } => Call::Access { key: key_of(&key) },
        call => call,
    }
}

fn output_of(output: Output) -> Output {
    match output {
        Output::Done { node, task, result } => Output::Done {
            node,
            task,
            result: result.map(returned_of),
        },
        output => output,
    }
}

fn returned_of(returned: Returned) -> Returned {
    match returned {
        Returned::Snapshot(snapshot) => Returned::Snapshot(snapshot_of(snapshot)),
        Returned::Bootstrapped(snapshot) => Returned::Bootstrapped(snapshot_of(snapshot)),
        Returned::Saved(saved) => Returned::Saved(Saved {
            routes: routes_of(saved.routes),
            ..saved
        }),
        Returned::Split(split) => Returned::Split(Box::new(Split {
            left: route_of(split.left),
            right: route_of(split.right),
            ..*split
        })),
        returned => returned,
    }
}

fn snapshot_of(snapshot: Snapshot) -> Snapshot {
    Snapshot {
        routes: routes_of(snapshot.routes),
        ..snapshot
    }
}

/// What is left in a state once its keys are renamed.
fn rest(state: &State, rename: bool) -> (Result<Snapshot, Error>, Vec<Vec<EngineRoute>>) {
    let durable = snapshot(state.store(), state.settings());
    let nodes = (0..2).filter_map(|node| state.node(node));
    let tables = nodes.map(|node| node.engine.routes().to_vec());
    if !rename {
        return (durable, tables.collect());
    }
    let tables = tables.map(|table| {
        let table = table.into_iter().map(|route| EngineRoute {
            start: key_of(&route.start),
            end: route.end.as_ref().map(key_of),
            ..route
        });
        table.collect()
    });
    (durable.map(snapshot_of), tables.collect())
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn renaming_keys_commutes_with_step(events in wild_events(100)) {
        for settings in references() {
            let (mut one, mut other) = (State::new(settings, 2), State::new(settings, 2));
            let begin = [Event::Start(0, true), Event::Start(1, true)];
            for event in begin.iter().chain(&events) {
                for input in event.inputs(&one) {
                    let mut copy = one.clone();
                    let (mut ours, mut theirs, mut again) = (Vec::new(), Vec::new(), Vec::new());
                    copy.step(input.clone(), &mut again);
                    other.step(input_of(input.clone()), &mut theirs);
                    one.step(input, &mut ours);
                    prop_assert_eq!(&again, &ours);
                    prop_assert_eq!(&copy, &one);
                    let ours: Vec<_> = ours.into_iter().map(output_of).collect();
                    prop_assert_eq!(ours, theirs);
                }
            }
            prop_assert_eq!(rest(&one, true), rest(&other, false));
        }
    }
}
