//! Causal delivery and its clocks, against clocks of other crates. None of the crates delivers, so they
//! take the place of ours under the scan of the whole log after each message, which is what the
//! original does; the limit tests messages that come in order and never holds any back. Answers are
//! compared before anything is timed.

#[allow(dead_code, reason = "nothing here runs on two threads")]
#[path = "common/mod.rs"]
mod common;
#[path = "common/groups.rs"]
mod groups;
#[path = "causal/histories.rs"]
mod histories;
#[path = "causal/naive.rs"]
mod naive;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;

use bytes::Bytes;
use concord::goals::Bound::{AtLeast, AtMost};
use concord::systems::causal::{
    Clock, Deliverability, Dependencies, Duplicates, Found, Message, Name, Node, Pending, Scan,
    framed, text,
};
use crdts::{CmRDT as _, CvRDT as _};
use criterion::{BenchmarkId, Throughput, criterion_group};
use rustix::time::ClockId;
use vclock::VClock;

use common::Goals;
use common::cpu::CpuTime;
use common::rounds::Rounds;
use groups::group;
use histories::{Arrivals, Order};
use naive::{Rescan, Vector as _};

type Criterion = criterion::Criterion<CpuTime>;

const CONCORD: &str = "concord";
const DENSE: &str = "rescan on the same clocks";
const CRDTS: &str = "rescan on crdts 7.3.2 VClock<u64>";
const LIMIT: &str = "limit: in order, nothing held back";

const SIZES: [usize; 3] = [3, 10, 100];
const ORDERS: [Order; 3] = [Order::Window(10), Order::Window(1_000), Order::Reversed];

/// A message that stays where it is.
struct Borrowed<'a>(usize, &'a Message);

impl AsRef<Message> for Borrowed<'_> {
    fn as_ref(&self) -> &Message {
        self.1
    }
}

/// The places of the messages in the order of their delivery, each received alone.
fn deliver(arrivals: &Arrivals) -> Vec<usize> {
    let mut pending = Pending::new(Scan::Restart, Duplicates::AtOrBelow, Dependencies::All);
    let mut clock = Clock::zero(arrivals.members);
    let mut delivered = Vec::with_capacity(arrivals.order.len());
    for (id, place) in (0..).zip(&arrivals.order) {
        pending.push(id, Borrowed(*place, &arrivals.sent[*place]));
        pending.rewind();
        while let Some(found) = pending.next(&clock) {
            if let Found::Apply { item, .. } = found {
                let Borrowed(place, message) = item;
                let seq = message.seq();
                clock.set(message.sender, seq);
                pending.delivered(message.sender, seq, &clock);
                delivered.push(place);
            }
        }
    }
    assert!(pending.is_empty());
    delivered
}

/// The same messages as they were sent.
fn in_order(arrivals: &Arrivals) -> Vec<usize> {
    let mut clock = Clock::zero(arrivals.members);
    let mut delivered = Vec::with_capacity(arrivals.sent.len());
    for (place, message) in arrivals.sent.iter().enumerate() {
        let said = clock.deliverability(message.sender, &message.stamp);
        assert_eq!(said, Deliverability::Apply);
        clock.set(message.sender, message.seq());
        delivered.push(place);
    }
    delivered
}

/// All ways to deliver a history.
struct Ways {
    name: String,
    arrivals: Arrivals,
    dense: Rescan<Clock>,
    crdts: Rescan<crdts::VClock<u64>>,
}

impl Ways {
    fn new(members: usize, order: Order) -> Self {
        let (messages, name) = match order {
            Order::Window(window) => (2_000, format!("window {window}")),
            Order::Reversed => (1_000, "reversed".into()),
        };
        let arrivals = Arrivals::new(members, messages, order);
        let ways = Self {
            name: format!("{name}, {members} members"),
            dense: Rescan::new(&arrivals),
            crdts: Rescan::new(&arrivals),
            arrivals,
        };
        let delivered = deliver(&ways.arrivals);
        assert_eq!(delivered, ways.dense.deliver());
        assert_eq!(delivered, ways.crdts.deliver());
        assert_eq!(in_order(&ways.arrivals).len(), delivered.len());
        ways
    }

    fn run(&self, way: &str) -> Vec<usize> {
        match way {
            CONCORD => deliver(black_box(&self.arrivals)),
            DENSE => black_box(&self.dense).deliver(),
            CRDTS => black_box(&self.crdts).deliver(),
            _ => in_order(black_box(&self.arrivals)),
        }
    }
}

const WAYS: [&str; 4] = [CONCORD, DENSE, CRDTS, LIMIT];

fn goals(goals: &mut Goals) {
    for members in SIZES {
        for order in ORDERS {
            deliveries(goals, members, order);
        }
        growth(goals, members);
        comparisons(goals, members);
        merges(goals, members);
    }
}

