//! What happened, as far as properties have to know it.

use std::sync::Arc;

use bytes::Bytes;
use concord_systems::catalog::{
    Change, Engine, KeyRange, Level, Memory, Route, State, Store as _, codec, keys,
};
use serde::Serialize;
use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester};

use super::oracle::{self, Op, Raw, Ret, Sequential};

/// Keys whose owners are compared.
pub(super) const PROBES: [&[u8]; 3] = [b"", b"a", b"b"];

/// What must never happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) enum Wrong {
    /// A commit that raised the version by something else than 1.
    VersionStep,
    /// A table that was not built from the one before it, or a save that was refused though nobody was faster.
    LostSave,
    /// A commit at or below what was committed before.
    CommitTs,
    /// A snapshot with the table of another version.
    TornSnapshot,
    /// An id that came back.
    ReusedId,
    /// A counter that fell, or is not above all ids.
    Counter,
    /// A table with overlaps.
    Overlap,
    /// A split that changed who owns a key.
    Coverage,
    /// An engine's version that fell.
    EngineVersion,
    /// A catalog that could not be read, or was not the last one committed.
    Unreadable,
    /// A bootstrap that failed because another node was faster, or ended with another table.
    Bootstrap,
    /// A split that is durable and was reported as failed though the engine is only newer.
    DurableSplit,
    /// A delta that does not make a table from the one before.
    Delta,
    /// A version of the log without delta.
    DeltaGap,
}

/// Interesting cases.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) enum Met {
    /// A foreign write came between preparing a save and applying it.
    WriteWithin,
    /// A save or split lost against another.
    Refused,
    /// A split found its engine ahead.
    NewerEngine,
    /// A sync found something newer already in the engine.
    StaleSync,
    /// A save was refused for an overlap.
    OverlapRefused,
    /// A save was refused for a retired id.
    RetiredRefused,
    /// A fenced route was split.
    FencedSplit,
    /// A crash came between the steps of a save or split.
    CrashWithin,
    /// A bootstrap failed as stale after it had saved (H7).
    SavedThenStale,
    /// A split that is durable was reported as failed (H15).
    SplitFailed,
    /// Two syncs of one node in a row failed in the same way (H16).
    SyncFails,
    /// A bootstrap found routes of version 0 (H6).
    RoutesWithoutVersion,
    /// An operation failed on a record that somebody else wrote (H11).
    BadRecord,
    /// A read was refused after a compaction past the newest commit (H12).
    Compacted,
}

/// What properties remember. Sets are bits.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub(super) struct History {
    wrong: u32,
    /// By the last step.
    met: u32,
    /// The tables committed, by version - 1.
    pub(super) tables: Vec<Arc<Vec<Route>>>,
    /// Ids ever stored.
    ids: u64,
    /// The newest commit.
    pub(super) last: Arc<Raw>,
    last_ts: u64,
    /// Versions of the engines, 0 for a node that is down.
    engines: Vec<u64>,
    tester: Option<Arc<LinearizabilityTester<u8, Sequential>>>,
}

/// What a client meant a commit to be.
pub(super) struct Intent<'a> {
    /// The version it expects.
    pub(super) expected: u64,
    /// The table that it builds upon.
    pub(super) base: &'a [Route],
    /// Whether it only splits.
    pub(super) splits: bool,
}

