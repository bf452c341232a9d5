//! Rules of section 5 that hold for one version or one batch, whatever a store keeps its versions in.

use bytes::Bytes;
use serde::Serialize;

use super::{Mutation, Op};
use crate::catalog::error::Error;

/// One version of a key (5.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Version {
    /// When it was committed.
    pub ts: u64,
    /// None for a tombstone.
    pub value: Option<Bytes>,
    /// From which timestamp on it is absent; 0: never.
    pub expire_at: u64,
}

impl Version {
    /// A value; `expire_at` 0: it never expires.
    pub const fn put(ts: u64, value: Bytes, expire_at: u64) -> Self {
        Self {
            ts,
            value: Some(value),
            expire_at,
        }
    }

    /// A deletion.
    pub const fn tombstone(ts: u64) -> Self {
        Self {
            ts,
            value: None,
            expire_at: 0,
        }
    }

    /// Whether it is past its expiry (5.2).
    pub const fn is_expired(&self, ts: u64) -> bool {
        self.expire_at != 0 && self.expire_at <= ts
    }

    /// What a reader at `ts` sees, if this is the newest version at or below `ts` (5.2).
    pub fn value_at(&self, ts: u64) -> Option<&Bytes> {
        self.value.as_ref().filter(|_| !self.is_expired(ts))
    }
}

/// The read guard (5.2).
///
/// # Errors
/// `ReadTsCompacted`. Timestamps 0 and 2^64-1 are never refused.
pub const fn check_read(ts: u64, min_retained_ts: u64) -> Result<(), Error> {
    if min_retained_ts != 0 && ts != 0 && ts != u64::MAX && ts < min_retained_ts {
        return Err(Error::ReadTsCompacted {
            ts,
            retained: min_retained_ts,
        });
    }
    Ok(())
}

/// Looks for the first mutation whose key was written after `start_ts` (5.3). `latest` tells the
/// timestamp of the newest version of a key.
///
/// # Errors
/// `WriteConflict`, or that of `latest`.
pub fn check_conflicts<E: From<Error>>(
    mutations: &[Mutation],
    start_ts: u64,
    mut latest: impl FnMut(&[u8]) -> Result<Option<u64>, E>,
) -> Result<(), E> {
    for (index, mutation) in mutations.iter().enumerate() {
        if let Some(latest) = latest(&mutation.key)?.filter(|latest| *latest > start_ts) {
            let conflict = Error::WriteConflict {
                index,
                latest,
                start: start_ts,
            };
            return Err(conflict.into());
        }
    }
    Ok(())
}

/// The version that a mutation of a batch writes (5.3). `index` is its place in the batch.
///
/// # Errors
/// `UnknownOp`.
pub fn version(index: usize, mutation: &Mutation, commit_ts: u64) -> Result<Version, Error> {
    match &mutation.op {
        Op::Put { value, expire_at } => Ok(Version::put(commit_ts, value.clone(), *expire_at)),
        Op::Delete => Ok(Version::tombstone(commit_ts)),
        Op::Unknown => Err(Error::UnknownOp { index }),
    }
}
