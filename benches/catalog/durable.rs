//! Saves, and what a watcher asks for, on a store in memory.

use std::hint::black_box;

use concord::systems::catalog::durable::{Changes, SavePlan, changes_since};
use concord::systems::catalog::{Level, Memory, Route, Settings, Strategies};
use criterion::{BatchSize, BenchmarkId, Throughput};

use super::groups::group;
use super::tables::routes;

type Criterion = super::Criterion;

const SETTINGS: Settings = Settings::strict(Level::Two);

/// A store that holds this table as version 1.
fn seeded(table: &[Route]) -> Memory {
    let mut store = Memory::new(Strategies::REFERENCE);
    save(&mut store, 0, table.to_vec());
    store
}

/// Replaces version `expected`.
fn save(store: &mut Memory, expected: u64, table: Vec<Route>) {
    let plan = SavePlan::prepare(store, &SETTINGS, expected, table)
        .expect("the table is sound, and the next");
    let saved = plan
        .apply(store, &SETTINGS)
        .expect("nobody saved in between");
    assert_eq!(saved.version, expected + 1);
}

/// The table, one route of another group.
fn changed(table: &[Route], group: u64) -> Vec<Route> {
    let mut table = table.to_vec();
    table[0].group = group;
    table
}

/// A save that changes one route of many, from the first read to the last write.
pub(super) fn saved(criterion: &mut Criterion) {
    let mut group = group(criterion, "catalog/save");
    for count in [100, 10_000] {
        let table = routes::<[u8; 28]>(count);
        let store = seeded(&table);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("one route changed", count), |b| {
            let input = || (store.clone(), changed(&table, 7));
            b.iter_batched(
                input,
                |(mut store, table)| {
                    save(&mut store, 1, table);
                    store
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// Deltas since a version, against a whole snapshot.
pub(super) fn synced(criterion: &mut Criterion) {
    const VERSIONS: u64 = 128;
    let mut group = group(criterion, "catalog/changes");
    for count in [100, 10_000] {
        let table = routes::<[u8; 28]>(count);
        let mut store = seeded(&table);
        (1..VERSIONS).for_each(|version| save(&mut store, version, changed(&table, version)));
        for behind in [1, VERSIONS - 1] {
            let since = VERSIONS - behind;
            let asked = || changes_since(black_box(&store), since, VERSIONS as i64, &SETTINGS);
            assert!(
                matches!(asked(), Ok(Changes::Deltas(deltas)) if deltas.len() as u64 == behind)
            );
            group.bench_function(BenchmarkId::new(format!("{behind} versions"), count), |b| {
                b.iter(asked)
            });
        }
        let reset = || concord::systems::catalog::durable::snapshot(black_box(&store), &SETTINGS);
        assert!(reset().is_ok_and(|snapshot| snapshot.routes.len() == count));
        group.bench_function(BenchmarkId::new("a snapshot", count), |b| b.iter(reset));
    }
    group.finish();
}
