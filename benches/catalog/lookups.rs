//! Looking up the owner of a key, in tables of every size and keys of both shapes. Answers are compared before
//! anything is timed.
//!
//! Not quite like for like: `rangemap` and `blart` are not shared, so nobody could replace their tables; and `blart`
//! demands keys of which none begins another, so here it has keys of one length, and a catalog could not use it.

use std::cell::RefCell;
use std::hint::black_box;

use bytes::Bytes;
use concord::goals::Bound::{AtLeast, AtMost};
use concord::systems::catalog::engine::table::owner;
use concord::systems::catalog::shell::SharedEngine;
use concord::systems::catalog::{EngineRoute, Route};
use concord::systems::sync::Published;
use criterion::{BenchmarkGroup, BenchmarkId, Throughput};

use super::CONCORD;
use super::common::Goals;
use super::common::cpu::CpuTime;
use super::common::rounds::Rounds;
use super::groups::group;
use super::tables::{Limit, Locked, Ours, Ranges, Shape, Table, Tree, asked, numbers, routes};

type Criterion = super::Criterion;

const SHARED: &str = "concord, without a reader";
const LOCKED: &str = "RwLock<Vec>, binary search";
const BTREE: &str = "RwLock<BTreeMap>";
const RANGEMAP: &str = "rangemap 1.8.0";
const BLART: &str = "blart 0.6.0";
const NUMBERS: &str = "limit: Eytzinger over u64";

/// So many that going through them does not leave a table in the caches that is larger than these.
const ASKED: usize = 1 << 18;
const AT_ONCE: usize = 1 << 10;

pub(super) fn goals(goals: &mut Goals) {
    for count in [1_000, 100_000, 1_000_000] {
        lookups::<[u8; 16]>(goals, count);
        lookups::<[u8; 28]>(goals, count);
        published(goals, count);
    }
}

fn answers<K>(table: &impl Table<K>, asked: &[K]) -> Vec<Option<u64>> {
    asked.iter().map(|key| table.owner(key)).collect()
}

/// Looks up some of the keys, others each time, and returns something that depends on all answers.
fn look<'a, T>(asked: &'a [T], answer: impl Fn(&T) -> u64 + 'a) -> impl FnMut() -> u64 + 'a {
    let mut groups = asked.chunks(AT_ONCE).cycle();
    move || {
        let keys = groups.next().expect("they begin anew");
        keys.iter().fold(0, |sum, key| sum ^ answer(black_box(key)))
    }
}

fn looked_up<'a, K>(
    table: &'a impl Table<K>,
    asked: &'a [K],
    expected: &[Option<u64>],
) -> impl FnMut() -> u64 + 'a {
    assert!(answers(table, asked) == expected);
    look(asked, |key| table.owner(key).unwrap_or_default())
}

fn lookups<K: Shape>(goals: &mut Goals, count: usize) {
    let table = routes::<K>(count);
    let asked: &[K] = &asked(&table, ASKED);
    let all = Bytes::from(
        asked
            .iter()
            .flat_map(|key| key.bytes().to_vec())
            .collect::<Vec<u8>>(),
    );
    let slices: Vec<Bytes> = all
        .chunks(K::SMALLEST.bytes().len())
        .map(|key| all.slice_ref(key))
        .collect();
    let ours = <Ours as Table<K>>::of(&table);
    let shared = <SharedEngine as Table<K>>::of(&table);
    let locked = <Locked as Table<K>>::of(&table);
    let tree = <Tree as Table<K>>::of(&table);
    let ranges = Ranges::of(&table);
    let blart: blart::TreeMap<K, _> = Table::of(&table);
    let limit = Limit::of(count);
    let numbers = numbers(ASKED);
    let expected = answers::<K>(&locked, asked);

    let mut rounds = Rounds::default();
    rounds.add(CONCORD, looked_up(&ours, asked, &expected));
    rounds.add(SHARED, looked_up(&shared, asked, &expected));
    rounds.add(LOCKED, looked_up(&locked, asked, &expected));
    rounds.add(BTREE, looked_up(&tree, asked, &expected));
    rounds.add(RANGEMAP, looked_up(&ranges, &slices, &expected));
    rounds.add(BLART, looked_up(&blart, asked, &expected));
    rounds.add(
        NUMBERS,
        look(&numbers, |number| limit.search(*number) as u64),
    );
    let group = rounds.measure();

    let what = format!("{AT_ONCE} lookups, {count} routes, {}", K::NAME);
    let [locked, blart, rangemap, limit] = match count {
        1_000 => [2.0, 1.4, 2.8, 6.0],
        100_000 => [5.0, 1.4, 3.0, 3.5],
        _ => [4.0, 1.05, 2.3, 3.0],
    };
    for (id, bound, peer) in [
        ("R1", AtLeast(locked), LOCKED),
        ("R2", AtLeast(blart), BLART),
        ("R3", AtLeast(rangemap), RANGEMAP),
        ("R4", AtMost(limit), NUMBERS),
    ] {
        goals.record(id, &what, bound, [CONCORD, peer], &group);
    }
    for name in [SHARED, BTREE] {
        println!("     {name}: {}", group[name]);
    }
}

/// One list that is published, against one that nobody else has: what it costs that it may be replaced.
fn published(goals: &mut Goals, count: usize) {
    const HELD: &str = "published Vec, binary search";
    const CACHED: &str = "published Vec, kept";
    const ALONE: &str = "limit: the same Vec, unshared";
    type Key = [u8; 16];
    let table = routes::<Key>(count);
    let asked: &[Key] = &asked(&table, ASKED);
    let alone: &Vec<EngineRoute> = &table.iter().map(EngineRoute::from).collect();
    let published = &Published::new(alone.clone());
    let cached = RefCell::new(published.cached());
    let find = |routes: &[EngineRoute], key: &Key| {
        let found = owner(routes, key);
        found.map_or(0, |at| routes[at].id)
    };
    let mut rounds = Rounds::default();
    rounds.add(HELD, look(asked, |key| find(&published.load(), key)));
    rounds.add(
        CACHED,
        look(asked, |key| find(cached.borrow_mut().load(), key)),
    );
    rounds.add(ALONE, look(asked, |key| find(black_box(alone), key)));
    let group = rounds.measure();
    let what = format!("{AT_ONCE} lookups, {count} routes");
    for name in [HELD, CACHED] {
        let what = format!("{what}, {name}");
        goals.record("R5", &what, AtMost(1.2), [name, ALONE], &group);
    }
}

/// Tables from a snapshot, checked and installed: what readers then need not do.
pub(super) fn built(criterion: &mut Criterion) {
    let mut group = group(criterion, "catalog/snapshot");
    for count in [1_000, 100_000] {
        applied(&mut group, "16 random bytes", &routes::<[u8; 16]>(count));
        applied(&mut group, "tenants and users", &routes::<[u8; 28]>(count));
    }
    group.finish();
}

fn applied(group: &mut BenchmarkGroup<'_, CpuTime>, shape: &str, table: &[Route]) {
    group.throughput(Throughput::Elements(table.len() as u64));
    let engine = <SharedEngine as Table<[u8; 16]>>::of(table);
    let mut version = engine.version();
    assert_eq!(engine.stats().len(), table.len());
    group.bench_function(BenchmarkId::new(shape, table.len()), |b| {
        b.iter(|| {
            version += 1;
            engine.apply_snapshot(version, black_box(table))
        });
    });
}
