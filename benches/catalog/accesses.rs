//! Recording accesses on two threads, to routes that were looked up before: every route in turn, or always the same.
//! Each is counted exactly, which is checked when all is measured.
//!
//! Peers only count: nothing there notices that a route is hot, and none of their counts outlives its table.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};

use concord::goals::Bound::AtLeast;
use concord::systems::catalog::shell::{Accessor, Found, SharedEngine};
use concord::systems::catalog::{Level, Settings};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::common::pairs::{Pairs, TOGETHER, Threads};
use super::common::{Goals, Group};
use super::tables::routes;

const COUNTED: &str = "concord, found before";
const HOT: &str = "concord, found before, with a threshold";
const BY_KEY: &str = "concord, by key";
const MUTEX: &str = "Mutex<HashMap>";
const RW_LOCK: &str = "RwLock<HashMap<_, AtomicU64>>";
const ATOMIC: &str = "AtomicU64 of each route";

const ROUTES: usize = 1_000;

/// Accesses in a sample of each thread. Fewer of those that take longer, so that samples are short.
const EACH: usize = 20_000;
const EACH_SLOW: usize = 2_000;

type Key = [u8; 16];

pub(super) fn goals(goals: &mut Goals) {
    let mut uniform: Vec<usize> = (0..EACH).map(|at| at % ROUTES).collect();
    uniform.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
    accesses(goals, "all routes alike", &uniform);
    accesses(goals, "one route", &[0; EACH]);
}

/// What a thread holds of an engine.
type Held = (Accessor, Vec<(Found, Key)>);

struct Ours {
    engine: SharedEngine,
    threads: Vec<Mutex<Held>>,
}

impl Ours {
    fn new(threshold: u64) -> Self {
        let engine = SharedEngine::new(Settings::strict(Level::One), false, threshold, 2);
        let table = routes::<Key>(ROUTES);
        engine.apply_snapshot(1, &table).expect("it is sound");
        let keys = table
            .iter()
            .map(|route| Key::try_from(&route.start[..]).unwrap_or_default());
        let keys: Vec<Key> = keys.collect();
        let found = |key: &Key| Some((engine.lookup(key)?, *key));
        let found = || keys.iter().filter_map(found).collect();
        let thread = |_| Mutex::new((engine.accessor(), found()));
        let threads = (0..2).map(thread).collect();
        Self { engine, threads }
    }

    fn count(&self, thread: usize, order: &[usize]) {
        let (accessor, found) = &mut *self.threads[thread].lock().expect("nobody panics with it");
        for &at in order {
            let (found, key) = black_box(&found[at]);
            accessor.record_found(found, key);
        }
    }

    fn count_by_key(&self, thread: usize, order: &[usize]) {
        let (accessor, found) = &mut *self.threads[thread].lock().expect("nobody panics with it");
        for &at in order {
            let (_, key) = black_box(&found[at]);
            black_box(accessor.record(key).map(|seen| seen.id()));
        }
    }

    fn counted(&self) -> u64 {
        self.engine.stats().iter().map(|route| route.load).sum()
    }
}

fn accesses(goals: &mut Goals, how: &str, order: &[usize]) {
    let [counted, by_key] = [0; 2].map(Ours::new);
    // More than is counted here: what is measured is that somebody would notice.
    let hot = Ours::new(u64::MAX / 2);
    let mutex: Mutex<HashMap<u64, u64>> = Mutex::default();
    let rw_lock: RwLock<HashMap<u64, AtomicU64>> = RwLock::new(
        (0..ROUTES as u64)
            .map(|id| (id, AtomicU64::new(0)))
            .collect(),
    );
    let atomics: Vec<AtomicU64> = (0..ROUTES).map(|_| AtomicU64::new(0)).collect();

    let short = &order[..EACH_SLOW];
    let [operations, few] = [order, short].map(|order| 2 * order.len() as u64);
    let mut pairs = Pairs::new(TOGETHER);
    pairs.add(COUNTED, Threads::Two, operations, |thread| {
        counted.count(thread, order)
    });
    pairs.add(HOT, Threads::Two, operations, |thread| {
        hot.count(thread, order)
    });
    pairs.add(BY_KEY, Threads::Two, few, |thread| {
        by_key.count_by_key(thread, short)
    });
    pairs.add(MUTEX, Threads::Two, few, |_| {
        for &at in short {
            *mutex
                .lock()
                .expect("nobody panics with it")
                .entry(at as u64)
                .or_default() += 1;
        }
    });
    pairs.add(RW_LOCK, Threads::Two, few, |_| {
        for &at in short {
            let counts = rw_lock.read().expect("nobody panics with it");
            counts[&(at as u64)].fetch_add(1, Ordering::Relaxed);
        }
    });
    pairs.add(ATOMIC, Threads::Two, operations, |_| {
        for &at in order {
            black_box(&atomics[at]).fetch_add(1, Ordering::Relaxed);
        }
    });
    let group = pairs.measure();

    let expected = |name, operations| tries(&group, name) * operations;
    assert_eq!(counted.counted(), expected(COUNTED, operations));
    assert_eq!(hot.counted(), expected(HOT, operations));
    assert_eq!(by_key.counted(), expected(BY_KEY, few));
    let mutex = mutex.into_inner().expect("nobody panics with it");
    assert_eq!(mutex.into_values().sum::<u64>(), expected(MUTEX, few));
    let rw_lock = rw_lock.into_inner().expect("nobody panics with it");
    assert_eq!(sum(rw_lock.into_values()), expected(RW_LOCK, few));
    assert_eq!(sum(atomics), expected(ATOMIC, operations));

    let what = format!("accesses by two threads, {how}");
    for (least, peer) in [(20.0, MUTEX), (20.0, RW_LOCK), (3.0, ATOMIC)] {
        goals.record("R7", &what, AtLeast(least), [COUNTED, peer], &group);
    }
    for name in [HOT, BY_KEY] {
        println!("     {name}: {}", group[name]);
    }
}

fn tries(group: &Group, name: &str) -> u64 {
    let samples = group[name].samples.expect("pairs count them");
    samples.tries as u64
}

fn sum(counts: impl IntoIterator<Item = AtomicU64>) -> u64 {
    counts.into_iter().map(AtomicU64::into_inner).sum()
}
