//! Where the reference and its ancestors differ. One choice per known defect (section 14) or mutant.

use serde::Serialize;

/// What one catalog, its nodes and its store are set to. [`Settings::strict`] is what users run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Settings {
    /// Which sections apply.
    pub level: Level,
    /// Which tables are admitted.
    pub admission: Admission,
    /// The reference, or a variant.
    pub strategies: Strategies,
}

impl Settings {
    /// The reference with strict admission.
    pub const fn strict(level: Level) -> Self {
        let admission = Admission::Strict;
        Self::reference(level, admission)
    }

    /// The reference.
    pub const fn reference(level: Level, admission: Admission) -> Self {
        Self {
            level,
            admission,
            strategies: Strategies::REFERENCE,
        }
    }
}

/// The choices of one catalog. [`Strategies::REFERENCE`] is what the spec demands and what users run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Strategies {
    /// D1.
    pub truncation: Truncation,
    /// D2.
    pub timestamp: Timestamp,
    /// D3.
    pub late_bootstrap: LateBootstrap,
    /// D4.
    pub neighbours: Neighbours,
    /// D5.
    pub retired: Retired,
    /// D6.
    pub batch: Batch,
    /// D7.
    pub scan_end: ScanEnd,
    /// D8.
    pub halves: Halves,
    /// D9.
    pub stale_after_split: StaleAfterSplit,
    /// D10.
    pub equal_starts: EqualStarts,
    /// D11.
    pub clean_up: CleanUp,
    /// C3.
    pub conflict_check: ConflictCheck,
    /// C4.
    pub watermark: Watermark,
    /// What engines do with older snapshots. A mutant.
    pub stale: Stale,
    /// What becomes of the next id. A mutant.
    pub counter: Counter,
    /// Whether splits write deltas. A mutant.
    pub split_delta: SplitDelta,
    /// Whether a delta must follow the engine's version. A mutant.
    pub delta_base: DeltaBase,
    /// State of the children of a split. A mutant.
    pub children: Children,
    /// When a sync reads the routes. A mutant.
    pub sync_read: SyncRead,
    /// Which deltas a reader of the log gets. A mutant.
    pub log_read: LogRead,
    /// What the ring remembers. A mutant.
    pub ring: Ring,
    /// What the commit guard judges by. A mutant.
    pub guard: Guard,
    /// Whether the second phase of an access looks again. A mutant.
    pub second_look: SecondLook,
    /// What route records without end decode to. A mutant.
    pub open_end: OpenEnd,
    /// What follows a route record. A mutant.
    pub surplus: Surplus,
    /// Whether routes and deltas are validated before they are written. A mutant.
    pub validation: Validation,
    /// Loads of the halves of a hotspot split. A mutant.
    pub half_loads: HalfLoads,
    /// What engines do with snapshots whose routes overlap. A mutant.
    pub overlapping: Overlapping,
    /// Whether installing a snapshot looks at the version again. A mutant.
    pub recheck: Recheck,
    /// What compaction drops. A mutant.
    pub compaction: Compaction,
    /// Which versions conflict with a batch. A mutant.
    pub conflicts: Conflicts,
    /// Whether reads below the retained versions are refused. A mutant.
    pub read_guard: ReadGuard,
    /// What an expired version does to older ones. A mutant.
    pub expiry: Expiry,
    /// What a put or deletion does to the last commit timestamp. A mutant.
    pub last_commit: LastCommit,
    /// What a rollback restores. A mutant.
    pub rollback: Rollback,
}

