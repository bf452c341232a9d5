//! Random sequences against the oracle: whatever an engine is asked in between, it answers like that.

use concord::systems::catalog::delta::ChangeKind;
use concord::systems::catalog::strategy::{
    DeltaBase, EqualStarts, Guard, HalfLoads, Halves, Overlapping, Ring, SecondLook, Stale,
};
use concord::systems::catalog::{
    Change, Delta, Engine, EngineRoute, Level, Route, Settings, Strategies,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

use super::oracle::Oracle;
use crate::common::cases;

type Key = Vec<u8>;

/// What is done to an engine. Versions are relative to the engine's.
#[derive(Clone, Debug)]
enum Op {
    UpdateRoute(Key, Option<Key>, u64),
    Begin(Key),
    Finish(Key),
    Record(Key),
    Snapshot(i64, Vec<Route>),
    Delta(i64, i64, Vec<Change>),
    /// To this table, with all changes that it takes.
    Move(Vec<Route>),
    Verify(u64, Option<u64>, Vec<Key>),
}

fn key() -> impl Strategy<Value = Key> {
    prop::collection::vec(prop::sample::select(&[0, b'a', b'b', b'c'][..]), 0..3)
}

/// Any route, sound or not.
fn any_route() -> impl Strategy<Value = Route> {
    (0u64..5, key(), prop::option::of(key()), 0u64..4, 0u8..5).prop_map(
        |(id, start, end, group, state)| Route {
            id,
            start: start.into(),
            end: end.map(Into::into),
            group,
            state,
            parent: 0,
            split_at: 0,
        },
    )
}

/// A table without flaw: ranges between cuts, some left out, with ids in any order.
fn sound_table() -> impl Strategy<Value = Vec<Route>> {
    let cuts = prop::collection::btree_set(key(), 0..6);
    let owners = prop::collection::vec((1u64..4, 0u8..4, any::<bool>()), 6);
    let ids = Just(vec![1u64, 2, 3, 4, 5, 6]).prop_shuffle();
    (cuts, owners, ids, any::<bool>()).prop_map(|(cuts, owners, ids, unbounded)| {
        let cuts: Vec<Key> = cuts.into_iter().collect();
        let mut routes = Vec::new();
        for (at, (start, ((group, state, kept), id))) in
            cuts.iter().zip(owners.into_iter().zip(ids)).enumerate()
        {
            let end = cuts.get(at + 1);
            if kept && (end.is_some() || unbounded) {
                let (start, end) = (start.clone().into(), end.map(|end| end.clone().into()));
                routes.push(Route {
                    id,
                    start,
                    end,
                    group,
                    state,
                    parent: 0,
                    split_at: 0,
                });
            }
        }
        routes
    })
}

fn any_change() -> impl Strategy<Value = Change> {
    let kind = prop_oneof![
        5 => Just(ChangeKind::Upsert),
        3 => Just(ChangeKind::Delete),
        1 => Just(ChangeKind::Unknown),
    ];
    (
        kind,
        0u64..6,
        prop::option::weighted(0.9, any_route()),
        0u8..8,
    )
        .prop_map(|(kind, id, route, odd)| match odd {
            0 => Change {
                kind,
                route_id: id,
                route,
            },
            _ => match (kind, route) {
                (ChangeKind::Upsert, Some(route)) => Change::upsert(route),
                _ => Change::delete(id),
            },
        })
}

fn op() -> impl Strategy<Value = Op> {
    let version = prop_oneof![1 => -2i64..=0, 4 => Just(1i64), 2 => 2i64..5];
    let tables = prop_oneof![
        3 => sound_table().prop_shuffle().boxed(),
        1 => prop::collection::vec(any_route(), 0..4).boxed(),
    ];
    let bounds = (-3i64..4, prop_oneof![6 => Just(1i64), 1 => 0i64..3]);
    prop_oneof![
        2 => (key(), prop::option::of(key()), 0u64..4).prop_map(|(start, end, group)| Op::UpdateRoute(start, end, group)),
        4 => key().prop_map(Op::Begin),
        4 => key().prop_map(Op::Finish),
        4 => key().prop_map(Op::Record),
        4 => (version, tables).prop_map(|(version, routes)| Op::Snapshot(version, routes)),
        4 => (bounds, prop::collection::vec(any_change(), 0..4)).prop_map(|((previous, by), changes)| Op::Delta(previous, by, changes)),
        8 => sound_table().prop_map(Op::Move),
        4 => (0u64..4, prop::option::of(0u64..60), prop::collection::vec(key(), 0..3)).prop_map(|(group, observed, keys)| Op::Verify(group, observed, keys)),
    ]
}

/// The delta from one table to another. Routes without id are nothing that it speaks of.
fn changes(from: &[EngineRoute], to: &[Route]) -> Vec<Change> {
    let gone = from
        .iter()
        .filter(|route| route.id != 0 && to.iter().all(|new| new.id != route.id));
    let gone = gone.map(|route| Change::delete(route.id));
    gone.chain(to.iter().cloned().map(Change::upsert)).collect()
}

/// Does the same to both and compares what they say of it.
fn step(engine: &mut Engine, oracle: &mut Oracle, op: Op) -> TestCaseResult {
    let version = |by: i64| oracle.version.saturating_add_signed(by);
    match op {
        Op::UpdateRoute(start, end, group) => {
            oracle.update_route(&start, end.as_deref(), group);
            engine.update_route(start.into(), end.map(Into::into), group);
        }
        Op::Begin(key) => {
            let begun = engine
                .access_begin(&key)
                .map(|access| (access.load, access.hot));
            prop_assert_eq!(begun, oracle.begin(&key));
        }
        Op::Finish(key) => {
            let before = oracle.routes.len();
            oracle.finish(&key);
            prop_assert_eq!(engine.access_finish(&key), oracle.routes.len() != before);
        }
        Op::Record(key) => {
            engine.record_access(&key);
            if let Some((_, true)) = oracle.begin(&key) {
                oracle.finish(&key);
            }
        }
        Op::Snapshot(by, routes) => {
            let version = version(by);
            let applied = engine.apply_snapshot(version, &routes);
            let applied = applied.map_err(|error| error.code());
            prop_assert_eq!(applied, oracle.apply_snapshot(version, &routes));
        }
        Op::Delta(base, by, changes) => {
            let previous = version(base);
            let delta = Delta {
                previous,
                version: previous.saturating_add_signed(by),
                changes,
            };
            return apply(engine, oracle, &delta);
        }
        Op::Move(to) => {
            let previous = version(0);
            let changes = changes(&oracle.routes, &to);
            return apply(
                engine,
                oracle,
                &Delta {
                    previous,
                    version: previous + 1,
                    changes,
                },
            );
        }
        Op::Verify(group, observed, keys) => {
            let verdict = engine.verify_commit(group, observed, &keys);
            let verdict = verdict.map_err(|error| error.code());
            prop_assert_eq!(verdict, oracle.verify(group, observed, &keys));
        }
    }
    Ok(())
}

fn apply(engine: &mut Engine, oracle: &mut Oracle, delta: &Delta) -> TestCaseResult {
    let applied = engine.apply_delta(delta).map_err(|error| error.code());
    prop_assert_eq!(applied, oracle.apply_delta(delta));
    Ok(())
}

/// Asks both everything.
fn compare(engine: &Engine, oracle: &Oracle, keys: &[Key]) -> TestCaseResult {
    prop_assert_eq!(engine.routes(), &oracle.routes[..]);
    prop_assert_eq!(engine.version(), oracle.version);
    for key in keys {
        let owner = oracle.owner(key).map(|at| &oracle.routes[at]);
        prop_assert_eq!(engine.lookup(key), owner);
        for end in keys.iter().map(Some).chain([None]) {
            let found: Vec<&EngineRoute> =
                engine.intersecting(key, end.map(Vec::as_slice)).collect();
            prop_assert_eq!(found, oracle.intersecting(key, end.map(Vec::as_slice)));
        }
    }
    for version in 0..oracle.version + 2 {
        let remembered = engine.history_at(version).map(|table| &*table.routes);
        prop_assert_eq!(remembered, oracle.history(version));
        for key in keys {
            prop_assert_eq!(engine.owner_at(version, key), oracle.owner_at(version, key));
        }
    }
    let current = engine.history_current().map(|table| &*table.routes);
    prop_assert_eq!(current, oracle.history(oracle.version));
    Ok(())
}

/// How an engine begins, what is done to it, and for which keys it is asked.
#[derive(Clone, Debug)]
struct Life {
    level: Level,
    default_route: bool,
    threshold: u64,
    ops: Vec<Op>,
    keys: Vec<Key>,
}

fn life() -> impl Strategy<Value = Life> {
    let level = prop::sample::select(vec![Level::One, Level::Two]);
    let ops = prop::collection::vec(op(), 0..120);
    let keys = prop::collection::vec(key(), 1..4);
    (level, any::<bool>(), 0u64..4, ops, keys).prop_map(
        |(level, default_route, threshold, ops, keys)| Life {
            level,
            default_route,
            threshold,
            ops,
            keys,
        },
    )
}

fn live(life: Life, strategies: Strategies) -> TestCaseResult {
    let settings = Settings {
        strategies,
        ..Settings::strict(life.level)
    };
    let mut engine = Engine::new(settings, life.default_route, life.threshold);
    let is_second = life.level == Level::Two;
    let mut oracle = Oracle::new(is_second, life.default_route, life.threshold);
    for op in life.ops {
        step(&mut engine, &mut oracle, op)?;
        compare(&engine, &oracle, &life.keys)?;
    }
    Ok(())
}

#[test]
fn the_oracle_tells_every_mutant_from_the_reference() {
    let of = |change: fn(&mut Strategies)| {
        let mut strategies = Strategies::REFERENCE;
        change(&mut strategies);
        strategies
    };
    let mutants = [
        of(|s| s.equal_starts = EqualStarts::Reversed),
        of(|s| s.halves = Halves::Active),
        of(|s| s.half_loads = HalfLoads::Kept),
        of(|s| s.second_look = SecondLook::Skipped),
        of(|s| s.stale = Stale::Installed),
        of(|s| s.overlapping = Overlapping::Installed),
        of(|s| s.delta_base = DeltaBase::Unchecked),
        of(|s| s.ring = Ring::Replaced),
        of(|s| s.guard = Guard::Observed),
        of(|s| s.guard = Guard::Current),
    ];
    for mutant in mutants {
        let config = Config {
            cases: 1000,
            max_shrink_iters: 0,
            failure_persistence: None,
            ..Config::default()
        };
        let mut runner = TestRunner::new_with_rng(config, TestRunner::deterministic().new_rng());
        let agreed = runner.run(&life(), |life| live(life, mutant));
        assert!(agreed.is_err(), "{mutant:?}");
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn engines_answer_like_the_oracle(life in life()) {
        live(life, Strategies::REFERENCE)?;
    }

    /// Sequences of what the catalog would send: beyond what the ring holds, with registrations left out.
    #[test]
    fn rings_are_as_long_as_they_must_be(tables in prop::collection::vec((sound_table(), 0u64..3), 0..80)) {
        let mut engine = Engine::new(Settings::strict(Level::Two), true, 0);
        let mut oracle = Oracle::new(true, true, 0);
        for (table, skipped) in tables {
            let op = match skipped {
                0 => Op::Move(table),
                skipped => Op::Snapshot(skipped as i64 + 1, table),
            };
            let before = engine.version();
            step(&mut engine, &mut oracle, op)?;
            prop_assert_eq!(engine.version(), before + 1 + skipped);
        }
        compare(&engine, &oracle, &[b"a".to_vec(), b"b".to_vec()])?;
    }

    /// The owner group and state of every key stay, and of loads only that of the route that is split.
    #[test]
    fn splits_preserve_coverage(
        table in sound_table(),
        threshold in 1u64..4,
        accesses in prop::collection::vec(key(), 0..40),
    ) {
        let mut engine = Engine::new(Settings::strict(Level::One), false, threshold);
        engine.apply_snapshot(1, &table).expect("it has no flaw");
        for accessed in &accesses {
            let before = engine.clone();
            engine.record_access(accessed);
            for key in accesses.iter().flat_map(|key| [key.clone(), [&key[..], &[0]].concat()]) {
                let [was, is] = [&before, &engine].map(|engine| {
                    let owner = engine.lookup(&key);
                    owner.map(|route| (route.group, route.state))
                });
                prop_assert_eq!(is, was);
            }
            let pairs = engine.routes().windows(2);
            prop_assert!(pairs.into_iter().all(|pair| pair[0].end.as_ref().is_some_and(|end| *end <= pair[1].start)));
        }
    }

    /// Loads are the accesses that found a route, but for those of routes that became hot.
    #[test]
    fn loads_account_for_accesses(
        table in sound_table(),
        threshold in 0u64..5,
        accesses in prop::collection::vec((key(), any::<bool>()), 0..60),
    ) {
        let mut engine = Engine::new(Settings::strict(Level::One), false, threshold);
        engine.apply_snapshot(1, &table).expect("it has no flaw");
        let (mut found, mut discarded) = (0, 0);
        let mut pending = Vec::new();
        for (key, is_late) in accesses {
            let begun = engine.access_begin(&key);
            found += u64::from(begun.is_some());
            if begun.is_some_and(|access| access.hot) {
                pending.push(key);
            }
            if is_late {
                continue;
            }
            for key in pending.drain(..) {
                let load = engine.lookup(&key).map_or(0, |route| route.load);
                discarded += if load >= threshold { load } else { 0 };
                engine.access_finish(&key);
            }
        }
        let loads: u64 = engine.routes().iter().map(|route| route.load).sum();
        prop_assert_eq!(loads, found - discarded);
    }
}
