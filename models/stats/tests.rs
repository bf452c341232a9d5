//! The counter does not share the defects that generations were made for: the workloads of T-3 and
//! T-4 violate nothing there.

use crate::checker::{self, Job, Limits, Verdict};
use crate::cluster::{ClientProgram, ClusterBounds, Faults, Publications, Timers};
use crate::counter::{self, Call, Counter};

/// Three increments for the three likes of T-3, in two lives of one node.
#[test]
fn counter_loses_nothing_by_the_workload_of_total_loss() {
    let faults = Faults {
        crashes: 1,
        data_losses: 1,
        ..Faults::default()
    };
    counter_holds(&[3], faults, Publications::AtOnce);
}

/// Two increments at once for the two likes of T-4.
#[test]
fn counter_keeps_the_order_of_concurrent_writes() {
    counter_holds(&[1, 1], Faults::default(), Publications::Awaited);
}

/// Checks the correct counter with one client of node a for each number of increments.
fn counter_holds(increments: &[usize], faults: Faults, publications: Publications) {
    let clients = increments.iter().map(|calls| ClientProgram {
        node: 0,
        calls: vec![Call::Increment(0); *calls],
    });
    let bounds = ClusterBounds::<Counter> {
        timers: Timers::AfterDelivery,
        publications,
        clients: clients.collect(),
        faults,
        ..ClusterBounds::default()
    };
    let job = Job {
        model: "counter/workload",
        variant: None,
    };
    let model = counter::build(bounds, None);
    let run = checker::check(&model, job, &Limits::default(), &()).run;
    assert!(run.complete);
    for property in run.properties {
        assert_ne!(property.verdict, Verdict::Violated, "{}", property.name);
    }
}
