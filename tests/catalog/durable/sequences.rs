//! Sequences of saves and splits, against the oracle.

use concord::systems::catalog::durable::{Step, next_route_id, snapshot_at};
use concord::systems::catalog::{Admission, Error, Level, SavePlan, Settings, Store, keys};
use proptest::prelude::*;

use super::draws::{Draw, Foreign, Table, draw};
use super::oracle::{Oracle, plain};
use super::world::{World, references};
use crate::common::cases;

/// What comes between planning and committing.
#[derive(Clone, Copy, Debug)]
enum Between {
    Nothing,
    /// The timestamp is picked, perhaps to no avail.
    Pick,
    /// Somebody writes a key of their own.
    User,
    /// Somebody saves the present table once more.
    Save,
}

struct Run {
    world: World,
    oracle: Oracle,
    /// Of each version, where it was committed.
    commits: Vec<u64>,
}

impl Run {
    fn new(settings: Settings) -> Self {
        Self {
            world: World::new(settings),
            oracle: Oracle::new(settings),
            commits: vec![0],
        }
    }

    fn last_commit_ts(&self) -> u64 {
        self.world.store.last_commit_ts().unwrap()
    }

    fn take(&mut self, draw: &Draw, between: Between, stale: bool) -> Result<(), TestCaseError> {
        let expected = self.oracle.version() + u64::from(stale);
        match draw {
            Draw::Save(table) => self.save(expected, table, between),
            Draw::Split { at, key } => {
                let table = self.oracle.table();
                let id = table
                    .get(at.index(table.len() + 1))
                    .map_or(99, |route| route.id);
                self.split(expected, id, key, between)
            }
            Draw::Foreign(Foreign::User(later)) => {
                let ts = self.last_commit_ts() + later;
                self.world.put_at("user", "x", ts);
                Ok(())
            }
            Draw::Foreign(Foreign::NextId(above)) => {
                let id = self.oracle.next_id() + above;
                self.world.put_number(keys::NEXT_ROUTE_ID, id);
                self.oracle.foreign_next_id(id);
                Ok(())
            }
        }
    }

