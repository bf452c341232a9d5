//! Variants of the broadcaster: one remedy taken out, or one step replaced.

use std::num::NonZeroU64;

use concord_systems::broadcast::{
    Close, Drained, Losses, Mutation, Overflow, Publication, Shutdown, Strategies, Waiting,
};

use crate::registry::{Fault, Status};

use super::threads::Threads;

use Status::{Fixed, Present};

/// Variants of the model with this capacity. What B-3 drops takes room for two.
pub(super) fn faults(capacity: NonZeroU64) -> Vec<Fault> {
    let own = if capacity > NonZeroU64::MIN {
        LARGER
    } else {
        SINGLE
    };
    [own, COMMON].concat()
}

const SINGLE: &[Fault] = &[Fault::upstream(
    "upstream",
    &["B-1", "B-2", "B-5"],
    &["no_phantom", "losses_told", "shutdown_ends"],
    Present,
    "The broadcaster as upstream has it, with no remedy.",
)];

const LARGER: &[Fault] = &[
    Fault::upstream(
        "upstream",
        &["B-1", "B-2", "B-3", "B-5"],
        &[
            "drop_only_when_full",
            "no_phantom",
            "losses_told",
            "shutdown_ends",
        ],
        Present,
        "The broadcaster as upstream has it, with no remedy.",
    ),
    Fault::upstream(
        "dropped_with_room",
        &["B-3"],
        &["drop_only_when_full"],
        Present,
        "A Receive that found the queue full drops the oldest message, even if there is room by then.",
    ),
];

/// Variants of every model.
const COMMON: &[Fault] = &[
    Fault::upstream(
        "no_message_after_close",
        &["B-1"],
        &["no_phantom", "shutdown_ends"],
        Present,
        "A Next on a closed queue without messages may return neither a message nor an error.",
    ),
    Fault::upstream(
        "cancelled_for_ever",
        &["B-2"],
        &["shutdown_ends"],
        Present,
        "Every Next after the cancellation tells of it, and the store's loop calls again.",
    ),
    Fault::upstream(
        "losses_silent",
        &["B-5"],
        &["losses_told"],
        Present,
        "Consumers are not told how many messages were dropped.",
    ),
    Fault::upstream(
        "newest_dropped",
        &["B-H2"],
        &["newest_kept"],
        Fixed,
        "A full queue discards the new message.",
    ),
    Fault::upstream(
        "close_bare",
        &["B-H3"],
        &["no_panic"],
        Fixed,
        "Every Next that learns of the cancellation closes the queue, without the mutex and unseen by Receive.",
    ),
    Fault::upstream(
        "removal_blocks",
        &["B-H4"],
        &["receive_returns"],
        Fixed,
        "A Receive that found the queue full waits under the mutex for a message to drop.",
    ),
    Fault::upstream(
        "close_once_unseen",
        &["B-H5"],
        &["no_panic"],
        Fixed,
        "The queue is closed once, without the mutex and unseen by Receive.",
    ),
    Fault::upstream(
        "publication_locks",
        &["B-H6"],
        &["publication_delays_nobody"],
        Fixed,
        "A Broadcast holds the mutex while it publishes.",
    ),
    Fault::mutant(
        "removal_unlocked",
        &["bounded", "fifo"],
        "A Receive that found the queue full gives the mutex up before it drops the oldest message.",
    ),
    Fault::mutant(
        "taken_stays",
        &["exactly_once_out"],
        "A message that is returned stays pending.",
    ),
    Fault::mutant(
        "rejection_uncounted",
        &["accounting"],
        "A rejected message is not counted.",
    ),
    Fault::mutant(
        "close_unlocked",
        &["no_panic"],
        "The queue is closed once and seen by Receive, but without the mutex.",
    ),
    Fault::mutant(
        "close_repeated",
        &["no_panic"],
        "The queue is closed under the mutex, as often as a Next learns of the cancellation.",
    ),
    Fault::mutant(
        "reopened",
        &["close_final"],
        "A Next that closed the queue leaves it open.",
    ),
    Fault::mutant(
        "parked_closes",
        &["close_needs_cancel"],
        "A Next that finds no case closes the queue.",
    ),
    Fault::mutant(
        "wait_unchecked",
        &["consumer_wakes", "other_consumer_wakes"],
        "Between finding no case and waiting, a Next can be told of one in vain.",
    ),
    Fault::mutant(
        "unfair",
        &[
            "receive_returns",
            "consumer_wakes",
            "other_consumer_wakes",
            "shutdown_ends",
        ],
        "The correct broadcaster, with threads that need never be scheduled.",
    ),
];

/// The correct model, or a variant of it.
pub(super) fn build(mut threads: Threads, variant: Option<&str>) -> Threads {
    let strategies = &mut threads.strategies;
    match variant {
        None => {}
        Some("upstream") => *strategies = Strategies::REFERENCE,
        Some("no_message_after_close") => strategies.drained = Drained::NoMessage,
        Some("cancelled_for_ever") => strategies.shutdown = Shutdown::Cancelled,
        Some("dropped_with_room") => strategies.overflow = Overflow::Oldest,
        Some("losses_silent") => strategies.losses = Losses::Silent,
        Some("newest_dropped") => strategies.overflow = Overflow::Newest,
        Some("close_bare") => strategies.close = Close::Bare,
        Some("removal_blocks") => strategies.overflow = Overflow::OldestBlocking,
        Some("close_once_unseen") => strategies.close = Close::Once,
        Some("publication_locks") => strategies.publication = Publication::Locked,
        Some("removal_unlocked") => strategies.overflow = Overflow::OldestUnlocked,
        Some("taken_stays") => strategies.mutation = Mutation::TakenStays,
        Some("rejection_uncounted") => strategies.mutation = Mutation::RejectionUncounted,
        Some("close_unlocked") => strategies.close = Close::Unlocked,
        Some("close_repeated") => strategies.close = Close::Repeated,
        Some("reopened") => strategies.mutation = Mutation::Reopened,
        Some("parked_closes") => strategies.mutation = Mutation::ParkedCloses,
        Some("wait_unchecked") => strategies.waiting = Waiting::Unchecked,
        Some("unfair") => threads.fair = false,
        Some(_) => unreachable!("the registry builds listed variants only"),
    }
    threads
}
