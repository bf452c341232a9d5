//! The counter and the store under it against counters of other crates and against what the original
//! does, in that order of likeness: none of the peers has keys, generations, or a record of writes
//! that replicas can fetch from each other, so each of them does less. Answers are compared before
//! anything is timed.

#[path = "common/mod.rs"]
mod common;
#[path = "counter/goals.rs"]
mod goals;
#[path = "common/groups.rs"]
mod groups;
#[path = "counter/limits.rs"]
mod limits;

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::hint::black_box;
use std::io::Cursor;
use std::sync::{Arc, Mutex};

use concord::models::counter::workload::trace;
use concord::systems::counter::{
    DataKey, Direction, Generation, Input, Output, Space, State, Strategies, Text, trace::replay,
};
use concord::systems::machine::Machine as _;
use concord::systems::merkle::driver::exchange;
use concord::systems::merkle::value::encode;
use concord::systems::merkle::{self, Disk, Entry, Store};
use concord::systems::replay::Outcome;
use crdt_kit::Crdt as _;
use crdts::{CmRDT as _, CvRDT as _};
use criterion::{BatchSize, BenchmarkId, Throughput, criterion_group};
use rustix::time::ClockId;
use serde_json::Value;

use common::cpu::CpuTime;
use groups::group;

type Criterion = criterion::Criterion<CpuTime>;
type Ids = Text<u32>;
type Counter = State<Ids>;

const CRDTS: &str = "crdts 7.3.2 PNCounter";
const CRDT_KIT: &str = "crdt-kit 0.5.1 PNCounter";

fn generation(number: u64) -> Generation {
    Generation(u128::from(number).to_be_bytes())
}

fn open(disk: Disk<Ids>, strategies: Strategies) -> Counter {
    State::open("n".into(), generation(0), disk, strategies)
}

/// Increments once and carries out what the counter asks for; blocks are numbered.
fn increment(counter: &mut Counter, key: &DataKey, outputs: &mut Vec<Output<Ids>>) {
    let address = counter.store().disk().blocks.len() as u32;
    write(counter, key, address, outputs);
}

/// Likewise, with the number of the block.
fn write(counter: &mut Counter, key: &DataKey, address: u32, outputs: &mut Vec<Output<Ids>>) {
    let input = Input::Bump {
        call: address,
        direction: Direction::Incr,
        key: key.clone(),
        unreadable: false,
    };
    counter.step(input, outputs);
    let stored = merkle::Input::Stored(Some(address));
    counter.step(Input::Store(stored), outputs);
    let published = Input::Published {
        call: address,
        ok: true,
    };
    counter.step(published, outputs);
    let last = outputs.last();
    assert!(matches!(last, Some(Output::Returned { result: Ok(_), .. })));
    outputs.clear();
}

fn data_keys() -> Vec<DataKey> {
    let keys = (0..100).map(|key| DataKey::new(&format!("/LIKES/INCR/t{key}")));
    keys.collect()
}

/// What the original does under its mutex: format the key, raise the total, encode it.
#[derive(Default)]
struct Formatted {
    totals: Mutex<HashMap<String, u64>>,
    /// The original's store, as a byte map.
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    blocks: u64,
}

impl Formatted {
    fn increment(&mut self, key: &str) -> (String, [u8; 8]) {
        let full = format!("/STATS/incr{key}/n/00000000000000000000000000000000");
        let mut totals = self.totals.lock().expect("no one panicked");
        let total = totals.entry(full.clone()).or_insert(0);
        *total += 1;
        let value = total.to_be_bytes();
        (full, value)
    }

    fn put(&mut self, key: &str) {
        let (full, value) = self.increment(key);
        self.records.insert(full.into_bytes(), value.to_vec());
    }

