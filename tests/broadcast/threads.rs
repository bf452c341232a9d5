//! An inbox among real threads, and a broadcaster among its like.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use concord::systems::broadcast::{Broadcaster, CAPACITY, PubSub, Receipt, Stop, TOPIC, Taken};

use super::common::soak;
use super::inbox::inbox_of;

/// Unparks the thread that waits for a future.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

/// Everything that one consumer takes until the end.
fn drain<M>(mut next: impl FnMut() -> Result<Taken<M>, Stop>) -> (Vec<M>, u64) {
    let mut messages = Vec::new();
    let mut missed = 0;
    loop {
        match next() {
            Ok(taken) => {
                missed += taken.missed;
                messages.extend(taken.message);
            }
            Err(stop) => {
                assert_eq!(stop, Stop::Ended);
                return (messages, missed);
            }
        }
    }
}

/// BRC-S4, S5, S6 and L2: two consumers, of which one is a task.
#[test]
fn every_message_is_taken_once_and_in_order_or_counted() {
    const SENDERS: u64 = 4;
    let each = soak(20_000, 2_000_000);
    for capacity in [1, 3, 100] {
        let inbox = inbox_of::<(u64, u64)>(capacity);
        let inbox = &inbox;
        let consumed = thread::scope(|scope| {
            let thread = scope.spawn(|| drain(|| inbox.blocking_next(None)));
            let task = scope.spawn(|| drain(|| block_on(inbox.next(None))));
            let senders: Vec<_> = (0..SENDERS)
                .map(|sender| {
                    scope.spawn(move || {
                        for number in 0..each {
                            assert_ne!(inbox.receive((sender, number)), Receipt::Rejected);
                        }
                    })
                })
                .collect();
            for sender in senders {
                sender.join().expect("it ends");
            }
            inbox.cancel();
            [thread, task].map(|consumer| consumer.join().expect("it ends"))
        });
        for (messages, _) in &consumed {
            for sender in 0..SENDERS {
                let own = messages.iter().filter(|(from, _)| *from == sender);
                assert!(own.is_sorted_by(|earlier, later| earlier < later));
            }
        }
        let mut all: Vec<_> = consumed.iter().flat_map(|(messages, _)| messages).collect();
        let returned = all.len() as u64;
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len() as u64, returned, "taken twice");

        let counts = inbox.counts();
        assert_eq!((counts.returned, counts.rejected), (returned, 0));
        assert_eq!(counts.received, SENDERS * each);
        assert_eq!(counts.received, returned + counts.dropped);
        // Somebody was told of each loss: the last message that came was taken.
        let missed: u64 = consumed.iter().map(|(_, missed)| missed).sum();
        assert_eq!(missed, counts.dropped);
    }
}

/// A publisher that says that it began and waits for leave to go on; it panics if there will be none.
struct Slow {
    began: Sender<()>,
    leave: Mutex<Receiver<()>>,
}

impl PubSub<u32> for Slow {
    type Error = Infallible;

    fn subscribe(&self, _: &str, _: Box<dyn Fn(u32) + Send + Sync>) -> Result<(), Infallible> {
        Ok(())
    }

    fn publish(&self, _: &str, _: u32) -> Result<(), Infallible> {
        self.began.send(()).expect("the test listens");
        let leave = self.leave.lock().expect("one publication at a time");
        leave.recv().expect("the test gives leave");
        Ok(())
    }
}

/// A broadcaster of capacity 1, where to hear that a publication began, and where to give leave.
fn slow() -> (Broadcaster<Slow, u32>, Receiver<()>, Sender<()>) {
    let (began, begins) = channel();
    let (leaves, leave) = channel();
    let leave = Mutex::new(leave);
    let slow = Slow { began, leave };
    (Broadcaster::new(slow, inbox_of(1)), begins, leaves)
}

/// BRC-L3.
#[test]
fn a_publication_that_does_not_return_holds_up_nobody() {
    let (broadcaster, begins, leaves) = slow();
    thread::scope(|scope| {
        let publication = scope.spawn(|| broadcaster.broadcast(1));
        begins.recv().expect("it begins");
        let inbox = broadcaster.inbox();
        assert_eq!(inbox.receive(1), Receipt::Queued);
        assert_eq!(inbox.receive(2), Receipt::DroppedOldest);
        let taken = inbox.blocking_next(None).map(|taken| taken.message);
        assert_eq!(taken, Ok(Some(2)));
        inbox.cancel();
        assert_eq!(inbox.blocking_next(None), Err(Stop::Ended));
        assert!(!publication.is_finished());
        leaves.send(()).expect("it listens");
        assert_eq!(publication.join().expect("it ends"), Ok(()));
    });
}