impl History {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            engines: vec![0; nodes],
            ..Self::default()
        }
    }

    /// Keeps calls and returns from now on, for the consistency tester.
    pub(super) fn record(&mut self) {
        let now = Sequential {
            version: self.last.version,
            routes: self.last.routes.clone().unwrap_or_default(),
        };
        self.tester = Some(Arc::new(LinearizabilityTester::new(now)));
    }

    /// What is met is kept for one step, as all that is kept makes more states.
    pub(super) const fn begin_step(&mut self) {
        self.met = 0;
    }

    pub(super) const fn is_wrong(&self, what: Wrong) -> bool {
        self.wrong & (1 << what as u32) != 0
    }

    pub(super) const fn has_met(&self, what: Met) -> bool {
        self.met & (1 << what as u32) != 0
    }

    pub(super) const fn note_wrong(&mut self, what: Wrong, is_wrong: bool) {
        if is_wrong {
            self.wrong |= 1 << what as u32;
        }
    }

    pub(super) const fn note_met(&mut self, what: Met, is_met: bool) {
        if is_met {
            self.met |= 1 << what as u32;
        }
    }

    /// Notes what a step of a node made of the store. Of a step that committed, `intent` says what was
    /// meant; none for a bootstrap, which builds on nothing.
    pub(super) fn wrote(&mut self, last: &State, next: &State, intent: Option<&Intent<'_>>) {
        if std::ptr::eq(last.store(), next.store()) {
            return;
        }
        let store = next.store();
        let ts = store.latest_commit_ts(keys::VERSION).unwrap_or(None);
        if ts == last.store().latest_commit_ts(keys::VERSION).unwrap_or(None) {
            return;
        }
        let (before, after) = (Arc::clone(&self.last), raw(store));
        let ts = ts.unwrap_or(0);
        self.note_wrong(Wrong::VersionStep, after.version != before.version + 1);
        self.note_wrong(Wrong::CommitTs, ts <= self.last_ts);
        self.last_ts = self.last_ts.max(ts);
        let none = Vec::new();
        let (old, new) = (
            before.routes.as_ref().unwrap_or(&none),
            after.routes.as_ref(),
        );
        let new = new.unwrap_or(&none);
        self.note_wrong(
            Wrong::LostSave,
            match intent {
                Some(intent) => intent.expected != before.version || intent.base != old,
                None => before.version != 0 || !old.is_empty(),
            },
        );
        if intent.is_some_and(|intent| intent.splits) {
            let differs = |key: &&[u8]| owner_of(old, key) != owner_of(new, key);
            self.note_wrong(Wrong::Coverage, PROBES.iter().any(differs));
        }
        self.note_ids(&before, &after, old, new);
        self.note_wrong(Wrong::Overlap, !oracle::is_disjoint(new));
        if next.settings().level == Level::Two {
            self.note_deltas(next, old, &after, new);
        }
        let at = after.version.saturating_sub(1) as usize;
        self.tables.resize_with(at, Arc::default);
        self.tables.push(Arc::new(new.clone()));
        self.last = Arc::new(after);
    }

    fn note_ids(&mut self, before: &Raw, after: &Raw, old: &[Route], new: &[Route]) {
        let bit = |route: &Route| 1u64.checked_shl(route.id as u32).unwrap_or(0);
        let came = new
            .iter()
            .filter(|route| old.iter().all(|known| known.id != route.id));
        let came = came.fold(0, |ids, route| ids | bit(route));
        self.note_wrong(Wrong::ReusedId, came & self.ids != 0);
        self.ids |= came;
        let largest = 64 - u64::from(self.ids.leading_zeros());
        let counter = after.next_id.unwrap_or(0);
        let fell = counter < before.next_id.unwrap_or(0);
        self.note_wrong(Wrong::Counter, fell || counter < largest);
    }

    fn note_deltas(&mut self, next: &State, old: &[Route], after: &Raw, new: &[Route]) {
        let store = next.store();
        let floor = get(store, keys::DELTA_FLOOR);
        let floor = floor
            .and_then(|raw| codec::decode_delta_floor(&raw).ok())
            .unwrap_or(0);
        let mut versions = floor.max(1)..=after.version;
        let is_missing = |version| get(store, &keys::delta(version)).is_none();
        self.note_wrong(Wrong::DeltaGap, floor == 0 || versions.any(is_missing));
        let Some(record) = get(store, &keys::delta(after.version)) else {
            return;
        };
        let mut table = old.to_vec();
        match codec::decode_delta(&record, next.settings()) {
            Ok(delta) => delta
                .changes
                .iter()
                .for_each(|change| replay(&mut table, change)),
            Err(_) => self.note_wrong(Wrong::Delta, true),
        }
        let mut new = new.to_vec();
        table.sort();
        new.sort();
        self.note_wrong(Wrong::Delta, table != new);
    }

    /// Checks a snapshot that somebody read.
    pub(super) fn read(&mut self, version: u64, routes: &[Route]) {
        let none = Vec::new();
        let table = self.table(version).map_or(&none, |table| table);
        let is_torn = *table != routes;
        self.note_wrong(Wrong::TornSnapshot, is_torn);
    }

    /// The table committed as `version`, none for 0 and for what was never committed.
    pub(super) fn table(&self, version: u64) -> Option<&Vec<Route>> {
        let at = version.checked_sub(1)? as usize;
        self.tables.get(at).map(|table| &**table)
    }

    /// Notes versions of the engines after a step.
    pub(super) fn engines(&mut self, next: &State) {
        let now: Vec<u64> = (0..self.engines.len() as u8)
            .map(|node| next.node(node).map_or(0, |node| node.engine.version()))
            .collect();
        let mut both = self.engines.iter().zip(&now).enumerate();
        let fell = both.any(|(node, (was, is))| is < was && next.node(node as u8).is_some());
        self.note_wrong(Wrong::EngineVersion, fell);
        self.engines = now;
    }

    /// Takes in what somebody else wrote, whose timestamp counts as committed.
    pub(super) fn foreign(&mut self, next: &State) {
        let ts = next.store().last_commit_ts().unwrap_or(0);
        self.last_ts = self.last_ts.max(ts);
        self.last = Arc::new(raw(next.store()));
    }

    /// The store went back; what was committed since never was.
    pub(super) fn rolled_back(&mut self, next: &State) {
        self.last = Arc::new(raw(next.store()));
        self.tables.truncate(self.last.version as usize);
        self.last_ts = next.store().last_commit_ts().unwrap_or(0);
    }

    pub(super) fn invoked(&mut self, client: u8, op: Op) {
        if let Some(tester) = &mut self.tester {
            // A client makes one call at a time, so this cannot fail.
            let _ = Arc::make_mut(tester).on_invoke(client, op);
        }
    }

    pub(super) fn returned(&mut self, client: u8, ret: Ret) {
        if let Some(tester) = &mut self.tester {
            let _ = Arc::make_mut(tester).on_return(client, ret);
        }
    }

    pub(super) fn is_linearizable(&self) -> bool {
        self.tester
            .as_ref()
            .is_none_or(|tester| tester.is_consistent())
    }
}

