//! Bootstrap (9).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use serde::Serialize;

use super::Snapshot;
use crate::catalog::engine::Engine;
use crate::catalog::error::Error;
use crate::catalog::store::Store;
use crate::catalog::strategy::Settings;

/// A bootstrap under way. Each step is atomic: both reads of a snapshot, the preparation of the save (with
/// the engine's stats of that moment), its commit, the snapshot of whoever was faster, the engine.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Bootstrapping(Stage);

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
enum Stage {
    Begun,
}

/// Where a bootstrap is after a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BootstrapStep {
    Next(Bootstrapping),
    /// The table that the node ended up with.
    Done(Result<Snapshot, Error>),
}

impl Bootstrapping {
    pub fn begin() -> Self {
        Self(Stage::Begun)
    }

    /// One that has read its snapshot (step 1).
    pub fn from_snapshot(snapshot: Snapshot) -> Self {
        todo!()
    }

    /// What step 1 found, once it is past it.
    pub fn found(&self) -> Option<&Snapshot> {
        todo!()
    }

    /// Whether the snapshot of step 1 says that the catalog is to be seeded.
    pub fn will_seed(snapshot: &Snapshot) -> bool {
        snapshot.version == 0 && snapshot.routes.is_empty()
    }

    /// One atomic step.
    pub fn advance<S: Store>(
        self,
        store: &mut S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> BootstrapStep {
        todo!()
    }

    /// All steps that are left.
    pub fn finish<S: Store>(
        self,
        store: &mut S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Result<Snapshot, Error> {
        todo!()
    }
}
