//! Futures that are dropped while they wait, or that go from one task to another.

use std::num::NonZeroU64;
use std::sync::Arc;

use loom::thread;

use crate::broadcast::{Inbox, Receipt, Stop, Strategies};
use crate::explore::both_ways;
use crate::tasks::{finish, poll_once};

/// Runs `case` on an empty inbox for one message, in every interleaving, and asserts that what it
/// tells is true in some and false in some.
#[track_caller]
fn assert_both_ways(
    name: &str,
    minimum: u64,
    case: impl Fn(Arc<Inbox<u8>>) -> bool + Send + Sync + 'static,
) {
    both_ways(name, minimum, None, move || {
        case(Arc::new(Inbox::new(NonZeroU64::MIN, Strategies::REMEDIED)))
    });
}

#[test]
fn dropped_future_takes_nothing() {
    assert_both_ways("dropped", 5, |inbox| {
        let other = Arc::clone(&inbox);
        let task = thread::spawn(move || poll_once(other.next(None)));
        assert_eq!(inbox.receive(1), Receipt::Queued);
        let taken = task.join().expect("it ends");
        let left = inbox.try_next();
        let messages = [taken, left].map(|result| result.map(|taken| taken.map(|t| t.message)));
        let one = Some(Ok(Some(1)));
        assert!(
            messages == [one, None] || messages == [None, one],
            "{messages:?}"
        );
        taken.is_some()
    });
}

#[test]
fn dropped_future_takes_no_wake_up_from_another() {
    assert_both_ways("dropped beside another", 7_200, |inbox| {
        let waits = Arc::clone(&inbox);
        let waiting = thread::spawn(move || finish(waits.next(None)));
        let sends = Arc::clone(&inbox);
        let sender = thread::spawn(move || {
            sends.receive(1);
            sends.cancel();
        });
        let taken = poll_once(inbox.next(None));
        sender.join().expect("it ends");
        let (result, waited) = waiting.join().expect("it ends");
        let (one, ended) = (Some(1), Err(Stop::Ended));
        match taken {
            None => assert_eq!(result.map(|taken| taken.message), Ok(one)),
            Some(Err(stop)) => {
                assert_eq!((stop, result.map(|t| t.message)), (Stop::Ended, Ok(one)))
            }
            Some(Ok(taken)) => assert_eq!((taken.message, result), (one, ended)),
        }
        waited
    });
}

#[test]
fn future_that_another_task_goes_on_with_wakes_that_one() {
    assert_both_ways("handed on", 7, |inbox| {
        let other = Arc::clone(&inbox);
        let task = thread::spawn(move || {
            let mut next = other.next(None);
            let first = poll_once(&mut next);
            first.map_or_else(|| finish(next), |result| (result, false))
        });
        inbox.receive(1);
        let (result, waited) = task.join().expect("it ends");
        assert_eq!(result.map(|taken| taken.message), Ok(Some(1)));
        waited
    });
}
