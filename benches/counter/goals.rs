//! Goals of the shell and of merges: against other crates, the path of the original, and limits.
//! Answers are compared before anything is timed.
//!
//! Peers do less: `crdt-kit` counts for one local actor, `crdts` has actors but no data keys, and
//! neither has generations or can be shared by threads.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use concord::goals::Bound::{AtLeast, AtMost};
use concord::systems::counter::shell::Live;
use concord::systems::counter::{Direction, Totals};
use crdt_kit::Crdt as _;
use crdts::{CmRDT as _, CvRDT as _};
use rustc_hash::FxHashMap;

use super::common::Goals;
use super::common::pairs::{Pairs, TOGETHER, Threads};
use super::common::rounds::{Rounds, timed};
use super::{CRDT_KIT, CRDTS, Formatted, data_keys, limits, sum_by_prefix};

const HANDLE: &str = "concord, handle";
const BY_KEY: &str = "concord, data key";
const FORMATTED: &str = "mutex, formatted key, encoded total";
const ATOMIC: &str = "limit: AtomicU64";

pub(crate) fn measure(goals: &mut Goals) {
    increments(goals);
    increments_by_key(goals);
    increments_of_two_threads(goals);
    cached_reads(goals);
    for size in [1_000, 100_000] {
        sums(goals, size);
        merges_of_the_same(goals, size);
        merges_with_news(goals, size);
    }
}

/// One key, counted again and again.
fn increments(goals: &mut Goals) {
    const CRDTS_100: &str = "crdts 7.3.2 PNCounter, 100 actors";
    let key = &data_keys()[0];
    let live = Live::new();
    let handle = live.handle(key, Direction::Incr);
    let atomic = AtomicU64::new(0);
    let mut kit = crdt_kit::PNCounter::new(5);
    for actor in 0..10 {
        let mut other = crdt_kit::PNCounter::new(actor);
        other.increment();
        kit.merge(&other);
    }
    let [mut crdts_10, mut crdts_100] = [10, 100].map(|actors| {
        let mut crdts = crdts::PNCounter::<u64>::new();
        (0..actors).for_each(|actor| crdts.apply(crdts.inc(actor)));
        crdts
    });

    handle.add_one();
    assert_eq!(live.read(key), 1);
    kit.increment();
    assert_eq!(kit.value(), 11);
    crdts_10.apply(crdts_10.inc(5));
    assert_eq!(crdts_10.read(), 11.into());

    let mut rounds = Rounds::default();
    rounds.add(HANDLE, || black_box(&handle).add_one());
    rounds.add(ATOMIC, || {
        black_box(&atomic).fetch_add(1, Ordering::Relaxed)
    });
    rounds.add(CRDT_KIT, || black_box(&mut kit).increment());
    rounds.add(CRDTS, || crdts_10.apply(crdts_10.inc(black_box(5))));
    rounds.add(CRDTS_100, || crdts_100.apply(crdts_100.inc(black_box(5))));
    let group = rounds.measure();
    let what = "increment by a handle";
    goals.record("C1", what, AtMost(1.15), [HANDLE, ATOMIC], &group);
    goals.record("C2", what, AtLeast(2.5), [HANDLE, CRDT_KIT], &group);
    goals.record("C3", what, AtLeast(4.0), [HANDLE, CRDTS], &group);
    goals.record("C3", what, AtLeast(10.0), [HANDLE, CRDTS_100], &group);
}

