//! The counter where threads share it, with more threads than loom can take.

use shuttle::sync::{Arc, Mutex};
use shuttle::thread;

pub(crate) use concord::systems::counter::{DataKey, Direction, Totals};

use crate::common::soak;
use crate::explore::{explore, fails};

#[path = "../../src/systems/counter/shell/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each case takes what it needs")]
mod shell;

use shell::{Counted, GroupCommit, Join, Live};

const THREADS: u64 = 8;

fn key() -> DataKey {
    DataKey::new("k")
}

/// The total of the only key.
fn only(counted: &[Counted]) -> u64 {
    assert_eq!(counted.len(), 1, "{counted:?}");
    counted[0].1
}

/// Everyone counts by name, reads and flushes.
fn everyone_does_everything() {
    let live = Live::new();
    let durable = Arc::new(Mutex::new(Vec::new()));
    let threads: Vec<_> = (0..THREADS)
        .map(|peer| {
            let (live, durable) = (live.clone(), Arc::clone(&durable));
            thread::spawn(move || {
                let mut writer = live.writer();
                writer.increment(["k", "/k"][peer as usize % 2]);
                let first = live.read(&key());
                live.apply(&key(), Direction::Incr, peer as u32, 1);
                writer.increment("/k");
                let second = live.read(&key());
                assert!(1 <= first && first + 2 <= second && second <= 3 * THREADS);
                let mut counted = Vec::new();
                let mut flush = live.flush();
                flush.counted(&mut counted);
                let mut log = durable.lock().expect("a panic ends the case");
                log.extend(counted.iter().map(|(_, total)| *total));
                flush.done();
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a panic ends the case");
    }
    assert_eq!(live.read(&key()), 3 * THREADS);
    let durable = durable.lock().expect("a panic ends the case");
    assert!(durable.is_sorted_by(|a, b| a < b), "{durable:?}");
    assert_eq!(durable.last(), Some(&(2 * THREADS)));
}

#[test]
fn nothing_is_lost_and_flushes_rise() {
    explore(
        "counter: everyone",
        soak(300, 30_000),
        everyone_does_everything,
    );
}

/// Everyone counts and waits until that is durable; every third write fails.
fn everyone_commits(join: Join) {
    let durable = Arc::new(Mutex::new((0, 0)));
    let live = Live::new();
    let disk = Arc::clone(&durable);
    let write = move |counted: &[Counted]| {
        let mut disk = disk.lock().expect("a panic ends the case");
        disk.1 += 1;
        if disk.1 % 3 == 0 {
            return Err(disk.1);
        }
        assert!(disk.0 < only(counted), "durable totals fell");
        disk.0 = only(counted);
        Ok(())
    };
    let commit = Arc::new(GroupCommit::new(live.clone(), write));
    let acknowledged = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let handle = live.handle(&key(), Direction::Incr);
            let (commit, durable) = (Arc::clone(&commit), Arc::clone(&durable));
            let acknowledged = Arc::clone(&acknowledged);
            thread::spawn(move || {
                handle.add_one();
                if commit.wait_for(join).is_ok() {
                    let mut acknowledged = acknowledged.lock().expect("a panic ends the case");
                    *acknowledged += 1;
                    let durable = durable.lock().expect("a panic ends the case").0;
                    assert!(
                        *acknowledged <= durable,
                        "acknowledged before it was durable"
                    );
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a panic ends the case");
    }
}

#[test]
fn who_returns_is_durable_and_everyone_returns() {
    let case = || everyone_commits(Join::Next);
    explore("counter: group commit", soak(300, 30_000), case);
}

#[test]
fn joining_a_round_that_runs_acknowledges_too_early() {
    assert!(fails(3_000, || everyone_commits(Join::Running)));
}
