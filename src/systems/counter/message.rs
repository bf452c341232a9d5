//! Inputs and outputs of the counter.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::merkle;

use super::space::Space;

/// Names a call until it returns; chosen by the caller, unique among the calls of a process life.
pub type CallId = u32;

/// Which of the two sums a bump raises.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Namespace `incr`.
    Incr,
    /// Namespace `decr`.
    Decr,
}

impl Direction {
    /// The segment of the full key (CTR-3).
    pub const fn segment(self) -> &'static str {
        match self {
            Self::Incr => "incr",
            Self::Decr => "decr",
        }
    }
}

/// What happened to a replica.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Input<S: Space> {
    /// A caller increments or decrements (CTR-8). With grouped commits it is counted, and
    /// [`super::Acknowledged`] says when the call returns.
    Bump {
        /// The call.
        call: CallId,
        /// Up or down.
        direction: Direction,
        /// The counter.
        key: S::DataKey,
        /// Whether reading the own total back would fail. Only [`super::TotalSource::ReadBack`]
        /// reads it.
        unreadable: bool,
    },
    /// The total of this generation is now `total`, counted outside by a driver. One that is not
    /// ahead of the known total is ignored, as a hand-over may come late; so is any after closing.
    /// Asked only of grouped commits.
    Count {
        /// Up or down.
        direction: Direction,
        /// The counter.
        key: S::DataKey,
        /// All that this generation counted. Modulo 2^64 (CTR-7): up to 2^63 - 1 more than the known
        /// total is ahead of it.
        total: u64,
    },
    /// Make everything counted so far durable. The call returns when it is, whoever wrote it; flushes
    /// that wait for the same mutex are one.
    Flush {
        /// The call.
        call: CallId,
    },
    /// A caller writes any value under any full key: a foreign writer (C-12).
    RawPut {
        /// The call.
        call: CallId,
        /// Full key.
        key: S::Key,
        /// Value.
        value: S::Value,
    },
    /// A caller reads (CTR-9).
    Read {
        /// The call.
        call: CallId,
        /// The counter.
        key: S::DataKey,
    },
    /// The query of a read ran.
    Queried {
        /// The call.
        call: CallId,
        /// How its result stream ended.
        end: QueryEnd,
    },
    /// The publication of a write ended (CTR-17 step 6).
    Published {
        /// The call.
        call: CallId,
        /// Whether the network took it; that is not yet delivery.
        ok: bool,
    },
    /// Something for the replicated store.
    Store(merkle::Input<S>),
    /// Orderly stop (CTR-15). A flush under way goes on; what it does not cover is never written, and
    /// the calls that wait for it fail. To keep it, flush first.
    Close,
}

/// How the result stream of a query ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryEnd {
    /// After the last entry.
    Complete,
    /// After so many entries, because the store was closed.
    Cut(usize),
    /// With an error.
    Failed,
}

/// What a replica wants done, in order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Output<S: Space> {
    /// Something from the replicated store.
    Store(merkle::Output<S>),
    /// Announce this block and answer with [`Input::Published`].
    Publish {
        /// The call that waits for it; of a flush, the one that asked for it.
        call: CallId,
        /// The block; of a flush the last, the descendant of the others.
        block: S::Address,
    },
    /// Run a query now and answer with [`Input::Queried`].
    Query {
        /// The call that waits for it.
        call: CallId,
    },
    /// A call returns.
    Returned {
        /// The call.
        call: CallId,
        /// Its result: the sum of a read, nothing for a write.
        result: Result<Option<u64>, Failure>,
    },
}

/// Why a call failed, and whether it changed anything.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Step 2 of CTR-17 failed.
    #[error("the block could not be stored; nothing was applied, the call may be repeated")]
    WriteFailed,
    /// Step 6 of CTR-17 failed.
    #[error("applied here but not announced; peers learn of it by re-announcement, do not repeat")]
    PublishFailed,
    /// Step 2 of CTR-17 failed for a block of the flush that this call waited for.
    #[error(
        "counted but not stored: a block of the flush could not be stored; the count is kept and the next flush writes it, do not repeat"
    )]
    FlushFailed,
    /// The query of a read failed.
    #[error("the store could not be queried; nothing was changed")]
    QueryFailed,
    /// The store was closed before the call was done.
    #[error("the store is closed; nothing was applied")]
    Closed,
    /// The key has no entries ([`super::EmptyRead::Error`] only).
    #[error("the key has no entries; nothing was changed")]
    NotFound,
}