/// A hundred keys in turn, given as strings.
fn increments_by_key(goals: &mut Goals) {
    let keys = data_keys();
    let live = Live::new();
    let mut writer = live.writer();
    let mut formatted = Formatted::default();
    let mut by_key = || keys.iter().for_each(|key| writer.increment(key.as_str()));
    by_key();
    assert!(keys.iter().all(|key| live.read(key) == 1));
    let count = |formatted: &mut Formatted| {
        for key in &keys {
            black_box(formatted.increment(key.as_str()));
        }
    };
    count(&mut formatted);
    assert!(keys.iter().all(|key| formatted.total(key.as_str()) == 1));

    let mut rounds = Rounds::default();
    rounds.add(BY_KEY, by_key);
    rounds.add(FORMATTED, || count(&mut formatted));
    let group = rounds.measure();
    let what = "increment by a data key";
    goals.record("C4", what, AtLeast(12.0), [BY_KEY, FORMATTED], &group);
}

/// One key, counted by two threads at once, each with a handle of its own.
fn increments_of_two_threads(goals: &mut Goals) {
    const EACH: u64 = 20_000;
    const ONE: &str = "concord, one thread";
    const TWO: &str = "concord, two threads";
    const SHARED: &str = "shared AtomicU64, two threads";
    let key = &data_keys()[0];
    let live = Live::new();
    let handles = [Direction::Incr; 2].map(|direction| live.handle(key, direction));
    let atomic = AtomicU64::new(0);
    let count = |thread: usize| {
        for _ in 0..EACH {
            black_box(&handles[thread]).add_one();
        }
    };
    let count_shared = |_| {
        for _ in 0..EACH {
            black_box(&atomic).fetch_add(1, Ordering::Relaxed);
        }
    };

    let mut pairs = Pairs::new(TOGETHER);
    pairs.add(TWO, Threads::Two, 2 * EACH, count);
    pairs.add(ONE, Threads::One, EACH, count);
    pairs.add(SHARED, Threads::Two, 2 * EACH, count_shared);
    let group = pairs.measure();
    let what = "increments of one key by two threads";
    goals.record("C5", what, AtLeast(3.0), [TWO, SHARED], &group);
    goals.record("C6", what, AtLeast(1.7), [TWO, ONE], &group);
    let tries = |name| {
        group[name]
            .samples
            .map_or(0, |samples| samples.tries as u64)
    };
    assert_eq!(live.read(key), (2 * tries(TWO) + tries(ONE)) * EACH);
    assert_eq!(atomic.into_inner(), 2 * tries(SHARED) * EACH);
}

/// Reads by a reader, and by key, of a key that this node counts too.
fn cached_reads(goals: &mut Goals) {
    const READS: [&str; 2] = ["10 sub-counters", "100 000 sub-counters"];
    let key = &data_keys()[0];
    let lives = [10, 100_000].map(|size| {
        let live = Live::new();
        live.merge(key, Direction::Incr, &totals(&sorted(size)));
        live.handle(key, Direction::Incr).add_one();
        assert_eq!(live.read(key), sum(&sorted(size)) + 1);
        live
    });
    let readers = lives.each_ref().map(|live| live.reader(key));
    let mut rounds = Rounds::default();
    for (name, reader) in READS.into_iter().zip(&readers) {
        rounds.add(name, move || black_box(reader).value());
    }
    let group = rounds.measure();
    let what = "aggregated read of 100 000 sub-counters";
    goals.record("C7", what, AtMost(2.0), [READS[1], READS[0]], &group);
}