    fn save(
        &mut self,
        expected: u64,
        table: &Table,
        between: Between,
    ) -> Result<(), TestCaseError> {
        let desired = table.table(self.oracle.table(), self.oracle.next_id());
        let settings = self.world.settings;
        let planned = self.oracle.save(expected, &desired);
        let plan = SavePlan::prepare(&self.world.store, &settings, expected, desired);
        let (planned, mut plan) = match (planned, plan) {
            (Ok(planned), Ok(plan)) => (planned, plan),
            (Err(code), plan) => {
                prop_assert_eq!(plan.map_err(|error| error.code()), Err(code));
                return Ok(());
            }
            (Ok(_), Err(error)) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert_eq!(plain(plan.mutations()), &planned.batch[..]);
        prop_assert_eq!(plan.routes(), &planned.table);
        prop_assert_eq!(plan.read_ts(), self.last_commit_ts());

        let lost = self.between(between)?;
        if matches!(between, Between::Pick) {
            prop_assert_eq!(
                plan.pick_ts(&self.world.store),
                Ok(self.last_commit_ts() + 1)
            );
        }
        let before = self.world.store.clone();
        let saved = self.world.apply(plan);
        if lost {
            prop_assert_eq!(saved, Err(Error::VersionMismatch { expected }));
            prop_assert_eq!(&self.world.store, &before);
            return Ok(());
        }
        let saved = saved.unwrap();
        prop_assert_eq!(saved.commit_ts, before.last_commit_ts().unwrap() + 1);
        prop_assert_eq!(saved.version, expected + 1);
        prop_assert_eq!(&saved.routes, &planned.table);
        self.commits.push(saved.commit_ts);
        self.oracle.committed(planned);
        Ok(())
    }

    fn split(
        &mut self,
        expected: u64,
        id: u64,
        key: &str,
        between: Between,
    ) -> Result<(), TestCaseError> {
        let plan = self.world.plan(expected, id, key);
        let plan = match (self.oracle.split(expected, id, key, 0), plan) {
            (Ok(_), Ok(plan)) => plan,
            (Err(code), plan) => {
                prop_assert_eq!(plan.map_err(|error| error.code()), Err(code));
                return Ok(());
            }
            (Ok(_), Err(error)) => return Err(TestCaseError::fail(error.to_string())),
        };
        let batch = plain(plan.mutations());

        let lost = self.between(between)?;
        let (settings, before) = (self.world.settings, self.world.store.clone());
        let Step::Done(split) = plan.advance(&mut self.world.store, &settings) else {
            return Err(TestCaseError::fail("the reference commits in one step"));
        };
        if lost {
            prop_assert_eq!(split, Err(Error::CatalogConflict { expected }));
            prop_assert_eq!(&self.world.store, &before);
            return Ok(());
        }
        let split = split.unwrap();
        prop_assert_eq!(split.commit_ts, before.last_commit_ts().unwrap() + 1);
        prop_assert_eq!(split.version, expected + 1);
        let planned = self
            .oracle
            .split(expected, id, key, split.commit_ts)
            .unwrap();
        prop_assert!(planned.table.contains(&split.left) && planned.table.contains(&split.right));
        if settings.level == Level::One {
            prop_assert_eq!(batch, &planned.batch[..]);
        }
        for (key, value) in &planned.batch {
            let stored = self.world.store.get_at(key, split.commit_ts).ok();
            prop_assert_eq!(&stored.map(|value| value.to_vec()), value);
        }
        self.commits.push(split.commit_ts);
        self.oracle.committed(planned);
        Ok(())
    }

    /// Whether the present operation has lost by it.
    fn between(&mut self, between: Between) -> Result<bool, TestCaseError> {
        match between {
            Between::Nothing | Between::Pick => Ok(false),
            Between::User => {
                self.world.put("user", "y");
                Ok(false)
            }
            Between::Save => {
                let (version, table) = (self.oracle.version(), self.oracle.table().to_vec());
                let planned = match self.oracle.save(version, &table) {
                    Ok(planned) => planned,
                    Err(code) => return Err(TestCaseError::fail(code)),
                };
                let settings = self.world.settings;
                let plan = SavePlan::prepare(&self.world.store, &settings, version, table);
                let saved = self.world.apply(plan.unwrap()).unwrap();
                self.commits.push(saved.commit_ts);
                self.oracle.committed(planned);
                Ok(true)
            }
        }
    }

    /// Every version can be read where it was committed, and until the next one was.
    fn check(&self) -> Result<(), TestCaseError> {
        let (store, settings) = (&self.world.store, &self.world.settings);
        let until = self.commits[1..].iter().map(|ts| ts - 1).chain([u64::MAX]);
        let commits = self.commits.iter().copied().zip(until);
        for (version, (table, (from, until))) in self.oracle.tables.iter().zip(commits).enumerate()
        {
            for ts in [from, until] {
                let snapshot = snapshot_at(store, ts, settings).unwrap();
                prop_assert_eq!(snapshot.version, version as u64);
                prop_assert_eq!(&snapshot.routes, table);
            }
        }
        prop_assert_eq!(next_route_id(store, settings), Ok(self.oracle.next_id()));
        Ok(())
    }
}

fn between() -> impl Strategy<Value = Between> {
    prop_oneof![
        8 => Just(Between::Nothing),
        1 => Just(Between::Pick),
        1 => Just(Between::User),
        1 => Just(Between::Save),
    ]
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn saves_and_splits_do_what_the_oracle_says(
        steps in prop::collection::vec((draw(), between(), prop::bool::weighted(0.05)), 1..30),
    ) {
        for settings in references() {
            let mut run = Run::new(settings);
            for (draw, between, stale) in &steps {
                run.take(draw, *between, *stale)?;
            }
            run.check()?;
        }
    }
}

#[test]
fn the_draws_reach_every_outcome() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut outcomes = std::collections::BTreeSet::new();
    for admission in [Admission::Strict, Admission::Permissive] {
        let mut run = Run::new(Settings::reference(Level::One, admission));
        for _ in 0..3000 {
            let draw = draw().new_tree(&mut runner).unwrap().current();
            if let Draw::Save(table) = &draw {
                let desired = table.table(run.oracle.table(), run.oracle.next_id());
                let planned = run.oracle.save(run.oracle.version(), &desired);
                outcomes.insert(planned.map_or_else(|code| code, |_| "saved"));
            }
            run.take(&draw, Between::Nothing, false).unwrap();
            // Tables are compared with all before them.
            if run.oracle.tables.len() > 60 {
                run = Run::new(run.world.settings);
            }
        }
    }
    let expected = [
        "catalog_duplicate_route_id",
        "catalog_group_id_required",
        "catalog_invalid_route_range",
        "catalog_invalid_route_state",
        "catalog_route_id_required",
        "catalog_route_id_retired",
        "catalog_route_overlap",
        "saved",
    ];
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), expected);
}