#[test]
fn a_publisher_that_panics_leaves_the_broadcaster_usable() {
    let (broadcaster, _begins, leaves) = slow();
    drop(leaves);
    let panicked = catch_unwind(AssertUnwindSafe(|| broadcaster.broadcast(1)));
    assert!(panicked.is_err());
    assert_eq!(broadcaster.inbox().receive(1), Receipt::Queued);
    broadcaster.inbox().cancel();
    assert!(broadcaster.inbox().blocking_next(None).is_ok());
    assert_eq!(broadcaster.inbox().blocking_next(None), Err(Stop::Ended));
}

type Handler = Box<dyn Fn(Arc<str>) + Send + Sync>;

/// A transport in memory that brings each message to the handlers of its topic.
#[derive(Default)]
struct Hub {
    handlers: Mutex<Vec<(usize, String, Handler)>>,
}

/// The hub as one of its members sees it.
struct Member {
    hub: Arc<Hub>,
    number: usize,
    /// Whether it is brought its own messages as well.
    echo: bool,
}

impl PubSub<Arc<str>> for Member {
    type Error = &'static str;

    fn subscribe(&self, topic: &str, handler: Handler) -> Result<(), Self::Error> {
        let mut handlers = self.hub.handlers.lock().expect("no handler panics");
        if handlers.iter().any(|(member, ..)| *member == self.number) {
            return Err("subscribed already");
        }
        handlers.push((self.number, topic.to_owned(), handler));
        Ok(())
    }

    fn publish(&self, topic: &str, message: Arc<str>) -> Result<(), Self::Error> {
        if message.is_empty() {
            return Err("nothing to publish");
        }
        let handlers = self.hub.handlers.lock().expect("no handler panics");
        for (member, subscribed, handler) in &*handlers {
            if subscribed == topic && (self.echo || *member != self.number) {
                handler(Arc::clone(&message));
            }
        }
        Ok(())
    }
}

fn member(hub: &Arc<Hub>, number: usize, echo: bool) -> Member {
    let hub = Arc::clone(hub);
    Member { hub, number, echo }
}

fn pending<P>(broadcaster: &Broadcaster<P, Arc<str>>) -> Vec<String> {
    let inbox = broadcaster.inbox();
    inbox.inspect(|channel| {
        channel
            .pending()
            .map(|message| message.to_string())
            .collect()
    })
}

/// BRC-1, BRC-3 and BRC-4.
#[test]
fn members_of_a_hub_hear_each_other_on_the_topic() {
    for echo in [false, true] {
        let hub = Arc::new(Hub::default());
        let [a, b, c] = [0, 1, 2].map(|number| {
            let broadcaster = Broadcaster::subscribe(member(&hub, number, echo), CAPACITY);
            broadcaster.expect("it subscribes for the first time")
        });
        assert_eq!(a.broadcast("x".into()), Ok(()));
        assert_eq!(pending(&a).len(), usize::from(echo));
        assert_eq!(
            (pending(&b), pending(&c)),
            (vec!["x".into()], vec!["x".into()])
        );

        let other = member(&hub, 9, echo);
        assert_eq!(
            other.publish("/warpnet/stats/crdt/1.0.0", "y".into()),
            Ok(())
        );
        assert_eq!(pending(&b), ["x"]);
        assert_eq!(other.publish(TOPIC, "z".into()), Ok(()));
        assert_eq!(pending(&b), ["x", "z"]);

        // Nobody but b is concerned, and b still publishes.
        b.inbox().cancel();
        assert_eq!(a.broadcast("late".into()), Ok(()));
        assert_eq!(pending(&b), ["x", "z"]);
        assert_eq!(b.inbox().counts().rejected, 1);
        let taken = drain(|| b.inbox().blocking_next(None));
        assert_eq!(taken, (vec!["x".into(), "z".into()], 0));
        assert_eq!(b.broadcast("w".into()), Ok(()));
        assert_eq!(pending(&c), ["x", "z", "late", "w"]);
        assert_eq!(b.broadcast("".into()), Err("nothing to publish"));
        assert_eq!(pending(&c).len(), 4);
    }
}

#[test]
fn a_transport_that_cannot_subscribe_is_reported() {
    let hub = Arc::new(Hub::default());
    let first = Broadcaster::subscribe(member(&hub, 0, false), CAPACITY);
    let second = Broadcaster::subscribe(member(&hub, 0, false), CAPACITY);
    assert_eq!(second.err(), Some("subscribed already"));
    let other = member(&hub, 1, false);
    assert_eq!(other.publish(TOPIC, "x".into()), Ok(()));
    assert_eq!(
        first.map(|first| pending(&first)).ok(),
        Some(vec!["x".to_owned()])
    );
}
