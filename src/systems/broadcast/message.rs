//! Inputs and outputs of the broadcaster, and what its calls return.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The topic, both ways (BRC-1).
pub const TOPIC: &str = "/warpnet/stats/1.0.0";

/// How many messages upstream keeps (BRC-2).
pub const CAPACITY: NonZeroU64 = NonZeroU64::new(100).expect("a hundred is not zero");

/// Names a call in progress; chosen by the caller.
pub type CallId = u32;

/// What happened to a broadcaster. Calls begin with the first four; each then goes on by one atomic
/// step at a time (section 3) with [`Input::Advance`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Input<M> {
    /// A message arrived (BRC-5).
    Receive {
        /// The call.
        call: CallId,
        /// The message.
        message: M,
    },
    /// A consumer wants a message (BRC-6).
    Next {
        /// The call.
        call: CallId,
    },
    /// Somebody publishes (BRC-4).
    Broadcast {
        /// The call.
        call: CallId,
        /// The message.
        message: M,
    },
    /// The parent is cancelled (X). May be repeated.
    Cancel,
    /// The caller's signal of a Next is set.
    Signal {
        /// The Next.
        call: CallId,
        /// Its reason.
        reason: Reason,
    },
    /// The publication of a Broadcast ended.
    Published {
        /// The Broadcast.
        call: CallId,
        /// Whether the publisher took it.
        ok: bool,
    },
    /// The caller drops a call that waits, as one drops a future. Does nothing once the call has
    /// changed something.
    Withdraw {
        /// The Receive or Next.
        call: CallId,
    },
    /// A call takes its next atomic step.
    Advance {
        /// The call.
        call: CallId,
        /// The case taken. Needed where more than one is possible.
        choice: Option<Choice>,
    },
}

/// What a broadcaster wants done, or tells.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Output<M> {
    /// Publish this message on [`TOPIC`] and answer with [`Input::Published`].
    Publish {
        /// The call that waits for it.
        call: CallId,
        /// The message.
        message: M,
    },
    /// A Receive found the queue full: it is between R3 and R4.
    Full(CallId),
    /// A Receive took R4 and removed this message, if there was one.
    Removed(CallId, Option<M>),
    /// A Receive returned.
    Received(CallId, Receipt),
    /// A Next returned.
    Taken(CallId, Result<Taken<M>, Stop>),
    /// A Broadcast returned, having been published or not.
    Broadcast(CallId, bool),
    /// A Next found no case and waits to be woken.
    Parked(CallId),
    /// The call cannot go on now; nothing was changed.
    Blocked(CallId),
    /// More than one case is possible and none was chosen, or one that is not possible; nothing was
    /// changed.
    Undecided(CallId),
    /// The process aborted. Every later input is ignored.
    Aborted(Abort),
}

/// A case of BRC-5 step 2 or of BRC-6.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Receive: the queue has room.
    Queue,
    /// Receive: the parent is cancelled.
    Reject,
    /// Next: a message is pending, or the queue is closed.
    Data,
    /// Next: the caller's signal is set.
    Caller,
    /// Next: the parent is cancelled.
    Parent,
}

/// What became of a received message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Receipt {
    /// It is pending.
    Queued,
    /// It is pending, and the oldest message was dropped for it.
    DroppedOldest,
    /// It was discarded: the broadcaster is cancelled or closed.
    Rejected,
    /// It was discarded because the queue is full ([`super::Overflow::Newest`] only).
    DroppedNewest,
}

impl Receipt {
    /// Whether the message was appended.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::DroppedOldest)
    }
}

/// What a Next took.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Taken<M> {
    /// The message. Absent only with [`super::Drained::NoMessage`], on a closed queue without
    /// messages.
    pub message: Option<M>,
    /// How many messages were dropped since the one taken before; 0 with [`super::Losses::Silent`].
    pub missed: u64,
}

/// Why a Next returned no message. Nothing was taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Error)]
pub enum Stop {
    /// The caller's signal was set.
    #[error("the caller gave up: {0}; no message was taken")]
    Caller(Reason),
    /// The parent is cancelled ([`super::Shutdown::Cancelled`] only).
    #[error("the broadcaster was cancelled; no message was taken")]
    Cancelled,
    /// The parent is cancelled; calling again is of no use.
    #[error("the broadcaster has ended; no message was taken")]
    Ended,
}

/// Why a caller gave up.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Error,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// Its deadline has passed.
    #[error("deadline exceeded")]
    Expired,
}

/// What the original's runtime answers by ending the process (BRC-S1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Error)]
pub enum Abort {
    /// A message was appended to a closed queue.
    #[error("append to a closed queue")]
    AppendToClosed,
    /// The queue was closed twice.
    #[error("close of a closed queue")]
    ClosedTwice,
}

/// What has become of all messages so far (BRC-8).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct Counts {
    /// Messages handed over.
    pub received: u64,
    /// Messages returned by a Next.
    pub returned: u64,
    /// Messages removed because the queue was full.
    pub dropped: u64,
    /// Messages discarded because the broadcaster was cancelled or closed.
    pub rejected: u64,
}