    /// The records of section 5.6: value, priority, element, block, processed mark and head.
    fn put_all(&mut self, key: &str) {
        let (full, value) = self.increment(key);
        let old = format!("/h/{:052}", self.blocks);
        self.blocks += 1;
        let block = format!("{:052}", self.blocks);
        let priority = self.blocks.to_be_bytes().to_vec();
        let payload = [full.as_bytes(), &value].concat();
        self.records.remove(old.as_bytes());
        for (record, content) in [
            (format!("/blocks/{block}"), payload),
            (format!("/s/s{full}/{block}"), Vec::new()),
            (format!("/s/k{full}/v"), value.to_vec()),
            (format!("/s/k{full}/p"), priority.clone()),
            (format!("/b/{block}"), Vec::new()),
            (format!("/h/{block}"), priority),
        ] {
            self.records.insert(record.into_bytes(), content);
        }
    }

    fn total(&self, key: &str) -> u64 {
        let full = format!("/STATS/incr{key}/n/00000000000000000000000000000000");
        self.totals.lock().expect("no one panicked")[&full]
    }
}

/// A thousand increments of keys that were incremented before. The counter and the last peer write a
/// block and its records for each; the crates count one number for one actor, without keys.
fn increments(criterion: &mut Criterion) {
    const INCREMENTS: usize = 1_000;
    let keys = data_keys();
    let mut outputs = Vec::new();
    let mut warm = open(Disk::default(), Strategies::REMEDIED);
    keys.iter()
        .for_each(|key| increment(&mut warm, key, &mut outputs));
    let mut run_concord = |counter: &mut Counter| {
        for key in keys.iter().cycle().take(INCREMENTS) {
            increment(counter, key, &mut outputs);
        }
    };
    let mut crdts = crdts::PNCounter::<u64>::new();
    (0..10).for_each(|actor| crdts.apply(crdts.inc(actor)));
    let run_crdts = |counter: &mut crdts::PNCounter<u64>| {
        (0..INCREMENTS).for_each(|_| counter.apply(counter.inc(black_box(5))));
    };
    let mut kit = crdt_kit::PNCounter::new(5);
    (0..10).for_each(|actor| {
        let mut other = crdt_kit::PNCounter::new(actor);
        other.increment();
        kit.merge(&other);
    });
    let run_kit = |counter: &mut crdt_kit::PNCounter| {
        (0..INCREMENTS).for_each(|_| black_box(&mut *counter).increment());
    };
    let run_formatted = |counter: &mut Formatted, put: fn(&mut Formatted, &str)| {
        for key in keys.iter().cycle().take(INCREMENTS) {
            put(counter, key.as_str());
        }
    };
    let format_only: fn(&mut Formatted, &str) = |counter, key| {
        black_box(counter.increment(key));
    };

    let mut counter = warm.clone();
    run_concord(&mut counter);
    assert_eq!(counter.value(&keys[7]), Ok(11));
    let mut counter = crdts.clone();
    run_crdts(&mut counter);
    assert_eq!(counter.read(), (10 + INCREMENTS).into());
    let mut counter = kit.clone();
    run_kit(&mut counter);
    assert_eq!(counter.value(), 10 + INCREMENTS as i64);
    for put in [format_only, Formatted::put, Formatted::put_all] {
        let mut counter = Formatted::default();
        run_formatted(&mut counter, put);
        assert_eq!(counter.total(keys[7].as_str()), 10);
    }

    let mut group = group(criterion, "counter/increment");
    group.throughput(Throughput::Elements(INCREMENTS as u64));
    let batch = BatchSize::LargeInput;
    group.bench_function("concord", |b| {
        b.iter_batched_ref(|| warm.clone(), &mut run_concord, batch);
    });
    group.bench_function(CRDTS, |b| {
        b.iter_batched_ref(|| crdts.clone(), run_crdts, batch);
    });
    group.bench_function(CRDT_KIT, |b| {
        b.iter_batched_ref(|| kit.clone(), run_kit, batch);
    });
    for (name, put) in [
        ("mutex and formatted key", format_only),
        ("mutex, formatted key, put into a byte map", Formatted::put),
        (
            "mutex, formatted key, all records into a byte map",
            Formatted::put_all,
        ),
    ] {
        group.bench_function(name, |b| {
            let run = |counter: &mut Formatted| run_formatted(counter, put);
            b.iter_batched_ref(Formatted::default, run, batch);
        });
    }
    group.finish();
}

