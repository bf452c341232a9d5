//! One engine of level 1: threads count accesses and prepare snapshots, and anything may come between the two
//! phases of either.

mod oracle;
mod properties;
mod registrations;

use bytes::Bytes;
use concord_systems::catalog::engine::Prepared;
use concord_systems::catalog::{Engine, EngineRoute, Error, Route, Settings};
use serde::{Deserialize, Serialize};
use stateright::{Model, Property as Peer};

use crate::checker;
use crate::registry::{Family, Subject};

/// The models.
pub(super) fn families() -> Vec<Box<dyn Subject>> {
    let engine = Family {
        name: "catalog/engine",
        properties: properties::properties(),
        faults: properties::faults(),
        build: properties::build,
    };
    vec![Box::new(engine), registrations::family()]
}

/// Keys that are accessed.
const KEYS: [&[u8]; 3] = [b"a", b"b", b"c"];

/// Keys at and beside every bound that a table may have.
const PROBES: [&[u8]; 9] = [
    b"", b"a", b"a\0", b"a\0\0", b"b", b"b\0", b"c", b"c\0", b"z",
];

/// Accesses that make a route hot.
const THRESHOLD: u64 = 2;

/// A route without parent.
fn route(id: u64, range: (&'static [u8], Option<&'static [u8]>), group: u64, state: u8) -> Route {
    Route {
        id,
        start: Bytes::from_static(range.0),
        end: range.1.map(Bytes::from_static),
        group,
        state,
        parent: 0,
        split_at: 0,
    }
}

/// The tables of versions 1 to 4. Some routes are not active, the third table overlaps.
fn tables() -> Vec<Vec<Route>> {
    vec![
        vec![
            route(1, (b"a", Some(b"c")), 1, 1),
            route(2, (b"c", None), 2, 0),
        ],
        vec![
            route(1, (b"a", Some(b"b")), 1, 2),
            route(3, (b"b", None), 2, 0),
        ],
        vec![
            route(1, (b"a", Some(b"c")), 1, 0),
            route(2, (b"b", Some(b"d")), 2, 0),
        ],
        vec![
            route(1, (b"a", Some(b"b")), 1, 2),
            route(4, (b"b", Some(b"d")), 2, 3),
        ],
    ]
}

/// What may be registered; the second lies within the first.
const RANGES: [(&[u8], &[u8]); 2] = [(b"a", b"z"), (b"b", b"c")];

/// An engine that threads share.
#[derive(Debug)]
struct Engines {
    settings: Settings,
    accesses: u8,
    /// Threads that may wait for the second phase of an access.
    accessors: usize,
    /// Threads that may hold a snapshot that is not installed.
    appliers: usize,
    registrations: u8,
    tables: Vec<Vec<Route>>,
}

/// The engine, who waits for it, and what must be true of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Process {
    engine: Engine,
    /// Ascending: threads are alike.
    waiting: Vec<Waiting>,
    /// Ascending by version.
    prepared: Vec<Prepared>,
    accesses: u8,
    registrations: u8,
    /// What the loads must be together.
    counted: u64,
    /// Routes that became hot and were neither split nor reset since.
    hot: u8,
    /// The highest version that it had.
    highest: u64,
    note: Note,
}

/// An access whose second phase is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
struct Waiting {
    key: u8,
    /// Of the table in which it was counted.
    version: u64,
}

/// What the last step was seen to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
struct Note {
    /// It split although no route had become hot.
    split_twice: bool,
    /// Its split changed the owner of a key.
    coverage_changed: bool,
    /// It split a route that is not active.
    fenced_split: bool,
    /// It reset a route that could not be split.
    split_refused: bool,
    /// It split a half, and the key that was accessed is in the right half again.
    hot_key_stayed: bool,
    /// Its split discarded accesses that were counted after the one that made the route hot.
    accesses_lost: bool,
    /// It found the route split already.
    found_split: bool,
    /// It split a route of a later table than that in which its access was counted.
    split_later_table: bool,
    /// A snapshot was refused since a newer one was installed after it was prepared.
    late_install_refused: bool,
    /// A snapshot with overlapping routes was refused.
    overlap_refused: bool,
    /// A snapshot replaced halves.
    halves_vanished: bool,
}

/// What can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// An access of this key is counted.
    Begin(u8),
    /// The second phase of this access that waits.
    Finish(u8),
    /// The snapshot of this version is checked.
    Prepare(u8),
    /// This one of the snapshots that are checked is installed.
    Install(u8),
    /// This range is registered.
    Register(u8),
}

impl Engines {
    fn step(&self, process: &mut Process, action: Action) -> Option<()> {
        process.note = Note::default();
        match action {
            Action::Begin(key) => self.begin(process, key),
            Action::Finish(at) => finish(process, at.into()),
            Action::Prepare(version) => self.prepare(process, version.into()),
            Action::Install(at) => install(process, at.into()),
            Action::Register(range) => {
                process.registrations = process.registrations.checked_sub(1)?;
                let (start, end) = RANGES.get(usize::from(range))?;
                let [start, end] = [start, end].map(|key| Bytes::from_static(key));
                process.engine.update_route(start, Some(end), 3);
                Some(())
            }
        }
    }

