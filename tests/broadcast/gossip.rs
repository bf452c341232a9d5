//! The transport of the broadcaster.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use concord::adapters::gossip::{Gossip, GossipError};
use concord::systems::broadcast::{Broadcaster, CAPACITY, PubSub, TOPIC};

/// For what takes a moment, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

fn open(listener: TcpListener, peer: SocketAddr) -> Gossip {
    Gossip::open(listener, [peer], PATIENCE).expect("it listens")
}

/// Two nodes that are each other's peer.
fn pair() -> [Gossip; 2] {
    let ((one, at_one), (other, at_other)) = (listener(), listener());
    [open(one, at_other), open(other, at_one)]
}

/// What `from` publishes from now on.
fn hear(node: &Gossip, from: &Gossip) -> Receiver<Vec<u8>> {
    let (heard, hears) = mpsc::channel();
    let handler = move |message| drop(heard.send(message));
    let subscribed = node.subscribe(TOPIC, Box::new(handler));
    subscribed.expect("its peer listens");
    assert!(from.wait_for_subscribers(TOPIC, 1, PATIENCE));
    hears
}

#[test]
fn messages_pass_both_ways_in_order() {
    let [one, other] = pair().map(|gossip| {
        let subscribed = Broadcaster::subscribe(gossip, CAPACITY);
        subscribed.expect("its peer listens")
    });
    for (from, to) in [(&one, &other), (&other, &one)] {
        assert!(from.publisher().wait_for_subscribers(TOPIC, 1, PATIENCE));
        let messages = [vec![], vec![0xff], vec![7; 1 << 20]];
        for message in &messages {
            from.broadcast(message.clone()).expect("it is open");
        }
        for message in messages {
            let taken = to.inbox().blocking_next(None).expect("nobody cancels");
            assert_eq!((taken.message, taken.missed), (Some(message), 0));
        }
    }
    let [received, others] = [&one, &other].map(|node| node.inbox().counts().received);
    assert_eq!((received, others), (3, 3), "nobody hears itself");
}

#[test]
fn a_subscriber_hears_its_topic_and_none_that_begins_like_it() {
    let [one, other] = pair();
    let hears = hear(&other, &one);
    for topic in ["/warpnet/stats/1.0.0/x", "/warpnet", "", TOPIC] {
        let published = one.publish(topic, topic.as_bytes().to_vec());
        published.expect("it is open");
    }
    let message = hears.recv_timeout(PATIENCE);
    assert_eq!(message.as_deref(), Ok(TOPIC.as_bytes()));
    other.close();
    let more = hears.recv_timeout(PATIENCE);
    assert_eq!(more, Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_publication_nobody_waits_for_succeeds_and_one_after_close_fails() {
    let [one, other] = pair();
    let one = Broadcaster::subscribe(one, CAPACITY).expect("its peer listens");
    one.broadcast(vec![1]).expect("it is open");
    one.publisher().close();
    one.publisher().close();
    let failed = one.broadcast(vec![2]).expect_err("it is closed");
    assert!(matches!(failed, GossipError::Closed { .. }));
    assert!(failed.to_string().starts_with(TOPIC), "{failed}");
    let failed = Broadcaster::subscribe(closed(other), CAPACITY).expect_err("it is closed");
    assert!(matches!(failed, GossipError::Closed { .. }));
}

fn closed(gossip: Gossip) -> Gossip {
    gossip.close();
    gossip
}

#[test]
fn what_was_published_before_close_arrives() {
    let [one, other] = pair();
    let hears = hear(&other, &one);
    let messages: Vec<_> = (0..=u8::MAX).map(|byte| vec![byte; 1 << 10]).collect();
    for message in &messages {
        let published = one.publish(TOPIC, message.clone());
        published.expect("it is open");
    }
    one.close();
    for message in messages {
        assert_eq!(hears.recv_timeout(PATIENCE), Ok(message));
    }
}

#[test]
fn a_publisher_that_comes_back_is_heard_and_a_subscriber_that_left_is_forgotten() {
    let (one, other) = (listener(), listener());
    let subscriber = open(other.0, one.1);
    let publisher = open(one.0, other.1);
    let hears = hear(&subscriber, &publisher);
    publisher.close();
    let again = TcpListener::bind(one.1).expect("it was given back");
    let publisher = open(again, other.1);
    assert!(publisher.wait_for_subscribers(TOPIC, 1, PATIENCE));
    publisher.publish(TOPIC, vec![1]).expect("it is open");
    assert_eq!(hears.recv_timeout(PATIENCE), Ok(vec![1]));

    subscriber.close();
    let gone = hears.recv_timeout(PATIENCE);
    assert_eq!(gone, Err(RecvTimeoutError::Disconnected));
    for _ in 0..1_000 {
        let published = publisher.publish(TOPIC, vec![0; 1 << 16]);
        published.expect("nobody holds it up");
    }
}

/// BRC-3.
#[test]
fn a_failed_subscription_fails_the_construction() {
    let (_silent, peer) = listener();
    let (here, _) = listener();
    let gossip = Gossip::open(here, [peer], Duration::from_millis(50)).expect("it listens");
    let failed = Broadcaster::subscribe(gossip, CAPACITY).expect_err("nobody answers there");
    assert!(
        matches!(&failed, GossipError::Subscribe { peer: named, .. } if *named == peer),
        "{failed}"
    );
}

#[test]
fn close_ends_a_publication_that_waits_for_a_subscriber() {
    let [one, other] = pair();
    // A handler that does not return, as no broadcaster has.
    let (stuck, release) = mpsc::sync_channel(0);
    let handler = move |message| drop(stuck.send(message));
    other
        .subscribe(TOPIC, Box::new(handler))
        .expect("its peer listens");
    assert!(one.wait_for_subscribers(TOPIC, 1, PATIENCE));
    let (published, publishes) = mpsc::channel();
    std::thread::scope(|scope| {
        let publisher = scope.spawn(|| {
            loop {
                // More than the operating system keeps for one connection.
                if let Err(failed) = one.publish(TOPIC, vec![0; 1 << 20]) {
                    return failed;
                }
                published.send(()).expect("the test waits");
            }
        });
        while publishes.recv_timeout(Duration::from_millis(500)).is_ok() {}
        one.close();
        let failed = publisher.join().expect("it ends");
        assert!(matches!(failed, GossipError::Closed { .. }));
    });
    drop(release);
}
