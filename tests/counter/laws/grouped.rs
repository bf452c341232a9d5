//! Grouped commits: whatever is counted, flushed, interrupted and opened again, what is on disk lies
//! between what was flushed and what was counted, and is what single writes would have left.

use std::collections::{BTreeMap, VecDeque};

use concord::systems::counter::{
    Acknowledged, CallId, Commit, Direction, Failure, FlushedTotal, Input, Output, Space, State,
    Strategies, Text,
};
use concord::systems::machine::Machine as _;
use concord::systems::merkle::driver::Interner;
use concord::systems::merkle::{self, Disk, Write};
use proptest::prelude::*;

use super::cases;
use super::cluster::{KEYS, Named};

type Ids = Text<u32>;

/// A sub-counter of one life.
type Own = (Direction, u8);
type Totals = BTreeMap<Own, u64>;

/// What happens to a replica. Crashes are followed by a start.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Bump(Own),
    /// A total is handed over that is so far ahead of the known one, or behind it.
    Count(Own, i8),
    Flush(Trouble),
    Crash,
}

/// What goes wrong with a flush.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    Nothing,
    /// So many blocks can be stored.
    BlocksLeft(u8),
    /// The process dies after so many writes.
    CrashAfter(u8),
    Unannounced,
}

fn own() -> impl Strategy<Value = Own> {
    let direction = prop_oneof![Just(Direction::Incr), Just(Direction::Decr)];
    (direction, 0..KEYS.len() as u8)
}

fn operation() -> impl Strategy<Value = Operation> {
    let trouble = prop_oneof![
        3 => Just(Trouble::Nothing),
        1 => (0u8..6).prop_map(Trouble::BlocksLeft),
        1 => (0u8..8).prop_map(Trouble::CrashAfter),
        1 => Just(Trouble::Unannounced),
    ];
    prop_oneof![
        6 => own().prop_map(Operation::Bump),
        3 => (own(), -3i8..6).prop_map(|(own, ahead)| Operation::Count(own, ahead)),
        3 => trouble.prop_map(Operation::Flush),
        1 => Just(Operation::Crash),
    ]
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    proptest::collection::vec(operation(), 1..60)
}

fn acknowledged() -> impl Strategy<Value = Acknowledged> {
    prop_oneof![Just(Acknowledged::Flushed), Just(Acknowledged::Counted)]
}

/// A call with its result.
type Returned = (CallId, Result<Option<u64>, Failure>);

struct Crashed;

/// A replica on a disk, and what must be true of it.
struct Replica {
    machine: State<Ids>,
    strategies: Strategies,
    disk: Disk<Ids>,
    book: Interner<Ids>,
    life: u8,
    calls: CallId,
    trouble: Trouble,
    /// Everything that it ever put out.
    log: Vec<Output<Ids>>,
    /// Counted and flushed totals of this life.
    counted: Totals,
    flushed: Totals,
    /// What the lives before left.
    left: Vec<Totals>,
}

impl Replica {
    fn new(strategies: Strategies) -> Self {
        Self {
            machine: open(0, Disk::default(), strategies),
            strategies,
            disk: Disk::default(),
            book: Interner::new(),
            life: 0,
            calls: 0,
            trouble: Trouble::Nothing,
            log: Vec::new(),
            counted: Totals::new(),
            flushed: Totals::new(),
            left: Vec::new(),
        }
    }

    fn after(strategies: Strategies, operations: &[Operation]) -> Self {
        let mut replica = Self::new(strategies);
        for operation in operations {
            replica.perform(*operation);
            replica.check();
        }
        replica
    }

    fn perform(&mut self, operation: Operation) {
        match operation {
            Operation::Bump(own) => self.bump(own),
            Operation::Count(own, ahead) => self.count(own, ahead),
            Operation::Flush(trouble) => self.flush(trouble),
            Operation::Crash => self.crash(),
        }
    }

    fn bump(&mut self, (direction, key): Own) {
        let call = self.call();
        *self.counted.entry((direction, key)).or_insert(0) += 1;
        let input = Input::Bump {
            call,
            direction,
            key: Ids::key(key),
            unreadable: false,
        };
        let returned = self.carry(input).unwrap_or_default();
        if self.strategies.commit == Commit::Grouped(Acknowledged::Flushed) {
            assert_eq!(returned, [], "a bump waits for its flush");
        } else {
            assert_eq!(returned, [(call, Ok(None))]);
        }
    }

    fn count(&mut self, (direction, key): Own, ahead: i8) {
        let known = self.counted.entry((direction, key)).or_insert(0);
        let total = known.saturating_add_signed(ahead.into());
        *known = total.max(*known);
        let key = Ids::key(key);
        let input = Input::Count {
            direction,
            key,
            total,
        };
        let returned = self.carry(input).unwrap_or_default();
        assert_eq!(returned, []);
    }

