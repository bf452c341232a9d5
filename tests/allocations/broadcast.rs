//! The inbox, once its queue has grown to its capacity.

use std::num::NonZeroU64;
use std::task::{Context, Waker};

use concord::systems::broadcast::{Inbox, Receipt, Strategies};

use crate::allocates_nothing;

const CAPACITY: NonZeroU64 = NonZeroU64::new(4).expect("it is not 0");

fn full() -> Inbox<u64> {
    let inbox = Inbox::new(CAPACITY, Strategies::REMEDIED);
    (0..CAPACITY.get()).for_each(|message| assert_eq!(inbox.receive(message), Receipt::Queued));
    inbox
}

#[test]
fn messages_do_not() {
    let inbox = full();
    allocates_nothing("receive into a full inbox", || {
        assert_eq!(inbox.receive(9), Receipt::DroppedOldest);
    });
    allocates_nothing("a message that is taken, and one in its place", || {
        assert!(inbox.blocking_next(None).is_ok());
        assert_eq!(inbox.receive(9), Receipt::Queued);
    });
}

#[test]
fn a_waiting_task_does_not() {
    let inbox = full();
    while let Some(Ok(_)) = inbox.try_next() {}
    allocates_nothing("a task that waits and is woken", || {
        let mut next = std::pin::pin!(inbox.next(None));
        let mut context = Context::from_waker(Waker::noop());
        assert!(next.as_mut().poll(&mut context).is_pending());
        assert_eq!(inbox.receive(9), Receipt::Queued);
        assert!(next.as_mut().poll(&mut context).is_ready());
    });
}
