//! A crash between any two steps leaves a catalog that can be read (12).

use concord::systems::catalog::durable::snapshot;
use concord::systems::catalog::strategy::Watermark;
use concord::systems::catalog::task::{Call, Returned};
use concord::systems::catalog::{
    Error, Input, Memory, Output, Route, Settings, State, Store, StoreCall, Task,
};
use concord::systems::machine::Machine as _;

use super::world::{World, level_1, references, routes, stats, text};

fn script() -> Vec<Call> {
    let save = |expected, table| Call::Save {
        expected,
        routes: routes(table),
    };
    let split = |expected, route_id, key: &'static str| Call::Split {
        expected,
        route_id,
        key: key.into(),
    };
    vec![
        Call::Bootstrap,
        split(1, 1, "m"),
        save(2, "2:[,g)->4 3:[m,~)->1"),
        save(1, "9:[,~)->9"),
        Call::Sync { batch: 1 },
        split(3, 3, "t"),
        save(4, ""),
        Call::Snapshot,
        save(5, "6:[,~)->1"),
    ]
}

fn start(state: &mut State, node: u8) {
    let input = Input::Start {
        node,
        default_route: true,
        threshold: 0,
    };
    state.step(input, &mut Vec::new());
}

/// All steps of one call.
fn run(state: &mut State, node: u8, call: Call) -> Result<Returned, Error> {
    let mut outputs = Vec::new();
    state.step(
        Input::Begin {
            node,
            task: 0,
            call,
        },
        &mut outputs,
    );
    while outputs.is_empty() {
        state.step(Input::Advance { node, task: 0 }, &mut outputs);
    }
    match outputs.remove(0) {
        Output::Done { result, .. } => result,
        Output::Stored(stored) => panic!("nobody wrote: {stored:?}"),
    }
}

/// Every state between two steps of the script on one node.
fn states(settings: Settings) -> Vec<State> {
    let mut state = State::new(settings, 2);
    start(&mut state, 0);
    let mut states = vec![state.clone()];
    for call in script() {
        let (node, task) = (0, 0);
        state.step(Input::Begin { node, task, call }, &mut Vec::new());
        let mut outputs = Vec::new();
        while outputs.is_empty() {
            state.step(Input::Advance { node, task }, &mut outputs);
            states.push(state.clone());
        }
    }
    states
}

#[test]
fn a_crash_between_any_two_steps_leaves_a_readable_catalog() {
    for settings in references() {
        let states = states(settings);
        assert!(states.len() > 25);
        let mut versions = Vec::new();
        for mut state in states {
            let before = snapshot(state.store(), &settings).unwrap();
            versions.push(before.version);
            state.step(Input::Crash { node: 0 }, &mut Vec::new());
            assert!(state.node(0).is_none());
            start(&mut state, 1);
            let found = run(&mut state, 1, Call::Bootstrap);
            let Ok(Returned::Bootstrapped(found)) = found else {
                panic!("the next node starts: {found:?}");
            };
            let engine = &state.node(1).unwrap().engine;
            assert_eq!(
                (engine.version(), stats(engine)),
                (found.version, bare(&found.routes))
            );
            if before.version == 0 {
                assert_eq!(
                    (found.version, text(&found.routes)),
                    (1, "1:[,~)->1".into())
                );
            } else {
                assert_eq!(
                    (found.version, found.routes),
                    (before.version, before.routes)
                );
            }
        }
        versions.dedup();
        assert_eq!(versions, [0, 1, 2, 3, 4, 5, 6]);
    }
}

/// A table without what engines do not hold.
fn bare(routes: &[Route]) -> String {
    let routes = routes.iter().cloned().map(|route| Route {
        parent: 0,
        split_at: 0,
        ..route
    });
    text(&routes.collect::<Vec<_>>())
}

#[test]
fn a_watermark_that_falls_back_hides_what_was_committed() {
    let durable = |world: &mut World| {
        world.save(0, "1:[,~)->1").unwrap();
        world.save(1, "1:[,~)->2").unwrap();
    };
    let mut world = World::new(level_1(|how| how.watermark = Watermark::BeforeWrite));
    durable(&mut world);
    world.store.lose_watermark(1);
    assert_eq!(
        world.durable(),
        (1, "1:[,~)->1".into()),
        "not the last committed table"
    );
    // Every save is a conflict until other writes push the timestamp forward.
    let mismatch = |expected| Err(Error::VersionMismatch { expected });
    assert_eq!(world.save(1, "1:[,~)->3"), mismatch(1));
    assert_eq!(world.save(2, "1:[,~)->3"), mismatch(2));
    world.put_at("user", "x", 2);
    assert_eq!(world.save(2, "1:[,~)->3").unwrap().version, 3);
}