/// The aggregated read of one counter among entries of others. The crates hold one counter and
/// nothing else, so they sum without looking at a key.
fn reads(criterion: &mut Criterion) {
    let mut group = group(criterion, "counter/read");
    for sub_counters in [10_u64, 1_000, 100_000] {
        let key = DataKey::new("/LIKES/INCR/t1");
        let mut disk = Disk::<Ids>::default();
        let mut tree = BTreeMap::new();
        let (mut crdts, mut kit) = (crdts::PNCounter::<u64>::new(), crdt_kit::PNCounter::new(0));
        for number in 0..sub_counters {
            let total = number % 7 + 1;
            let full = Ids::full(Direction::Incr, &key, &"n".into(), &generation(number));
            tree.insert(full.to_string(), total);
            let entry = Entry {
                priority: 1,
                value: encode(total),
            };
            disk.entries.insert(full, entry);
            crdts.apply(crdts.inc_many(number, total));
            let mut other = crdt_kit::PNCounter::new(number);
            (0..total).for_each(|_| other.increment());
            kit.merge(&other);
        }
        let counter = open(disk, Strategies::REMEDIED);
        let read_tree = || sum_by_prefix(&tree, &key);

        let value = counter.value(&key).expect("a sum");
        assert_eq!(read_tree(), value);
        assert_eq!(crdts.read(), value.into());
        assert_eq!(kit.value(), value as i64);

        group.throughput(Throughput::Elements(sub_counters));
        let id = |name| BenchmarkId::new(name, sub_counters);
        group.bench_function(id("concord"), |b| {
            b.iter(|| black_box(&counter).value(&key))
        });
        group.bench_function(id(CRDTS), |b| b.iter(|| black_box(&crdts).read()));
        group.bench_function(id(CRDT_KIT), |b| b.iter(|| black_box(&kit).value()));
        group.bench_function(id("BTreeMap<String, u64> by prefix"), |b| b.iter(read_tree));
    }
    group.finish();
}

/// The original's read: the sums of both directions, entry by entry.
fn sum_by_prefix(tree: &BTreeMap<String, u64>, key: &DataKey) -> u64 {
    let sum = |namespace: &str| -> u64 {
        let prefix = format!("/STATS/{namespace}{}/", key.as_str());
        let from = tree.range(prefix.clone()..);
        let below = from.take_while(|(full, _)| full.starts_with(&prefix));
        below.map(|(_, total)| total).sum()
    };
    sum("incr").saturating_sub(sum("decr"))
}

/// A write into the store alone, against a plain ordered map without replicas.
fn puts(criterion: &mut Criterion) {
    const PUTS: u32 = 1_000;
    let keys: Vec<Arc<str>> = (0..PUTS).map(|key| format!("/k/{key}").into()).collect();
    let mut outputs = Vec::new();
    let mut run = |store: &mut Store<Ids>| {
        for (at, key) in (0..).zip(&keys) {
            let (key, value) = (Arc::clone(key), encode(7));
            store.step(merkle::Input::Put { key, value }, &mut outputs);
            store.step(merkle::Input::Stored(Some(at)), &mut outputs);
            outputs.clear();
        }
    };
    let run_map = |map: &mut BTreeMap<Arc<str>, [u8; 8]>| {
        for key in &keys {
            map.insert(Arc::clone(key), 7_u64.to_be_bytes());
        }
    };
    let empty = || Store::<Ids>::open(Disk::default(), merkle::Strategies::REMEDIED);
    let (mut store, mut map) = (empty(), BTreeMap::new());
    run(&mut store);
    run_map(&mut map);
    assert!(store.disk().entries.keys().eq(map.keys()));

    let mut group = group(criterion, "store/put");
    group.throughput(Throughput::Elements(PUTS.into()));
    group.bench_function("concord", |b| {
        b.iter_batched_ref(empty, &mut run, BatchSize::LargeInput);
    });
    group.bench_function("limit: BTreeMap<Arc<str>, [u8; 8]>", |b| {
        b.iter_batched_ref(BTreeMap::new, run_map, BatchSize::LargeInput);
    });
    group.finish();
}

