//! Variants of the counter: one remedy taken out, one step replaced, or one budget opened.

use concord_systems::counter::{
    Difference, EmptyRead, Lock, PublishFailure, Strategies, TotalSource,
};
use concord_systems::merkle::{
    FirstFetch, Height, Interruption, LocalWrite, Merge, Unreadable, WalkRoot,
};

use crate::registry::{Fault, Origin, Status};

use super::clients;
use super::properties::Cluster;
use super::protocol::{Call, Generations};

const fn upstream(
    name: &'static str,
    ids: &'static [&'static str],
    violates: &'static [&'static str],
    status: Status,
    statement: &'static str,
) -> Fault {
    Fault {
        name,
        ids,
        violates,
        origin: Origin::Upstream,
        status: Some(status),
        statement,
    }
}

const fn mutant(
    name: &'static str,
    violates: &'static [&'static str],
    statement: &'static str,
) -> Fault {
    Fault {
        name,
        ids: &[],
        violates,
        origin: Origin::Mutant,
        status: None,
        statement,
    }
}

use Status::{Fixed, Present};

/// Variants of `counter/replicated`.
pub(super) const REPLICATED: &[Fault] = &[
    upstream(
        "upstream",
        &["C-2"],
        &["heads_cover", "convergence"],
        Present,
        "The counter as upstream has it, with no remedy.",
    ),
    upstream(
        "orphan_after_crash",
        &["C-2"],
        &["heads_cover", "convergence"],
        Present,
        "Entry, mark and head are written one after the other: a crash after the entry leaves a unit that no peer ever sees.",
    ),
    upstream(
        "foreign_write",
        &["C-12"],
        &["sub_counter_monotone", "no_invention"],
        Present,
        "A peer writes under another node's sub-counter and is believed.",
    ),
    upstream(
        "total_read_back",
        &["C-H1"],
        &["sub_counter_monotone", "ack_raises"],
        Fixed,
        "The own total is read back at every bump, and a failed read is taken for zero.",
    ),
    upstream(
        "key_per_operation",
        &["C-H4"],
        &["bounded_keys"],
        Fixed,
        "Every bump is an entry of its own.",
    ),
    upstream(
        "exchange_unwired",
        &["C-H5"],
        &["convergence"],
        Fixed,
        "The block exchange is never told of the peers, so no fetch is answered.",
    ),
    mutant(
        "generation_reused",
        &["sub_counter_monotone", "single_writer", "in_doubt_one"],
        "A restarted process goes on under the generation of its former life.",
    ),
    mutant(
        "latest_arrival_wins",
        &["merge_function", "agreement_at_rest"],
        "Of two writes to one key the one that arrives last wins.",
    ),
    mutant(
        "height_above_lowest",
        &["own_heights_rise"],
        "A write stands one above the lowest head instead of the highest.",
    ),
    mutant(
        "acknowledged_unsynced",
        &["sub_counter_monotone"],
        "Bumps are acknowledged and announced before they are synced.",
    ),
    mutant(
        "unfair",
        &["convergence", "no_stall_at_b", "bump_returns"],
        "The correct counter on a network and with timers that owe nothing.",
    ),
];

/// Variants of `counter/recovery`.
pub(super) const RECOVERY: &[Fault] = &[
    upstream(
        "upstream",
        &["C-2", "C-14"],
        &["heads_cover", "no_stall_at_b"],
        Present,
        "The counter as upstream has it, with no remedy.",
    ),
    upstream(
        "node_keyed",
        &["C-H3"],
        &["loss_is_harmless", "sub_counter_monotone"],
        Fixed,
        "One key per node, its total seeded once from the store: after a total loss the node counts on from nothing over what its peers remember.",
    ),
    upstream(
        "first_fetch_endless",
        &["C-14"],
        &["no_stall_at_b", "recovery"],
        Present,
        "A replica without heads waits for an announced block without limit.",
    ),
    mutant(
        "unfair",
        &["convergence", "recovery", "no_stall_at_b", "bump_returns"],
        "The correct counter on a network and with timers that owe nothing.",
    ),
];

