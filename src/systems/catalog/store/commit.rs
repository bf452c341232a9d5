//! A batch on its way into a store: one atomic step in the reference, several in variants.

use std::sync::Arc;

use serde::Serialize;

use super::{CommitAt, Mutation, Store, rules};
use crate::catalog::error::Error;
use crate::catalog::strategy::{ConflictCheck, Strategies, Timestamp, Watermark};

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

/// What is behind a commit. The reference knows only the first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
enum Stage {
    /// Nothing.
    Begun,
    /// Its timestamp is fixed (D2).
    Timed,
    /// No conflict was found (C3).
    Checked,
    /// No conflict was found, and others see its timestamp (C4).
    Announced,
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
    /// A batch of which nothing is done yet; `start_ts` and `at` as in [`Store::apply`].
    pub const fn new(mutations: Arc<[Mutation]>, start_ts: u64, at: CommitAt) -> Self {
        Self {
            mutations,
            start_ts,
            at,
            stage: Stage::Begun,
        }
    }

    /// The same batch at another timestamp. Of a variant that has fixed its timestamp already, or announced
    /// it, that one is replaced.
    #[must_use]
    pub const fn with_at(mut self, at: CommitAt) -> Self {
        self.at = at;
        self
    }

    /// The batch, in the order in which it is checked and written.
    pub fn mutations(&self) -> &[Mutation] {
        &self.mutations
    }

    /// A key with a version after this timestamp is a conflict.
    pub const fn start_ts(&self) -> u64 {
        self.start_ts
    }

    /// Where it commits.
    pub const fn at(&self) -> CommitAt {
        self.at
    }

    /// One atomic step: of the reference the only one.
    pub fn advance<S: Store>(self, store: &mut S, how: &Strategies) -> CommitStep {
        let is_split = how.conflict_check == ConflictCheck::BeforeWrite;
        let is_announced = how.watermark == Watermark::BeforeWrite;
        match (self.stage, self.at) {
            (Stage::Begun, CommitAt::After(_)) if how.timestamp == Timestamp::BeforeWrite => {
                let fixed = store.last_commit_ts().and_then(|last| self.at.choose(last));
                self.go_on(Stage::Timed, fixed.map(CommitAt::Exactly))
            }
            (Stage::Begun | Stage::Timed, at) if is_split => {
                let checked = self.check(store);
                self.go_on(Stage::Checked, checked.map(|()| at))
            }
            (Stage::Begun | Stage::Timed, at) if is_announced => {
                let checked = self.check(store);
                let announced = checked.and_then(|()| announce(store, at));
                self.go_on(Stage::Announced, announced)
            }
            (Stage::Checked, at) if is_announced => {
                let announced = announce(store, at);
                self.go_on(Stage::Announced, announced)
            }
            (Stage::Begun | Stage::Timed, at) => {
                CommitStep::Done(store.apply(&self.mutations, self.start_ts, at))
            }
            (Stage::Checked | Stage::Announced, at) => {
                CommitStep::Done(store.apply(&self.mutations, u64::MAX, at))
            }
        }
    }

    fn go_on(self, stage: Stage, at: Result<CommitAt, Error>) -> CommitStep {
        match at {
            Ok(at) => CommitStep::Next(Self { at, stage, ..self }),
            Err(error) => CommitStep::Done(Err(error)),
        }
    }

    fn check<S: Store>(&self, store: &S) -> Result<(), Error> {
        let latest = |key: &[u8]| store.latest_commit_ts(key);
        rules::check_conflicts(&self.mutations, self.start_ts, latest)
    }
}

/// Chooses the timestamp and raises the last commit timestamp to it, with nothing written (C4).
fn announce<S: Store>(store: &mut S, at: CommitAt) -> Result<CommitAt, Error> {
    store.apply(&[], u64::MAX, at).map(CommitAt::Exactly)
}
