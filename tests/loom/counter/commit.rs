//! Waiting for durable writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use loom::thread;

use super::shell::{Counted, GroupCommit, Join, Live};
use super::{Direction, key, total_in};
use crate::explore::{explore, fails, reach};

/// A disk, outside of what loom explores.
#[derive(Default)]
struct Disk {
    total: AtomicU64,
    writes: AtomicU64,
}

impl Disk {
    /// Fails the write of this number.
    fn write(&self, counted: &[Counted], fails: u64) -> Result<(), u64> {
        let write = 1 + self.writes.fetch_add(1, Ordering::Relaxed);
        if write == fails {
            return Err(write);
        }
        let total = total_in(counted).expect("nothing else is counted");
        let before = self.total.swap(total, Ordering::Relaxed);
        assert!(before < total, "durable totals fell");
        Ok(())
    }
}

/// What the three callers of a case met: how many writes there were and how many calls failed.
struct Met {
    writes: u64,
    failed: usize,
}

/// So many threads beside this one count one each and wait for it to be durable.
fn callers(others: usize, join: Join, failing_write: u64) -> Met {
    let disk = Arc::new(Disk::default());
    let live = Live::new();
    let written = Arc::clone(&disk);
    let write = move |counted: &[Counted]| written.write(counted, failing_write);
    let commit = loom::sync::Arc::new(GroupCommit::new(live.clone(), write));
    let handle = live.handle(&key(), Direction::Incr);
    let call = |commit: loom::sync::Arc<GroupCommit<_, _>>| {
        let (handle, disk) = (handle.clone(), Arc::clone(&disk));
        move || {
            handle.add_one();
            let result = commit.wait_for(join);
            let durable = disk.total.load(Ordering::Relaxed);
            (result, durable)
        }
    };
    let others: Vec<_> = (0..others)
        .map(|_| thread::spawn(call(loom::sync::Arc::clone(&commit))))
        .collect();
    let mine = call(commit)();
    let joined = others
        .into_iter()
        .map(|other| other.join().expect("a panic ends the case"));
    let results: Vec<_> = joined.chain([mine]).collect();
    let all = results.len() as u64;
    for (result, durable) in &results {
        assert!(
            result.is_err() || *durable >= 1,
            "acknowledged before it was durable"
        );
    }
    let failed = results.iter().filter(|(result, _)| result.is_err()).count();
    let total = disk.total.load(Ordering::Relaxed);
    // Each durable increment has a caller, so those who were acknowledged are all in the total.
    assert!(
        total + failed as u64 >= all,
        "acknowledged and not durable: {total} of {all}"
    );
    Met {
        writes: disk.writes.load(Ordering::Relaxed),
        failed,
    }
}

#[test]
fn who_returns_is_durable_and_everyone_returns() {
    let grouped = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&grouped);
    explore("counter: two callers", 9000, None, move || {
        let met = callers(1, Join::Next, 0);
        assert_eq!(met.failed, 0);
        seen.fetch_or(1 << met.writes, Ordering::Relaxed);
    });
    assert_eq!(grouped.load(Ordering::Relaxed), 0b110, "one write and two");
}

#[test]
fn joining_a_round_that_runs_acknowledges_too_early() {
    let message = fails(|| _ = callers(1, Join::Running, 0));
    assert!(message.contains("acknowledged"), "{message}");
}

/// But for the one whose round failed and who woke after another had made its increment durable.
#[test]
fn an_error_reaches_the_one_who_wrote_and_nobody_else() {
    reach("counter: a failing write of two", 9_000, None, || {
        let met = callers(1, Join::Next, 1);
        assert!(met.writes == 2 && met.failed <= 1);
        met.failed == 1
    });
}

#[test]
fn an_error_reaches_those_it_covers() {
    let failed = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&failed);
    explore(
        "counter: a failing write of three",
        15_000,
        Some(3),
        move || {
            let met = callers(2, Join::Next, 2);
            assert!(met.writes >= 2 || met.failed == 0);
            seen.fetch_or(1 << met.failed, Ordering::Relaxed);
        },
    );
    assert_eq!(
        failed.load(Ordering::Relaxed),
        0b111,
        "none, one and two failed"
    );
}
