//! Catalog: lookups, readers beside a writer, accesses, snapshots, saves and deltas.

#[path = "catalog/accesses.rs"]
mod accesses;
#[path = "common/mod.rs"]
mod common;
#[path = "catalog/durable.rs"]
mod durable;
#[path = "common/groups.rs"]
mod groups;
#[path = "catalog/lookups.rs"]
mod lookups;
#[path = "catalog/readers.rs"]
mod readers;
#[path = "catalog/tables.rs"]
mod tables;

use criterion::criterion_group;
use rustix::time::ClockId;

use common::Goals;
use common::cpu::CpuTime;

type Criterion = criterion::Criterion<CpuTime>;

const CONCORD: &str = "concord";

fn goals(goals: &mut Goals) {
    lookups::goals(goals);
    readers::goals(goals);
    accesses::goals(goals);
}

criterion_group! {
    name = benches;
    config = criterion::Criterion::default().with_measurement(CpuTime(ClockId::ThreadCPUTime));
    targets = lookups::built, durable::saved, durable::synced
}

fn main() {
    common::measure("catalog", goals);
    benches();
}
