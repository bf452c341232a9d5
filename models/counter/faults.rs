//! Variants of the counter: one remedy taken out, one step replaced, or one budget opened.

use concord_systems::counter::{
    Acknowledged, Commit, Difference, FlushedTotal, Lock, PublishFailure, Strategies, TotalSource,
};
use concord_systems::merkle::{
    FirstFetch, Height, Interruption, LocalWrite, Merge, Unreadable, WalkRoot,
};

use crate::cluster::{ClientProgram, Publications};
use crate::registry::{Fault, Status};

use super::properties::Cluster;
use super::protocol::{Call, Generations};

use Status::{Fixed, Present};

/// Variants of every cluster: each needs nothing but two nodes.
const COMMON: &[Fault] = &[
    Fault::upstream(
        "orphan_after_crash",
        &["C-2"],
        &["heads_cover"],
        Present,
        "Entry, mark and head are written one after the other: a crash after the entry leaves a unit that no peer ever sees.",
    ),
    Fault::upstream(
        "walk_unmarked",
        &["C-5"],
        &["processed_closed"],
        Present,
        "A crash in the middle of a walk leaves no flag behind.",
    ),
    Fault::upstream(
        "publish_failure_forgets",
        &["C-1"],
        &["ack_raises"],
        Present,
        "A bump that could not be announced is forgotten, and the next one writes the same total.",
    ),
    Fault::upstream(
        "foreign_write",
        &["C-12"],
        &["sub_counter_monotone", "no_invention"],
        Present,
        "A peer writes under another node's sub-counter and is believed.",
    ),
    Fault::upstream(
        "total_read_back",
        &["C-H1"],
        &["sub_counter_monotone", "ack_raises"],
        Fixed,
        "The own total is read back at every bump, and a failed read is taken for zero.",
    ),
    Fault::upstream(
        "key_per_operation",
        &["C-H4"],
        &["bounded_keys"],
        Fixed,
        "Every bump is an entry of its own.",
    ),
    Fault::mutant(
        "generation_reused",
        &["sub_counter_monotone", "single_writer", "in_doubt_one"],
        "A restarted process goes on under the generation of its former life.",
    ),
    Fault::mutant(
        "latest_arrival_wins",
        &["merge_function", "agreement_at_rest"],
        "Of two writes to one key the one that arrives last wins.",
    ),
    Fault::mutant(
        "height_above_lowest",
        &["own_heights_rise"],
        "A write stands one above the lowest head instead of the highest.",
    ),
    Fault::mutant(
        "acknowledged_unsynced",
        &["sub_counter_monotone"],
        "Bumps are acknowledged and announced before they are synced.",
    ),
    Fault::mutant(
        "difference_wraps",
        &["read_is_difference"],
        "A read below zero wraps to a huge number.",
    ),
];

fn with_common(own: &[Fault]) -> Vec<Fault> {
    let taken = |fault: &&Fault| own.iter().all(|own| own.name != fault.name);
    own.iter()
        .chain(COMMON.iter().filter(taken))
        .copied()
        .collect()
}

const UNFAIR: &str = "The correct counter on a network and with timers that owe nothing.";

/// Variants of `counter/replicated`.
pub(super) fn replicated() -> Vec<Fault> {
    with_common(&[
        Fault::upstream(
            "upstream",
            &["C-2"],
            &["heads_cover", "convergence"],
            Present,
            "The counter as upstream has it, with no remedy.",
        ),
        Fault::upstream(
            "orphan_after_crash",
            &["C-2"],
            &["heads_cover", "convergence"],
            Present,
            "Entry, mark and head are written one after the other: a crash after the entry leaves a unit that no peer ever sees.",
        ),
        Fault::upstream(
            "exchange_unwired",
            &["C-H5"],
            &["convergence"],
            Fixed,
            "The block exchange is never told of the peers, so no fetch is answered.",
        ),
        Fault::mutant(
            "unfair",
            &["convergence", "no_stall_at_a", "no_stall_at_b"],
            UNFAIR,
        ),
    ])
}

