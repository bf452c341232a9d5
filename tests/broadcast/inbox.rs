//! What users of an inbox rely on.

use std::num::NonZeroU64;
use std::thread;

use concord::systems::broadcast::{Inbox, Reason, Receipt, Stop, Strategies};

fn inbox(capacity: u64) -> Inbox<u32> {
    let capacity = NonZeroU64::new(capacity).expect("tests ask for room");
    Inbox::new(capacity, Strategies::REMEDIED)
}

#[test]
fn a_full_inbox_drops_its_oldest_message_and_says_so() {
    let inbox = inbox(2);
    let receipts = [1, 2, 3].map(|message| inbox.receive(message));
    assert_eq!(
        receipts,
        [Receipt::Queued, Receipt::Queued, Receipt::DroppedOldest]
    );
    let taken = inbox.blocking_next(None).expect("two are pending");
    assert_eq!((taken.message, taken.missed), (Some(2), 1));
    let counts = inbox.counts();
    assert_eq!(
        (counts.received, counts.returned, counts.dropped),
        (3, 1, 1)
    );
}

#[test]
fn what_is_pending_at_the_end_is_delivered_before_consumers_learn_of_it() {
    let inbox = inbox(2);
    inbox.receive(1);
    inbox.cancel();
    assert_eq!(inbox.receive(2), Receipt::Rejected);
    assert_eq!(
        inbox.blocking_next(None).expect("one is pending").message,
        Some(1)
    );
    assert_eq!(inbox.blocking_next(None), Err(Stop::Ended));
    assert_eq!(inbox.blocking_next(None), Err(Stop::Ended));
}

#[test]
fn a_waiting_thread_is_woken_by_a_message_its_signal_and_the_end() {
    for wake in 0..3 {
        let inbox = inbox(1);
        let signal = inbox.signal();
        let waiting = {
            let (inbox, signal) = (inbox.clone(), signal.clone());
            thread::spawn(move || inbox.blocking_next(Some(&signal)))
        };
        match wake {
            0 => drop(inbox.receive(7)),
            1 => signal.set(Reason::Expired),
            _ => inbox.cancel(),
        }
        let woken = waiting.join().expect("it ends");
        match wake {
            0 => assert_eq!(woken.map(|taken| taken.message), Ok(Some(7))),
            1 => assert_eq!(woken, Err(Stop::Caller(Reason::Expired))),
            _ => assert_eq!(woken, Err(Stop::Ended)),
        }
    }
}
