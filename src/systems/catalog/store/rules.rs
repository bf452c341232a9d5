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
pub fn check_conflicts(
    mutations: &[Mutation],
    start_ts: u64,
    mut latest: impl FnMut(&[u8]) -> Result<Option<u64>, Error>,
) -> Result<(), Error> {
    for (index, mutation) in mutations.iter().enumerate() {
        if let Some(latest) = latest(&mutation.key)?.filter(|latest| *latest > start_ts) {
            return Err(Error::WriteConflict {
                index,
                latest,
                start: start_ts,
            });
        }
    }
    Ok(())
}

/// Looks for the first mutation of unknown kind (5.3).
///
/// # Errors
/// `UnknownOp`.
pub fn check_kinds(mutations: &[Mutation]) -> Result<(), Error> {
    let mut ops = mutations.iter().map(|mutation| &mutation.op);
    match ops.position(|op| *op == Op::Unknown) {
        Some(index) => Err(Error::UnknownOp { index }),
        None => Ok(()),
    }
}
