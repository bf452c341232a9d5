//! Where the store as it was built upstream and its remedies differ.

use serde::Serialize;

/// The choices of one replica. [`Strategies::REFERENCE`] is upstream, [`Strategies::REMEDIED`] what
/// users should run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Strategies {
    /// C-2.
    pub local_write: LocalWrite,
    /// C-4.
    pub walk_root: WalkRoot,
    /// C-5.
    pub interruption: Interruption,
    /// C-14.
    pub first_fetch: FirstFetch,
    /// C-15.
    pub unreadable: Unreadable,
    /// Which of two writes to one key wins.
    pub merge: Merge,
    /// How high a local write stands.
    pub height: Height,
}

/// How steps 3 to 5 of a local write reach the disk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum LocalWrite {
    /// One after the other: a crash between them orphans the block (C-2).
    Stepwise,
    /// As one atomic write.
    Atomic,
}

/// When the root of a walk becomes a head.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum WalkRoot {
    /// Once a path down from it meets something known: never, if an ancestor is missing (C-4).
    OnContact,
    /// Before the walk, so that repair finds what is missing below it.
    First,
}

/// What a crash in the middle of an exchange leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Interruption {
    /// Nothing: dirty is set only at the end of a walk (C-5).
    Unmarked,
    /// The dirty flag, set before the first write of the exchange and cleared at its end.
    MarkedDirty,
}

/// Whether a replica without heads gives up fetching an announced block.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum FirstFetch {
    /// It waits without limit, and everything behind it waits as well (C-14).
    Endless,
    /// As any other fetch.
    Limited,
}

/// What becomes of a parent that arrives unreadable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Unreadable {
    /// It stays reserved until restart and is never asked for again (C-15).
    Reserved,
    /// It counts as missing.
    Missing,
}

/// How two writes to one key are merged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Merge {
    /// The higher block wins, at equal height the greater value (CTR-16).
    HighestWins,
    /// The block that arrives last wins. A mutant: not a function of the set of blocks.
    LatestWins,
}

/// The height of a local write.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Height {
    /// One above the highest head (CTR-17 step 1).
    AboveHighest,
    /// One above the lowest head. A mutant: an older write may then win over a newer one.
    AboveLowest,
}

impl Strategies {
    /// As upstream.
    pub const REFERENCE: Self = Self {
        local_write: LocalWrite::Stepwise,
        walk_root: WalkRoot::OnContact,
        interruption: Interruption::Unmarked,
        first_fetch: FirstFetch::Endless,
        unreadable: Unreadable::Reserved,
        merge: Merge::HighestWins,
        height: Height::AboveHighest,
    };

    /// With every remedy.
    pub const REMEDIED: Self = Self {
        local_write: LocalWrite::Atomic,
        walk_root: WalkRoot::First,
        interruption: Interruption::MarkedDirty,
        first_fetch: FirstFetch::Limited,
        unreadable: Unreadable::Missing,
        merge: Merge::HighestWins,
        height: Height::AboveHighest,
    };
}