    fn flush(&mut self, trouble: Trouble) {
        let call = self.call();
        let [_, waiting] = self.machine.flush_callers();
        let callers: Vec<CallId> = waiting.iter().copied().chain([call]).collect();
        let before = self.log.len();
        let entries = self.disk.entries.clone();
        self.trouble = trouble;
        let returned = self.carry(Input::Flush { call });
        self.trouble = Trouble::Nothing;
        let Ok(returned) = returned else {
            return self.crash();
        };
        let (called, results): (Vec<CallId>, Vec<_>) = returned.into_iter().unzip();
        assert_eq!(called, callers, "whoever waits returns");
        assert!(results.iter().all(|result| *result == results[0]));
        let wrote = nonzero(&self.counted) != nonzero(&self.flushed);
        match results[0] {
            Err(Failure::FlushFailed) => assert_eq!(self.disk.entries, entries, "all or nothing"),
            Ok(None) | Err(Failure::PublishFailed) => {
                self.flushed = self.counted.clone();
                assert_orderly(&self.log[before..], self.life, wrote);
            }
            other => panic!("a flush never ends as {other:?}"),
        }
    }

    /// The process dies and starts again. Of a flush that was under way all or nothing is there.
    fn crash(&mut self) {
        let stored = self.stored();
        let is_flush_done = stored == nonzero(&self.counted);
        assert!(is_flush_done || stored == nonzero(&self.flushed), "a part");
        self.left.push(stored);
        self.life += 1;
        self.machine = open(self.life, self.disk.clone(), self.strategies);
        self.counted = Totals::new();
        self.flushed = Totals::new();
    }

    fn call(&mut self) -> CallId {
        self.calls += 1;
        self.calls
    }

    /// Carries out what an input asks for, and tells which calls returned.
    fn carry(&mut self, input: Input<Ids>) -> Result<Vec<Returned>, Crashed> {
        let mut returned = Vec::new();
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut outputs = Vec::new();
            self.machine.step(input, &mut outputs);
            self.log.extend(outputs.iter().cloned());
            for output in outputs {
                match output {
                    Output::Store(merkle::Output::Store(block)) => {
                        let address = self.may_store().then(|| self.book.address(&block).0);
                        if let Some(address) = address {
                            self.write(&Write::Block(address, block))?;
                        }
                        inputs.push_back(Input::Store(merkle::Input::Stored(address)));
                    }
                    Output::Store(merkle::Output::Write(write)) => self.write(&write)?,
                    Output::Publish { call, .. } => {
                        let ok = self.trouble != Trouble::Unannounced;
                        inputs.push_back(Input::Published { call, ok });
                    }
                    Output::Returned { call, result } => returned.push((call, result)),
                    Output::Store(_) | Output::Query { .. } => {}
                }
            }
        }
        Ok(returned)
    }

    fn may_store(&mut self) -> bool {
        match &mut self.trouble {
            Trouble::BlocksLeft(0) => false,
            Trouble::BlocksLeft(left) => {
                *left -= 1;
                true
            }
            _ => true,
        }
    }

    fn write(&mut self, write: &Write<Ids>) -> Result<(), Crashed> {
        if let Trouble::CrashAfter(left) = &mut self.trouble {
            *left = left.checked_sub(1).ok_or(Crashed)?;
        }
        self.disk.apply(write);
        Ok(())
    }

    /// The own entries on disk.
    fn stored(&self) -> Totals {
        let mut totals = Totals::new();
        for own in owns() {
            let entry = self.disk.entries.get(&full(self.life, own));
            totals.extend(entry.map(|entry| (own, Ids::decode(&entry.value))));
        }
        totals
    }

    /// CTR-S6 in the form that grouped commits have, CTR-S8 live.
    fn check(&self) {
        assert_eq!(self.machine.store().disk(), &self.disk);
        let stored = self.stored();
        let of = |totals: &Totals, own| totals.get(&own).copied().unwrap_or(0);
        for own in owns() {
            let (flushed, counted) = (of(&self.flushed, own), of(&self.counted, own));
            assert!((flushed..=counted).contains(&of(&stored, own)), "{own:?}");
            let (direction, key) = (own.0, Ids::key(own.1));
            assert_eq!(self.machine.flushed(direction, &key), flushed);
            assert_eq!(self.machine.counted(direction, &key), counted);
        }
        for key in 0..KEYS.len() as u8 {
            let lives = self.left.iter().chain([&self.counted]);
            let sum = |direction| -> u64 {
                let totals = lives.clone().map(|totals| of(totals, (direction, key)));
                totals.sum()
            };
            let live = sum(Direction::Incr).saturating_sub(sum(Direction::Decr));
            assert_eq!(self.machine.live_value(&Ids::key(key)), Ok(live));
        }
    }
}