/// Group and state of the first owner.
fn owner_of(routes: &[Route], key: &[u8]) -> Option<(u64, u8)> {
    let owner = oracle::owners(routes, key).next()?;
    Some((owner.group, owner.state))
}

/// Applies one change to a list of routes, as slowly as can be.
fn replay(table: &mut Vec<Route>, change: &Change) {
    table.retain(|route| route.id != change.route_id);
    table.extend(change.route.clone());
}

/// The newest records of the catalog.
pub(super) fn raw(store: &Memory) -> Raw {
    let range = KeyRange {
        start: keys::ROUTE_PREFIX,
        end: Some(b"!dist|route}"),
    };
    let pairs = store
        .scan_at(range, usize::MAX, u64::MAX)
        .unwrap_or_default();
    let pairs = pairs.iter().map(|pair| (&*pair.key, &*pair.value));
    let version = get(store, keys::VERSION);
    let next_id = get(store, keys::NEXT_ROUTE_ID);
    Raw::read(version.as_deref(), next_id.as_deref(), pairs)
}

fn get(store: &Memory, key: &[u8]) -> Option<Bytes> {
    store.get_at(key, u64::MAX).ok()
}

/// Whether each probe has in the engine the owner that it has in `table`.
pub(super) fn mirrors(engine: &Engine, table: &[Route]) -> bool {
    PROBES.iter().all(|key| {
        let ours = engine.lookup(key).map(|route| (route.group, route.state));
        ours == owner_of(table, key)
    })
}