fn deliveries(goals: &mut Goals, members: usize, order: Order) {
    let ways = &Ways::new(members, order);
    let mut rounds = Rounds::default();
    for way in WAYS {
        rounds.add(way, || ways.run(way));
    }
    let group = rounds.measure();
    let what = format!("delivery, {}", ways.name);
    let mut record = |id, bound, peer| goals.record(id, &what, bound, [CONCORD, peer], &group);
    match order {
        Order::Window(10) => record("V1", AtLeast(by_size(members, [3.0, 6.0, 20.0])), CRDTS),
        Order::Window(_) => record("V2", AtLeast(80.0), CRDTS),
        Order::Reversed => (),
    }
    let is_wide = order == Order::Window(1_000);
    record("V3", AtLeast(if is_wide { 10.0 } else { 1.2 }), DENSE);
    let is_narrow = order == Order::Window(10);
    record("V5", AtMost(if is_narrow { 5.0 } else { 9.0 }), LIMIT);
}

/// So many messages in reverse, all at once and in parts.
fn growth(goals: &mut Goals, members: usize) {
    const WHOLE: &str = "concord, 20 000 messages";
    const PARTS: &str = "concord, 20 times 1 000 messages";
    let [whole, part] = [20_000, 1_000].map(|size| Arrivals::new(members, size, Order::Reversed));
    let mut delivered = deliver(&whole);
    delivered.sort_unstable();
    assert!(delivered.into_iter().eq(0..20_000));
    let mut rounds = Rounds::default();
    rounds.add(WHOLE, || deliver(black_box(&whole)));
    rounds.add(PARTS, || {
        for _ in 0..20 {
            black_box(deliver(black_box(&part)));
        }
    });
    let group = rounds.measure();
    let what = format!("growth, reversed, {members} members");
    goals.record("V4", &what, AtMost(2.0), [WHOLE, PARTS], &group);
}

const CRDTS_CLOCK: &str = "crdts 7.3.2 VClock<u64>";
const VCLOCK: &str = "vclock 0.4.4 VClock<u32, u32>";

/// The same clock of each crate.
struct Clocks {
    ours: Clock,
    crdts: crdts::VClock<u64>,
    vclock: VClock<u32, u32>,
}

impl Clocks {
    fn new(entries: &[u64]) -> Self {
        let message = Message {
            sender: Node(0),
            stamp: Clock::from_entries(entries.iter().copied()),
            operation: None,
        };
        let narrow = (0..).zip(entries.iter().map(|entry| *entry as u32));
        Self {
            crdts: crdts::VClock::stamp(&message),
            vclock: narrow.collect::<HashMap<_, _>>().into(),
            ours: message.stamp,
        }
    }

    /// One clock, a later one, and one concurrent to both; they differ in one of the last entries.
    fn three(members: usize) -> [Self; 3] {
        let entries: Vec<u64> = (1..=members as u64).collect();
        let [mut later, mut other] = [entries.clone(), entries.clone()];
        later[members - 2] += 1;
        other[members - 1] += 1;
        [entries, later, other].map(|entries| Self::new(&entries))
    }
}

fn compared<C: PartialOrd>([first, later, other]: [&C; 3]) -> [Option<Ordering>; 3] {
    [
        first.partial_cmp(later),
        other.partial_cmp(first),
        later.partial_cmp(other),
    ]
}

fn comparisons(goals: &mut Goals, members: usize) {
    let clocks = &Clocks::three(members);
    let ours = clocks.each_ref().map(|clocks| &clocks.ours);
    let crdts = clocks.each_ref().map(|clocks| &clocks.crdts);
    let vclock = clocks.each_ref().map(|clocks| &clocks.vclock);
    let expected = [Some(Ordering::Less), Some(Ordering::Greater), None];
    assert_eq!(compared(ours), expected);
    assert_eq!(compared(crdts), expected);
    assert_eq!(compared(vclock), expected);

    let mut rounds = Rounds::default();
    rounds.add(CONCORD, || compared(black_box(ours)));
    rounds.add(CRDTS_CLOCK, || compared(black_box(crdts)));
    rounds.add(VCLOCK, || compared(black_box(vclock)));
    let group = rounds.measure();
    record_clocks(goals, "three comparisons", members, &group);
}

/// Merges of a concurrent clock, of which nothing is news but the first time.
fn merges(goals: &mut Goals, members: usize) {
    let [_, mut later, other] = Clocks::three(members);
    let mut rounds = Rounds::default();
    rounds.add(CONCORD, || later.ours.merge(black_box(&other.ours)));
    // It consumes the other, so whoever keeps that pays for a copy.
    rounds.add(CRDTS_CLOCK, || {
        later.crdts.merge(black_box(&other.crdts).clone());
    });
    rounds.add(VCLOCK, || later.vclock.merge(black_box(&other.vclock)));
    let group = rounds.measure();
    let mut merged: Vec<u64> = (1..=members as u64).collect();
    merged[members - 2] += 1;
    merged[members - 1] += 1;
    let merged = Clocks::new(&merged);
    assert_eq!(later.ours, merged.ours);
    assert_eq!(later.crdts, merged.crdts);
    assert!(later.vclock == merged.vclock);
    record_clocks(goals, "merge", members, &group);
}