/// Takes over what `from` has: hears of its heads and fetches every block it does not know.
fn merge(into: &mut Counter, from: &Counter) {
    let theirs = from.store().disk();
    let heads = theirs.heads.keys().copied().collect();
    let done: Result<_, Infallible> = exchange(
        into,
        merkle::Input::Announced(heads),
        |block| theirs.blocks.get(block).cloned(),
        |_| Ok(()),
    );
    let Ok(done) = done;
    assert!(done.is_some_and(|done| !done.dirty));
}

/// A new replica fetches and merges every block ever made, from its peer's memory: a chain, and a
/// DAG in which each of 10 nodes hears of the others after every 10 writes.
fn walks(criterion: &mut Criterion) {
    let mut group = group(criterion, "store/walk");
    for blocks in [100_u32, 1_000, 10_000] {
        let mut outputs = Vec::new();
        let keys = data_keys();
        let mut chain = open(Disk::default(), Strategies::REMEDIED);
        for key in keys.iter().cycle().take(blocks as usize) {
            increment(&mut chain, key, &mut outputs);
        }
        let dag = dag(blocks);
        group.throughput(Throughput::Elements(blocks.into()));
        for (shape, source) in [("chain", &chain), ("dag", &dag)] {
            let empty = || open(Disk::default(), Strategies::REMEDIED);
            let mut replica = empty();
            merge(&mut replica, source);
            let [ours, theirs] = [&replica, source].map(|counter| counter.store().disk());
            assert_eq!(ours.entries, theirs.entries);
            assert_eq!(ours.processed.len(), blocks as usize);
            let parameter = format!("{shape} of {blocks:5}");
            group.bench_function(BenchmarkId::new("concord", &parameter), |b| {
                b.iter_batched_ref(
                    empty,
                    |replica| merge(replica, source),
                    BatchSize::LargeInput,
                );
            });
            let limit = BenchmarkId::new("limit: copying the blocks", &parameter);
            group.bench_function(limit, |b| {
                b.iter(|| {
                    let blocks = theirs.blocks.iter();
                    let copied = blocks.map(|(address, block)| (*address, Arc::clone(block)));
                    copied.collect::<BTreeMap<_, _>>()
                });
            });
        }
    }
    group.finish();
}

/// A replica that holds so many blocks of ten writers.
fn dag(blocks: u32) -> Counter {
    let keys = data_keys();
    let mut outputs = Vec::new();
    let open = |node| {
        let name = format!("n{node}").into();
        let disk = Disk::default();
        State::open(name, generation(node), disk, Strategies::REMEDIED)
    };
    let mut nodes: Vec<Counter> = (0..10).map(open).collect();
    let mut next = 0;
    while next < blocks {
        for (at, node) in nodes.iter_mut().enumerate() {
            // Addresses are numbers here, so no two nodes may give out the same one.
            write(node, &keys[(next as usize + at) % 100], next, &mut outputs);
            next += 1;
        }
        if next % 100 == 0 || next == blocks {
            for node in 1..10 {
                let (first, others) = nodes.split_at_mut(1);
                merge(&mut first[0], &others[node - 1]);
            }
            for node in 1..10 {
                let (first, others) = nodes.split_at_mut(1);
                merge(&mut others[node - 1], &first[0]);
            }
        }
    }
    nodes.swap_remove(0)
}

