//! Where the broadcaster as it was built upstream, its remedies and its history differ.

use serde::Serialize;

/// The choices of one broadcaster. [`Strategies::REFERENCE`] is upstream, [`Strategies::REMEDIED`]
/// what users should run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Strategies {
    /// B-3, B-H2, B-H4.
    pub overflow: Overflow,
    /// B-1.
    pub drained: Drained,
    /// B-2.
    pub shutdown: Shutdown,
    /// B-5.
    pub losses: Losses,
    /// B-H3, B-H5.
    pub close: Close,
    /// B-H6.
    pub publication: Publication,
    /// How a Next waits.
    pub waiting: Waiting,
}

/// What a Receive that finds the queue full does (BRC-5 steps 3 and 4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Overflow {
    /// Removes the oldest message, even if there is room by then (B-3).
    Oldest,
    /// Tries to append once more, and removes the oldest message only if that fails.
    OldestIfStillFull,
    /// Discards the new message (B-H2).
    Newest,
    /// Removes the oldest message and waits for one if there is none (B-H4).
    OldestBlocking,
    /// Gives the mutex up before it removes the oldest message. A mutant.
    OldestUnlocked,
}

/// What a Next finds on a closed queue without messages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Drained {
    /// No message, at once and without an error (B-1).
    NoMessage,
    /// The cancellation.
    Cancellation,
}

/// How a Next tells that the parent is cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Shutdown {
    /// As any cancellation, after which the store's loop calls again (B-2).
    Cancelled,
    /// As the end, after which nobody calls again.
    End,
}

/// Whether consumers learn of dropped messages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Losses {
    /// No (B-5).
    Silent,
    /// The next message says how many were dropped before it.
    Told,
}

/// How the queue is closed (BRC-7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Close {
    /// Under the mutex and once.
    Locked,
    /// Once, without the mutex, and no flag tells Receive (B-H5).
    Once,
    /// Without the mutex, as often as it is asked for, and no flag tells Receive (B-H3).
    Bare,
    /// Once, without the mutex. A mutant.
    Unlocked,
    /// Under the mutex, as often as it is asked for. A mutant.
    Repeated,
}

/// Whether a publication holds the mutex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Publication {
    /// No (BRC-4).
    Unlocked,
    /// For as long as it takes (B-H6).
    Locked,
}

/// What a Next does between finding no case and waiting.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Waiting {
    /// Nothing can come in between.
    Atomic,
    /// Something can, and is not looked for again. A mutant.
    Unchecked,
}

impl Strategies {
    /// As upstream.
    pub const REFERENCE: Self = Self {
        overflow: Overflow::Oldest,
        drained: Drained::NoMessage,
        shutdown: Shutdown::Cancelled,
        losses: Losses::Silent,
        close: Close::Locked,
        publication: Publication::Unlocked,
        waiting: Waiting::Atomic,
    };

    /// With every remedy.
    pub const REMEDIED: Self = Self {
        overflow: Overflow::OldestIfStillFull,
        drained: Drained::Cancellation,
        shutdown: Shutdown::End,
        losses: Losses::Told,
        ..Self::REFERENCE
    };
}
