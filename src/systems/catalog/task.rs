//! Operations of a node as sequences of atomic steps (11).
//!
//! What is atomic in reality is one step here, so a driver may put anything between two steps.
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::durable::{
    Bootstrapping, Reading, SavePlan, Saved, Snapshot, Split, SplitPlan, Syncing,
};
use super::engine::Engine;
use super::error::Error;
use super::route::Route;
use super::store::Store;
use super::strategy::Settings;

/// What a node is asked to do.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    Snapshot,
    Save {
        expected: u64,
        routes: Vec<Route>,
    },
    Split {
        expected: u64,
        route_id: u64,
        key: Bytes,
    },
    Bootstrap,
    Sync {
        batch: i64,
    },
    /// Level 1.
    Access {
        key: Bytes,
    },
}

/// An operation under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Task {
    /// Nothing was done yet.
    Begun(Call),
    Reading(Reading),
    Saving(SavePlan),
    Splitting(SplitPlan),
    /// The split is durable, the engine does not know it yet.
    Adopting(Split),
    Bootstrapping(Bootstrapping),
    Syncing(Syncing),
    /// Phase 1 found the route hot.
    Accessing {
        key: Bytes,
    },
}

/// Where an operation is after a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    Next(Task),
    Done(Result<Returned, Error>),
}

/// What an operation returned.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Returned {
    Snapshot(Snapshot),
    Saved(Saved),
    Split(Split),
    Bootstrapped(Snapshot),
    Synced,
    Accessed,
}

impl Task {
    pub const fn new(call: Call) -> Self {
        Self::Begun(call)
    }

    /// One atomic step.
    pub fn advance<S: Store>(
        self,
        store: &mut S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Progress {
        todo!()
    }

    /// All steps at once: what a user calls.
    pub fn run<S: Store>(
        call: Call,
        store: &mut S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Result<Returned, Error> {
        todo!()
    }
}