#[test]
fn a_watermark_before_its_write_lets_others_read_half_a_commit() {
    let call = || Call::Save {
        expected: 1,
        routes: routes("1:[,~)->2"),
    };
    for (watermark, torn) in [
        (Watermark::WithWrite, false),
        (Watermark::BeforeWrite, true),
    ] {
        let settings = level_1(|how| how.watermark = watermark);
        let mut state = State::new(settings, 2);
        start(&mut state, 0);
        start(&mut state, 1);
        run(&mut state, 0, Call::Bootstrap).unwrap();
        let begin = Input::Begin {
            node: 0,
            task: 0,
            call: call(),
        };
        state.step(begin, &mut Vec::new());
        let advance = |node| Input::Advance { node, task: 0 };
        // Prepared, and all but written.
        let mut outputs = Vec::new();
        state.step(advance(0), &mut outputs);
        if torn {
            state.step(advance(0), &mut outputs);
        }
        let begin = Input::Begin {
            node: 1,
            task: 0,
            call: Call::Snapshot,
        };
        state.step(begin, &mut outputs);
        state.step(advance(1), &mut outputs);
        state.step(advance(0), &mut outputs);
        state.step(advance(1), &mut outputs);
        let [
            _,
            Output::Done {
                result: Ok(Returned::Snapshot(read)),
                ..
            },
        ] = &outputs[..]
        else {
            panic!("a save and a snapshot: {outputs:?}");
        };
        assert_eq!(read.version, 1);
        assert_eq!(
            text(&read.routes),
            if torn { "1:[,~)->2" } else { "1:[,~)->1" }
        );
    }
}

#[test]
fn tasks_end_with_their_node_and_names_are_free_again() {
    let mut state = State::new(level_1(|_| ()), 1);
    let begin = || Input::Begin {
        node: 0,
        task: 3,
        call: Call::Snapshot,
    };
    let advance = || Input::Advance { node: 0, task: 3 };
    let mut outputs = Vec::new();
    // Down: ignored; so is a node that there is not.
    state.step(begin(), &mut outputs);
    let nowhere = Input::Start {
        node: 7,
        default_route: true,
        threshold: 0,
    };
    state.step(nowhere, &mut outputs);
    assert_eq!(state, State::new(level_1(|_| ()), 1));
    start(&mut state, 0);
    let idle = state.clone();
    state.step(advance(), &mut outputs);
    assert_eq!(state, idle);
    state.step(begin(), &mut outputs);
    // Taken: ignored.
    let other = Input::Begin {
        node: 0,
        task: 3,
        call: Call::Bootstrap,
    };
    state.step(other, &mut outputs);
    let task = state.node(0).unwrap().tasks.get(&3);
    assert_eq!(task, Some(&Task::new(Call::Snapshot)));
    start(&mut state, 0);
    assert!(
        state.node(0).unwrap().tasks.contains(&3),
        "a node that runs does not start"
    );
    state.step(advance(), &mut outputs);
    state.step(Input::Crash { node: 0 }, &mut outputs);
    start(&mut state, 0);
    assert_eq!((&state, outputs.len()), (&idle, 0));
    state.step(begin(), &mut outputs);
    state.step(advance(), &mut outputs);
    state.step(advance(), &mut outputs);
    assert_eq!((state, outputs.len()), (idle, 1));
}

#[test]
fn a_rollback_takes_back_the_store_and_nothing_else() {
    let mut state = State::new(level_1(|_| ()), 1);
    start(&mut state, 0);
    let mut outputs = Vec::new();
    state.step(Input::Store(StoreCall::Rollback), &mut outputs);
    assert_eq!((state.checkpoint(), outputs.len()), (None, 0));
    state.step(Input::Store(StoreCall::Checkpoint), &mut outputs);
    run(&mut state, 0, Call::Bootstrap).unwrap();
    assert_ne!(state.store(), state.checkpoint().unwrap());
    state.step(Input::Store(StoreCall::Rollback), &mut outputs);
    assert_eq!(outputs, [Output::Stored(Ok(())), Output::Stored(Ok(()))]);
    assert_eq!(state.store(), &Memory::new(state.settings().strategies));
    assert_eq!(state.node(0).unwrap().engine.version(), 1);
    // The checkpoint is still there.
    let write = |commit_ts| {
        Input::Store(StoreCall::Delete {
            key: "user".into(),
            commit_ts,
        })
    };
    state.step(write(5), &mut outputs);
    assert_eq!(state.store().last_commit_ts(), Ok(5));
    state.step(
        Input::Store(StoreCall::LoseWatermark { to: 2 }),
        &mut outputs,
    );
    assert_eq!(state.store().last_commit_ts(), Ok(2));
    state.step(Input::Store(StoreCall::Rollback), &mut outputs);
    assert_eq!(state.store().last_commit_ts(), Ok(0));
}
