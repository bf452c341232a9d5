//! Snapshots (8).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use super::{Engine, EngineRoute};
use crate::catalog::error::Error;
use crate::catalog::route::Route;

/// A validated table, not yet installed.
#[derive(Clone, Debug)]
pub struct Prepared {
    version: u64,
    routes: Vec<EngineRoute>,
}

impl Engine {
    /// Steps 1 to 3: none if the engine is at that version already. Needs no lock.
    pub fn prepare_snapshot(
        &self,
        version: u64,
        routes: &[Route],
    ) -> Result<Option<Prepared>, Error> {
        todo!()
    }

    /// Step 4.
    pub fn install(&mut self, prepared: Prepared) -> Result<(), Error> {
        todo!()
    }

    /// All steps.
    pub fn apply_snapshot(&mut self, version: u64, routes: &[Route]) -> Result<(), Error> {
        match self.prepare_snapshot(version, routes)? {
            Some(prepared) => self.install(prepared),
            None => Ok(()),
        }
    }
}
