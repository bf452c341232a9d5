//! The multi-version store contract (5), and a store in memory.

mod commit;
mod memory;
pub mod rules;
mod shared;

pub use commit::{Commit, CommitStep};
pub use memory::Memory;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::Error;

/// A half-open range of keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyRange<'a> {
    /// The first key; empty for the first of all.
    pub start: &'a [u8],
    /// The first key past it; none if unbounded.
    pub end: Option<&'a [u8]>,
}

impl KeyRange<'_> {
    /// Whether no key is in it, as its end is not above its start.
    pub fn is_empty(&self) -> bool {
        self.end.is_some_and(|end| end <= self.start)
    }
}

/// A key with its visible value.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Pair {
    /// The key.
    pub key: Bytes,
    /// What a reader sees under it.
    pub value: Bytes,
}

/// One write of a batch.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Mutation {
    /// Where.
    pub key: Bytes,
    /// What.
    pub op: Op,
}

/// What a batch does to a key.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// It gets a value.
    Put {
        /// May be empty.
        value: Bytes,
        /// From which timestamp on it is absent again; 0: never.
        expire_at: u64,
    },
    /// It is absent.
    Delete,
    /// Any other kind; a batch that holds one is refused.
    Unknown,
}

impl Mutation {
    /// A put that never expires.
    pub fn put(key: Bytes, value: Bytes) -> Self {
        Self {
            key,
            op: Op::Put {
                value,
                expire_at: 0,
            },
        }
    }

    /// A deletion.
    pub const fn delete(key: Bytes) -> Self {
        Self {
            key,
            op: Op::Delete,
        }
    }
}

/// At which timestamp a batch commits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitAt {
    /// At this one, whatever the last commit timestamp is.
    Exactly(u64),
    /// At the larger of this one and the last commit timestamp + 1, chosen within the same atomic step
    /// (6.2 step 13). `VersionOverflow`, before conflicts, if the last commit timestamp is the largest number.
    After(u64),
}

impl CommitAt {
    /// The timestamp of a batch that is committed while the last commit timestamp is this one.
    ///
    /// # Errors
    /// `VersionOverflow` of [`CommitAt::After`].
    pub fn choose(self, last_commit_ts: u64) -> Result<u64, Error> {
        match self {
            Self::Exactly(ts) => Ok(ts),
            Self::After(at_least) => match last_commit_ts.checked_add(1) {
                Some(next) => Ok(next.max(at_least)),
                None => Err(Error::VersionOverflow),
            },
        }
    }
}

/// The store contract (5). Every call is one atomic step. A call that fails with anything but
/// [`Error::Backend`] changed nothing; any call may fail so, if the store is not in memory.
pub trait Store {
    /// What [`Store::rollback`] goes back to.
    type Checkpoint;

    /// The value visible at `ts` (5.2).
    ///
    /// # Errors
    /// `ReadTsCompacted`; `KeyNotFound` if nothing is visible.
    fn get_at(&self, key: &[u8], ts: u64) -> Result<Bytes, Error>;

    /// Whether a value is visible at `ts` (5.2).
    ///
    /// # Errors
    /// `ReadTsCompacted`.
    fn exists_at(&self, key: &[u8], ts: u64) -> Result<bool, Error>;

    /// Pairs visible at `ts` in ascending order of keys, at most `limit` (5.2). A range whose end is not
    /// above its start is empty.
    ///
    /// # Errors
    /// `ReadTsCompacted`.
    fn scan_at(&self, range: KeyRange<'_>, limit: usize, ts: u64) -> Result<Vec<Pair>, Error>;

    /// The same pairs descending, the limit counted from the top.
    ///
    /// # Errors
    /// `ReadTsCompacted`.
    fn reverse_scan_at(
        &self,
        range: KeyRange<'_>,
        limit: usize,
        ts: u64,
    ) -> Result<Vec<Pair>, Error>;

    /// Timestamp of the newest version, tombstones and expired ones included; none if the key never had
    /// one. No read guard.
    ///
    /// # Errors
    /// Those of the backend.
    fn latest_commit_ts(&self, key: &[u8]) -> Result<Option<u64>, Error>;

    /// The largest timestamp ever written or announced (5.3), at first 0.
    ///
    /// # Errors
    /// Those of the backend.
    fn last_commit_ts(&self) -> Result<u64, Error>;

    /// The oldest timestamp that can be read (5.2); 0 if all can.
    ///
    /// # Errors
    /// Those of the backend.
    fn min_retained_ts(&self) -> Result<u64, Error>;

    /// Inserts a version at its sorted place, or replaces that of the same timestamp; no conflict check
    /// (5.3). `expire_at` 0: never.
    ///
    /// # Errors
    /// Those of the backend.
    fn put_at(
        &mut self,
        key: Bytes,
        value: Bytes,
        commit_ts: u64,
        expire_at: u64,
    ) -> Result<(), Error>;

    /// As [`Store::put_at`], with a tombstone.
    ///
    /// # Errors
    /// Those of the backend.
    fn delete_at(&mut self, key: Bytes, commit_ts: u64) -> Result<(), Error>;

    /// Apply mutations (5.3). Returns the commit timestamp.
    ///
    /// # Errors
    /// In this order: `VersionOverflow` of [`CommitAt::After`], `WriteConflict`, `UnknownOp`.
    fn apply(&mut self, mutations: &[Mutation], start_ts: u64, at: CommitAt) -> Result<u64, Error>;

    /// Applies the batch that `build` makes of the commit timestamp: choice, `build` and [`Store::apply`] are
    /// one atomic step (13.8). `build` may read the store, which is as it was before the batch.
    ///
    /// # Errors
    /// In this order: `VersionOverflow` of [`CommitAt::After`], those of `build`, those of [`Store::apply`].
    fn apply_built(
        &mut self,
        start_ts: u64,
        at: CommitAt,
        build: impl FnOnce(&Self, u64) -> Result<Vec<Mutation>, Error>,
    ) -> Result<u64, Error>
    where
        Self: Sized;

    /// Drops, for every key, the versions older than the newest one at or below `min_ts`, and raises the
    /// oldest readable timestamp to `min_ts` (5.3).
    ///
    /// # Errors
    /// Those of the backend.
    fn compact(&mut self, min_ts: u64) -> Result<(), Error>;

    /// Raises the oldest readable timestamp (5.3); a smaller one changes nothing.
    ///
    /// # Errors
    /// Those of the backend.
    fn set_min_retained_ts(&mut self, ts: u64) -> Result<(), Error>;

    /// The complete state, both numbers included (5.3).
    ///
    /// # Errors
    /// Those of the backend.
    fn checkpoint(&mut self) -> Result<Self::Checkpoint, Error>;

    /// Goes back to a checkpoint of this store, as often as wanted.
    ///
    /// # Errors
    /// Those of the backend.
    fn rollback(&mut self, to: &Self::Checkpoint) -> Result<(), Error>;
}
