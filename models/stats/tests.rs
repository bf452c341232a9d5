//! The variants are caught and harmless on the correct models, and the counter does not share the
//! defects that generations were made for.

use crate::checker::{Judgement, Limits, Outcome, Verdict};
use crate::cluster::{ClientProgram, ClusterBounds, Faults, Publications, Timers};
use crate::counter::{self, Call, Counter};
use crate::registry::Budget;

use super::SYSTEM;

#[test]
fn correct_models_pass_and_variants_are_caught_and_harmless_without_the_fault() {
    for subject in (SYSTEM.models)() {
        let name = subject.name();
        let check = |variant| subject.check(variant, Budget::Quick, &Limits::default(), &());
        assert_eq!(check(None).run.judgement(), Judgement::Pass, "{name}");
        for fault in subject.faults() {
            let Outcome {
                run,
                counterexamples,
                ..
            } = check(Some(fault.name));
            assert_eq!(run.judgement(), Judgement::Pass, "{}", run.name());
            for found in counterexamples {
                let what = (run.name(), &found.property);
                assert!(found.steps.len() > 1, "{what:?}");
                let trial = subject.trial(None, Budget::Quick, &found.actions());
                assert!(trial.is_harmless(), "{what:?}: {trial:?}");
            }
        }
    }
}

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
    let job = crate::checker::Job {
        model: "counter/workload",
        variant: None,
    };
    let model = counter::build(bounds, None);
    let run = crate::checker::check(&model, job, &Limits::default(), &()).run;
    assert!(run.complete);
    for property in run.properties {
        assert_ne!(property.verdict, Verdict::Violated, "{}", property.name);
    }
}
