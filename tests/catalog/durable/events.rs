//! Random inputs for a store with two nodes, of which each does two things at once.

use bytes::Bytes;
use concord::systems::catalog::durable::{next_route_id, snapshot};
use concord::systems::catalog::task::Call;
use concord::systems::catalog::{Input, Route, State, Store, StoreCall};
use proptest::prelude::*;
use proptest::sample::Index;

use super::draws::{Table, key, table};

/// What happens next; tables depend on what is there by then.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Start(u8, bool),
    Crash(u8),
    Begin(u8, u8, Begun),
    Advance(u8, u8),
    /// All steps that are left, at most so many.
    Hurry(u8, u8),
    Put {
        key: String,
        later: u64,
    },
    Wild(Wild),
}

/// What is begun.
#[derive(Clone, Debug)]
pub(super) enum Begun {
    Save { table: Table, ahead: u64 },
    Split { at: Index, key: String },
    Call(Call),
}

/// What the invariants of section 12 presuppose not to happen.
#[derive(Clone, Debug)]
pub(super) enum Wild {
    Register(u8, String, Option<String>, u64),
    Access(u8, u8, String),
    Compact(u64),
    Checkpoint,
    Rollback,
}

impl Event {
    /// The inputs that it stands for.
    pub(super) fn inputs(&self, state: &State) -> Vec<Input> {
        match self {
            Self::Start(node, default_route) => vec![Input::Start {
                node: *node,
                default_route: *default_route,
                threshold: 2 * u64::from(*node),
            }],
            Self::Crash(node) => vec![Input::Crash { node: *node }],
            Self::Begin(node, task, begun) => {
                let (node, task, call) = (*node, *task, begun.call(state));
                vec![Input::Begin { node, task, call }]
            }
            Self::Advance(node, task) => vec![advance(*node, *task)],
            Self::Hurry(node, task) => vec![advance(*node, *task); 5],
            Self::Put { key, later } => {
                let last = state.store().last_commit_ts().unwrap();
                vec![Input::Store(StoreCall::Put {
                    key: Bytes::copy_from_slice(key.as_bytes()),
                    value: Bytes::from_static(b"x"),
                    commit_ts: last.saturating_add(*later),
                    expire_at: 0,
                })]
            }
            Self::Wild(wild) => vec![wild.input(state)],
        }
    }
}

fn advance(node: u8, task: u8) -> Input {
    Input::Advance { node, task }
}

impl Begun {
    fn call(&self, state: &State) -> Call {
        let present = snapshot(state.store(), state.settings());
        let (version, present) =
            present.map_or((0, Vec::new()), |found| (found.version, found.routes));
        match self {
            Self::Save { table, ahead } => Call::Save {
                expected: version + ahead,
                routes: table.table(&present, next_id(state)),
            },
            Self::Split { at, key } => Call::Split {
                expected: version,
                route_id: some_id(&present, *at),
                key: Bytes::copy_from_slice(key.as_bytes()),
            },
            Self::Call(call) => call.clone(),
        }
    }
}

impl Wild {
    fn input(&self, state: &State) -> Input {
        match self {
            Self::Register(node, start, end, group) => Input::UpdateRoute {
                node: *node,
                start: start.clone().into(),
                end: end.clone().map(Into::into),
                group: *group,
            },
            Self::Access(node, task, key) => Input::Begin {
                node: *node,
                task: *task,
                call: Call::Access {
                    key: key.clone().into(),
                },
            },
            Self::Compact(below) => {
                let last = state.store().last_commit_ts().unwrap();
                let min_ts = last.saturating_sub(*below);
                Input::Store(StoreCall::Compact { min_ts })
            }
            Self::Checkpoint => Input::Store(StoreCall::Checkpoint),
            Self::Rollback => Input::Store(StoreCall::Rollback),
        }
    }
}

fn next_id(state: &State) -> u64 {
    next_route_id(state.store(), state.settings()).unwrap_or(1)
}

fn some_id(routes: &[Route], at: Index) -> u64 {
    let route = routes.get(at.index(routes.len().max(1)));
    route.map_or(1, |route| route.id)
}

/// Events on two nodes that run.
pub(super) fn events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 1..most)
}

/// With those among them that the invariants presuppose not to happen.
pub(super) fn wild_events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![5 => event(), 1 => wild().prop_map(Event::Wild)];
    prop::collection::vec(event, 1..most)
}

fn event() -> impl Strategy<Value = Event> {
    let (node, task) = (|| 0..2_u8, || 0..2_u8);
    let begun = prop_oneof![
        5 => (table(), prop::bool::weighted(0.05)).prop_map(|(table, ahead)| Begun::Save {
            table,
            ahead: ahead.into(),
        }),
        3 => (any::<Index>(), key()).prop_map(|(at, key)| Begun::Split { at, key }),
        2 => Just(Begun::Call(Call::Snapshot)),
        2 => Just(Begun::Call(Call::Bootstrap)),
        3 => (0..3_i64).prop_map(|batch| Begun::Call(Call::Sync { batch })),
    ];
    prop_oneof![
        2 => (node(), any::<bool>()).prop_map(|(node, default)| Event::Start(node, default)),
        1 => node().prop_map(Event::Crash),
        12 => (node(), task(), begun).prop_map(|(node, task, begun)| Event::Begin(node, task, begun)),
        16 => (node(), task()).prop_map(|(node, task)| Event::Advance(node, task)),
        6 => (node(), task()).prop_map(|(node, task)| Event::Hurry(node, task)),
        1 => (key(), 0..3_u64).prop_map(|(key, later)| Event::Put { key, later }),
    ]
}

fn wild() -> impl Strategy<Value = Wild> {
    let (node, task) = (|| 0..2_u8, || 0..2_u8);
    prop_oneof![
        3 => (node(), key(), prop::option::of(key()), 1..4_u64)
            .prop_map(|(node, start, end, group)| Wild::Register(node, start, end, group)),
        3 => (node(), task(), key()).prop_map(|(node, task, key)| Wild::Access(node, task, key)),
        1 => (0..2_u64).prop_map(Wild::Compact),
        1 => Just(Wild::Checkpoint),
        1 => Just(Wild::Rollback),
    ]
}