/// One sync after all writes, at the end, and what becomes known outside only after it.
fn assert_orderly(outputs: &[Output<Ids>], life: u8, wrote: bool) {
    let at = |wanted: fn(&Output<Ids>) -> bool| -> Vec<usize> {
        let places = outputs.iter().enumerate();
        let places = places.filter(|(_, output)| wanted(output));
        places.map(|(at, _)| at).collect()
    };
    let syncs = at(|output| matches!(output, Output::Store(merkle::Output::Sync)));
    let known = at(|output| matches!(output, Output::Publish { .. } | Output::Returned { .. }));
    let writes = at(|output| {
        matches!(
            output,
            Output::Store(merkle::Output::Store(_) | merkle::Output::Write(_))
        )
    });
    assert_eq!(syncs.len(), usize::from(wrote));
    if let [sync] = syncs[..] {
        assert!(writes.iter().all(|write| *write < sync));
        assert!(known.iter().all(|known| *known > sync));
    }
    let order: Vec<_> = owns().into_iter().map(|own| full(life, own)).collect();
    let blocks = outputs.iter().filter_map(|output| match output {
        Output::Store(merkle::Output::Store(block)) => Some(&block.key),
        _ => None,
    });
    let ranks = blocks.map(|key| order.iter().position(|known| known == key));
    let ranks: Vec<_> = ranks.collect();
    assert!(ranks.is_sorted(), "totals are written in ascending order");
}

fn open(life: u8, disk: Disk<Ids>, strategies: Strategies) -> State<Ids> {
    let (node, generation) = (<Ids as Named>::node(0), <Ids as Named>::generation(0, life));
    State::open(node, generation, disk, strategies)
}

/// Every sub-counter, in the order in which a flush writes them.
fn owns() -> Vec<Own> {
    let mut owns: Vec<Own> = [Direction::Incr, Direction::Decr]
        .into_iter()
        .flat_map(|direction| (0..KEYS.len() as u8).map(move |key| (direction, key)))
        .collect();
    owns.sort_by_key(|(direction, key)| (*direction, Ids::key(*key)));
    owns
}

fn full(life: u8, (direction, key): Own) -> <Ids as merkle::Ids>::Key {
    let (node, generation) = (<Ids as Named>::node(0), <Ids as Named>::generation(0, life));
    Ids::full(direction, &Ids::key(key), &node, &generation)
}

/// The totals by full key, priorities aside.
fn entries(disk: &Disk<Ids>) -> BTreeMap<<Ids as merkle::Ids>::Key, u64> {
    let entries = disk.entries.iter();
    entries
        .map(|(key, entry)| (key.clone(), Ids::decode(&entry.value)))
        .collect()
}

fn nonzero(totals: &Totals) -> Totals {
    let totals = totals.iter().filter(|(_, total)| **total > 0);
    totals.map(|(own, total)| (*own, *total)).collect()
}

proptest! {
    #![proptest_config(cases(64))]

    /// Each step of [`Replica::after`] is checked.
    #[test]
    fn what_is_stored_lies_between_flushed_and_counted(operations in operations(), acknowledged in acknowledged()) {
        let replica = Replica::after(Strategies::grouped(acknowledged), &operations);
        prop_assert!(replica.disk.heads_cover_processed());
        prop_assert!(replica.disk.processed_is_closed());
    }

    #[test]
    fn after_a_last_flush_entries_are_those_of_single_writes(operations in operations(), acknowledged in acknowledged()) {
        let mut replica = Replica::after(Strategies::grouped(acknowledged), &operations);
        replica.perform(Operation::Flush(Trouble::Nothing));
        replica.perform(Operation::Crash);
        let mut single = Replica::new(Strategies::REMEDIED);
        for totals in &replica.left {
            for (own, total) in totals {
                (0..*total).for_each(|_| single.bump(*own));
            }
            single.perform(Operation::Crash);
        }
        prop_assert_eq!(entries(&replica.disk), entries(&single.disk));
    }

    #[test]
    fn the_same_operations_give_the_same_states_and_outputs(operations in operations(), acknowledged in acknowledged()) {
        let [one, other] = [(); 2].map(|()| Replica::after(Strategies::grouped(acknowledged), &operations));
        prop_assert_eq!(one.log, other.log);
        prop_assert_eq!(one.machine, other.machine);
    }
}

const UP: Own = (Direction::Incr, 0);
const DOWN: Own = (Direction::Decr, 3);

fn flushed_replica() -> Replica {
    Replica::new(Strategies::grouped(Acknowledged::Flushed))
}

