//! Where the counter as it was built upstream, its remedies and its history differ.

use serde::Serialize;

use crate::merkle;

/// The choices of one replica. [`Strategies::REFERENCE`] is upstream, [`Strategies::REMEDIED`] what
/// users should run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Strategies {
    /// C-1.
    pub publish_failure: PublishFailure,
    /// C-3.
    pub snapshot: Snapshot,
    /// C-6.
    pub isolation: Isolation,
    /// C-8.
    pub closed_reads: ClosedReads,
    /// C-9.
    pub lock: Lock,
    /// C-H6.
    pub empty_read: EmptyRead,
    /// C-H1, C-H3, C-H4.
    pub total: TotalSource,
    /// Whether a sum wraps (CTR-7) and is clamped (CTR-10).
    pub difference: Difference,
    /// Those of the replicated store.
    pub store: merkle::Strategies,
}

/// What a failed publication does to the cached total.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum PublishFailure {
    /// The cache keeps the old total, so the next bump writes the same one again (C-1).
    ForgetsTotal,
    /// The cache is raised as soon as the entry is.
    KeepsTotal,
}

/// What the two sums of a read are taken from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Snapshot {
    /// One query each, at different times (C-3).
    PerQuery,
    /// One snapshot for both.
    Shared,
}

/// Which entries below the prefix a read sums.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Isolation {
    /// Those at any depth, other counters' included (C-6).
    AnyDepth,
    /// Those exactly two segments below.
    OwnSubCounters,
}

/// What a read makes of a query that closing cut short.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum ClosedReads {
    /// The sum of what had come by then (C-8).
    Truncated,
    /// An error.
    Refused,
}

/// How long the mutex of CTR-8 is held.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Lock {
    /// Until the publication has ended: every other bump waits for the network (C-9).
    AcrossPublication,
    /// Until the write is done here.
    LocalWrite,
}

/// What a read of a key without entries returns.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum EmptyRead {
    /// 0.
    Zero,
    /// An error (C-H6).
    Error,
}

/// Where a bump takes the total from, and under which key it writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum TotalSource {
    /// Remembered, one key per process life.
    Remembered,
    /// The own entry read back on every bump, any failure taken for 0 (C-H1).
    ReadBack,
    /// The own entry read once per process life (C-H3).
    Seeded,
    /// None: every bump writes 1 under a key of its own (C-H4).
    Events,
}

/// How a read subtracts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Difference {
    /// Clamped at 0 (CTR-9).
    Clamped,
    /// Modulo 2^64. A mutant.
    Wrapping,
}

impl Strategies {
    /// As upstream.
    pub const REFERENCE: Self = Self {
        publish_failure: PublishFailure::ForgetsTotal,
        snapshot: Snapshot::PerQuery,
        isolation: Isolation::AnyDepth,
        closed_reads: ClosedReads::Truncated,
        lock: Lock::AcrossPublication,
        empty_read: EmptyRead::Zero,
        total: TotalSource::Remembered,
        difference: Difference::Clamped,
        store: merkle::Strategies::REFERENCE,
    };

    /// With every remedy.
    pub const REMEDIED: Self = Self {
        publish_failure: PublishFailure::KeepsTotal,
        snapshot: Snapshot::Shared,
        isolation: Isolation::OwnSubCounters,
        closed_reads: ClosedReads::Refused,
        lock: Lock::LocalWrite,
        empty_read: EmptyRead::Zero,
        total: TotalSource::Remembered,
        difference: Difference::Clamped,
        store: merkle::Strategies::REMEDIED,
    };
}