/// Variants of `counter/recovery`.
pub(super) fn recovery() -> Vec<Fault> {
    with_common(&[
        Fault::upstream(
            "upstream",
            &["C-2", "C-14"],
            &["heads_cover", "convergence", "no_stall_at_b", "recovery"],
            Present,
            "The counter as upstream has it, with no remedy.",
        ),
        Fault::upstream(
            "node_keyed",
            &["C-H3"],
            &["loss_is_harmless", "sub_counter_monotone"],
            Fixed,
            "One key per node, its total seeded once from the store: after a total loss the node counts on from nothing over what its peers remember.",
        ),
        Fault::upstream(
            "first_fetch_endless",
            &["C-14"],
            &["no_stall_at_b", "recovery"],
            Present,
            "A replica without heads waits for an announced block without limit.",
        ),
        Fault::mutant(
            "unfair",
            &["convergence", "recovery", "no_stall_at_a", "no_stall_at_b"],
            UNFAIR,
        ),
    ])
}

/// Variants of `counter/fetches`.
pub(super) fn fetches() -> Vec<Fault> {
    with_common(&[
        Fault::upstream(
            "upstream",
            &["C-2", "C-4", "C-5", "C-15"],
            &["heads_cover", "processed_closed", "convergence"],
            Present,
            "The counter as upstream has it, with no remedy.",
        ),
        Fault::upstream(
            "hole_forgotten",
            &["C-4"],
            &["heads_cover", "processed_closed"],
            Present,
            "A block whose ancestor is missing becomes no head, so repair does not find it and clears the flag.",
        ),
        Fault::upstream(
            "walk_unmarked",
            &["C-5"],
            &["processed_closed", "convergence"],
            Present,
            "A crash in the middle of a walk leaves no flag behind.",
        ),
        Fault::upstream(
            "unreadable_forgotten",
            &["C-15"],
            &["processed_closed", "convergence"],
            Present,
            "A parent that arrives unreadable stays reserved and is not asked for again.",
        ),
        Fault::mutant("unfair", &["convergence", "no_stall_at_b"], UNFAIR),
    ])
}

/// Variants of `counter/publication`.
pub(super) fn publication() -> Vec<Fault> {
    with_common(&[
        Fault::upstream(
            "upstream",
            &["C-1", "C-9"],
            &["ack_raises", "own_publication_only"],
            Present,
            "The counter as upstream has it, with no remedy.",
        ),
        Fault::upstream(
            "lock_across_publication",
            &["C-9"],
            &["own_publication_only"],
            Present,
            "The mutex is held while a bump is announced, so every other bump waits for the network.",
        ),
        Fault::mutant(
            "unfair",
            &["convergence", "bump_returns", "no_stall_at_b"],
            UNFAIR,
        ),
    ])
}

/// Variants of every cluster with grouped commits.
const GROUPED: &[Fault] = &[
    Fault::mutant(
        "stale_total_flushed",
        &["acknowledged_survives", "in_doubt_unflushed"],
        "A flush writes the totals that the flush before it should have written, and calls return.",
    ),
    Fault::mutant(
        "difference_flushed",
        &[
            "acknowledged_survives",
            "in_doubt_unflushed",
            "flushed_totals_rise",
        ],
        "A flush writes what was counted since the flush before it.",
    ),
    Fault::mutant(
        "generation_reused",
        &[
            "sub_counter_monotone",
            "single_writer",
            "in_doubt_unflushed",
        ],
        "A restarted process goes on under the generation of its former life.",
    ),
    Fault::mutant(
        "acknowledged_unsynced",
        &[
            "sub_counter_monotone",
            "acknowledged_survives",
            "announced_is_durable",
        ],
        "Flushes end and are announced before they are synced.",
    ),
    Fault::mutant(
        "difference_wraps",
        &["read_is_difference", "live_value_is_current"],
        "A read below zero wraps to a huge number.",
    ),
];

/// Flushes write totals that are counted in memory: a failed announcement leaves nothing to be
/// forgotten (C-1), and no total is read back (C-H1).
fn with_grouped(own: &[Fault]) -> Vec<Fault> {
    let mut faults = with_common(&[own, GROUPED].concat());
    faults.retain(|fault| !fault.violates.contains(&"ack_raises"));
    faults
}

