//! One sync of a watcher (10, 13.5).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use serde::Serialize;

use crate::catalog::engine::Engine;
use crate::catalog::error::Error;
use crate::catalog::store::Store;
use crate::catalog::strategy::Settings;

/// A sync under way. Atomic steps at level 1: the version; the routes at the same timestamp, if newer; the
/// engine. At level 2: the changes; the engine, one delta at a time.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Syncing(Stage);

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
enum Stage {
    /// At level 2 with at most so many deltas.
    Begun { batch: usize },
}

/// Where a sync is after a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SyncStep {
    Next(Syncing),
    Done(Result<(), Error>),
}

impl Syncing {
    /// `batch` is of level 2; a non-positive one is ignored and the default taken.
    pub fn begin(batch: i64) -> Self {
        todo!()
    }

    /// The version that was read, and whether it is newer than the engine's (15.6, `watch_read`), once it is
    /// past that.
    pub fn read(&self) -> Option<(u64, bool)> {
        todo!()
    }

    /// One atomic step.
    pub fn advance<S: Store>(
        self,
        store: &S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> SyncStep {
        todo!()
    }

    /// All steps that are left.
    pub fn finish<S: Store>(
        self,
        store: &S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Result<(), Error> {
        todo!()
    }
}
