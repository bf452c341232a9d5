//! The multi-version store contract (5), and a store in memory.
#![allow(missing_docs, reason = "skeleton")]

mod commit;
mod memory;

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

/// A key with its visible value.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Pair {
    pub key: Bytes,
    pub value: Bytes,
}

/// One write of a batch.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Mutation {
    pub key: Bytes,
    pub op: Op,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// `expire_at` 0: never.
    Put {
        value: Bytes,
        expire_at: u64,
    },
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

/// The store contract (5). Every call is one atomic step. A call that fails with anything but
/// [`Error::Backend`] changed nothing.
pub trait Store {
    /// What [`Store::rollback`] goes back to.
    type Checkpoint;

    /// `KeyNotFound` if nothing is visible.
    fn get_at(&self, key: &[u8], ts: u64) -> Result<Bytes, Error>;

    fn exists_at(&self, key: &[u8], ts: u64) -> Result<bool, Error>;

    /// Visible pairs in ascending order of keys, at most `limit`.
    fn scan_at(&self, range: KeyRange<'_>, limit: usize, ts: u64) -> Result<Vec<Pair>, Error>;

    /// The same pairs descending, the limit counted from the top.
    fn reverse_scan_at(
        &self,
        range: KeyRange<'_>,
        limit: usize,
        ts: u64,
    ) -> Result<Vec<Pair>, Error>;

    /// Timestamp of the newest version, tombstones and expired ones included.
    fn latest_commit_ts(&self, key: &[u8]) -> Result<Option<u64>, Error>;

    fn last_commit_ts(&self) -> Result<u64, Error>;

    fn min_retained_ts(&self) -> Result<u64, Error>;

    fn put_at(
        &mut self,
        key: Bytes,
        value: Bytes,
        commit_ts: u64,
        expire_at: u64,
    ) -> Result<(), Error>;

    fn delete_at(&mut self, key: Bytes, commit_ts: u64) -> Result<(), Error>;

    /// Apply mutations (5.3). Returns the commit timestamp.
    fn apply(&mut self, mutations: &[Mutation], start_ts: u64, at: CommitAt) -> Result<u64, Error>;

    fn compact(&mut self, min_ts: u64) -> Result<(), Error>;

    fn set_min_retained_ts(&mut self, ts: u64) -> Result<(), Error>;

    /// The complete state, both numbers included.
    fn checkpoint(&mut self) -> Result<Self::Checkpoint, Error>;

    fn rollback(&mut self, to: &Self::Checkpoint) -> Result<(), Error>;
}
