//! Two threads look up while a third replaces the table every half millisecond.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use concord::goals::Bound::AtLeast;
use concord::systems::catalog::shell::SharedEngine;
use concord::systems::catalog::{EngineRoute, Route};

use super::CONCORD;
use super::common::Goals;
use super::common::pairs::{Pairs, TOGETHER, Threads};
use super::tables::{Locked, Table, asked, routes};

const LOCKED: &str = "RwLock<Vec>, binary search";
const ROUTES: usize = 1_000;
const LOOKUPS: usize = 1_000;
const PERIOD: Duration = Duration::from_micros(500);

type Key = [u8; 16];

/// Which table is looked at now, and therefore replaced.
const OURS: usize = 0;
const THEIRS: usize = 1;

pub(super) fn goals(goals: &mut Goals) {
    let table = routes::<Key>(ROUTES);
    let asked: Vec<Key> = asked(&table, 2 * LOOKUPS);
    let ours = <SharedEngine as Table<Key>>::of(&table);
    let theirs = <Locked as Table<Key>>::of(&table);
    for key in &asked {
        assert_eq!(ours.owner(key), theirs.owner(key));
    }
    let current = AtomicUsize::new(OURS);
    let look = |which: usize, table: &dyn Fn(&Key) -> Option<u64>, thread: usize| {
        current.store(which, Ordering::Relaxed);
        let keys = &asked[thread * LOOKUPS..][..LOOKUPS];
        let sum = keys.iter().filter_map(table).fold(0, |sum, id| sum ^ id);
        assert!(sum < 2 * ROUTES as u64);
    };
    let mut pairs = Pairs::new(TOGETHER);
    let operations = 2 * LOOKUPS as u64;
    pairs.add(CONCORD, Threads::Two, operations, |thread| {
        look(OURS, &|key| ours.owner(key), thread)
    });
    pairs.add(LOCKED, Threads::Two, operations, |thread| {
        look(THEIRS, &|key| theirs.owner(key), thread)
    });
    let is_over = AtomicBool::new(false);
    let group = thread::scope(|scope| {
        let writer = scope.spawn(|| replace(&current, &is_over, &ours, &theirs, &table));
        let group = pairs.measure();
        is_over.store(true, Ordering::Relaxed);
        assert!(
            writer
                .join()
                .expect("it does not panic")
                .iter()
                .all(|written| *written > 0)
        );
        group
    });
    let what = format!("lookups by two threads beside a writer, {ROUTES} routes");
    goals.record("R6", &what, AtLeast(1.2), [CONCORD, LOCKED], &group);
}

/// Replaces the table that is looked at until it is over; returns how often, by table.
fn replace(
    current: &AtomicUsize,
    is_over: &AtomicBool,
    ours: &SharedEngine,
    theirs: &Locked,
    table: &[Route],
) -> [u64; 2] {
    let mut written = [0; 2];
    while !is_over.load(Ordering::Relaxed) {
        let which = current.load(Ordering::Relaxed);
        match which {
            OURS => {
                let version = ours.version() + 1;
                ours.apply_snapshot(version, table)
                    .expect("it is sound, and the next");
            }
            _ => {
                let routes = table.iter().map(EngineRoute::from).collect();
                *theirs.0.write().expect("nobody panics with it") = routes;
            }
        }
        written[which] += 1;
        thread::sleep(PERIOD);
    }
    written
}
