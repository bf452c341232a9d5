//! The oracle tells variants from the reference: traces drawn at random diverge on each of them.

use std::io::Cursor;

use concord::systems::catalog::strategy::{
    Batch, Counter, DeltaBase, EqualStarts, Guard, Halves, LateBootstrap, Neighbours,
    Retired, Ring, ScanEnd, SecondLook, SplitDelta, Stale, StaleAfterSplit, Strategies, Truncation,
};
use concord::systems::catalog::trace::replay_on;
use concord::systems::replay::Outcome;

use super::random::{CONFIGS, file, record};
use super::recorder::Line;

const REFERENCE: Strategies = Strategies::REFERENCE;

/// Variants that differ when one operation runs after the other. Traces as long as these make the one of D11
/// delete without end.
const VARIANTS: &[(&str, Strategies)] = &[
    ("D1", Strategies { truncation: Truncation::EndOfInput, ..REFERENCE }),
    ("D3", Strategies { late_bootstrap: LateBootstrap::Fails, ..REFERENCE }),
    ("D4", Strategies { neighbours: Neighbours::Unchecked, ..REFERENCE }),
    ("D5", Strategies { retired: Retired::Accepted, ..REFERENCE }),
    ("D6", Strategies { batch: Batch::Half, ..REFERENCE }),
    ("D7", Strategies { scan_end: ScanEnd::Included, ..REFERENCE }),
    ("D8", Strategies { halves: Halves::Active, ..REFERENCE }),
    ("D9", Strategies { stale_after_split: StaleAfterSplit::Reported, ..REFERENCE }),
    ("D10", Strategies { equal_starts: EqualStarts::Reversed, ..REFERENCE }),
    ("stale", Strategies { stale: Stale::Installed, ..REFERENCE }),
    ("counter", Strategies { counter: Counter::Recomputed, ..REFERENCE }),
    ("split_delta", Strategies { split_delta: SplitDelta::Omitted, ..REFERENCE }),
    ("delta_base", Strategies { delta_base: DeltaBase::Unchecked, ..REFERENCE }),
    ("ring", Strategies { ring: Ring::Replaced, ..REFERENCE }),
    ("guard", Strategies { guard: Guard::Observed, ..REFERENCE }),
    ("guard", Strategies { guard: Guard::Current, ..REFERENCE }),
    ("second_look", Strategies { second_look: SecondLook::Skipped, ..REFERENCE }),
];

#[test]
fn a_random_trace_diverges_on_each_variant() {
    let mut left: Vec<_> = VARIANTS.to_vec();
    for round in 0..6 {
        for config in CONFIGS {
            let (header, lines) = record(4_000 + round, config, 6_000);
            let trace = file(&header, lines.iter().map(Line::json));
            left.retain(|(_, strategies)| {
                let replayed = replay_on(Cursor::new(&trace), *strategies);
                let replayed = replayed.expect("reading from memory does not fail");
                !matches!(replayed.outcome, Outcome::Diverges(_))
            });
        }
    }
    assert!(left.is_empty(), "{left:?}");
}
