//! The inbox of the broadcaster against channels that do as much: what arrives is counted when it is
//! dropped or refused, the oldest gives way to the newest, and there is an end. Bare queues stand
//! beside them as limits. Answers are compared before anything is timed.
//!
//! Not quite like for like: a peer does not tell apart the steps of the specification, its consumers
//! wait for messages or the end and not for signals of their own, and no tasks can wait. With the
//! queue without a lock a message can still be queued while the channel is closed.

#[path = "common/mod.rs"]
mod common;
#[path = "broadcast/peers.rs"]
mod peers;

use std::hint::black_box;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Duration;

use concord::goals::Bound::AtMost;
use concord::systems::broadcast::{Inbox, Strategies};
use crossbeam_queue::ArrayQueue;
use tokio::sync::broadcast;

use common::pairs::{Pairs, TOGETHER, Threads};
use common::rounds::{Rounds, timed};
use common::{Goals, Group};
use peers::{Channel, LockFree, Locked, ParkingLot, Std};

/// As large as a `Vec`, and allocates nothing.
type Message = [u64; 3];

const CAPACITY: usize = 128;

const CONCORD: &str = "concord";
const STD: &str = "std::sync::Mutex<VecDeque>";
const PARKING_LOT: &str = "parking_lot::Mutex<VecDeque>";
const LOCK_FREE: &str = "crossbeam-queue 0.3.12 ArrayQueue, counted";
const ARRAY: &str = "limit: ArrayQueue";
const TOKIO: &str = "limit: tokio 1 broadcast";
const FLUME: &str = "limit: flume 0.12.0, refuses";

struct Concord(Inbox<Message>);

impl Channel for Concord {
    fn of(capacity: usize) -> Self {
        let capacity = NonZeroU64::new(capacity as u64).expect("not 0");
        Self(Inbox::new(capacity, Strategies::REMEDIED))
    }

    fn receive(&self, message: Message) {
        self.0.receive(message);
    }

    fn try_next(&self) -> Option<Message> {
        self.0.try_next()?.ok()?.message
    }

    fn next(&self) -> Option<Message> {
        self.0.blocking_next(None).ok()?.message
    }

    fn close(&self) {
        self.0.cancel();
    }

    fn counts(&self) -> [u64; 4] {
        let counts = self.0.counts();
        [
            counts.received,
            counts.returned,
            counts.dropped,
            counts.rejected,
        ]
    }
}

fn message(number: u64) -> Message {
    [number; 3]
}

fn main() {
    answers::<Concord>();
    answers::<Locked<Std>>();
    answers::<Locked<ParkingLot>>();
    answers::<LockFree>();
    common::measure("broadcast", |goals| {
        with_room(goals);
        when_full(goals);
        beside_next(goals);
        hand_off(goals);
    });
}

/// Overflow by one, close, one refused, what remains, the end.
fn answers<C: Channel>() {
    let channel = C::of(CAPACITY);
    (0..=CAPACITY as u64).for_each(|number| channel.receive(message(number)));
    assert_eq!(channel.try_next(), Some(message(1)));
    channel.close();
    channel.receive(message(0));
    assert_eq!(channel.counts(), [CAPACITY as u64 + 2, 1, 1, 1]);
    for number in 2..=CAPACITY as u64 {
        assert_eq!(channel.next(), Some(message(number)));
    }
    assert_eq!(channel.try_next(), None);
    assert_eq!(channel.next(), None);
}

/// Messages come into a channel with room for them; that they are taken out again is not timed.
fn with_room(goals: &mut Goals) {
    const ROOM: usize = 4_096;
    fn filling(mut receive: impl FnMut(), mut empty: impl FnMut()) -> impl FnMut(u64) -> Duration {
        move |calls| {
            let mut time = Duration::ZERO;
            let mut left = calls;
            while left > 0 {
                let batch = left.min(ROOM as u64);
                time += timed(|| (0..batch).for_each(|_| receive()));
                empty();
                left -= batch;
            }
            time
        }
    }
    fn into_room<C: Channel>() -> impl FnMut(u64) -> Duration {
        let channel = Rc::new(C::of(ROOM));
        let emptied = Rc::clone(&channel);
        filling(
            move || channel.receive(black_box(message(1))),
            move || while emptied.try_next().is_some() {},
        )
    }
    let array = ArrayQueue::new(ROOM);
    let (flume, from_flume) = flume::bounded(ROOM);
    let mut rounds = Rounds::default();
    rounds.add_timed(CONCORD, into_room::<Concord>());
    rounds.add_timed(STD, into_room::<Locked<Std>>());
    rounds.add_timed(PARKING_LOT, into_room::<Locked<ParkingLot>>());
    rounds.add_timed(LOCK_FREE, into_room::<LockFree>());
    rounds.add_timed(
        ARRAY,
        filling(
            || {
                array.force_push(black_box(message(1)));
            },
            || while array.pop().is_some() {},
        ),
    );
    rounds.add_timed(
        FLUME,
        filling(
            || {
                flume
                    .try_send(black_box(message(1)))
                    .expect("there is room")
            },
            || while from_flume.try_recv().is_ok() {},
        ),
    );
    record(
        goals,
        "B1",
        "a message into a channel with room",
        &rounds.measure(),
    );
}