fn record_clocks(goals: &mut Goals, what: &str, members: usize, group: &common::Group) {
    let what = format!("{what} of clocks of {members} entries");
    let mut record = |id, least, peer| {
        let bound = AtLeast(by_size(members, least));
        goals.record(id, &what, bound, [CONCORD, peer], group);
    };
    record("V6", [4.0, 12.0, 40.0], CRDTS_CLOCK);
    record("V7", [5.0, 10.0, 25.0], VCLOCK);
}

fn by_size(members: usize, bounds: [f64; 3]) -> f64 {
    let place = SIZES.iter().position(|size| *size == members);
    bounds[place.expect("one of the sizes")]
}

fn delivered(criterion: &mut Criterion) {
    let mut group = group(criterion, "causal/delivery");
    for members in SIZES {
        for order in ORDERS {
            let ways = Ways::new(members, order);
            group.throughput(Throughput::Elements(ways.arrivals.sent.len() as u64));
            for way in WAYS {
                let id = BenchmarkId::new(way, &ways.name);
                group.bench_function(id, |b| b.iter(|| ways.run(way)));
            }
        }
    }
    group.finish();
}

/// The own entry of a clock, one more each time.
fn incremented(criterion: &mut Criterion) {
    let mut group = group(criterion, "causal/increment");
    for members in SIZES {
        let [mut clocks, _, _] = Clocks::three(members);
        let last = members - 1;
        let node = Node(last as u16);
        let Clocks {
            ours,
            crdts,
            vclock,
        } = &mut clocks;
        let id = |name| BenchmarkId::new(name, members);
        group.bench_function(id(CONCORD), |b| {
            b.iter(|| ours.set(black_box(node), ours.get(black_box(node)) + 1));
        });
        group.bench_function(id(CRDTS_CLOCK), |b| {
            b.iter(|| crdts.apply(crdts.inc(black_box(last as u64))));
        });
        group.bench_function(id(VCLOCK), |b| {
            b.iter(|| vclock.incr(black_box(&(last as u32))));
        });
    }
    group.finish();
}

/// Messages that put a mail of 1 KiB into a mailbox, with stamps of so many entries.
fn coded(criterion: &mut Criterion) {
    let mut group = group(criterion, "causal/codec");
    group.throughput(Throughput::Elements(1));
    for members in SIZES {
        let names = (0..members).map(|member| Name::from(format!("node-{member:03}")));
        let names: Vec<Name> = names.collect();
        let entries = || names.iter().cloned().zip(1..);
        let contents = Bytes::from(vec![b'm'; 1_024]);
        let (user, mailbox) = (Name::from("user"), Name::from("INBOX"));
        let tag = Name::from("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
        let operation = text::Operation {
            user: user.clone(),
            mailbox: mailbox.clone(),
            action: text::Action::Append {
                add: text::Triple {
                    value: Name::from("1511275260.mail"),
                    tag: tag.clone(),
                    contents: contents.clone(),
                },
            },
        };
        let clock: BTreeMap<Name, i64> = entries().collect();
        let encode_line = || {
            let payload = operation.format().expect("nothing in it needs escaping");
            text::format_message(&text::Line {
                sender: names[0].clone(),
                clock: clock.clone(),
                payload,
            })
        };
        let line = encode_line().expect("the names are legal");
        let decode_line = || {
            let line = text::parse_message(black_box(&line)).expect("it was formatted");
            let (word, rest) = text::parse_op(&line.payload).expect("it was formatted");
            text::Operation::parse(word, rest.as_bytes())
        };
        assert_eq!(decode_line(), Some(Ok(operation.clone())));

        let message = framed::Msg {
            replica: names[0].clone(),
            vclock: entries()
                .map(|(name, entry)| (name, entry as u32))
                .collect(),
            operation: Name::from("append"),
            append: Some(framed::Append {
                user,
                mailbox,
                add_tag: tag,
                add_content: contents,
            }),
            ..framed::Msg::default()
        };
        let body = message.encode();
        let decode = || framed::Msg::decode(black_box(&body));
        assert_eq!(decode(), Ok(message.clone()));

        let id = |name| BenchmarkId::new(name, members);
        group.bench_function(id("text, encode"), |b| b.iter(encode_line));
        group.bench_function(id("text, decode"), |b| b.iter(decode_line));
        group.bench_function(id("framed, encode"), |b| {
            b.iter(|| black_box(&message).encode());
        });
        group.bench_function(id("framed, decode"), |b| b.iter(decode));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = criterion::Criterion::default().with_measurement(CpuTime(ClockId::ThreadCPUTime));
    targets = delivered, incremented, coded
}

fn main() {
    common::measure("causal", goals);
    benches();
}
