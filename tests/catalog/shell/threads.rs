//! Threads for real, and what holds when they are done.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bytes::Bytes;
use concord::systems::catalog::Route;
use concord::systems::catalog::shell::SharedEngine;

use super::{engine, loads, route, starts};
use crate::common::soak;

/// Of one version: groups, ids and cuts tell it.
fn table(version: u64) -> Vec<Route> {
    let cut = format!("k{:02}", version % 100);
    vec![
        route(2 * version, "", Some(&cut), version),
        route(2 * version + 1, &cut, None, version),
    ]
}

/// Looks around at least once, and until it is told to stop.
fn read(engine: &SharedEngine, is_over: &AtomicBool) {
    let mut last = 0;
    loop {
        let found = engine.lookup(b"k50").expect("tables have no gaps");
        let version = found.version();
        assert!(version >= last, "{version} after {last}");
        assert_eq!(found.group(), version);
        assert_eq!(found.id() / 2, version);
        assert!(found.start() <= &b"k50"[..] && found.end().is_none_or(|end| end > &b"k50"[..]));
        let stats = engine.stats();
        assert!(
            stats.iter().all(|route| route.group == stats[0].group),
            "torn"
        );
        assert!(stats[0].group >= version);
        last = version;
        if is_over.load(Ordering::Relaxed) {
            break;
        }
    }
}

#[test]
fn readers_see_whole_tables_of_rising_versions() {
    // Odd: the highest version of a round, which nothing can make stale, is each writer's in turn.
    const ROUND: u64 = 9;
    let rounds = soak(200, 20_000);
    let highest = 1 + rounds * ROUND;
    let engine = &engine(0, 2);
    engine.apply_snapshot(1, &table(1)).unwrap();
    let is_over = &AtomicBool::new(false);
    let round = &Barrier::new(2);
    thread::scope(|scope| {
        let readers = [(); 2].map(|()| scope.spawn(|| read(engine, is_over)));
        let accessor = scope.spawn(|| {
            let mut accessor = engine.accessor();
            while !is_over.load(Ordering::Relaxed) {
                accessor.record(b"k20");
            }
        });
        let writers = [2, 3].map(|first| {
            scope.spawn(move || {
                let mut versions = (first..=highest).step_by(2).peekable();
                let mut installed = 0;
                for last in (1..=rounds).map(|rounds| 1 + rounds * ROUND) {
                    round.wait();
                    while let Some(version) = versions.next_if(|version| *version <= last) {
                        installed +=
                            u64::from(engine.apply_snapshot(version, &table(version)).is_ok());
                    }
                }
                installed
            })
        });
        let installed = writers.map(|writer| writer.join().unwrap());
        is_over.store(true, Ordering::Relaxed);
        accessor.join().unwrap();
        for reader in readers {
            reader.join().unwrap();
        }
        assert!(installed.iter().all(|installed| *installed >= rounds / 2));
    });
    assert_eq!(engine.version(), highest);
    let next = highest + 1;
    engine.apply_snapshot(next, &table(next)).unwrap();
    assert_eq!(loads(engine), [0, 0]);
}

#[test]
fn no_access_is_lost_while_other_routes_come_and_split() {
    let each = soak(20_000, 2_000_000);
    let engine = &engine(2 * each + 1, 2);
    let table = [route(1, "a", Some("b"), 1), route(2, "m", Some("n"), 2)];
    engine.apply_snapshot(1, &table).unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut accessor = engine.accessor();
                for _ in 0..each / 2 {
                    accessor.record(b"mm");
                }
            });
        }
        for at in 0..50_u8 {
            engine.update_route(Bytes::copy_from_slice(&[b'c', at]), None, u64::from(at));
            engine.update_route(Bytes::copy_from_slice(&[b'x', at]), None, u64::from(at));
            thread::yield_now();
        }
    });
    let found = engine.lookup(b"mm").expect("it is in the range");
    assert_eq!(found.load(), 3 * (each / 2));
    assert_eq!(loads(engine).iter().sum::<u64>(), 3 * (each / 2));
}

/// Two routes side by side: one is split again and again, the other must not lose anything by it.
#[test]
fn a_split_costs_its_neighbours_nothing() {
    const THRESHOLD: u64 = 40;
    let each = soak(6_000, 600_000);
    let engine = &engine(THRESHOLD, 2);
    // The neighbour has one key only, and its refused splits take the threshold or more each time.
    engine
        .apply_snapshot(1, &[route(1, "a", Some("b"), 1), route(2, "m", None, 2)])
        .unwrap();
    let taken: u64 = thread::scope(|scope| {
        let splits = scope.spawn(|| {
            let mut accessor = engine.accessor();
            (0..each).for_each(|_| assert!(accessor.record(b"azz").is_some()));
        });
        let mut accessor = engine.accessor();
        let mut taken = 0;
        let mut before = 0;
        for _ in 0..each {
            accessor.record(b"m");
            let load = engine.lookup(b"m").expect("it has no end").load();
            if load != before + 1 {
                assert_eq!((before, load), (THRESHOLD - 1, 0));
                taken += THRESHOLD;
            }
            before = load;
        }
        splits.join().unwrap();
        taken + before
    });
    assert_eq!(taken, each);
    let splits = starts(engine).len() as u64 - 2;
    assert_eq!(splits, each / THRESHOLD, "one split for each crossing");
}

#[test]
fn a_crossing_by_many_is_noticed_in_time_and_once() {
    const THREADS: u64 = 4;
    const THRESHOLD: u64 = 8_000;
    for _ in 0..soak(20, 2_000) {
        let engine = &engine(THRESHOLD, THREADS as usize);
        engine
            .apply_snapshot(1, &[route(1, "a", Some("b"), 1)])
            .unwrap();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let mut accessor = engine.accessor();
                    for _ in 0..(THRESHOLD + THRESHOLD / 8) / THREADS {
                        accessor.record(b"ab");
                    }
                });
            }
        });
        assert_eq!(starts(engine), ["a", "a\0"]);
    }
}

#[test]
fn timestamps_are_given_once() {
    let engine = &engine(0, 1);
    let mut given: Vec<u64> = thread::scope(|scope| {
        let threads = [(); 3].map(|()| {
            scope.spawn(|| {
                (0..2_000)
                    .map(|_| engine.next_timestamp())
                    .collect::<Vec<u64>>()
            })
        });
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    given.sort_unstable();
    assert!(given.into_iter().eq(1..=6_000));
}
