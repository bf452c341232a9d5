//! What users of an inbox rely on.

use std::future::Future;
use std::num::NonZeroU64;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use concord::systems::broadcast::{Inbox, Reason, Receipt, Stop, Strategies};

/// With every remedy.
pub(crate) fn inbox_of<M>(capacity: u64) -> Inbox<M> {
    let capacity = NonZeroU64::new(capacity).expect("tests ask for room");
    Inbox::new(capacity, Strategies::REMEDIED)
}

fn inbox(capacity: u64) -> Inbox<u32> {
    inbox_of(capacity)
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

#[test]
fn the_largest_inbox_takes_no_memory_in_advance() {
    let inbox = inbox(u64::MAX);
    for message in 0..1000 {
        assert_eq!(inbox.receive(message), Receipt::Queued);
    }
    assert_eq!(inbox.inspect(|channel| channel.pending().len()), 1000);
    for message in 0..1000 {
        let taken = inbox.try_next().expect("it is pending");
        assert_eq!(taken.map(|taken| taken.message), Ok(Some(message)));
    }
    assert_eq!(inbox.try_next(), None);
}

#[test]
fn a_signal_keeps_its_first_reason_and_serves_every_call() {
    let inbox = inbox(1);
    let signal = inbox.signal();
    assert_eq!(signal.reason(), None);
    signal.clone().set(Reason::Expired);
    signal.set(Reason::Cancelled);
    for _ in 0..2 {
        let given_up = Err(Stop::Caller(Reason::Expired));
        assert_eq!(inbox.blocking_next(Some(&signal)), given_up);
    }
    inbox.receive(1);
    let taken = inbox
        .blocking_next(Some(&signal))
        .map(|taken| taken.message);
    assert_eq!(taken, Ok(Some(1)), "what is pending comes first");
}

/// Polled again after its end a future is the next call, not the rest of the last.
#[test]
fn a_future_may_be_polled_again() {
    let inbox = Inbox::<u32>::new(NonZeroU64::MIN, Strategies::REFERENCE);
    let mut context = Context::from_waker(Waker::noop());
    let mut next = pin!(inbox.next(None));
    inbox.cancel();
    let cancelled = Poll::Ready(Err(Stop::Cancelled));
    assert_eq!(next.as_mut().poll(&mut context), cancelled);
    let Poll::Ready(Ok(drained)) = next.as_mut().poll(&mut context) else {
        panic!("a closed queue answers at once");
    };
    assert_eq!(drained.message, None);
}
