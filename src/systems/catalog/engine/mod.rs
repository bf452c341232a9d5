//! The engine: the table that a node routes by (8, 13.5 to 13.7).
//!
//! Copying an engine shares its tables; the first change of either copy parts them.

mod access;
mod deltas;
mod guard;
mod history;
mod snapshot;
pub mod table;

pub use access::Access;
pub use history::{History, Table};
pub use snapshot::Prepared;
pub use table::EngineRoute;

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::strategy::{Level, Ring, Settings};

/// The engine of one node, by one thread; `shell` is what many threads share.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Engine {
    settings: Settings,
    /// In order of starts. Shared with the history and with clones.
    routes: Arc<Vec<EngineRoute>>,
    version: u64,
    /// The last timestamp given.
    clock: u64,
    /// 0: no automatic splits, as always at level 2.
    threshold: u64,
    /// Empty at level 1.
    history: History,
}

impl Engine {
    /// Empty, or with the default route. Level 2 has no threshold (13).
    pub fn new(settings: Settings, default_route: bool, threshold: u64) -> Self {
        let routes = if default_route {
            vec![EngineRoute::default_route()]
        } else {
            Vec::new()
        };
        let routes = Arc::new(routes);
        let mut history = History::default();
        if default_route && settings.level == Level::Two {
            history.record(0, &routes);
        }
        Self {
            settings,
            routes,
            version: 0,
            clock: 0,
            threshold: match settings.level {
                Level::One => threshold,
                Level::Two => 0,
            },
            history,
        }
    }

    /// What it was made with.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Version of the catalog that the table came from; 0 if from none.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Accesses after which a route is split; 0 if none is.
    pub const fn threshold(&self) -> u64 {
        self.threshold
    }

    /// All routes in list order: stats (8).
    pub fn routes(&self) -> &[EngineRoute] {
        &self.routes
    }

    /// Likewise, to be kept: the engine never changes a list that somebody else holds.
    pub const fn shared_routes(&self) -> &Arc<Vec<EngineRoute>> {
        &self.routes
    }

    /// Registers a route behind those that begin there already; the version stays (8, H1). Nothing is checked.
    /// O(n).
    pub fn update_route(&mut self, start: Bytes, end: Option<Bytes>, group: u64) {
        let order = self.settings.strategies.equal_starts;
        let routes = Arc::make_mut(&mut self.routes);
        table::register(routes, EngineRoute::registered(start, end, group), order);
    }

    /// The route that owns `key`: the last one that starts at or before it, if it reaches past it (8). Wider
    /// routes further left are not looked at. O(log n).
    pub fn lookup(&self, key: &[u8]) -> Option<&EngineRoute> {
        table::owner(&self.routes, key).map(|at| &self.routes[at])
    }

    /// In list order, the routes that neither end at or before `start` nor begin at or after `end` (8). Whether
    /// the query is empty or inverted is not checked. O(n).
    pub fn intersecting<'a>(
        &'a self,
        start: &'a [u8],
        end: Option<&'a [u8]>,
    ) -> impl Iterator<Item = &'a EngineRoute> {
        table::intersecting(&self.routes, start, end)
    }

    /// The first one is 1. They start over with every engine (H9), and after 2^64-1.
    pub const fn next_timestamp(&mut self) -> u64 {
        self.clock = self.clock.wrapping_add(1);
        self.clock
    }

    /// Installs a table that was checked, and remembers it (13.6).
    fn replace(&mut self, version: u64, routes: Vec<EngineRoute>) {
        let before = mem::replace(&mut self.routes, Arc::new(routes));
        self.version = version;
        match (self.settings.level, self.settings.strategies.ring) {
            (Level::One, _) => {}
            (Level::Two, Ring::Installed) => self.history.record(version, &self.routes),
            (Level::Two, Ring::Replaced) => self.history.record(version, &before),
        }
    }
}