/// What returned among these outputs.
fn returned(outputs: &[Output<Ids>]) -> Vec<Returned> {
    let returned = outputs.iter().filter_map(|output| match output {
        Output::Returned { call, result } => Some((*call, *result)),
        _ => None,
    });
    returned.collect()
}

/// Checks that nothing can contradict would be decoration.
#[test]
fn each_wrong_total_is_noticed() {
    let operations = [
        Operation::Bump(UP),
        Operation::Flush(Trouble::Nothing),
        Operation::Bump(UP),
        Operation::Flush(Trouble::Nothing),
    ];
    for flushed in [
        FlushedTotal::Counted,
        FlushedTotal::Stale,
        FlushedTotal::Difference,
    ] {
        let strategies = Strategies {
            flushed,
            ..Strategies::grouped(Acknowledged::Flushed)
        };
        let ended = std::panic::catch_unwind(|| Replica::after(strategies, &operations).stored());
        let is_right = flushed == FlushedTotal::Counted;
        assert_eq!(ended.is_ok(), is_right, "{flushed:?}");
    }
}

#[test]
fn a_flush_that_fails_loses_nothing() {
    for blocks in 0..2 {
        let mut replica = flushed_replica();
        let operations = [
            Operation::Bump(UP),
            Operation::Bump(DOWN),
            Operation::Flush(Trouble::BlocksLeft(blocks)),
        ];
        for operation in operations {
            replica.perform(operation);
        }
        let failed = Err(Failure::FlushFailed);
        assert_eq!(
            returned(&replica.log),
            [(1, failed), (2, failed), (3, failed)]
        );
        assert_eq!(replica.stored(), Totals::new());
        replica.perform(Operation::Flush(Trouble::Nothing));
        assert_eq!(replica.stored(), Totals::from([(UP, 1), (DOWN, 1)]));
    }
}

#[test]
fn a_bump_during_a_flush_waits_for_the_next() {
    let mut machine = open(
        0,
        Disk::default(),
        Strategies::grouped(Acknowledged::Flushed),
    );
    let bump = |call| Input::Bump {
        call,
        direction: Direction::Incr,
        key: Ids::key(0),
        unreadable: false,
    };
    let mut outputs = Vec::new();
    for input in [bump(1), Input::Flush { call: 2 }, bump(3)] {
        machine.step(input, &mut outputs);
    }
    assert!(machine.is_flushing());
    assert_eq!(machine.flush_callers(), [&[1, 2][..], &[3]]);
    machine.step(Input::Store(merkle::Input::Stored(Some(0))), &mut outputs);
    machine.step(Input::Published { call: 2, ok: true }, &mut outputs);
    assert_eq!(returned(&outputs), [(1, Ok(None)), (2, Ok(None))]);
    assert!(machine.has_unflushed());
    assert_eq!(machine.counted(Direction::Incr, &Ids::key(0)), 2);
    assert_eq!(machine.flushed(Direction::Incr, &Ids::key(0)), 1);
}

#[test]
fn closing_fails_whoever_waits_and_counts_no_more() {
    let mut replica = flushed_replica();
    replica.bump(UP);
    let closed = Err(Failure::Closed);
    let ended = replica.carry(Input::Close).unwrap_or_default();
    assert_eq!(ended, [(1, closed)]);
    let flushed = replica.carry(Input::Flush { call: 2 }).unwrap_or_default();
    assert_eq!(flushed, [(2, closed)]);
    let handed_over = Input::Count {
        direction: UP.0,
        key: Ids::key(UP.1),
        total: 9,
    };
    assert_eq!(replica.carry(handed_over).unwrap_or_default(), []);
    assert_eq!(replica.machine.counted(UP.0, &Ids::key(UP.1)), 1);
    assert_eq!(replica.stored(), Totals::new());
}

/// CTR-7: no total is special to a flush.
#[test]
fn totals_wrap() {
    let mut replica = flushed_replica();
    let half = u64::MAX / 2;
    for total in [half, half + half, u64::MAX] {
        let handed_over = Input::Count {
            direction: UP.0,
            key: Ids::key(UP.1),
            total,
        };
        assert_eq!(replica.carry(handed_over).unwrap_or_default(), []);
    }
    let flush = |replica: &mut Replica, callers: &[CallId]| {
        let call = replica.call();
        let returned = replica.carry(Input::Flush { call }).unwrap_or_default();
        let called: Vec<CallId> = returned.into_iter().map(|(call, _)| call).collect();
        assert_eq!(called, [callers, &[call]].concat());
    };
    flush(&mut replica, &[]);
    assert_eq!(replica.stored(), Totals::from([(UP, u64::MAX)]));
    replica.bump(UP);
    flush(&mut replica, &[2]);
    assert_eq!(replica.stored(), Totals::from([(UP, 0)]));
    assert_eq!(replica.machine.live_value(&Ids::key(UP.1)), Ok(0));
}
