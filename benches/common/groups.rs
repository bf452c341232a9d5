//! Groups of criterion, all measured alike.

use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion};

use crate::common::cpu::CpuTime;

/// A group of this name.
pub(crate) fn group<'a>(
    criterion: &'a mut Criterion<CpuTime>,
    name: &str,
) -> BenchmarkGroup<'a, CpuTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(15);
    group.warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_millis(1500));
    group
}
