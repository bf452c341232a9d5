//! Pullsync: interval sets, validation of chunks, exchanges.

#[path = "pullsync/chunks.rs"]
mod chunks;
#[allow(dead_code, reason = "nothing here runs on two threads")]
#[path = "common/mod.rs"]
mod common;
#[path = "pullsync/exchange.rs"]
mod exchange;
#[path = "common/groups.rs"]
mod groups;
#[path = "pullsync/intervals.rs"]
mod intervals;

use criterion::criterion_group;
use rustix::time::ClockId;

use common::Goals;
use common::cpu::CpuTime;

type Criterion = criterion::Criterion<CpuTime>;

const CONCORD: &str = "concord";

fn goals(goals: &mut Goals) {
    intervals::goals(goals);
    chunks::goals(goals);
    exchange::goals(goals);
}

criterion_group! {
    name = benches;
    config = criterion::Criterion::default().with_measurement(CpuTime(ClockId::ThreadCPUTime));
    targets = intervals::added, intervals::coded, chunks::validated, exchange::exchanged
}

fn main() {
    common::measure("pullsync", goals);
    benches();
}
