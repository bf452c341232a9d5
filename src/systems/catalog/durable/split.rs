//! Durable splits (7, 13.8).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use serde::Serialize;

use crate::catalog::engine::Engine;
use crate::catalog::error::Error;
use crate::catalog::route::Route;
use crate::catalog::store::{Mutation, Store};
use crate::catalog::strategy::Settings;

/// A planned split.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct SplitPlan {
    expected: u64,
    read_ts: u64,
    left: Route,
    right: Route,
    // ...
}

/// A committed split.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Split {
    pub commit_ts: u64,
    pub left: Route,
    pub right: Route,
    pub version: u64,
}

/// Where a split is after a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SplitStep {
    Next(SplitPlan),
    Done(Result<Split, Error>),
}

impl SplitPlan {
    /// Plan (7).
    pub fn prepare<S: Store>(
        store: &S,
        settings: &Settings,
        expected: u64,
        route_id: u64,
        key: &[u8],
    ) -> Result<Self, Error> {
        todo!()
    }

    pub const fn read_ts(&self) -> u64 {
        self.read_ts
    }

    pub fn next_version(&self) -> u64 {
        todo!()
    }

    /// The children as planned; at level 2 `split_at` is set at commit.
    pub const fn children(&self) -> (&Route, &Route) {
        (&self.left, &self.right)
    }

    /// The batch of level 1 (at level 2 it depends on the commit timestamp).
    pub fn mutations(&self) -> &[Mutation] {
        todo!()
    }

    /// One atomic step of the commit: in the reference the only one.
    pub fn advance<S: Store>(self, store: &mut S, settings: &Settings) -> SplitStep {
        todo!()
    }

    /// All steps at once, the engine of the node included.
    pub fn apply<S: Store>(
        self,
        store: &mut S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Result<Split, Error> {
        todo!()
    }
}

impl Split {
    /// Reads the snapshot at the commit timestamp and applies it to the engine of the node that split; a
    /// stale answer is ignored.
    pub fn adopt<S: Store>(
        &self,
        store: &S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Result<(), Error> {
        todo!()
    }
}