/// Variants of `counter/fetches`.
pub(super) const FETCHES: &[Fault] = &[
    upstream(
        "upstream",
        &["C-4", "C-5", "C-15"],
        &["heads_cover", "processed_closed"],
        Present,
        "The counter as upstream has it, with no remedy.",
    ),
    upstream(
        "hole_forgotten",
        &["C-4"],
        &["heads_cover", "processed_closed"],
        Present,
        "A block whose ancestor is missing becomes no head, so repair does not find it and clears the flag.",
    ),
    upstream(
        "walk_unmarked",
        &["C-5"],
        &["processed_closed", "convergence"],
        Present,
        "A crash in the middle of a walk leaves no flag behind.",
    ),
    upstream(
        "unreadable_forgotten",
        &["C-15"],
        &["processed_closed", "convergence"],
        Present,
        "A parent that arrives unreadable stays reserved and is not asked for again.",
    ),
    mutant(
        "unfair",
        &["convergence", "no_stall_at_b", "bump_returns"],
        "The correct counter on a network and with timers that owe nothing.",
    ),
];

/// Variants of `counter/publication`.
pub(super) const PUBLICATION: &[Fault] = &[
    upstream(
        "upstream",
        &["C-1", "C-9"],
        &["ack_raises", "own_publication_only"],
        Present,
        "The counter as upstream has it, with no remedy.",
    ),
    upstream(
        "publish_failure_forgets",
        &["C-1"],
        &["ack_raises"],
        Present,
        "A bump that could not be announced is forgotten, and the next one writes the same total.",
    ),
    upstream(
        "lock_across_publication",
        &["C-9"],
        &["own_publication_only"],
        Present,
        "The mutex is held while a bump is announced, so every other bump waits for the network.",
    ),
    mutant(
        "difference_wraps",
        &["read_is_difference"],
        "A read below zero wraps to a huge number.",
    ),
    mutant(
        "unfair",
        &["convergence", "no_stall_at_b", "bump_returns"],
        "The correct counter on a network and with timers that owe nothing.",
    ),
];

/// Makes a correct cluster faulty.
pub(super) fn inject(cluster: &mut Cluster, variant: &str) {
    let protocol = &mut cluster.protocol;
    let strategies = &mut protocol.strategies;
    match variant {
        "upstream" => *strategies = Strategies::REFERENCE,
        "orphan_after_crash" => strategies.store.local_write = LocalWrite::Stepwise,
        "foreign_write" => {
            cluster.bounds.clients = clients(&[
                (0, &[Call::Increment(0), Call::Increment(0)]),
                (1, &[Call::Forge(0, 5)]),
            ]);
        }
        "total_read_back" => {
            strategies.total = TotalSource::ReadBack;
            let calls = [
                Call::Increment(0),
                Call::Increment(0),
                Call::IncrementUnreadable(0),
            ];
            cluster.bounds.clients = clients(&[(0, &calls)]);
        }
        "key_per_operation" => strategies.total = TotalSource::Events,
        "exchange_unwired" => cluster.bounds.exchange = false,
        "generation_reused" => protocol.generations = Generations::Reused,
        "latest_arrival_wins" => strategies.store.merge = Merge::LatestWins,
        "height_above_lowest" => strategies.store.height = Height::AboveLowest,
        "acknowledged_unsynced" => protocol.syncs = false,
        "unfair" => protocol.fair = false,
        "node_keyed" => {
            strategies.total = TotalSource::Seeded;
            protocol.generations = Generations::Reused;
        }
        "first_fetch_endless" => strategies.store.first_fetch = FirstFetch::Endless,
        "hole_forgotten" => strategies.store.walk_root = WalkRoot::OnContact,
        "walk_unmarked" => strategies.store.interruption = Interruption::Unmarked,
        "unreadable_forgotten" => strategies.store.unreadable = Unreadable::Reserved,
        "publish_failure_forgets" => strategies.publish_failure = PublishFailure::ForgetsTotal,
        "lock_across_publication" => strategies.lock = Lock::AcrossPublication,
        "difference_wraps" => strategies.difference = Difference::Wrapping,
        "empty_read_fails" => strategies.empty_read = EmptyRead::Error,
        _ => unreachable!("the registry builds listed variants only"),
    }
}
