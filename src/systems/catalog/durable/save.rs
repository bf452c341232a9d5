//! Saves with optimistic concurrency (6.2).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use serde::Serialize;

use crate::catalog::error::Error;
use crate::catalog::route::Route;
use crate::catalog::store::{Commit, Mutation, Store};
use crate::catalog::strategy::Settings;

/// A prepared save.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct SavePlan {
    expected: u64,
    read_ts: u64,
    routes: Vec<Route>,
    commit: Commit,
    // min_commit_ts, mutations, the largest timestamp picked ...
}

/// A committed save.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Saved {
    pub version: u64,
    /// Normalised.
    pub routes: Vec<Route>,
    pub commit_ts: u64,
}

/// Where a save is after a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SaveStep {
    Next(SavePlan),
    Done(Result<Saved, Error>),
}

impl SavePlan {
    /// Steps 1 to 12, all reads at one timestamp.
    pub fn prepare<S: Store>(
        store: &S,
        settings: &Settings,
        expected: u64,
        routes: Vec<Route>,
    ) -> Result<Self, Error> {
        todo!()
    }

    pub const fn read_ts(&self) -> u64 {
        self.read_ts
    }

    pub fn min_commit_ts(&self) -> u64 {
        todo!()
    }

    pub fn next_version(&self) -> u64 {
        todo!()
    }

    pub fn mutations(&self) -> &[Mutation] {
        todo!()
    }

    /// The timestamp that step 13 would choose now. The save commits there or later (15.5).
    pub fn pick_ts<S: Store>(&mut self, store: &S) -> Result<u64, Error> {
        todo!()
    }

    /// One atomic step of steps 13 and 14: in the reference the only one.
    pub fn advance<S: Store>(self, store: &mut S, settings: &Settings) -> SaveStep {
        todo!()
    }

    /// All steps at once.
    pub fn apply<S: Store>(self, store: &mut S, settings: &Settings) -> Result<Saved, Error> {
        let mut plan = self;
        loop {
            match plan.advance(store, settings) {
                SaveStep::Next(next) => plan = next,
                SaveStep::Done(result) => return result,
            }
        }
    }
}
