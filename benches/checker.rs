//! The checker against stateright's own search, over one model on one thread.
//!
//! Not quite like for like: stateright judges the safety claims only and keeps fingerprints of
//! states. concord judges liveness under fairness as well and keeps every edge for it.

#[path = "common/cpu.rs"]
mod cpu;

use std::hint::black_box;
use std::time::Duration;

use concord::models::checker::Limits;
use concord::models::registry::{Budget, Subject, Target, resolve};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rustix::time::ClockId;

use cpu::CpuTime;

const MODEL: &str = "counter/fetches";

fn states(criterion: &mut Criterion<CpuTime>) {
    let subject = subject(MODEL);
    let limits = Limits {
        threads: 1,
        ..Limits::default()
    };
    let check = || subject.check(None, Budget::Quick, &limits, &()).run.states;
    let breadth_first = || subject.peer(None, Budget::Quick).states;
    let depth_first = || subject.peer_depth_first(None, Budget::Quick).states;
    let states = check();
    assert_eq!(breadth_first(), states);
    assert_eq!(depth_first(), states);

    let mut group = criterion.benchmark_group(format!("checker/states of {MODEL}"));
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(4));
    group.throughput(Throughput::Elements(states as u64));
    group.bench_function("concord", |b| b.iter(|| black_box(check())));
    group.bench_function("stateright 0.31 bfs", |b| {
        b.iter(|| black_box(breadth_first()))
    });
    group.bench_function("stateright 0.31 dfs", |b| {
        b.iter(|| black_box(depth_first()))
    });
    group.finish();
}

fn subject(model: &str) -> Box<dyn Subject> {
    let targets = resolve(concord::models::SYSTEMS, model);
    let target: Option<Target> = targets.and_then(|targets| targets.into_iter().next());
    target.expect("the model is in the registry").subject
}

criterion_group! {
    name = benches;
    // Stateright searches on threads of its own.
    config = Criterion::default().with_measurement(CpuTime(ClockId::ProcessCPUTime));
    targets = states
}
criterion_main!(benches);