/// Variants of `counter/grouped`.
pub(super) fn grouped() -> Vec<Fault> {
    with_grouped(&[
        Fault::mutant(
            "acknowledged_when_counted",
            &["acknowledged_survives"],
            "The call of a bump returns when it is counted, before any flush.",
        ),
        Fault::mutant(
            "acknowledged_by_any_flush",
            &["acknowledged_survives"],
            "The call of a bump returns with the flush under way, which began before the bump and does not write it.",
        ),
        Fault::mutant(
            "unfair",
            &["convergence", "bump_returns", "no_stall_at_b"],
            UNFAIR,
        ),
    ])
}

/// Variants of `counter/deferred`.
pub(super) fn deferred() -> Vec<Fault> {
    with_grouped(&[Fault::mutant(
        "unfair",
        &["convergence", "no_stall_at_b"],
        UNFAIR,
    )])
}

/// Makes a correct cluster faulty.
pub(super) fn inject(cluster: &mut Cluster, variant: &str) {
    let protocol = &mut cluster.protocol;
    let strategies = &mut protocol.strategies;
    let bounds = &mut cluster.bounds;
    let up = Call::Increment(0);
    match variant {
        "upstream" => *strategies = Strategies::REFERENCE,
        "orphan_after_crash" => {
            strategies.store.local_write = LocalWrite::Stepwise;
            bounds.faults.crashes = 1;
        }
        "walk_unmarked" => {
            strategies.store.interruption = Interruption::Unmarked;
            bounds.faults.crashes = 1;
        }
        "publish_failure_forgets" => {
            strategies.publish_failure = PublishFailure::ForgetsTotal;
            bounds.publications = Publications::Awaited;
            bounds.faults.failed_publications = 1;
        }
        "foreign_write" => {
            bounds.clients = ClientProgram::of(&[(0, &[up, up]), (1, &[Call::Forge(0, 5)])]);
        }
        "total_read_back" => {
            strategies.total = TotalSource::ReadBack;
            bounds.clients = ClientProgram::of(&[(0, &[up, up, Call::IncrementUnreadable(0)])]);
        }
        "key_per_operation" => strategies.total = TotalSource::Events,
        "exchange_unwired" => bounds.exchange = false,
        "generation_reused" => {
            protocol.generations = Generations::Reused;
            bounds.faults.crashes = 1;
            bounds.clients = ClientProgram::of(&[(0, &[up; 3])]);
        }
        "latest_arrival_wins" => strategies.store.merge = Merge::LatestWins,
        "height_above_lowest" => {
            strategies.store.height = Height::AboveLowest;
            bounds.clients = ClientProgram::of(&[(0, &[up; 3]), (1, &[up])]);
        }
        "acknowledged_unsynced" => {
            protocol.syncs = false;
            bounds.faults.crashes = 1;
        }
        "unfair" => protocol.fair = false,
        "node_keyed" => {
            strategies.total = TotalSource::Seeded;
            protocol.generations = Generations::Reused;
            bounds.clients = ClientProgram::of(&[(0, &[up; 5])]);
        }
        "first_fetch_endless" => strategies.store.first_fetch = FirstFetch::Endless,
        "hole_forgotten" => strategies.store.walk_root = WalkRoot::OnContact,
        "unreadable_forgotten" => strategies.store.unreadable = Unreadable::Reserved,
        "lock_across_publication" => strategies.lock = Lock::AcrossPublication,
        "acknowledged_when_counted" => {
            strategies.commit = Commit::Grouped(Acknowledged::Counted);
        }
        "acknowledged_by_any_flush" => {
            strategies.commit = Commit::Grouped(Acknowledged::AnyFlush);
        }
        "stale_total_flushed" => strategies.flushed = FlushedTotal::Stale,
        "difference_flushed" => strategies.flushed = FlushedTotal::Difference,
        "difference_wraps" => {
            strategies.difference = Difference::Wrapping;
            bounds.clients = ClientProgram::of(&[(0, &[Call::Decrement(0)])]);
        }
        _ => unreachable!("the registry builds listed variants only"),
    }
}
