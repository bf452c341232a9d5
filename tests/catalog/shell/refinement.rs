//! Whatever one thread asks of the shell, the core answers the same.

use bytes::Bytes;
use concord::systems::catalog::shell::{Accessor, SharedEngine};
use concord::systems::catalog::{Change, Delta, Engine, Level, Route, Settings};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::common::cases;

type Key = Vec<u8>;

/// Versions are relative to the engine's.
#[derive(Clone, Debug)]
enum Op {
    UpdateRoute(Key, Option<Key>, u64),
    /// By which accessor.
    Record(usize, Key),
    Snapshot(i64, Vec<Route>),
    /// Of level 2.
    Delta(i64, Vec<Route>, Vec<u64>),
    Verify(u64, Option<u64>, Vec<Key>),
    Timestamp,
}

fn key() -> impl Strategy<Value = Key> {
    prop::collection::vec(prop::sample::select(&[0, b'a', b'b', 0xff][..]), 0..4)
}

fn owner() -> impl Strategy<Value = (u64, u8)> {
    (1u64..5, 0u8..4)
}

fn route(id: u64, start: Key, end: Option<Key>, (group, state): (u64, u8)) -> Route {
    Route {
        id,
        start: start.into(),
        end: end.map(Into::into),
        group,
        state,
        parent: 0,
        split_at: 0,
    }
}

/// Ranges between cuts, some left out.
fn sound() -> impl Strategy<Value = Vec<Route>> {
    let cuts = prop::collection::btree_set(key(), 0..9);
    let kept = prop::collection::vec(prop::bool::weighted(0.8), 9);
    let owners = prop::collection::vec(owner(), 9);
    (cuts, kept, owners).prop_map(|(cuts, kept, owners)| {
        let cuts: Vec<Key> = cuts.into_iter().collect();
        let ends = cuts.iter().skip(1).cloned().map(Some).chain([None]);
        let ranges = (1..)
            .zip(cuts.iter().cloned().zip(ends))
            .zip(owners.into_iter().zip(kept));
        let kept = ranges.filter(|(_, (_, kept))| *kept);
        kept.map(|((id, (start, end)), (owner, _))| route(id, start, end, owner))
            .collect()
    })
}

fn any_route() -> impl Strategy<Value = Route> {
    (0u64..4, key(), prop::option::of(key()), owner())
        .prop_map(|(id, start, end, owner)| route(id, start, end, owner))
}

fn op() -> impl Strategy<Value = Op> {
    let tables =
        || prop_oneof![4 => sound().boxed(), 1 => prop::collection::vec(any_route(), 0..4).boxed()];
    let register = (key(), prop::option::of(key()), 0u64..4);
    prop_oneof![
        2 => register.prop_map(|(start, end, group)| Op::UpdateRoute(start, end, group)),
        12 => (0..ACCESSORS, key()).prop_map(|(by, key)| Op::Record(by, key)),
        3 => (-1i64..3, tables()).prop_map(|(by, routes)| Op::Snapshot(by, routes)),
        3 => (-1i64..3, tables(), prop::collection::vec(0u64..10, 0..4)).prop_map(|(by, puts, ids)| Op::Delta(by, puts, ids)),
        1 => (0u64..4, prop::option::of(0u64..8), prop::collection::vec(key(), 0..3)).prop_map(|(group, observed, keys)| Op::Verify(group, observed, keys)),
        1 => Just(Op::Timestamp),
    ]
}

const ACCESSORS: usize = 3;

/// The two of them.
struct Both {
    core: Engine,
    shell: SharedEngine,
    accessors: Vec<Accessor>,
}

impl Both {
    fn new(settings: Settings, default_route: bool, threshold: u64, lanes: usize) -> Self {
        let shell = SharedEngine::new(settings, default_route, threshold, lanes);
        Self {
            core: Engine::new(settings, default_route, threshold),
            accessors: (0..ACCESSORS).map(|_| shell.accessor()).collect(),
            shell,
        }
    }

    fn step(&mut self, op: Op) -> TestCaseResult {
        let Self {
            core,
            shell,
            accessors,
        } = self;
        let version = |by| core.version().saturating_add_signed(by);
        match op {
            Op::UpdateRoute(start, end, group) => {
                let (start, end) = (Bytes::from(start), end.map(Bytes::from));
                shell.update_route(start.clone(), end.clone(), group);
                core.update_route(start, end, group);
            }
            Op::Record(by, key) => {
                let recorded = accessors[by].record(&key).map(|seen| seen.id());
                prop_assert_eq!(recorded, core.lookup(&key).map(|route| route.id));
                core.record_access(&key);
            }
            Op::Snapshot(by, routes) => {
                let version = version(by);
                prop_assert_eq!(
                    shell.apply_snapshot(version, &routes),
                    core.apply_snapshot(version, &routes)
                );
            }
            Op::Delta(..) if core.settings().level == Level::One => {}
            Op::Delta(by, puts, deleted) => {
                let version = version(by);
                let puts = puts.into_iter().map(Change::upsert);
                let deleted = deleted.into_iter().map(Change::delete);
                let changes = puts.chain(deleted).collect();
                let delta = Delta {
                    previous: version.saturating_sub(1),
                    version,
                    changes,
                };
                prop_assert_eq!(shell.apply_delta(&delta), core.apply_delta(&delta));
            }
            Op::Verify(group, observed, keys) => {
                prop_assert_eq!(
                    shell.verify_commit(group, observed, &keys),
                    core.verify_commit(group, observed, &keys)
                );
            }
            Op::Timestamp => prop_assert_eq!(shell.next_timestamp(), core.next_timestamp()),
        }
        Ok(())
    }