/// The sum of all sub-counters, computed anew.
fn sums(goals: &mut Goals, size: u64) {
    const SUM: &str = "concord, sum";
    const TREE: &str = "BTreeMap<String, u64> by prefix";
    const LIMIT: &str = "limit: sum by AVX2";
    const CRDTS: &str = "crdts 7.3.2 GCounter";
    const CRDT_KIT: &str = "crdt-kit 0.5.1 GCounter";
    let entries = sorted(size);
    let key = &data_keys()[1];
    let formatted = entries.iter().map(|(id, total)| {
        let full = format!("/STATS/incr{}/n/{id:032x}", key.as_str());
        (full, *total)
    });
    let tree: BTreeMap<String, u64> = formatted.collect();
    let (totals, crdts, kit) = (totals(&entries), crdts(&entries), kit(&entries));
    let bare: Vec<u64> = entries.iter().map(|(_, total)| *total).collect();

    assert_eq!(totals.sum(), sum(&entries));
    assert_eq!(crdts.read(), sum(&entries).into());
    assert_eq!(kit.value(), sum(&entries));
    assert_eq!(sum_by_prefix(&tree, key), sum(&entries));
    assert_eq!(limits::sum(&bare), sum(&entries));

    let mut rounds = Rounds::default();
    rounds.add(SUM, || black_box(&totals).sum());
    rounds.add(LIMIT, || limits::sum(black_box(&bare)));
    rounds.add(CRDTS, || black_box(&crdts).read());
    rounds.add(CRDT_KIT, || black_box(&kit).value());
    rounds.add(TREE, || sum_by_prefix(black_box(&tree), key));
    let group = rounds.measure();
    let what = format!("sum of {size} sub-counters");
    if size == 100_000 {
        goals.record("C8", &what, AtLeast(20.0), [SUM, CRDTS], &group);
        goals.record("C8", &what, AtLeast(15.0), [SUM, CRDT_KIT], &group);
        goals.record("C8", &what, AtLeast(30.0), [SUM, TREE], &group);
    }
    let most = if size == 100_000 { 1.5 } else { 3.0 };
    goals.record("C9", &what, AtMost(most), [SUM, LIMIT], &group);
}

const MERGE: &str = "concord, merge";
const CRDTS_MERGE: &str = "crdts 7.3.2 GCounter::merge";
const CRDT_KIT_MERGE: &str = "crdt-kit 0.5.1 GCounter::merge";

/// Replicas with the same sub-counters, of which none is newer: what most merges find.
fn merges_of_the_same(goals: &mut Goals, size: u64) {
    const LIMIT: &str = "limit: maxima of two Vec<u64> by AVX2";
    let entries = sorted(size);
    let other = &totals(&entries);
    let other_crdts = &crdts(&entries);
    let other_kit = &kit(&entries);
    let bare: Vec<u64> = entries.iter().map(|(_, total)| *total).collect();
    let mut ours = other.clone();
    let mut our_crdts = other_crdts.clone();
    let mut our_kit = other_kit.clone();
    let mut our_bare = bare.clone();

    let mut rounds = Rounds::default();
    rounds.add(MERGE, || black_box(&mut ours).merge(black_box(other)));
    rounds.add(LIMIT, || {
        limits::raise(black_box(&mut our_bare), black_box(&bare))
    });
    rounds.add(CRDT_KIT_MERGE, || our_kit.merge(black_box(other_kit)));
    rounds.add_timed(CRDTS_MERGE, |calls| {
        // It consumes the other; the copy is not timed.
        let copies: Vec<_> = (0..calls).map(|_| other_crdts.clone()).collect();
        timed(|| copies.into_iter().for_each(|copy| our_crdts.merge(copy)))
    });
    let group = rounds.measure();

    assert_eq!(&ours, other);
    assert_eq!(&our_crdts, other_crdts);
    assert_eq!(&our_kit, other_kit);
    assert_eq!(our_bare, bare);
    let what = format!("merge of {size} sub-counters, none newer");
    let mut record = |id, bound, peer| goals.record(id, &what, bound, [MERGE, peer], &group);
    record("C10", AtLeast(20.0), CRDTS_MERGE);
    record("C11", AtLeast(12.0), CRDT_KIT_MERGE);
    record(
        "C12",
        AtMost(if size == 100_000 { 3.0 } else { 2.0 }),
        LIMIT,
    );
}

