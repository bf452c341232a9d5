//! What threads share.

use std::slice;

use bytes::Bytes;

use crate::catalog::engine::table;
use crate::catalog::strategy::{Level, Settings};
use crate::catalog::{Delta, Engine, EngineRoute, Error, Route, Table};
use crate::sync::{Arc, Identity, Mutex, Published, SeqCstU64, lock};

use super::access::Accessor;
use super::found::Found;
use super::lanes::{Lane, Strategies};
use super::loads::Loads;
use super::reader::Reader;
use super::routing::{Layout, Routing};

/// The engine of one node. Clones share it.
///
/// Every change costs O(n), since it makes a new table; readers keep the one they hold.
#[derive(Clone, Debug)]
pub struct SharedEngine {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) routing: Published<Routing>,
    /// Held by the one who makes the next table.
    writer: Mutex<()>,
    /// The last timestamp given.
    clock: SeqCstU64,
    /// Lanes that no accessor has. The last one is taken first.
    pub(super) free: Mutex<Vec<Lane>>,
    identity: Identity,
}

impl SharedEngine {
    /// Empty, or with the default route; see [`Engine::new`]. So many accessors count in a lane of their own, without
    /// contention; more of them share one lane more. A lane takes 16 bytes for each route. Level 2 counts nothing
    /// (13).
    pub fn new(settings: Settings, default_route: bool, threshold: u64, lanes: usize) -> Self {
        let how = Strategies::REFERENCE;
        Self::with(settings, default_route, threshold, lanes, how)
    }