    fn compare(&self, keys: &[Key]) -> TestCaseResult {
        let Self { core, shell, .. } = self;
        let mut reader = shell.reader();
        prop_assert_eq!(&shell.stats()[..], core.routes());
        prop_assert_eq!(
            (shell.version(), shell.threshold()),
            (core.version(), core.threshold())
        );
        prop_assert_eq!(shell.history_current(), core.history_current().cloned());
        for key in keys {
            let found = shell.lookup(key);
            let route = found.as_ref().map(|found| found.to_route());
            prop_assert_eq!(route.as_ref(), core.lookup(key));
            let seen = reader.lookup(key).map(|seen| seen.to_route());
            prop_assert_eq!(seen.as_ref(), route.as_ref());
            prop_assert_eq!(
                found.map(|found| found.load()),
                route.map(|route| route.load)
            );
            for end in keys.iter().map(|end| Some(&end[..])).chain([None]) {
                let expected: Vec<_> = core.intersecting(key, end).cloned().collect();
                prop_assert_eq!(shell.intersecting(key, end), expected);
            }
            for version in 0..=core.version() {
                prop_assert_eq!(shell.owner_at(version, key), core.owner_at(version, key));
                prop_assert_eq!(shell.history_at(version), core.history_at(version).cloned());
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn the_shell_answers_as_the_core(
        level in prop::sample::select(&[Level::One, Level::Two][..]),
        default_route in any::<bool>(),
        threshold in 0u64..5,
        lanes in 0..=ACCESSORS,
        ops in prop::collection::vec(op(), 0..60),
        keys in prop::collection::vec(key(), 1..5),
    ) {
        let mut both = Both::new(Settings::strict(level), default_route, threshold, lanes);
        for op in ops {
            both.step(op)?;
            both.compare(&keys)?;
        }
    }

    /// Below 16 times the lanes accesses are looked at one by one; a lane that counts alone misses none either.
    #[test]
    fn any_threshold_is_met_by_one_accessor(table in sound(), lanes in 0..=ACCESSORS, threshold in 1u64..3_000, keys in prop::collection::vec(key(), 1..4)) {
        let mut both = Both::new(Settings::strict(Level::One), true, threshold, lanes);
        both.step(Op::Snapshot(1, table))?;
        for access in 0..3 * threshold {
            let key = &keys[access as usize % keys.len()];
            both.step(Op::Record(0, key.clone()))?;
            let routes = both.core.routes().len();
            prop_assert_eq!(both.shell.stats().len(), routes, "after {}", access);
        }
        both.compare(&keys)?;
    }

    #[test]
    fn small_thresholds_are_met_by_many_accessors(threshold in 1u64..16 * ACCESSORS as u64, by in prop::collection::vec(0..ACCESSORS, 0..200)) {
        let mut both = Both::new(Settings::strict(Level::One), false, threshold, ACCESSORS - 1);
        both.step(Op::UpdateRoute(b"a".to_vec(), Some(b"b".to_vec()), 1))?;
        for by in by {
            both.step(Op::Record(by, b"aa".to_vec()))?;
            both.compare(&[b"aa".to_vec()])?;
        }
    }

    /// Otherwise less than an eighth of the threshold goes unnoticed.
    #[test]
    fn large_thresholds_are_noticed_in_time(threshold in 16 * ACCESSORS as u64..500, by in prop::collection::vec((0..ACCESSORS, 1..100_u64), 200)) {
        let shell = SharedEngine::new(Settings::strict(Level::One), false, threshold, ACCESSORS - 1);
        let mut accessors: Vec<_> = (0..ACCESSORS).map(|_| shell.accessor()).collect();
        shell.update_route("a".into(), Some("b".into()), 1);
        let mut counted = 0;
        let turns = by.into_iter().flat_map(|(by, times)| (0..times).map(move |_| by));
        for by in turns {
            accessors[by].record(b"aa");
            counted += 1;
            if shell.stats().len() > 1 {
                break;
            }
            prop_assert!(counted < threshold + threshold / 8, "{} of {}", counted, threshold);
        }
        prop_assert!(counted >= threshold);
    }
}
