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
    /// C-H1, C-H3, C-H4. Grouped commits use it for the key only.
    pub total: TotalSource,
    /// When a bump is durable, and when its call returns.
    pub commit: Commit,
    /// What a flush writes of a sub-counter.
    pub flushed: FlushedTotal,
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

/// When a bump is durable, and when its call returns.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Commit {
    /// Every bump is a write of its own, durable before its call returns (CTR-8).
    EachBump,
    /// Bumps count in memory. A flush ([`super::Input::Flush`]) writes the totals of all that were
    /// counted, with one sync, and every call that waits for it returns.
    Grouped(Acknowledged),
}

/// When the call of a bump returns if commits are grouped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Acknowledged {
    /// Once a flush that began after the bump is durable, for a flush at each increment: a bump that
    /// returned without error survives a crash.
    Flushed,
    /// At once, for flushes each so many milliseconds or on demand: a crash loses at most what was
    /// counted since the last completed flush began.
    Counted,
    /// Once any flush is durable, also one that began before the bump and does not write it. A
    /// mutant.
    AnyFlush,
}

/// What a flush writes of a sub-counter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum FlushedTotal {
    /// The total counted when the flush begins. Absolute, so it does no harm to write it again.
    Counted,
    /// The total that the flush before it should have written. A mutant: what came since is missing.
    Stale,
    /// What was counted since the flush before it. A mutant: an entry holds a total (CTR-8).
    Difference,
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
        commit: Commit::EachBump,
        flushed: FlushedTotal::Counted,
        difference: Difference::Clamped,
        store: merkle::Strategies::REFERENCE,
    };

    /// With every remedy, each bump a write of its own.
    pub const REMEDIED: Self = Self {
        publish_failure: PublishFailure::KeepsTotal,
        snapshot: Snapshot::Shared,
        isolation: Isolation::OwnSubCounters,
        closed_reads: ClosedReads::Refused,
        lock: Lock::LocalWrite,
        empty_read: EmptyRead::Zero,
        total: TotalSource::Remembered,
        commit: Commit::EachBump,
        flushed: FlushedTotal::Counted,
        difference: Difference::Clamped,
        store: merkle::Strategies::REMEDIED,
    };

    /// With every remedy, commits grouped.
    pub const fn grouped(acknowledged: Acknowledged) -> Self {
        Self {
            commit: Commit::Grouped(acknowledged),
            ..Self::REMEDIED
        }
    }
}
