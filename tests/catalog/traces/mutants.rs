//! The oracle tells variants from the reference: traces drawn at random diverge on each of them.

use std::io::Cursor;

use concord::systems::catalog::strategy::{
    Batch, Children, Compaction, Conflicts, Counter, DeltaBase, EqualStarts, Expiry, Guard,
    HalfLoads, Halves, LastCommit, LateBootstrap, LogRead, Neighbours, OpenEnd, Overlapping,
    ReadGuard, Retired, Ring, Rollback, ScanEnd, SecondLook, SplitDelta, Stale, StaleAfterSplit,
    Strategies, Surplus, Truncation, Validation,
};
use concord::systems::catalog::trace::replay_on;
use concord::systems::replay::Outcome;

use super::random::{CONFIGS, file, record};
use super::recorder::Line;

macro_rules! variants {
    ($($field:ident: $choice:expr),+ $(,)?) => {
        &[$(Strategies { $field: $choice, ..Strategies::REFERENCE }),+]
    };
}

/// Variants that differ when one operation runs after the other. Traces as long as these make the one of D11
/// delete without end.
const VARIANTS: &[Strategies] = variants! {
    truncation: Truncation::EndOfInput,
    late_bootstrap: LateBootstrap::Fails,
    neighbours: Neighbours::Unchecked,
    retired: Retired::Accepted,
    batch: Batch::Half,
    scan_end: ScanEnd::Included,
    halves: Halves::Active,
    stale_after_split: StaleAfterSplit::Reported,
    equal_starts: EqualStarts::Reversed,
    stale: Stale::Installed,
    counter: Counter::Recomputed,
    split_delta: SplitDelta::Omitted,
    delta_base: DeltaBase::Unchecked,
    ring: Ring::Replaced,
    guard: Guard::Observed,
    guard: Guard::Current,
    second_look: SecondLook::Skipped,
    children: Children::Active,
    log_read: LogRead::Newest,
    split_delta: SplitDelta::WithoutParent,
    compaction: Compaction::Older,
    conflicts: Conflicts::Values,
    read_guard: ReadGuard::Answers,
    expiry: Expiry::Uncovers,
    last_commit: LastCommit::Replaced,
    rollback: Rollback::Versions,
    open_end: OpenEnd::Empty,
    surplus: Surplus::Ignored,
    validation: Validation::OnReading,
    half_loads: HalfLoads::Kept,
    overlapping: Overlapping::Installed,
};

#[test]
fn a_random_trace_diverges_on_each_variant() {
    let mut left = VARIANTS.to_vec();
    for seed in 4_000..4_060 {
        for config in CONFIGS {
            let (header, lines) = record(seed, config, 1_000);
            let trace = file(&header, lines.iter().map(Line::json));
            left.retain(|strategies| {
                let replayed = replay_on(Cursor::new(&trace), *strategies);
                let replayed = replayed.expect("reading from memory does not fail");
                !matches!(replayed.outcome, Outcome::Diverges(_))
            });
            if left.is_empty() {
                return;
            }
        }
    }
    assert!(left.is_empty(), "{left:?}");
}