/// Two replicas with the same sub-counters. With "all" the other has a newer total of every one: the
/// crates compare states, the store fetches and merges one block for each. With "nothing" the other
/// has nothing new: the store looks at the heads only, the crates compare everything all the same.
fn merges(criterion: &mut Criterion) {
    const KEYS: u32 = 1_000;
    let keys: Vec<DataKey> = (0..KEYS)
        .map(|key| DataKey::new(&format!("/k/{key}")))
        .collect();
    let mut outputs = Vec::new();
    let mut ours = open(Disk::default(), Strategies::REMEDIED);
    keys.iter()
        .for_each(|key| increment(&mut ours, key, &mut outputs));
    let mut theirs = ours.clone();
    keys.iter()
        .for_each(|key| increment(&mut theirs, key, &mut outputs));

    let mut crdts = crdts::PNCounter::<u64>::new();
    (0..KEYS).for_each(|actor| crdts.apply(crdts.inc(actor.into())));
    let mut newer_crdts = crdts.clone();
    (0..KEYS).for_each(|actor| newer_crdts.apply(newer_crdts.inc(actor.into())));
    let kit = |total: u64| {
        let mut kit = crdt_kit::PNCounter::new(0);
        for actor in 0..KEYS {
            let mut other = crdt_kit::PNCounter::new(actor.into());
            (0..total).for_each(|_| other.increment());
            kit.merge(&other);
        }
        kit
    };
    let (kit, newer_kit) = (kit(1), kit(2));

    let mut group = group(criterion, "counter/merge");
    let batch = BatchSize::LargeInput;
    for (news, other, other_crdts, other_kit) in [
        ("all of 1000 are newer", &theirs, &newer_crdts, &newer_kit),
        ("nothing of 1000 is newer", &ours, &crdts, &kit),
    ] {
        let mut merged = ours.clone();
        merge(&mut merged, other);
        let values = keys.iter().map(|key| merged.value(key).expect("a sum"));
        let value: u64 = values.sum();
        let (mut merged_crdts, mut merged_kit) = (crdts.clone(), kit.clone());
        merged_crdts.merge(other_crdts.clone());
        merged_kit.merge(other_kit);
        assert_eq!(merged_crdts.read(), value.into());
        assert_eq!(merged_kit.value(), value as i64);

        let id = |name| BenchmarkId::new(name, news);
        group.bench_function(id("concord"), |b| {
            b.iter_batched_ref(|| ours.clone(), |ours| merge(ours, other), batch);
        });
        group.bench_function(id(CRDTS), |b| {
            // Its merge takes the other by value; the copy is not timed.
            b.iter_batched(
                || (crdts.clone(), other_crdts.clone()),
                |(mut ours, theirs)| {
                    ours.merge(theirs);
                    ours
                },
                batch,
            );
        });
        group.bench_function(id(CRDT_KIT), |b| {
            b.iter_batched_ref(|| kit.clone(), |ours| ours.merge(other_kit), batch);
        });
    }
    group.finish();
}

/// Steps of a trace in memory, against only reading its lines twice as replay does.
fn replays(criterion: &mut Criterion) {
    const STEPS: usize = 10_000;
    let trace = trace(1, 3, 100, STEPS);
    let read = || {
        let lines = trace.lines().chain(trace.lines());
        let objects = lines.map(serde_json::from_str::<Value>);
        objects.filter(|object| object.is_ok()).count()
    };
    let run = || replay(Cursor::new(&trace)).expect("memory can be read");
    let replayed = run();
    assert_eq!(replayed.outcome, Outcome::Conforms);
    // Of the lines, one is the header.
    assert_eq!(2 * (replayed.steps as usize + 1), read());

    let mut group = group(criterion, "replay/steps");
    group.throughput(Throughput::Elements(replayed.steps));
    group.bench_function("concord", |b| b.iter(run));
    group.bench_function("limit: serde_json alone, twice", |b| b.iter(read));
    group.finish();
}

criterion_group! {
    name = benches;
    config = criterion::Criterion::default().with_measurement(CpuTime(ClockId::ThreadCPUTime));
    targets = increments, reads, puts, walks, merges, replays
}

fn main() {
    common::measure("counter", goals::measure);
    benches();
}
