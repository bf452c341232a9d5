//! Two nodes at once, step by step: the invariants of section 12.

use std::collections::BTreeSet;

use concord::systems::catalog::codec::decode_next_route_id;
use concord::systems::catalog::durable::snapshot;
use concord::systems::catalog::strategy::{
    ConflictCheck, Counter, Retired, Stale, Timestamp, Watermark,
};
use concord::systems::catalog::task::{Call, Returned};
use concord::systems::catalog::{
    Admission, EngineRoute, Error, Input, Level, Output, Route, Settings, State, Store, Strategies,
    keys,
};
use concord::systems::machine::Machine as _;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::events::{Event, events};
use super::world::{level_1, references};
use crate::common::cases;

/// One commit, as the store shows it.
struct Commit {
    table: Vec<Route>,
    ts: u64,
}

/// A state, and what became durable in it.
struct Observed {
    state: State,
    commits: Vec<Commit>,
    /// Versions that somebody was told to have made.
    claimed: BTreeSet<u64>,
    /// How operations ended.
    outcomes: BTreeSet<&'static str>,
}

impl Observed {
    fn new(settings: Settings) -> Self {
        let mut state = State::new(settings, 2);
        for node in 0..2 {
            let input = Input::Start {
                node,
                default_route: true,
                threshold: 0,
            };
            state.step(input, &mut Vec::new());
        }
        let table = Vec::new();
        Self {
            state,
            commits: vec![Commit { table, ts: 0 }],
            claimed: BTreeSet::new(),
            outcomes: BTreeSet::new(),
        }
    }

    fn version(&self) -> u64 {
        self.commits.len() as u64 - 1
    }

    fn step(&mut self, input: Input) -> Result<(), TestCaseError> {
        let mut outputs = Vec::new();
        let before = self.state.store().last_commit_ts().unwrap();
        let engines = self.versions();
        self.state.step(input, &mut outputs);
        for (before, after) in engines.into_iter().zip(self.versions()) {
            let both = before.zip(after);
            let is_monotone = both.is_none_or(|(before, after)| before <= after);
            prop_assert!(is_monotone, "engine_version_monotone");
        }
        let durable = snapshot(self.state.store(), self.state.settings()).unwrap();
        let last = &self.commits[self.commits.len() - 1];
        if durable.version == self.version() {
            prop_assert_eq!(&durable.routes, &last.table);
        } else {
            prop_assert_eq!(durable.version, self.version() + 1, "version_steps_by_one");
            prop_assert!(durable.read_ts > before, "commit_ts_increases");
            self.ids(&durable.routes)?;
            let (table, ts) = (durable.routes, durable.read_ts);
            self.commits.push(Commit { table, ts });
        }
        for output in outputs {
            if let Output::Done { result, .. } = output {
                self.outcomes.insert(outcome(&result));
                self.done(result)?;
            }
        }
        self.engines()
    }

    /// Of the engines of nodes that run.
    fn versions(&self) -> [Option<u64>; 2] {
        [0, 1].map(|node| Some(self.state.node(node)?.engine.version()))
    }

