//! Flushes beside increments.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use loom::thread;

use super::shell::{Counted, Handle, Live};
use super::{Direction, key, total_in};
use crate::explore::{explore, fails, reach};
use crate::sync::{Mutex, lock};

/// Where two flush while one counts.
struct Case {
    live: Live,
    /// Outside of what loom explores, which runs one thread at a time: so much was counted by now.
    begun: AtomicU64,
    /// What was made durable, in order.
    durable: Mutex<Vec<u64>>,
}

impl Case {
    fn log(&self, counted: &[Counted], begun: u64) {
        let total = total_in(counted);
        assert!(total.is_none_or(|total| total <= begun), "too much");
        lock(&self.durable).extend(total);
    }

    fn guarded(&self) {
        let mut counted = Vec::new();
        let mut flush = self.live.flush();
        flush.counted(&mut counted);
        self.log(&counted, self.begun.load(Ordering::Relaxed));
        flush.done();
    }

    fn unguarded(&self) {
        let mut counted = Vec::new();
        self.live.totals(&mut counted);
        self.log(&counted, self.begun.load(Ordering::Relaxed));
    }

    fn count(&self, handle: &Handle) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        handle.add_one();
    }
}

fn begin() -> loom::sync::Arc<Case> {
    loom::sync::Arc::new(Case {
        live: Live::new(),
        begun: AtomicU64::new(0),
        durable: Mutex::new(Vec::new()),
    })
}

/// Two flush while one counts. Returns what became durable.
fn two_flushes(flush: fn(&Case)) -> Vec<u64> {
    let case = begin();
    let handle = case.live.handle(&key(), Direction::Incr);
    let [counts, other] = [(); 2].map(|()| loom::sync::Arc::clone(&case));
    let adder = thread::spawn(move || {
        for _ in 0..2 {
            counts.count(&handle);
        }
    });
    let other = thread::spawn(move || flush(&other));
    flush(&case);
    other.join().expect("a panic ends the case");
    adder.join().expect("a panic ends the case");
    case.guarded();
    let durable = lock(&case.durable).clone();
    assert!(durable.is_sorted(), "durable totals fell: {durable:?}");
    assert_eq!(durable.last(), Some(&2));
    durable
}

#[test]
fn flushed_totals_never_fall_nor_exceed_what_was_counted() {
    let longest = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&longest);
    explore("counter: two flushes", 4000, None, move || {
        let durable = two_flushes(Case::guarded);
        assert!(
            durable.is_sorted_by(|a, b| a < b),
            "unchanged totals stay away: {durable:?}"
        );
        seen.fetch_max(durable.len() as u64, Ordering::Relaxed);
    });
    assert_eq!(longest.load(Ordering::Relaxed), 2, "both flushed something");
}

#[test]
fn totals_taken_outside_of_a_flush_fall() {
    let message = fails(|| drop(two_flushes(Case::unguarded)));
    assert!(message.contains("durable totals fell"), "{message}");
}

/// One counts, one flushes, one merges and one reads. Returns whether a read fell between the others:
/// it saw the merge or the increment, not both.
fn all_at_once() -> bool {
    const MERGED: u64 = 5;
    let case = begin();
    let handle = case.live.handle(&key(), Direction::Incr);
    let reader = case.live.reader(&key());
    let [counts, flushes, merges] = [(); 3].map(|()| loom::sync::Arc::clone(&case));
    let others = [
        thread::spawn(move || counts.count(&handle)),
        thread::spawn(move || flushes.guarded()),
        thread::spawn(move || merges.live.merged(&key(), Direction::Incr, MERGED)),
    ];
    let read = reader.value();
    assert!(
        [0, 1, MERGED, MERGED + 1].contains(&read),
        "never was {read}"
    );
    for other in others {
        other.join().expect("a panic ends the case");
    }
    assert_eq!(reader.value(), MERGED + 1);
    case.guarded();
    assert_eq!(*lock(&case.durable), [1]);
    [1, MERGED].contains(&read)
}

#[test]
fn counts_reads_flushes_and_merges_leave_each_other_whole() {
    reach("counter: all at once", 10_000, Some(3), all_at_once);
}

#[test]
fn what_a_failed_flush_took_is_taken_again() {
    explore("counter: failed flush", 6, None, || {
        let live = Live::new();
        let handle = live.handle(&key(), Direction::Incr);
        let adder = thread::spawn(move || handle.add_one());
        let taken = |done: bool| {
            let mut counted = Vec::new();
            let mut flush = live.flush();
            flush.counted(&mut counted);
            if done {
                flush.done();
            }
            total_in(&counted)
        };
        let failed = taken(false);
        adder.join().expect("a panic ends the case");
        assert!(failed <= Some(1));
        assert_eq!(
            [taken(false), taken(true), taken(true)],
            [Some(1), Some(1), None]
        );
    });
}