    /// As [`Self::new`], with a choice of how accesses are counted.
    pub fn with(
        settings: Settings,
        default_route: bool,
        threshold: u64,
        lanes: usize,
        how: Strategies,
    ) -> Self {
        let (own, all) = match settings.level {
            Level::One => (lanes, lanes + 1),
            Level::Two => (0, 0),
        };
        let engine = Engine::new(settings, default_route, threshold);
        let identity = Identity::default();
        let loads = Loads::new(all, engine.routes().len(), how, identity.clone());
        let shared = Shared {
            routing: Published::new(Routing::new(engine, loads)),
            writer: Mutex::new(()),
            clock: SeqCstU64::new(0),
            free: Mutex::new(Lane::own(own).rev().collect()),
            identity,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The route that owns `key` (8). Takes no lock, copies and allocates nothing. O(log n).
    #[inline]
    pub fn lookup(&self, key: &[u8]) -> Option<Found> {
        Found::new(self.shared.routing.load(), key)
    }

    /// To look routes up often, for one thread.
    pub fn reader(&self) -> Reader {
        Reader::new(self.shared.routing.cached())
    }

    /// The routes that intersect a range, in list order (8). Takes no lock. O(n).
    pub fn intersecting(&self, start: &[u8], end: Option<&[u8]>) -> Vec<EngineRoute> {
        let routing = self.shared.routing.load();
        let intersects = |route| {
            let route = slice::from_ref(route);
            table::intersecting(route, start, end).next().is_some()
        };
        let routes = routing.engine.routes().iter().enumerate();
        let found = routes.filter(|(_, route)| intersects(route));
        found.map(|(at, _)| routing.route(at)).collect()
    }

    /// All routes in list order, each with its load at some instant of the call (8). Takes no lock. O(n).
    pub fn stats(&self) -> Vec<EngineRoute> {
        let routing = self.shared.routing.load();
        let routes = 0..routing.engine.routes().len();
        routes.map(|at| routing.route(at)).collect()
    }

    /// Version of the catalog that the table came from. Never falls.
    pub fn version(&self) -> u64 {
        self.shared.routing.load().engine.version()
    }

    /// Accesses after which a route is split; 0 if none is.
    pub fn threshold(&self) -> u64 {
        self.shared.routing.load().engine.threshold()
    }

    /// The first one is 1, and none is given twice. Takes no lock.
    pub fn next_timestamp(&self) -> u64 {
        self.shared.clock.increment()
    }

    /// To count accesses, for one thread. Takes a lock, as its drop does: keep it.
    pub fn accessor(&self) -> Accessor {
        Accessor::new(self.clone())
    }

    /// Registers a route (8); see [`Engine::update_route`]. Routes that are there keep their loads.
    pub fn update_route(&self, start: Bytes, end: Option<Bytes>, group: u64) {
        self.change(|now| (Some(now.registered(start, end, group)), ()));
    }

    /// Installs a table, none of its routes accessed yet (8). Validates and builds it outside the lock. After a
    /// failure nothing has changed.
    ///
    /// # Errors
    ///
    /// As [`Engine::apply_snapshot`]: `SnapshotVersionStale`, also if a newer table came meanwhile; what is wrong
    /// with a route, with two, or with their order.
    pub fn apply_snapshot(&self, version: u64, routes: &[Route]) -> Result<(), Error> {
        let seen = self.shared.routing.load();
        let prepared = seen.engine.prepare_snapshot(version, routes)?;
        drop(seen);
        let Some(prepared) = prepared else {
            return Ok(());
        };
        let layout = Layout::new(prepared.routes());
        self.change(|now| {
            let mut engine = now.engine.clone();
            let installed = engine.install(prepared);
            let is_new = !now.is_table_of(&engine);
            let next = is_new.then(|| now.installed(engine, layout));
            (next, installed)
        })
    }

    /// Makes the next table from this one (13.5). After a failure nothing has changed.
    ///
    /// Deltas are of level 2, where nothing is counted: none of the routes counts as accessed.
    ///
    /// # Errors
    ///
    /// As [`Engine::apply_delta`].
    pub fn apply_delta(&self, delta: &Delta) -> Result<(), Error> {
        self.change(|now| match now.changed(delta) {
            Ok(next) => (next, Ok(())),
            Err(error) => (None, Err(error)),
        })
    }

    /// The table of a version, if it is remembered (13.6). Shares it. Takes no lock.
    pub fn history_at(&self, version: u64) -> Option<Table> {
        self.shared
            .routing
            .load()
            .engine
            .history_at(version)
            .cloned()
    }

    /// The entry of the engine's version (13.6).
    pub fn history_current(&self) -> Option<Table> {
        self.shared.routing.load().engine.history_current().cloned()
    }

    /// None if the version is unknown; within, none if no route owns the key (13.6). Takes no lock.
    pub fn owner_at(&self, version: u64, key: &[u8]) -> Option<Option<u64>> {
        self.shared.routing.load().engine.owner_at(version, key)
    }

    /// Whether `group` may commit writes to `keys` (13.7); see [`Engine::verify_commit`]. Both tables are judged as
    /// they are at one instant. Takes no lock.
    ///
    /// # Errors
    ///
    /// `Composed1VersionGcd` if the observed version is not remembered, `Composed1Violation` if a key is not the
    /// group's.
    pub fn verify_commit<K: AsRef<[u8]>>(
        &self,
        group: u64,
        observed: Option<u64>,
        keys: &[K],
    ) -> Result<(), Error> {
        let routing = self.shared.routing.load();
        routing.engine.verify_commit(group, observed, keys)
    }

    /// Phase 2 of an access (8).
    #[cold]
    pub(super) fn access_finish(&self, key: &[u8]) {
        self.change(|now| (now.accessed(key), ()));
    }

    #[inline]
    pub(super) fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Publishes the table, if any, that `change` makes of the current one. One at a time.
    fn change<T>(&self, change: impl FnOnce(&Routing) -> (Option<Routing>, T)) -> T {
        let _writer = lock(&self.shared.writer);
        let now = self.shared.routing.load();
        let (next, result) = change(&now);
        if let Some(next) = next {
            self.shared.routing.store(next);
        }
        result
    }
}
