//! The engine: the table that a node routes by (8, 13.5 to 13.7).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

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

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::strategy::Settings;

/// The engine of one node, by one thread; `shell` is what many threads share.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Engine {
    settings: Settings,
    /// In order of starts. Shared with the history and with clones.
    routes: Arc<Vec<EngineRoute>>,
    version: u64,
    /// The last timestamp given.
    clock: u64,
    /// 0: no automatic splits. Level 1.
    threshold: u64,
    history: History,
}

impl Engine {
    /// Empty, or with the default route.
    pub fn new(settings: Settings, default_route: bool, threshold: u64) -> Self {
        todo!()
    }

    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Version of the catalog that the table came from.
    pub const fn version(&self) -> u64 {
        self.version
    }

    pub const fn threshold(&self) -> u64 {
        self.threshold
    }

    /// All routes in list order: stats.
    pub fn routes(&self) -> &[EngineRoute] {
        &self.routes
    }

    pub fn update_route(&mut self, start: Bytes, end: Option<Bytes>, group: u64) {
        todo!()
    }

    pub fn lookup(&self, key: &[u8]) -> Option<&EngineRoute> {
        table::owner(&self.routes, key).map(|at| &self.routes[at])
    }

    pub fn intersecting<'a>(
        &'a self,
        start: &'a [u8],
        end: Option<&'a [u8]>,
    ) -> impl Iterator<Item = &'a EngineRoute> {
        table::intersecting(&self.routes, start, end)
    }

    /// The first one is 1.
    pub fn next_timestamp(&mut self) -> u64 {
        todo!()
    }
}