/// A message comes into a full channel, which stays full.
fn when_full(goals: &mut Goals) {
    fn into_full<C: Channel>() -> impl FnMut() {
        let channel = C::of(CAPACITY);
        (0..CAPACITY as u64).for_each(|number| channel.receive(message(number)));
        move || channel.receive(black_box(message(1)))
    }
    let array = ArrayQueue::new(CAPACITY);
    let (tokio, _lags) = broadcast::channel(CAPACITY);
    let (flume, _full) = flume::bounded(CAPACITY);
    let mut rounds = Rounds::default();
    rounds.add(CONCORD, into_full::<Concord>());
    rounds.add(STD, into_full::<Locked<Std>>());
    rounds.add(PARKING_LOT, into_full::<Locked<ParkingLot>>());
    rounds.add(LOCK_FREE, into_full::<LockFree>());
    rounds.add(ARRAY, || array.force_push(black_box(message(1))));
    rounds.add(TOKIO, || tokio.send(black_box(message(1))).is_ok());
    rounds.add(FLUME, || flume.try_send(black_box(message(1))).is_ok());
    record(
        goals,
        "B2",
        "a message into a full channel",
        &rounds.measure(),
    );
}

/// One thread hands messages over as fast as it can while another takes what it gets, until the last,
/// which is never dropped.
fn beside_next(goals: &mut Goals) {
    const MESSAGES: u64 = 4_000;
    fn both<C: Channel>() -> impl Fn(usize) + Sync {
        let channel = C::of(CAPACITY);
        move |thread| match thread {
            0 => (0..MESSAGES).for_each(|number| channel.receive(message(number))),
            _ => while channel.try_next() != Some(message(MESSAGES - 1)) {},
        }
    }
    let mut pairs = Pairs::new(TOGETHER);
    pairs.add(CONCORD, Threads::Two, MESSAGES, both::<Concord>());
    pairs.add(STD, Threads::Two, MESSAGES, both::<Locked<Std>>());
    pairs.add(
        PARKING_LOT,
        Threads::Two,
        MESSAGES,
        both::<Locked<ParkingLot>>(),
    );
    pairs.add(LOCK_FREE, Threads::Two, MESSAGES, both::<LockFree>());
    record(
        goals,
        "B3",
        "messages from one thread to another",
        &pairs.measure(),
    );
}

/// Two threads pass one message to and fro, each waiting for the other: mostly what it takes to wake
/// a thread. As they do not run together, no sample is invalid.
fn hand_off(goals: &mut Goals) {
    const HANDS: u64 = 100;
    fn both<C: Channel>() -> impl Fn(usize) + Sync {
        let [there, back] = [C::of(CAPACITY), C::of(CAPACITY)];
        move |thread| {
            for number in 0..HANDS / 2 {
                let [to, from] = match thread {
                    0 => [&there, &back],
                    _ => [&back, &there],
                };
                to.receive(message(number));
                assert_eq!(from.next(), Some(message(number)));
            }
        }
    }
    let mut pairs = Pairs::new(0.0);
    pairs.add(CONCORD, Threads::Two, HANDS, both::<Concord>());
    pairs.add(STD, Threads::Two, HANDS, both::<Locked<Std>>());
    pairs.add(
        PARKING_LOT,
        Threads::Two,
        HANDS,
        both::<Locked<ParkingLot>>(),
    );
    pairs.add(LOCK_FREE, Threads::Two, HANDS, both::<LockFree>());
    record(
        goals,
        "B4",
        "a message to a thread that waits for it",
        &pairs.measure(),
    );
}

fn record(goals: &mut Goals, id: &str, what: &str, group: &Group) {
    for peer in [STD, PARKING_LOT, LOCK_FREE] {
        goals.record(id, what, AtMost(1.1), [CONCORD, peer], group);
    }
    for name in [ARRAY, TOKIO, FLUME] {
        if let Some(limit) = group.get(name) {
            println!("     {name}: {limit}");
        }
    }
}