    /// What an operation reports is what was committed.
    fn done(&mut self, result: Result<Returned, Error>) -> Result<(), TestCaseError> {
        match result {
            Ok(Returned::Snapshot(snapshot)) => {
                let commit = &self.commits[snapshot.version as usize];
                prop_assert_eq!(&snapshot.routes, &commit.table, "snapshot_is_atomic");
                prop_assert!(snapshot.read_ts >= commit.ts);
            }
            Ok(Returned::Saved(saved)) => {
                prop_assert!(self.claimed.insert(saved.version), "no_lost_save");
                let commit = &self.commits[saved.version as usize];
                prop_assert_eq!((&saved.routes, saved.commit_ts), (&commit.table, commit.ts));
            }
            Ok(Returned::Split(split)) => {
                prop_assert!(self.claimed.insert(split.version), "no_lost_save");
                let at = split.version as usize;
                prop_assert_eq!(split.commit_ts, self.commits[at].ts);
                let is_parent = |route: &&Route| route.id == split.left.parent;
                let mut table: Vec<Route> = self.commits[at - 1].table.clone();
                let parent = table.iter().find(is_parent).cloned().expect("a parent");
                prop_assert_eq!(&parent.start, &split.left.start);
                prop_assert_eq!(&parent.end, &split.right.end);
                table.retain(|route| *route != parent);
                table.extend([split.left, split.right]);
                let same = |one: &Route, other: &[Route]| other.contains(one);
                let after = &self.commits[at].table;
                prop_assert_eq!(table.len(), after.len());
                prop_assert!(table.iter().all(|route| same(route, after)));
            }
            Ok(Returned::Bootstrapped(found)) => {
                prop_assert_eq!(&found.routes, &self.commits[found.version as usize].table);
            }
            Ok(Returned::Synced | Returned::Accessed) => {}
            // Nobody is turned away for a version that is there.
            Err(Error::VersionMismatch { expected } | Error::CatalogConflict { expected }) => {
                prop_assert_ne!(expected, self.version());
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// `ids_never_reused` and `counter_above_ids`.
    fn ids(&self, table: &[Route]) -> Result<(), TestCaseError> {
        let (store, settings) = (self.state.store(), self.state.settings());
        let ids = |table: &[Route]| table.iter().map(|route| route.id).collect::<BTreeSet<_>>();
        let new = ids(table);
        let before: Vec<_> = self
            .commits
            .iter()
            .map(|commit| ids(&commit.table))
            .collect();
        if settings.admission == Admission::Strict {
            let last = &before[before.len() - 1];
            let gone: BTreeSet<_> = before
                .iter()
                .flatten()
                .filter(|id| !last.contains(id))
                .collect();
            prop_assert!(new.iter().all(|id| !gone.contains(id)));
        }
        let counter = store.get_at(keys::NEXT_ROUTE_ID, u64::MAX).unwrap();
        let counter = decode_next_route_id(&counter).unwrap();
        prop_assert!(before.iter().flatten().chain(&new).all(|id| *id < counter));
        Ok(())
    }

    /// `engine_mirrors_snapshot`.
    fn engines(&self) -> Result<(), TestCaseError> {
        for node in (0..2).filter_map(|node| self.state.node(node)) {
            let version = node.engine.version();
            prop_assert!(version <= self.version());
            if version == 0 {
                continue;
            }
            let table = &self.commits[version as usize].table;
            let routes = node.engine.routes().iter();
            let same = |(one, other): (&Route, &EngineRoute)| {
                let one = (one.id, &one.start, &one.end, one.group, one.state);
                one == (other.id, &other.start, &other.end, other.group, other.state)
            };
            prop_assert_eq!(routes.len(), table.len());
            let mut sorted: Vec<_> = table.iter().collect();
            sorted.sort_by(|one, other| one.start.cmp(&other.start));
            prop_assert!(sorted.into_iter().zip(routes).all(same));
        }
        Ok(())
    }
}

const fn outcome(result: &Result<Returned, Error>) -> &'static str {
    match result {
        Ok(Returned::Snapshot(_)) => "read",
        Ok(Returned::Saved(_)) => "saved",
        Ok(Returned::Split(_)) => "split",
        Ok(Returned::Bootstrapped(_)) => "bootstrapped",
        Ok(Returned::Synced) => "synced",
        Ok(Returned::Accessed) => "accessed",
        Err(error) => error.code(),
    }
}

fn run(settings: Settings, events: &[Event]) -> Result<Observed, TestCaseError> {
    let mut observed = Observed::new(settings);
    for event in events {
        // Hotspot splits are no matter of the catalog.
        let event = match event {
            Event::Start(_, default_route) => Event::Start(0, *default_route),
            event => event.clone(),
        };
        for input in event.inputs(&observed.state) {
            observed.step(input)?;
        }
    }
    Ok(observed)
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn whatever_comes_in_between_the_invariants_hold(events in events(100)) {
        for settings in references() {
            let _ = run(settings, &events)?;
        }
    }

    #[test]
    fn once_saves_stop_every_node_that_syncs_arrives(events in events(60)) {
        for settings in references().into_iter().filter(|it| it.admission == Admission::Strict) {
            let mut observed = run(settings, &events)?;
            for node in 0..2 {
                observed.step(Input::Crash { node })?;
                observed.step(Input::Start { node, default_route: node == 0, threshold: 0 })?;
                let batch = 2;
                while observed.state.node(node).unwrap().engine.version() < observed.version() {
                    let before = observed.state.node(node).unwrap().engine.version();
                    let call = Call::Sync { batch };
                    observed.step(Input::Begin { node, task: 0, call })?;
                    while !observed.state.node(node).unwrap().tasks.is_empty() {
                        observed.step(Input::Advance { node, task: 0 })?;
                    }
                    let after = observed.state.node(node).unwrap().engine.version();
                    prop_assert!(after > before);
                    prop_assert!(settings.level == Level::One || after <= before + 2);
                }
            }
        }
    }
}

/// What comes of many random runs, one after the other.
fn runs(settings: Settings, count: usize) -> impl Iterator<Item = Result<Observed, TestCaseError>> {
    let mut runner = TestRunner::deterministic();
    let strategy = events(100);
    (0..count).map(move |_| {
        let events = strategy.new_tree(&mut runner).unwrap().current();
        run(settings, &events)
    })
}

#[test]
fn the_events_reach_every_outcome() {
    let observed = runs(Settings::strict(Level::Two), 100).map(Result::unwrap);
    let outcomes: BTreeSet<_> = observed.flat_map(|observed| observed.outcomes).collect();
    let expected = [
        "bootstrapped",
        "catalog_route_id_retired",
        "catalog_version_mismatch",
        "distribution_catalog_conflict",
        "distribution_split_key_at_boundary",
        "distribution_unknown_route",
        "read",
        "saved",
        "split",
        "synced",
    ];
    let missing: Vec<_> = expected
        .iter()
        .filter(|it| !outcomes.contains(*it))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_invariants_catch_the_variants() {
    let variants: [fn(&mut Strategies); 6] = [
        |how| how.timestamp = Timestamp::BeforeWrite,
        |how| how.conflict_check = ConflictCheck::BeforeWrite,
        |how| how.watermark = Watermark::BeforeWrite,
        |how| how.retired = Retired::Accepted,
        |how| how.counter = Counter::Recomputed,
        |how| how.stale = Stale::Installed,
    ];
    for (at, variant) in variants.into_iter().enumerate() {
        let caught = runs(level_1(variant), 2000).any(|run| run.is_err());
        assert!(caught, "variant {at}");
    }
}
