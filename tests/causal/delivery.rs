//! Delivery against a slow oracle (2, 6.4).

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use concord::systems::causal::{
    Clock, Deliverability, Dependencies, Duplicates, Found, Message, Node, Pending, Scan,
};
use proptest::prelude::*;
use proptest::sample::select;
use quickcheck::{Arbitrary, Gen, TestResult, quickcheck};

use crate::common::{cases, soak};

/// A message of which only sender and stamp count.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Stamped(Message);

impl AsRef<Message> for Stamped {
    fn as_ref(&self) -> &Message {
        &self.0
    }
}

fn stamped(sender: usize, stamp: &[u64]) -> Stamped {
    Stamped(Message {
        sender: node(sender),
        stamp: clock(stamp),
        operation: None,
    })
}

fn node(place: usize) -> Node {
    Node(u16::try_from(place).expect("groups are small here"))
}

fn clock(entries: &[u64]) -> Clock {
    Clock::from_entries(entries.iter().copied())
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    scan: Scan,
    duplicates: Duplicates,
    dependencies: Dependencies,
}

const SCANS: [Scan; 2] = [Scan::Restart, Scan::Sweep];

fn all_rules() -> Vec<Rules> {
    let mut rules = Vec::new();
    for scan in SCANS {
        for duplicates in [Duplicates::AtOrBelow, Duplicates::EqualOnly] {
            for dependencies in [Dependencies::All, Dependencies::OwnOnly] {
                rules.push(Rules {
                    scan,
                    duplicates,
                    dependencies,
                });
            }
        }
    }
    rules
}