    fn begin(&self, process: &mut Process, key: u8) -> Option<()> {
        if process.waiting.len() == self.accessors {
            return None;
        }
        process.accesses = process.accesses.checked_sub(1)?;
        let name = KEYS.get(usize::from(key))?;
        let found = oracle::owner(process.engine.routes(), name).cloned();
        let access = process.engine.access_begin(name);
        if let Some(route) = found {
            process.counted += 1;
            process.hot += u8::from(route.load + 1 == THRESHOLD);
        }
        if access.is_some_and(|access| access.hot) {
            let version = process.engine.version();
            process.waiting.push(Waiting { key, version });
            process.waiting.sort_unstable();
        }
        Some(())
    }

    fn prepare(&self, process: &mut Process, version: u64) -> Option<()> {
        let is_prepared = process.prepared.iter().any(|one| one.version() == version);
        if is_prepared || process.prepared.len() == self.appliers {
            return None;
        }
        let table = self.table(version)?;
        match process.engine.prepare_snapshot(version, table) {
            Ok(Some(prepared)) => {
                process.prepared.push(prepared);
                process.prepared.sort_unstable_by_key(Prepared::version);
            }
            Ok(None) => {}
            Err(error) => {
                process.note.overlap_refused = matches!(error, Error::SnapshotRouteOverlap { .. });
            }
        }
        Some(())
    }

    /// The table of a version.
    fn table(&self, version: u64) -> Option<&[Route]> {
        let at = usize::try_from(version).ok()?.checked_sub(1)?;
        self.tables.get(at).map(Vec::as_slice)
    }
}

fn finish(process: &mut Process, at: usize) -> Option<()> {
    let waiting = *process.waiting.get(at)?;
    process.waiting.remove(at);
    let key = KEYS.get(usize::from(waiting.key))?;
    let before = process.engine.clone();
    let has_split = process.engine.access_finish(key);
    let (was, is) = (before.routes(), process.engine.routes());
    let Some(found) = oracle::owner(was, key) else {
        return Some(());
    };
    let is_hot = found.load >= THRESHOLD;
    let is_same_table = waiting.version == before.version();
    process.note = Note {
        split_twice: has_split && process.hot == 0,
        coverage_changed: PROBES
            .iter()
            .any(|probe| owned(was, probe) != owned(is, probe)),
        fenced_split: has_split && found.state != 0,
        split_refused: is_hot && !has_split,
        hot_key_stayed: has_split
            && found.id == 0
            && oracle::owner(is, key).is_some_and(|half| half.start > found.start),
        accesses_lost: has_split && found.load > THRESHOLD,
        found_split: !is_hot && is_same_table,
        split_later_table: has_split && !is_same_table,
        ..Note::default()
    };
    if is_hot {
        process.counted = process.counted.saturating_sub(found.load);
    }
    if is_hot || has_split {
        process.hot = process.hot.saturating_sub(1);
    }
    Some(())
}

/// Group and state of a key's owner.
fn owned(routes: &[EngineRoute], key: &[u8]) -> Option<(u64, u8)> {
    oracle::owner(routes, key).map(|route| (route.group, route.state))
}

fn install(process: &mut Process, at: usize) -> Option<()> {
    let prepared = process.prepared.get(at)?.clone();
    process.prepared.remove(at);
    let before = process.engine.clone();
    let installed = process.engine.install(prepared);
    process.note.late_install_refused = installed.is_err();
    if process.engine.version() != before.version() {
        let mut routes = before.routes().iter();
        process.note.halves_vanished = routes.any(|route| route.id == 0);
        process.counted = 0;
        process.hot = 0;
    }
    process.highest = process.highest.max(process.engine.version());
    Some(())
}

impl Model for Engines {
    type State = Process;
    type Action = Action;

    fn init_states(&self) -> Vec<Process> {
        vec![Process {
            engine: Engine::new(self.settings, false, THRESHOLD),
            waiting: Vec::new(),
            prepared: Vec::new(),
            accesses: self.accesses,
            registrations: self.registrations,
            counted: 0,
            hot: 0,
            highest: 0,
            note: Note::default(),
        }]
    }

    /// Some of them are not enabled.
    fn actions(&self, process: &Process, actions: &mut Vec<Action>) {
        actions.extend((0..KEYS.len() as u8).map(Action::Begin));
        actions.extend((0..process.waiting.len() as u8).map(Action::Finish));
        actions.extend((1..=self.tables.len() as u8).map(Action::Prepare));
        actions.extend((0..process.prepared.len() as u8).map(Action::Install));
        actions.extend((0..RANGES.len() as u8).map(Action::Register));
    }

    fn next_state(&self, last: &Process, action: Action) -> Option<Process> {
        let mut process = last.clone();
        self.step(&mut process, action)?;
        Some(process)
    }

    fn properties(&self) -> Vec<Peer<Self>> {
        checker::safety(&properties::claims())
    }
}
