//! The history ring (13.6).

use std::sync::Arc;

use serde::Serialize;

use super::{Engine, EngineRoute, table};
use crate::catalog::limits::HISTORY;

/// Tables of the last versions, in the order in which they were recorded; at most [`HISTORY`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct History {
    tables: Vec<Table>,
}

/// The table of one version.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Table {
    /// Version of the catalog; 0 for what an engine began with.
    pub version: u64,
    /// In order of starts, without overlap.
    pub routes: Arc<Vec<EngineRoute>>,
}

impl Table {
    /// The group that `key` belongs to. O(log n).
    pub fn group(&self, key: &[u8]) -> Option<u64> {
        // Routes do not overlap, so no other one can be the first that covers it.
        table::owner(&self.routes, key).map(|at| self.routes[at].group)
    }
}

impl History {
    /// Remembers a table unless its version is remembered already; the one recorded first goes for it.
    pub(super) fn record(&mut self, version: u64, routes: &Arc<Vec<EngineRoute>>) {
        if self.at(version).is_some() {
            return;
        }
        if self.tables.len() == HISTORY {
            self.tables.remove(0);
        }
        let routes = Arc::clone(routes);
        self.tables.push(Table { version, routes });
    }

    fn at(&self, version: u64) -> Option<&Table> {
        let mut latest_first = self.tables.iter().rev();
        latest_first.find(|table| table.version == version)
    }
}

impl Engine {
    /// The table of a version, if it is remembered. Never at level 1.
    pub fn history_at(&self, version: u64) -> Option<&Table> {
        self.history.at(version)
    }

    /// The entry of the engine's version. Routes registered since are not in it (H22).
    pub fn history_current(&self) -> Option<&Table> {
        self.history_at(self.version)
    }

    /// None if the version is unknown; within, none if no route owns the key. O(log n).
    pub fn owner_at(&self, version: u64, key: &[u8]) -> Option<Option<u64>> {
        self.history_at(version).map(|table| table.group(key))
    }
}
