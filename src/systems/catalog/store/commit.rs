//! A batch on its way into a store: one atomic step in the reference, several in variants.
#![allow(missing_docs, reason = "skeleton")]

use std::sync::Arc;

use serde::Serialize;

use super::{CommitAt, Mutation, Store};
use crate::catalog::error::Error;
use crate::catalog::strategy::Strategies;

/// A batch that is to be committed. The reference applies it in one step. Variants (D2, C3, C4) take the
/// timestamp, the check, the watermark or the write apart, all with calls of the contract: a check is
/// `latest_commit_ts`, a watermark an empty batch, a write without check one that starts at the largest number.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Commit {
    mutations: Arc<[Mutation]>,
    start_ts: u64,
    at: CommitAt,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
enum Stage {
    Begun,
}

/// Where a commit is after a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommitStep {
    /// It goes on.
    Next(Commit),
    /// The commit timestamp, or why nothing was written.
    Done(Result<u64, Error>),
}

impl Commit {
    pub fn new(_mutations: Arc<[Mutation]>, _start_ts: u64, _at: CommitAt) -> Self {
        todo!()
    }

    /// One atomic step.
    pub fn advance<S: Store>(self, _store: &mut S, _how: &Strategies) -> CommitStep {
        todo!()
    }
}
