//! The history ring (13.6).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use std::sync::Arc;

use serde::Serialize;

use super::{Engine, EngineRoute};

/// Tables of the last versions, in the order in which they were recorded.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct History {
    tables: Vec<Table>,
}

/// The table of one version.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Table {
    pub version: u64,
    pub routes: Arc<Vec<EngineRoute>>,
}

impl Engine {
    pub fn history_at(&self, version: u64) -> Option<&Table> {
        todo!()
    }

    /// The entry of the engine's version.
    pub fn history_current(&self) -> Option<&Table> {
        self.history_at(self.version)
    }

    /// None if the version is unknown; within, none if no route owns the key.
    pub fn owner_at(&self, version: u64, key: &[u8]) -> Option<Option<u64>> {
        todo!()
    }
}
