//! A store that fails: operations end with its failure, and change nothing else.

use std::cell::Cell;

use bytes::Bytes;
use concord::systems::catalog::task::{Call, Returned};
use concord::systems::catalog::{
    CommitAt, Error, KeyRange, Level, Memory, Mutation, Pair, Settings, Store, Task,
};

use super::world::{A, World, routes};

/// A store of which one call fails.
struct Failing {
    store: Memory,
    /// Calls until then.
    left: Cell<u32>,
}

impl Failing {
    fn call(&self) -> Result<(), Error> {
        let left = self.left.get();
        self.left.set(left.wrapping_sub(1));
        match left {
            0 => Err(failure()),
            _ => Ok(()),
        }
    }
}

fn failure() -> Error {
    Error::Backend {
        reason: "worn out".into(),
    }
}

impl Store for Failing {
    type Checkpoint = Memory;

    fn get_at(&self, key: &[u8], ts: u64) -> Result<Bytes, Error> {
        self.call()?;
        self.store.get_at(key, ts)
    }

    fn exists_at(&self, key: &[u8], ts: u64) -> Result<bool, Error> {
        self.call()?;
        self.store.exists_at(key, ts)
    }

    fn scan_at(&self, range: KeyRange<'_>, limit: usize, ts: u64) -> Result<Vec<Pair>, Error> {
        self.call()?;
        self.store.scan_at(range, limit, ts)
    }

    fn reverse_scan_at(
        &self,
        range: KeyRange<'_>,
        limit: usize,
        ts: u64,
    ) -> Result<Vec<Pair>, Error> {
        self.call()?;
        self.store.reverse_scan_at(range, limit, ts)
    }

    fn latest_commit_ts(&self, key: &[u8]) -> Result<Option<u64>, Error> {
        self.call()?;
        self.store.latest_commit_ts(key)
    }

    fn last_commit_ts(&self) -> Result<u64, Error> {
        self.call()?;
        self.store.last_commit_ts()
    }

    fn min_retained_ts(&self) -> Result<u64, Error> {
        self.call()?;
        self.store.min_retained_ts()
    }

    fn put_at(
        &mut self,
        key: Bytes,
        value: Bytes,
        commit_ts: u64,
        expire_at: u64,
    ) -> Result<(), Error> {
        self.call()?;
        self.store.put_at(key, value, commit_ts, expire_at)
    }

    fn delete_at(&mut self, key: Bytes, commit_ts: u64) -> Result<(), Error> {
        self.call()?;
        self.store.delete_at(key, commit_ts)
    }

    fn apply(&mut self, mutations: &[Mutation], start_ts: u64, at: CommitAt) -> Result<u64, Error> {
        self.call()?;
        self.store.apply(mutations, start_ts, at)
    }

    fn apply_built(
        &mut self,
        start_ts: u64,
        at: CommitAt,
        build: impl FnOnce(&Self, u64) -> Result<Vec<Mutation>, Error>,
    ) -> Result<u64, Error> {
        let commit_ts = at.choose(self.last_commit_ts()?)?;
        let mutations = build(self, commit_ts)?;
        self.apply(&mutations, start_ts, CommitAt::Exactly(commit_ts))
    }

    fn compact(&mut self, min_ts: u64) -> Result<(), Error> {
        self.call()?;
        self.store.compact(min_ts)
    }

    fn set_min_retained_ts(&mut self, ts: u64) -> Result<(), Error> {
        self.call()?;
        self.store.set_min_retained_ts(ts)
    }

    fn checkpoint(&mut self) -> Result<Memory, Error> {
        self.call()?;
        self.store.checkpoint()
    }

    fn rollback(&mut self, to: &Memory) -> Result<(), Error> {
        self.call()?;
        self.store.rollback(to)
    }
}

/// Operations on a catalog at version 2, and on an empty one.
fn calls() -> Vec<(bool, Call)> {
    let save = Call::Save {
        expected: 2,
        routes: routes("2:[,m)->7 9:[m,~)->1"),
    };
    let split = Call::Split {
        expected: 2,
        route_id: 2,
        key: "g".into(),
    };
    let sync = Call::Sync { batch: 0 };
    let (empty, saved) = (false, true);
    vec![
        (saved, Call::Snapshot),
        (saved, save),
        (saved, split),
        (saved, Call::Bootstrap),
        (empty, Call::Bootstrap),
        (saved, sync),
    ]
}

#[test]
fn whichever_call_fails_the_operation_ends_with_it() {
    for level in [Level::One, Level::Two] {
        let settings = Settings::strict(level);
        for (is_saved, call) in calls() {
            let mut world = World::new(settings);
            if is_saved {
                world.save(0, "1:[,~)->1").unwrap();
                world.save(1, "2:[,m)->1 3:[m,~)->1").unwrap();
            }
            let mut done = world.clone();
            let expected = done_by(&mut done, call.clone());
            assert!(expected.is_ok());
            let mut failed = 0;
            loop {
                let mut store = Failing {
                    store: world.store.clone(),
                    left: Cell::new(failed),
                };
                let mut engine = world.engines[A].clone();
                let result = Task::run(call.clone(), &mut store, &mut engine, &settings);
                if result.is_ok() {
                    assert_eq!((&result, &store.store), (&expected, &done.store));
                    assert_eq!(engine, done.engines[A]);
                    break;
                }
                assert_eq!(result, Err(failure()));
                // Either nothing is durable, or all of it (H15).
                assert!(store.store == world.store || store.store == done.store);
                assert_eq!(engine, world.engines[A]);
                failed += 1;
            }
            assert!(failed > 2, "{call:?} makes calls");
        }
    }
}

fn done_by(world: &mut World, call: Call) -> Result<Returned, Error> {
    let settings = world.settings;
    Task::run(call, &mut world.store, &mut world.engines[A], &settings)
}