const fn reference(scan: Scan) -> Rules {
    Rules {
        scan,
        duplicates: Duplicates::AtOrBelow,
        dependencies: Dependencies::All,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Apply,
    Duplicate,
    Wait,
}

/// Rule 4, or what upstream makes of it (2).
fn verdict(rules: Rules, clock: &[u64], sender: usize, stamp: &[u64]) -> Verdict {
    let (own, delivered) = (stamp[sender], clock[sender]);
    let mut others = (0..clock.len()).filter(|other| *other != sender);
    let others = others.all(|other| stamp[other] <= clock[other])
        || rules.dependencies == Dependencies::OwnOnly;
    let is_duplicate = match rules.duplicates {
        Duplicates::AtOrBelow => own <= delivered,
        Duplicates::EqualOnly => own == delivered && others,
    };
    if is_duplicate {
        Verdict::Duplicate
    } else if own == delivered + 1 && others {
        Verdict::Apply
    } else {
        Verdict::Wait
    }
}

/// The scan of 6.4, word by word.
struct Scanned {
    rules: Rules,
    clock: Vec<u64>,
    log: Vec<(u64, Stamped)>,
    /// The entry that the scan looks at next.
    position: usize,
    /// Whether this pass removed or delivered something.
    acted: bool,
}

impl Scanned {
    fn verdict(&self, position: usize) -> Verdict {
        let message = &self.log[position].1.0;
        let stamp = message.stamp.entries();
        verdict(self.rules, &self.clock, message.sender.index(), stamp)
    }

    fn begin(&mut self) {
        self.position = 0;
        self.acted = false;
    }

    /// The entry that is looked at next, if there is one.
    fn looks_at(&self) -> Option<usize> {
        let next_pass = self.acted && !self.log.is_empty();
        let position = Some(self.position).filter(|position| *position < self.log.len());
        position.or(next_pass.then_some(0))
    }

    fn step(&mut self) -> Option<(u64, Verdict)> {
        while let Some(position) = self.looks_at() {
            if position < self.position {
                self.begin();
            }
            match self.verdict(position) {
                Verdict::Wait => self.position += 1,
                verdict => {
                    let (id, Stamped(message)) = self.log.remove(position);
                    if verdict == Verdict::Apply {
                        self.clock[message.sender.index()] += 1;
                    }
                    match self.rules.scan {
                        Scan::Restart => self.begin(),
                        Scan::Sweep => self.acted = true,
                    }
                    return Some((id, verdict));
                }
            }
        }
        None
    }
}

/// The index beside the oracle.
struct Both {
    pending: Pending<Stamped>,
    clock: Clock,
    oracle: Scanned,
    /// Messages delivered, in order.
    delivered: Vec<Message>,
    arrived: u64,
}

impl Both {
    fn new(rules: Rules, members: usize) -> Self {
        Self {
            pending: Pending::new(rules.scan, rules.duplicates, rules.dependencies),
            clock: Clock::zero(members),
            oracle: Scanned {
                rules,
                clock: vec![0; members],
                log: Vec::new(),
                position: 0,
                acted: false,
            },
            delivered: Vec::new(),
            arrived: 0,
        }
    }

    fn receive(&mut self, message: &Stamped) {
        self.pending.push(self.arrived, message.clone());
        self.oracle.log.push((self.arrived, message.clone()));
        self.arrived += 1;
        self.agree();
    }

    /// A message of this node itself.
    fn submit(&mut self, me: usize) {
        self.oracle.clock[me] += 1;
        self.clock.set(node(me), self.oracle.clock[me]);
        self.pending.delivered(node(me), self.oracle.clock[me]);
    }

    /// A run with a limit.
    fn run(&mut self, limit: usize) {
        let end = self.delivered.len().saturating_add(limit);
        self.pending.rewind();
        self.oracle.begin();
        while self.delivered.len() < end && self.step() {}
        self.agree();
    }

    fn step(&mut self) -> bool {
        let looks_at = self.oracle.looks_at();
        let blocked = looks_at.is_some_and(|at| self.oracle.verdict(at) == Verdict::Wait);
        assert_eq!(self.pending.blocked(&self.clock), blocked);
        let found = match self.pending.next(&self.clock) {
            None => None,
            Some(Found::Duplicate { id, .. }) => Some((id, Verdict::Duplicate)),
            Some(Found::Apply { id, item }) => {
                let (sender, seq) = (item.0.sender, item.0.seq());
                self.clock.set(sender, seq);
                self.pending.delivered(sender, seq);
                self.delivered.push(item.0);
                Some((id, Verdict::Apply))
            }
        };
        assert_eq!(found, self.oracle.step());
        found.is_some()
    }

    fn agree(&self) {
        assert_eq!(self.clock.entries(), self.oracle.clock);
        let log = self.oracle.log.iter().map(|(id, item)| (*id, item));
        assert!(self.pending.iter().eq(log));
        assert_eq!(self.pending.len(), self.oracle.log.len());
        assert_eq!(self.pending.is_empty(), self.oracle.log.is_empty());
    }
}

#[test]
fn the_two_scans_deliver_in_the_orders_of_the_spec() {
    let log = [
        stamped(1, &[1, 1]),
        stamped(0, &[1, 0]),
        stamped(0, &[2, 0]),
    ];
    let orders = SCANS.map(|scan| {
        let mut both = Both::new(reference(scan), 2);
        log.iter().for_each(|message| both.receive(message));
        both.run(usize::MAX);
        let delivered = both.delivered.iter();
        let names = delivered.map(|message| (message.sender.0, message.seq()));
        names.collect::<Vec<_>>()
    });
    let restart = vec![(0, 1), (1, 1), (0, 2)];
    let sweep = vec![(0, 1), (0, 2), (1, 1)];
    assert_eq!(orders, [restart, sweep]);
}

#[test]
fn a_limited_run_leaves_the_duplicates_behind_its_last_delivery() {
    for scan in SCANS {
        let mut both = Both::new(reference(scan), 2);
        let message = stamped(0, &[1, 0]);
        for _ in 0..3 {
            both.receive(&message);
        }
        both.run(1);
        assert_eq!(both.pending.len(), 2);
        both.run(1);
        assert!(both.pending.is_empty());
    }
}

#[test]
fn a_message_that_waits_is_purged_once_a_twin_with_another_stamp_is_delivered() {
    for scan in SCANS {
        let mut both = Both::new(reference(scan), 3);
        both.receive(&stamped(0, &[1, 5, 0]));
        both.receive(&stamped(0, &[1, 0, 7]));
        both.run(usize::MAX);
        assert_eq!(both.pending.len(), 2);
        both.receive(&stamped(0, &[1, 0, 0]));
        both.run(usize::MAX);
        assert!(both.pending.is_empty());
        assert_eq!(both.delivered.len(), 1);
    }
}

#[test]
fn a_duplicate_below_the_clock_stays_for_ever_if_only_equal_ones_are_purged() {
    for scan in SCANS {
        let rules = Rules {
            duplicates: Duplicates::EqualOnly,
            ..reference(scan)
        };
        let mut both = Both::new(rules, 2);
        for seq in [1, 2, 1, 2, 3] {
            both.receive(&stamped(0, &[seq, 0]));
            both.run(usize::MAX);
        }
        assert_eq!(both.delivered.len(), 3);
        assert_eq!(both.pending.len(), 1);
    }
}

/// What two members of three can send within two messages each, conflicting stamps included; the
/// third one receives.
fn small_messages() -> Vec<Stamped> {
    let mut messages = Vec::new();
    for own in [1, 2] {
        for other in [0, 1, 2] {
            messages.push(stamped(0, &[own, other, 0]));
            messages.push(stamped(1, &[other, own, 0]));
        }
    }
    messages
}

#[test]
fn every_small_log_gives_what_the_scan_gives() {
    let messages = small_messages();
    let length = soak(4, 5) as u32;
    let mut runs = 0_u64;
    for number in 0..messages.len().pow(length) {
        let log = (0..length).map(|place| {
            let choice = number / messages.len().pow(place);
            &messages[choice % messages.len()]
        });
        let log: Vec<&Stamped> = log.collect();
        for rules in all_rules() {
            for limit in [1, usize::MAX] {
                let [mut at_once, mut one_by_one] = [(); 2].map(|()| Both::new(rules, 3));
                for message in &log {
                    at_once.receive(message);
                    one_by_one.receive(message);
                    one_by_one.run(limit);
                }
                for _ in 0..length {
                    at_once.run(limit);
                }
                runs += 2;
            }
        }
    }
    assert_eq!(runs, 32 * (messages.len() as u64).pow(length));
}

#[derive(Clone, Debug)]
enum Op {
    Receive(Stamped),
    Run(usize),
    Submit,
}

/// Any messages, as only faulty members send them; the last member receives, and submits.
fn ops(members: usize) -> impl Strategy<Value = Vec<Op>> {
    let stamp = prop::collection::vec(0..4_u64, members);
    let message = (0..members - 1, stamp).prop_map(|(sender, stamp)| stamped(sender, &stamp));
    let limit = select(vec![1, 2, usize::MAX]);
    let op = prop_oneof![
        8 => message.prop_map(Op::Receive),
        3 => limit.prop_map(Op::Run),
        1 => Just(Op::Submit),
    ];
    prop::collection::vec(op, 0..80)
}

/// Messages of a group in which everybody keeps to the rules, but for the last member, which only
/// receives; each with all that its sender knew.
fn histories() -> impl Strategy<Value = Vec<Stamped>> {
    let step = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let steps = prop::collection::vec((step, any::<bool>()), 0..60);
    (3..=6_usize, steps).prop_map(|(members, steps)| {
        let senders = members - 1;
        let mut clocks = vec![vec![0; members]; senders];
        let mut sent: Vec<Stamped> = Vec::new();
        for ((who, what), submits) in steps {
            let who = who.index(senders);
            if submits || sent.is_empty() {
                clocks[who][who] += 1;
                sent.push(stamped(who, &clocks[who]));
                continue;
            }
            let Stamped(message) = &sent[what.index(sent.len())];
            let (sender, stamp) = (message.sender.index(), message.stamp.entries());
            let rules = reference(Scan::Restart);
            if verdict(rules, &clocks[who], sender, stamp) == Verdict::Apply {
                clocks[who][sender] += 1;
            }
        }
        sent
    })
}

/// The messages of a history in any order, some of them again, with runs between them.
fn arrivals() -> impl Strategy<Value = (Vec<Stamped>, Vec<(Stamped, Option<usize>)>)> {
    let repeated = histories().prop_flat_map(|sent| {
        let repeats = prop::collection::vec(any::<prop::sample::Index>(), 0..20);
        (Just(sent), repeats)
    });
    let shuffled = repeated.prop_flat_map(|(sent, repeats)| {
        let mut copies = sent.clone();
        if !sent.is_empty() {
            copies.extend(repeats.iter().map(|at| at.get(&sent).clone()));
        }
        (Just(sent), Just(copies).prop_shuffle())
    });
    shuffled.prop_flat_map(|(sent, copies)| {
        let limits = vec![None, Some(1), Some(usize::MAX)];
        let limits = prop::collection::vec(select(limits), copies.len());
        let arrivals =
            limits.prop_map(move |limits| copies.iter().cloned().zip(limits).collect::<Vec<_>>());
        (Just(sent), arrivals)
    })
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn any_log_gives_what_the_scan_gives(
        (members, ops) in (2..5_usize).prop_flat_map(|members| (Just(members), ops(members))),
        rules in select(all_rules()),
    ) {
        let mut both = Both::new(rules, members);
        for op in ops {
            match op {
                Op::Receive(message) => both.receive(&message),
                Op::Run(limit) => both.run(limit),
                Op::Submit => both.submit(members - 1),
            }
        }
        both.run(usize::MAX);
    }

    #[test]
    fn any_order_of_arrival_delivers_everything_once_and_in_causal_order(
        (sent, arrivals) in arrivals(),
        scan in select(&SCANS[..]),
    ) {
        let members = sent.first().map_or(2, |message| message.0.stamp.entries().len());
        let mut both = Both::new(reference(scan), members);
        for (message, limit) in arrivals {
            both.receive(&message);
            if let Some(limit) = limit {
                both.run(limit);
            }
        }
        both.run(usize::MAX);
        prop_assert!(both.pending.is_empty());
        let mut clock = Clock::zero(members);
        sent.iter().for_each(|message| clock.merge(&message.0.stamp));
        prop_assert_eq!(&both.clock, &clock);
        let names = both.delivered.iter().map(|message| (message.sender, message.seq()));
        prop_assert_eq!(names.collect::<BTreeSet<_>>().len(), sent.len());
        prop_assert_eq!(both.delivered.len(), sent.len());
        for (place, message) in both.delivered.iter().enumerate() {
            let mut later = both.delivered[place..].iter();
            prop_assert!(!later.any(|later| later.stamp < message.stamp));
        }
    }

    #[test]
    fn indexes_of_equal_items_are_equal_whatever_went_before(
        messages in prop::collection::vec((0..2_usize, 0..3_u64, 2..4_u64), 0..12),
    ) {
        let messages = messages.iter().map(|(sender, other, own)| {
            let mut stamp = [*other, *other, 0];
            stamp[*sender] = *own;
            stamped(*sender, &stamp)
        });
        let messages: Vec<Stamped> = messages.collect();
        let [mut fresh, mut used] = [(); 2].map(|()| Both::new(reference(Scan::Sweep), 3));
        for _ in 0..5 {
            used.receive(&stamped(2, &[0, 0, 0]));
        }
        used.run(usize::MAX);
        for message in &messages {
            fresh.receive(message);
            used.receive(message);
        }
        prop_assert_eq!(&fresh.pending, &used.pending);
        prop_assert_eq!(hash(&fresh.pending), hash(&used.pending));
        used.receive(&stamped(0, &[9, 9, 9]));
        prop_assert_ne!(&fresh.pending, &used.pending);
    }

    #[test]
    fn deliverability_is_that_of_rule_4(
        entries in prop::collection::vec((entry(), 0..2_u64), 1..70),
        missing in prop::option::of(any::<prop::sample::Index>()),
        sender in any::<prop::sample::Index>(),
        step in 0..4_u64,
    ) {
        let mut mine: Vec<u64> = entries.iter().map(|(entry, _)| *entry).collect();
        let stamp = entries.iter().map(|(entry, less)| entry.saturating_sub(*less));
        let mut stamp: Vec<u64> = stamp.collect();
        if let Some(missing) = missing {
            let missing = missing.index(mine.len());
            stamp[missing] = mine[missing].saturating_add(1);
        }
        let sender = sender.index(mine.len());
        mine[sender] = mine[sender].min(u64::MAX - 4);
        stamp[sender] = (mine[sender] + step).saturating_sub(1);
        let said = clock(&mine).deliverability(node(sender), &clock(&stamp));
        let expected = verdict(reference(Scan::Restart), &mine, sender, &stamp);
        match said {
            Deliverability::Apply => prop_assert_eq!(expected, Verdict::Apply),
            Deliverability::Duplicate => prop_assert_eq!(expected, Verdict::Duplicate),
            Deliverability::Wait { node, seq } => {
                prop_assert_eq!(expected, Verdict::Wait);
                let needed = stamp[node.index()] - u64::from(node.index() == sender);
                prop_assert_eq!(seq, needed);
                prop_assert!(mine[node.index()] < seq);
            }
        }
    }
}

fn hash(pending: &Pending<Stamped>) -> u64 {
    let mut hasher = DefaultHasher::new();
    pending.hash(&mut hasher);
    hasher.finish()
}

fn entry() -> impl Strategy<Value = u64> {
    prop_oneof![0..4_u64, any::<u64>(), Just(u64::MAX)]
}

#[test]
fn long_logs_in_reverse_are_delivered_in_order() {
    const EACH: u64 = 700;
    for scan in SCANS {
        let mut both = Both::new(reference(scan), 4);
        // Each message depends on the one before of another sender.
        let sent = (0..3 * EACH).map(|number| {
            let place = (number % 3) as usize;
            let mut stamp = [0, 1, 2, 3].map(|member| (number + 3 - member) / 3);
            stamp[3] = 0;
            stamped(place, &stamp)
        });
        let mut sent: Vec<Stamped> = sent.collect();
        sent.reverse();
        let mut pending = Pending::new(scan, Duplicates::AtOrBelow, Dependencies::All);
        for (id, message) in (0..).zip(&sent) {
            pending.push(id, message.clone());
        }
        pending.rewind();
        while let Some(found) = pending.next(&both.clock) {
            let Found::Apply { item, .. } = found else {
                panic!("{found:?} was sent once");
            };
            both.clock.set(item.0.sender, item.0.seq());
            pending.delivered(item.0.sender, item.0.seq());
            both.delivered.push(item.0);
        }
        sent.reverse();
        assert!(both.delivered.iter().eq(sent.iter().map(AsRef::as_ref)));
        assert!(pending.is_empty());
    }
}

/// Three clocks of one group.
#[derive(Clone, Debug)]
struct Three([Clock; 3]);

impl Arbitrary for Three {
    fn arbitrary(g: &mut Gen) -> Self {
        let members = *g.choose(&[1, 2, 3, 4, 5, 9, 16, 40]).expect("not empty");
        let entry = |g: &mut Gen| {
            let any = u64::arbitrary(g);
            *g.choose(&[any, any % 3, any % 3]).expect("not empty")
        };
        let first: Vec<u64> = (0..members).map(|_| entry(g)).collect();
        // Some are close to each other, else hardly any two of many entries were comparable.
        let near = |g: &mut Gen, from: &[u64]| {
            let changes = u8::arbitrary(g) % 3;
            let mut entries = from.to_vec();
            for _ in 0..changes {
                let at = usize::arbitrary(g) % members;
                entries[at] = entry(g);
            }
            entries
        };
        let second = near(g, &first);
        let third = near(g, &second);
        Self([first, second, third].map(|entries| clock(&entries)))
    }
}

fn join(a: &Clock, b: &Clock) -> Clock {
    let mut joined = a.clone();
    joined.merge(b);
    joined
}

quickcheck! {
    fn merges_are_commutative_associative_and_idempotent(three: Three) -> bool {
        let Three([a, b, c]) = &three;
        join(a, b) == join(b, a)
            && join(&join(a, b), c) == join(a, &join(b, c))
            && join(a, a) == *a
    }

    fn a_merge_is_the_least_that_is_above_both(three: Three) -> bool {
        let Three([a, b, c]) = &three;
        let joined = join(a, b);
        let is_above = |clock: &Clock| a <= clock && b <= clock;
        is_above(&joined) && (!is_above(c) || joined <= *c)
    }

    fn comparing_is_pointwise(three: Three) -> bool {
        let Three([a, b, _]) = &three;
        let pairs = || a.entries().iter().zip(b.entries());
        let expected = match (pairs().all(|(a, b)| a <= b), pairs().all(|(a, b)| a >= b)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Less),
            (false, true) => Some(Ordering::Greater),
            (false, false) => None,
        };
        a.partial_cmp(b) == expected && b.partial_cmp(a) == expected.map(Ordering::reverse)
    }

    fn happened_before_is_transitive(three: Three) -> TestResult {
        let Three([a, b, c]) = &three;
        let joined = [a.clone(), join(a, b), join(&join(a, b), c)];
        let chain = joined.is_sorted() && joined[0] <= joined[2];
        if a <= b && b <= c {
            TestResult::from_bool(chain && a <= c)
        } else {
            TestResult::from_bool(chain)
        }
    }

    fn clocks_of_different_lengths_are_not_comparable(three: Three) -> bool {
        let Three([a, _, _]) = &three;
        let longer = clock(&[a.entries(), &[0]].concat());
        a.partial_cmp(&longer).is_none() && join(a, &longer) == longer
    }
}
