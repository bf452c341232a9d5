//! A burst from another process into a consumer that does not keep up.

use std::env;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use concord::adapters::gossip::Gossip;
use concord::systems::broadcast::{Broadcaster, CAPACITY, Inbox, PubSub, Stop, TOPIC};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{seed, soak};
use crate::process::{again, next_line};

/// Tells the second process the address of the sender and the size of the burst.
const BURST: &str = "CONCORD_BURST";
/// The test below, which runs in the second process as well: there it is the slow consumer.
const TEST: &str = "burst::a_burst_costs_a_slow_consumer_messages_and_no_memory";
/// Published once the consumer has said that it is cancelled.
const LATE: u64 = 10;
/// For what takes a moment, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(240);

type Message = Vec<u8>;

/// A message of a usual size that tells its number.
fn message(number: u64) -> Message {
    let mut bytes = vec![0; 64];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn number(message: &[u8]) -> u64 {
    let number = message[..8].try_into();
    u64::from_le_bytes(number.expect("messages are longer"))
}

/// Takes a message now and then, until it learns that there will be none, and checks that exactly
/// those are missing that were reported missed.
fn consume_slowly(inbox: &Inbox<Message>) -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed());
    let mut expected = 0;
    loop {
        match inbox.blocking_next(None) {
            Ok(taken) => {
                let message = taken.message.expect("a message or an error (BRC-S9)");
                assert_eq!(number(&message), expected + taken.missed);
                expected = number(&message) + 1;
            }
            Err(stop) => {
                assert_eq!(stop, Stop::Ended);
                return expected;
            }
        }
        sleep(Duration::from_micros(rng.random_range(0..2_000)));
    }
}

/// Waits until `count` messages were received.
fn await_received(inbox: &Inbox<Message>, count: u64) {
    let begun = Instant::now();
    while inbox.counts().received < count {
        assert!(begun.elapsed() < PATIENCE, "{inbox:?} of {count}");
        sleep(Duration::from_millis(1));
    }
}

/// The most memory that this process ever had resident, in kB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("tests run on Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    let peak = peak.and_then(|peak| peak.parse().ok());
    peak.expect("Linux tells it in this form")
}

/// The slow side. Says `cancelled` once it is, and its figures at the end.
fn slow_side(burst: &str) {
    let (sender, size) = burst.split_once(' ').expect("two words");
    let sender: SocketAddr = sender.parse().expect("an address");
    let size: u64 = size.parse().expect("a number");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let gossip = Gossip::open(listener, [sender], PATIENCE).expect("it listens");
    let broadcaster = Broadcaster::subscribe(gossip, CAPACITY).expect("the sender is there");

    thread::scope(|scope| {
        let inbox = broadcaster.inbox();
        let consumer = scope.spawn(|| consume_slowly(inbox));
        await_received(inbox, size);
        inbox.cancel();
        println!("\ncancelled");
        await_received(inbox, size + LATE);
        let accounted = consumer.join().expect("it learns of the end");
        assert_eq!(accounted, size, "the newest is kept (BRC-S3)");
    });
    broadcaster.publisher().close();

    let (counts, pending) = broadcaster
        .inbox()
        .inspect(|channel| (channel.counts(), channel.pending().len()));
    println!(
        "figures {} {} {} {} {pending} {}",
        counts.received,
        counts.returned,
        counts.dropped,
        counts.rejected,
        peak_memory(),
    );
}

/// What the slow side says about itself.
#[derive(Debug)]
struct Figures {
    received: u64,
    returned: u64,
    dropped: u64,
    rejected: u64,
    pending: u64,
    /// In kB.
    peak_memory: u64,
}

impl Figures {
    fn parse(line: &str) -> Option<Self> {
        let numbers = line.strip_prefix("figures ")?.split_whitespace();
        let numbers: Result<Vec<u64>, _> = numbers.map(str::parse).collect();
        match *numbers.ok()? {
            [received, returned, dropped, rejected, pending, peak_memory] => Some(Self {
                received,
                returned,
                dropped,
                rejected,
                pending,
                peak_memory,
            }),
            _ => None,
        }
    }
}

/// Publishes `size` messages as fast as it can to one slow consumer, and some that come late.
fn burst(size: u64) -> Figures {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let gossip = Gossip::open(listener, [], PATIENCE).expect("it listens");
    let (mut child, mut said) = again(TEST, BURST, format!("{address} {size}"));
    let mut wait_for = |word: &str| loop {
        let line = next_line(&mut said).unwrap_or_else(|| panic!("the slow side says {word}"));
        if line.starts_with(word) {
            return line;
        }
    };

    assert!(gossip.wait_for_subscribers(TOPIC, 1, PATIENCE));
    let publish = |number| {
        let published = gossip.publish(TOPIC, message(number));
        published.expect("it is open");
    };
    let begun = Instant::now();
    (0..size).for_each(publish);
    let took = begun.elapsed();
    wait_for("cancelled");
    (size..size + LATE).for_each(publish);
    let figures = Figures::parse(&wait_for("figures")).expect("six numbers");
    gossip.close();
    let status = child.wait().expect("it is ours");
    assert!(status.success(), "{status}");
    println!("burst of {size} in {took:.1?}: {figures:?}");
    figures
}

#[test]
fn a_burst_costs_a_slow_consumer_messages_and_no_memory() {
    if let Ok(burst) = env::var(BURST) {
        return slow_side(&burst);
    }
    let size = soak(10_000, 100_000);
    let [once, tenfold] = [size, 10 * size].map(|size| {
        let figures = burst(size);
        let accounted = figures.returned + figures.dropped + figures.rejected + figures.pending;
        assert_eq!(figures.received, accounted, "BRC-S6: {figures:?}");
        assert_eq!(figures.received, size + LATE, "the transport is reliable");
        assert_eq!(figures.rejected, LATE, "{figures:?}");
        assert!(figures.returned > 0, "{figures:?}");
        assert!(figures.dropped > 0, "the consumer is slow: {figures:?}");
        figures.peak_memory
    });
    assert!(
        // Much of a peak is pages of files.
        tenfold * 4 <= once * 5,
        "{once} kB at {size} messages, {tenfold} kB at ten times that"
    );
}