/// Which sections apply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Level {
    /// Sections 2 to 12.
    One,
    /// As changed by section 13.
    Two,
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? })+) => {
        $($(#[$doc])* #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
        pub enum $name { $($(#[$vdoc])* $variant),+ })+
    };
}

choices! {
    /// Which tables saves admit (6).
    Admission {
        /// Those without overlap and without retired ids.
        Strict,
        /// What upstream admits.
        Permissive,
    }
    /// A route record cut within a field.
    Truncation {
        /// An invalid record (3.2).
        InvalidRecord,
        /// The end of the input (D1).
        EndOfInput,
    }
    /// When a save chooses its commit timestamp.
    Timestamp {
        /// With the write (6.2 step 13).
        WithWrite,
        /// In a step of its own before (D2).
        BeforeWrite,
    }
    /// A bootstrap that lost the race.
    LateBootstrap {
        /// It adopts what the other saved (9).
        Adopts,
        /// It fails (D3).
        Fails,
    }
    /// Neighbours that overlap, under strict admission.
    Neighbours {
        /// Refused (6.2 step 2).
        Checked,
        /// Saved (D4).
        Unchecked,
    }
    /// New ids below the counter, under strict admission.
    Retired {
        /// Refused (6.2 step 10).
        Refused,
        /// Saved (D5).
        Accepted,
    }
    /// A batch with a mutation of unknown kind.
    Batch {
        /// Nothing of it is written (5.3).
        Whole,
        /// What stands before it is written (D6).
        Half,
    }
    /// The end of a forward scan.
    ScanEnd {
        /// Excluded (5.2).
        Excluded,
        /// Included (D7).
        Included,
    }
    /// State of the halves of a hotspot split.
    Halves {
        /// That of the route (8).
        Inherit,
        /// Active (D8).
        Active,
    }
    /// An engine that is ahead of a split that just committed.
    StaleAfterSplit {
        /// That is no failure (7).
        Ignored,
        /// The split is reported as failed (D9).
        Reported,
    }
    /// Order of routes that begin together.
    EqualStarts {
        /// That of registration (8).
        Stable,
        /// The opposite, one of those that upstream may give (D10).
        Reversed,
    }
    /// Deltas that one save deletes.
    CleanUp {
        /// A fixed number at most (13.3).
        Bounded,
        /// One for each version that leaves the window (D11).
        Unbounded,
    }
    /// When a save looks for conflicts.
    ConflictCheck {
        /// With the write (11).
        WithWrite,
        /// In a step of its own before (C3).
        BeforeWrite,
    }
    /// When the last commit timestamp is raised.
    Watermark {
        /// With the write (5.1).
        WithWrite,
        /// In a step of its own before, and not durably (C4).
        BeforeWrite,
    }
    /// A snapshot older than the engine's table.
    Stale {
        /// Refused (8).
        Refused,
        /// Installed.
        Installed,
    }
    /// The next id that a save writes.
    Counter {
        /// Never below the former one (6.2).
        Raised,
        /// The floor of the saved table.
        Recomputed,
    }
    /// The delta of a split.
    SplitDelta {
        /// Written (13.8).
        Written,
        /// Left out.
        Omitted,
        /// Written without the deletion of the parent.
        WithoutParent,
    }
    /// State of the children of a split.
    Children {
        /// That of the parent (7).
        Inherit,
        /// Active.
        Active,
    }
    /// The deltas after a cursor.
    LogRead {
        /// All, up to the limit (13.4).
        All,
        /// The newest one.
        Newest,
    }
    /// The timestamp at which a sync reads the routes.
    SyncRead {
        /// That of the version (10).
        OneTimestamp,
        /// The newest one.
        Newest,
    }
    /// A delta that does not follow the engine's version.
    DeltaBase {
        /// Refused (13.5).
        Checked,
        /// Applied.
        Unchecked,
    }
    /// What the history ring holds for a version.
    Ring {
        /// The table that was installed (13.6).
        Installed,
        /// The table before it.
        Replaced,
    }
    /// By which versions the commit guard judges.
    Guard {
        /// The observed and the current one (13.7).
        Both,
        /// The observed one only.
        Observed,
        /// The current one only.
        Current,
    }
    /// Versions that compaction drops.
    Compaction {
        /// Those older than the newest one at or below the bound (5.3).
        Shadowed,
        /// All at or below the bound.
        Older,
    }
    /// Versions that conflict with a batch.
    Conflicts {
        /// The newest of a key, whatever it is (5.3).
        Any,
        /// The newest that is no tombstone.
        Values,
    }
    /// Reads below the retained versions.
    ReadGuard {
        /// Refused (5.2).
        Refuses,
        /// Answered from what is left.
        Answers,
    }
    /// A version that has expired.
    Expiry {
        /// It hides older ones (5.2).
        Hides,
        /// The newest one that has not expired is visible.
        Uncovers,
    }
    /// The last commit timestamp after a put or deletion.
    LastCommit {
        /// The larger of itself and that of the write (5.3).
        Raised,
        /// That of the write.
        Replaced,
    }
    /// What a rollback restores.
    Rollback {
        /// Versions and both numbers (5.3).
        Whole,
        /// The versions.
        Versions,
    }
    /// Phase 2 of an access.
    SecondLook {
        /// It splits only what is hot now (8).
        Taken,
        /// It splits whatever is there.
        Skipped,
    }
    /// The end that a route record without one decodes to.
    OpenEnd {
        /// None: infinity (3.2).
        Unbounded,
        /// An empty one: below every key.
        Empty,
    }
    /// Bytes after a route record.
    Surplus {
        /// The record is invalid (3.2).
        Refused,
        /// They are ignored, as only later codec versions allow (13.1).
        Ignored,
    }
    /// When routes and deltas are validated.
    Validation {
        /// Before they are written and after they were read (3.2, 13.2).
        Both,
        /// After they were read only.
        OnReading,
    }
    /// Loads of the halves of a hotspot split.
    HalfLoads {
        /// None (8).
        Zero,
        /// That of the route.
        Kept,
    }
    /// Neighbours that overlap, in a snapshot.
    Overlapping {
        /// Refused (8).
        Refused,
        /// Installed.
        Installed,
    }
    /// The version of the engine when a snapshot is installed.
    Recheck {
        /// It is looked at again (8).
        Taken,
        /// It is taken for what it was before.
        Skipped,
    }
}

impl Strategies {
    /// What the spec demands.
    pub const REFERENCE: Self = Self {
        truncation: Truncation::InvalidRecord,
        timestamp: Timestamp::WithWrite,
        late_bootstrap: LateBootstrap::Adopts,
        neighbours: Neighbours::Checked,
        retired: Retired::Refused,
        batch: Batch::Whole,
        scan_end: ScanEnd::Excluded,
        halves: Halves::Inherit,
        stale_after_split: StaleAfterSplit::Ignored,
        equal_starts: EqualStarts::Stable,
        clean_up: CleanUp::Bounded,
        conflict_check: ConflictCheck::WithWrite,
        watermark: Watermark::WithWrite,
        stale: Stale::Refused,
        counter: Counter::Raised,
        split_delta: SplitDelta::Written,
        delta_base: DeltaBase::Checked,
        children: Children::Inherit,
        sync_read: SyncRead::OneTimestamp,
        log_read: LogRead::All,
        ring: Ring::Installed,
        guard: Guard::Both,
        second_look: SecondLook::Taken,
        open_end: OpenEnd::Unbounded,
        surplus: Surplus::Refused,
        validation: Validation::Both,
        half_loads: HalfLoads::Zero,
        overlapping: Overlapping::Refused,
        recheck: Recheck::Taken,
        compaction: Compaction::Shadowed,
        conflicts: Conflicts::Any,
        read_guard: ReadGuard::Refuses,
        expiry: Expiry::Hides,
        last_commit: LastCommit::Raised,
        rollback: Rollback::Whole,
    };
}
