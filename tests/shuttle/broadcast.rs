//! The broadcaster's shell under shuttle: many senders and several consumers.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shuttle::thread;

pub use concord::systems::broadcast::*;

// These take the place of those that ship, here and inside the shell.
#[allow(unused_imports, reason = "tests take what they need")]
pub use shell::{Broadcaster, Inbox, NextMessage, PubSub, Signal};

#[path = "../../src/systems/broadcast/shell.rs"]
#[allow(dead_code, reason = "tests take what they need")]
pub mod shell;

use crate::common::soak;
use crate::explore::{explore, fails};
use crate::tasks::finish;

const SENDERS: u8 = 8;
const EACH: u8 = 3;
const CONSUMERS: u8 = 3;
const CAPACITY: NonZeroU64 = NonZeroU64::new(4).expect("four is not zero");

/// A sender, and which of its messages.
type Message = (u8, u8);

/// Every schedule is one run of all threads; the parent is cancelled once half of the senders have
/// sent what they have.
fn run(strategies: Strategies) -> Counts {
    let inbox = Arc::new(Inbox::new(CAPACITY, strategies));
    let sender = |sender| {
        let inbox = Arc::clone(&inbox);
        thread::spawn(move || send(&inbox, sender))
    };
    let consumer = |consumer| {
        let inbox = Arc::clone(&inbox);
        thread::spawn(move || consume(&inbox, consumer))
    };
    let consumers: Vec<_> = (0..CONSUMERS).map(consumer).collect();
    let mut senders: Vec<_> = (0..SENDERS).map(sender).collect();
    let late = senders.split_off(senders.len() / 2);
    let join = |thread: thread::JoinHandle<Vec<Receipt>>| thread.join().expect("it ends");
    let early: Vec<_> = senders.into_iter().flat_map(join).collect();
    inbox.cancel();
    let late: Vec<_> = late.into_iter().flat_map(join).collect();
    let consumed = consumers.into_iter().map(|thread| thread.join());
    let taken: Vec<_> = consumed.map(|taken| taken.expect("it ends")).collect();

    assert!(!early.contains(&Receipt::Rejected), "{early:?}");
    let receipts = [early, late].concat();
    for taken in &taken {
        assert!(is_in_order(taken), "BRC-S4 fifo: {taken:?}");
    }
    let taken = taken.concat();
    let distinct: BTreeSet<_> = taken.iter().copied().collect();
    assert_eq!(
        distinct.len(),
        taken.len(),
        "BRC-S5 exactly-once-out: {taken:?}"
    );
    let pending = inbox.inspect(|channel| channel.pending().len());
    accounts(inbox.counts(), &receipts, taken.len(), pending);
    inbox.counts()
}

fn send(inbox: &Inbox<Message>, sender: u8) -> Vec<Receipt> {
    let send = |message| {
        let receipt = inbox.receive((sender, message));
        inbox.inspect(|channel| {
            let pending = channel.pending().len() as u64;
            assert!(pending <= channel.capacity(), "BRC-S2 bounded: {pending}");
            assert!(
                channel.is_cancelled() || !channel.is_closed(),
                "BRC-S10 close-needs-cancel"
            );
        });
        receipt
    };
    (0..EACH).map(send).collect()
}

/// Takes messages until there will be no more. The first consumer is a task.
fn consume(inbox: &Inbox<Message>, consumer: u8) -> Vec<Message> {
    let mut taken = Vec::new();
    loop {
        let next = match consumer {
            0 => finish(inbox.next(None)).0,
            _ => inbox.blocking_next(None),
        };
        match next {
            Ok(next) => taken.push(next.message.expect("BRC-S9 no-phantom")),
            Err(stop) => {
                assert_eq!(stop, Stop::Ended, "BRC-L4 shutdown-ends");
                return taken;
            }
        }
    }
}

/// The messages of each sender come in the order in which it sent them.
fn is_in_order(taken: &[Message]) -> bool {
    let of = |sender| taken.iter().filter(move |(from, _)| *from == sender);
    (0..SENDERS).all(|sender| of(sender).is_sorted_by(|one, other| one < other))
}

fn accounts(counts: Counts, receipts: &[Receipt], taken: usize, pending: usize) {
    let count = |wanted| {
        receipts
            .iter()
            .filter(|receipt| **receipt == wanted)
            .count() as u64
    };
    let expected = Counts {
        received: u64::from(SENDERS * EACH),
        returned: taken as u64,
        dropped: count(Receipt::DroppedOldest),
        rejected: count(Receipt::Rejected),
    };
    assert_eq!(counts, expected, "BRC-S6 accounting");
    let gone = counts.returned + counts.dropped + counts.rejected;
    assert_eq!(counts.received, gone + pending as u64, "BRC-S6 accounting");
}

#[test]
fn many_senders_and_consumers_account_for_every_message() {
    let seen = Arc::new([const { AtomicBool::new(false) }; 3]);
    let noted = Arc::clone(&seen);
    explore("broadcast", soak(10_000, 100_000), move || {
        let counts = run(Strategies::REMEDIED);
        let some = [counts.returned, counts.dropped, counts.rejected];
        for (noted, some) in noted.iter().zip(some) {
            noted.fetch_or(some > 0, Ordering::Relaxed);
        }
    });
    let seen = seen.each_ref().map(|seen| seen.load(Ordering::Relaxed));
    assert_eq!(seen, [true; 3], "returned, dropped, rejected");
}

fn is_found(strategies: Strategies) -> bool {
    fails(1_000, move || {
        run(strategies);
    })
}

#[test]
fn dropping_without_the_mutex_is_found() {
    assert!(is_found(Strategies {
        overflow: Overflow::OldestUnlocked,
        ..Strategies::REMEDIED
    }));
}

#[test]
fn closing_without_the_mutex_is_found() {
    assert!(is_found(Strategies {
        close: Close::Unlocked,
        ..Strategies::REMEDIED
    }));
}

#[test]
fn waiting_without_another_look_is_found() {
    assert!(is_found(Strategies {
        waiting: Waiting::Unchecked,
        ..Strategies::REMEDIED
    }));
}
