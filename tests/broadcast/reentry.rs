//! What is not ours runs outside the lock: dropping a message, waking a task, dropping its waker.
//! Whoever held the lock there would wait for itself.

use std::future::Future;
use std::num::NonZeroU64;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use concord::systems::broadcast::{Inbox, Overflow, Reason, Receipt, Stop, Strategies};

use super::inbox::inbox_of;

/// Calls the inbox when it is dropped.
struct Caller {
    inbox: Inbox<Caller>,
    heard: Arc<AtomicU64>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        let counts = self.inbox.counts();
        self.heard.store(counts.received, Ordering::Relaxed);
    }
}

#[test]
fn messages_are_dropped_outside_the_lock() {
    let newest = Strategies {
        overflow: Overflow::Newest,
        ..Strategies::REFERENCE
    };
    for (strategies, cancels, receipt) in [
        (Strategies::REMEDIED, false, Receipt::DroppedOldest),
        (Strategies::REFERENCE, false, Receipt::DroppedOldest),
        (newest, false, Receipt::DroppedNewest),
        (Strategies::REMEDIED, true, Receipt::Rejected),
    ] {
        let inbox = Inbox::new(NonZeroU64::MIN, strategies);
        let heard = Arc::new(AtomicU64::new(0));
        let message = || Caller {
            inbox: inbox.clone(),
            heard: Arc::clone(&heard),
        };
        assert_eq!(inbox.receive(message()), Receipt::Queued);
        if cancels {
            inbox.cancel();
        }
        assert_eq!(inbox.receive(message()), receipt);
        assert_eq!(heard.load(Ordering::Relaxed), 2);
        drop(inbox.try_next());

        // Closed: rejected without a choice.
        inbox.cancel();
        assert!(inbox.blocking_next(None).is_err());
        assert_eq!(inbox.receive(message()), Receipt::Rejected);
        assert_eq!(heard.load(Ordering::Relaxed), 3);
    }
}

/// Takes a message when it is woken.
struct Taker(Inbox<u32>, Mutex<Vec<Option<u32>>>);

impl Wake for Taker {
    fn wake(self: Arc<Self>) {
        let taken = self.0.try_next().and_then(Result::ok);
        let message = taken.and_then(|taken| taken.message);
        self.1.lock().expect("nobody panics").push(message);
    }
}

#[test]
fn a_waker_may_call_the_inbox() {
    let inbox = inbox_of(1);
    let taker = Arc::new(Taker(inbox.clone(), Mutex::default()));
    let waker = Waker::from(Arc::clone(&taker));
    let mut context = Context::from_waker(&waker);
    let signal = inbox.signal();
    let mut next = pin!(inbox.next(Some(&signal)));
    assert!(next.as_mut().poll(&mut context).is_pending());
    inbox.receive(7);
    assert!(
        next.as_mut().poll(&mut context).is_pending(),
        "it was taken"
    );
    signal.set(Reason::Expired);
    let given_up = Poll::Ready(Err(Stop::Caller(Reason::Expired)));
    assert_eq!(next.as_mut().poll(&mut context), given_up);
    let taken = taker.1.lock().expect("nobody panics").clone();
    assert_eq!(taken, [Some(7), None]);
}

/// A task that holds an inbox, and looks at it when it is dropped.
struct Task(Inbox<u32>, Arc<AtomicU64>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Task {
    fn drop(&mut self) {
        self.1
            .fetch_add(self.0.counts().received, Ordering::Relaxed);
    }
}

#[test]
fn wakers_are_dropped_outside_the_lock() {
    let inbox = inbox_of(1);
    let dropped = Arc::new(AtomicU64::new(0));
    let waker = || Waker::from(Arc::new(Task(inbox.clone(), Arc::clone(&dropped))));
    inbox.receive(1);
    assert!(inbox.try_next().is_some());
    {
        let mut next = pin!(inbox.next(None));
        // The first is replaced by the second; the last goes with the future, or when it is woken.
        for replaced in 0..3 {
            let waker = waker();
            assert!(
                next.as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            );
            drop(waker);
            assert_eq!(dropped.load(Ordering::Relaxed), replaced);
        }
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 3);
    let mut next = pin!(inbox.next(None));
    assert!(
        next.as_mut()
            .poll(&mut Context::from_waker(&waker()))
            .is_pending()
    );
    inbox.receive(2);
    assert_eq!(
        dropped.load(Ordering::Relaxed),
        5,
        "its second message was told"
    );
}