/// Copies a replica and merges another into the copy, which has as many sub-counters, half of them
/// the same ones and all of these newer.
fn merges_with_news(goals: &mut Goals, size: u64) {
    const MAP: &str = "FxHashMap entry by entry";
    let ours: Vec<(u64, u64)> = sorted(size)
        .iter()
        .map(|(id, total)| (2 * id, *total))
        .collect();
    // As good as random: which half is new cannot be foreseen.
    let is_new = |id: u64| id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 63;
    let theirs = sorted(size).into_iter();
    let theirs = theirs.map(|(id, total)| (2 * id + is_new(id), total + 1));
    let theirs: Vec<(u64, u64)> = theirs.collect();
    let merged: Vec<(u64, u64)> = merged(&ours, &theirs).into_iter().collect();

    let both = [&ours, &theirs].map(|entries| totals(entries));
    let both_crdts = [&ours, &theirs].map(|entries| crdts(entries));
    let both_kits = [&ours, &theirs].map(|entries| kit(entries));
    let both_maps = [&ours, &theirs].map(|entries| map(entries));
    let merge = || {
        let mut copy = both[0].clone();
        copy.merge(&both[1]);
        copy
    };
    let merge_crdts = || {
        let mut copy = both_crdts[0].clone();
        copy.merge(both_crdts[1].clone());
        copy
    };
    let merge_kits = || {
        let mut copy = both_kits[0].clone();
        copy.merge(&both_kits[1]);
        copy
    };
    let merge_maps = || {
        let mut copy = both_maps[0].clone();
        for (id, total) in &both_maps[1] {
            let mine = copy.entry(*id).or_insert(0);
            *mine = (*mine).max(*total);
        }
        copy
    };
    assert_eq!(merge(), totals(&merged));
    assert_eq!(merge_crdts(), crdts(&merged));
    assert_eq!(merge_kits(), kit(&merged));
    assert_eq!(merge_maps(), map(&merged));

    let mut rounds = Rounds::default();
    rounds.add(MERGE, merge);
    rounds.add(CRDTS_MERGE, merge_crdts);
    rounds.add(CRDT_KIT_MERGE, merge_kits);
    rounds.add(MAP, merge_maps);
    let group = rounds.measure();
    let what = format!("merge of {size} sub-counters, half of them unknown, into a copy");
    let mut record = |bound, peer| goals.record("C13", &what, bound, [MERGE, peer], &group);
    record(AtLeast(10.0), CRDTS_MERGE);
    record(AtLeast(5.0), CRDT_KIT_MERGE);
    record(AtLeast(1.5), MAP);
}

fn sorted(size: u64) -> Vec<(u64, u64)> {
    (0..size).map(|id| (id, id % 7 + 1)).collect()
}

fn sum(entries: &[(u64, u64)]) -> u64 {
    entries.iter().map(|(_, total)| total).sum()
}

/// The larger total of each.
fn merged(ours: &[(u64, u64)], theirs: &[(u64, u64)]) -> BTreeMap<u64, u64> {
    let mut merged = BTreeMap::new();
    for (id, total) in ours.iter().chain(theirs) {
        let larger = merged.entry(*id).or_insert(*total);
        *larger = (*larger).max(*total);
    }
    merged
}

fn totals(entries: &[(u64, u64)]) -> Totals {
    let narrow = |id: &u64| u32::try_from(*id).expect("ids are small here");
    Totals::from_sorted(entries.iter().map(|(id, total)| (narrow(id), *total)))
}

fn crdts(entries: &[(u64, u64)]) -> crdts::GCounter<u64> {
    let mut counter = crdts::GCounter::new();
    for (actor, total) in entries {
        counter.apply(counter.inc_many(*actor, *total));
    }
    counter
}

fn kit(entries: &[(u64, u64)]) -> crdt_kit::GCounter {
    let mut counter = crdt_kit::GCounter::new(0);
    for (actor, total) in entries {
        let mut other = crdt_kit::GCounter::new(*actor);
        other.increment_by(*total);
        counter.merge(&other);
    }
    counter
}

fn map(entries: &[(u64, u64)]) -> FxHashMap<u64, u64> {
    entries.iter().copied().collect()
}
