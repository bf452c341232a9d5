//! The properties of section 4, of one interleaving. L1, L2 and L3 hold if it ends at all: loom fails
//! where threads wait for each other, or where one takes more than ten thousand steps.

use std::collections::BTreeSet;

use concord::models::broadcast::cases::{Call, Case, Returned};

use crate::broadcast::Receipt;

use super::run::{Ended, Look, Ran};

/// Asserts what upstream keeps: BRC-S1 to S6, S8 and S10.
pub(super) fn assert_reference(case: &Case, ran: &Ran) {
    for look in &ran.looks {
        let pending = look.pending.len() as u64;
        assert!(pending <= case.capacity.get(), "BRC-S2 bounded: {look:?}");
        assert!(
            look.cancelled || !look.closed,
            "BRC-S10 close-needs-cancel: {look:?}"
        );
    }
    for [before, after] in steps(ran) {
        let appended = !before.pending.ends_with(&after.pending);
        let kept = !before.closed || after.closed && !appended;
        assert!(kept, "BRC-S8 close-final: {before:?} {after:?}");
    }
    let returned = all_returned(ran);
    newest_is_kept(ran, &returned);
    in_order(case, ran);
    once(case, ran, &returned);
    accounts(case, ran, &returned);
}

/// Asserts in addition what only the remedies keep: BRC-S7 and S9.
pub(super) fn assert_remedied(case: &Case, ran: &Ran) {
    for [before, after] in steps(ran) {
        // Nothing but one R4 came in between.
        let removed = before.locked
            && after.locked
            && before.counts.received == after.counts.received
            && before.counts.returned == after.counts.returned
            && before.counts.dropped < after.counts.dropped;
        let full = before.pending.len() as u64 == case.capacity.get();
        assert!(!removed || full, "BRC-S7 drop-only-when-full: {before:?}");
    }
    let phantom = ran.returned().any(|returned| match returned {
        Returned::Taken(Ok(taken)) => taken.message.is_none(),
        _ => false,
    });
    assert!(!phantom, "BRC-S9 no-phantom: {ran:?}");
}

fn steps(ran: &Ran) -> impl Iterator<Item = [&Look; 2]> {
    ran.looks.windows(2).map(|pair| [&pair[0], &pair[1]])
}

fn all_returned(ran: &Ran) -> Vec<u8> {
    ran.threads
        .iter()
        .flat_map(|thread| taken(thread))
        .collect()
}

/// The messages that a thread took, in order.
fn taken(thread: &[Ended]) -> impl Iterator<Item = u8> {
    thread.iter().filter_map(|ended| match ended.returned {
        Returned::Taken(Ok(taken)) => taken.message,
        _ => None,
    })
}

/// Receives that returned, with the message of each.
fn receives(ran: &Ran) -> impl Iterator<Item = (u8, Receipt, bool)> {
    ran.threads
        .iter()
        .flatten()
        .filter_map(|ended| match ended {
            Ended {
                call: Call::Receive(message),
                returned: Returned::Received(receipt),
                open,
            } => Some((*message, *receipt, *open)),
            _ => None,
        })
}

/// Only another Receive that drops the oldest may take away what a Receive has queued.
fn newest_is_kept(ran: &Ran, returned: &[u8]) {
    for (message, receipt, _) in receives(ran).filter(|(.., open)| *open) {
        let queued = matches!(receipt, Receipt::Queued | Receipt::DroppedOldest);
        let there = returned.contains(&message) || ran.end().pending.contains(&message);
        let dropped = receives(ran)
            .any(|(other, receipt, _)| other != message && receipt == Receipt::DroppedOldest);
        assert!(
            queued && (there || dropped),
            "BRC-S3 newest-kept: {message} {ran:?}"
        );
    }
}

/// What one thread takes, and then what is pending, comes in an order in which it can have been
/// received.
fn in_order(case: &Case, ran: &Ran) {
    let place = |message: &u8| case.pending.iter().position(|before| before == message);
    let precedes = |one: u8, other: u8| match (place(&one), place(&other)) {
        (Some(one), Some(other)) => one < other,
        (before, after) => before.is_some() && after.is_none(),
    };
    for thread in &ran.threads {
        let pending = ran.end().pending.iter().copied();
        let order: Vec<_> = taken(thread).chain(pending).collect();
        let sorted = order.is_sorted_by(|one, other| !precedes(*other, *one));
        assert!(sorted, "BRC-S4 fifo: {order:?}");
    }
}

fn once(case: &Case, ran: &Ran, returned: &[u8]) {
    let queued = receives(ran)
        .filter(|(_, receipt, _)| matches!(receipt, Receipt::Queued | Receipt::DroppedOldest));
    let queued = queued.map(|(message, ..)| message);
    let known: BTreeSet<_> = queued.chain(case.pending.iter().copied()).collect();
    let seen = [returned, &ran.end().pending].concat();
    let distinct: BTreeSet<_> = seen.iter().copied().collect();
    assert!(
        distinct.len() == seen.len() && distinct.is_subset(&known),
        "BRC-S5 exactly-once-out: {ran:?}"
    );
}

fn accounts(case: &Case, ran: &Ran, returned: &[u8]) {
    let count = |wanted: &[Receipt]| {
        let receipts = receives(ran).filter(|(_, receipt, _)| wanted.contains(receipt));
        receipts.count() as u64
    };
    let Look {
        counts, pending, ..
    } = ran.end();
    let told = [
        (case.pending.len() + receives(ran).count()) as u64,
        returned.len() as u64,
        count(&[Receipt::DroppedOldest, Receipt::DroppedNewest]),
        count(&[Receipt::Rejected]),
    ];
    let counted = [
        counts.received,
        counts.returned,
        counts.dropped,
        counts.rejected,
    ];
    let [received, gone @ ..] = counted;
    let kept = received == gone.iter().sum::<u64>() + pending.len() as u64;
    assert!(kept && counted == told, "BRC-S6 accounting: {ran:?}");
}
