//! Tests of the checker, on models small enough to be obvious.

#![allow(clippy::unwrap_used, reason = "a test that panics says what is wrong")]

mod drawing;
mod fairness;
mod gossip;
mod graph;
mod limits;
mod line;
mod oracle;
mod random;
mod records;
mod schema;
mod two_phase;

use serde_json::Value;

use super::{
    Checkable, Counterexample, Job, Limits, Outcome, PropertyVerdict, Rerun, RerunVerdict, Verdict,
    check, rerun,
};

/// Checks `model` as a correct one.
fn run<M: Checkable>(model: &M, limits: &Limits) -> Outcome {
    let job = Job {
        model: "fixture/model",
        variant: None,
    };
    check(model, job, limits, &())
}

/// Checks `model` as a variant that must violate `violates`.
fn run_variant<M: Checkable>(model: &M, violates: &[&str], limits: &Limits) -> Outcome {
    let job = Job {
        model: "fixture/model",
        variant: Some(("broken", violates)),
    };
    check(model, job, limits, &())
}

fn threads(threads: usize) -> Limits {
    Limits {
        threads,
        ..Limits::default()
    }
}

fn property<'a>(outcome: &'a Outcome, name: &str) -> &'a PropertyVerdict {
    let mut properties = outcome.run.properties.iter();
    properties.find(|property| property.name == name).unwrap()
}

fn verdict(outcome: &Outcome, name: &str) -> Verdict {
    property(outcome, name).verdict
}

fn counterexample<'a>(outcome: &'a Outcome, name: &str) -> &'a Counterexample {
    let mut counterexamples = outcome.counterexamples.iter();
    counterexamples.find(|c| c.property == name).unwrap()
}

/// Every counterexample reproduces on the model it was found on.
fn assert_reproduces<M: Checkable>(model: &M, outcome: &Outcome) {
    for counterexample in &outcome.counterexamples {
        let confirmed = Rerun {
            verdict: RerunVerdict::Confirmed,
            step: None,
            message: None,
        };
        assert_eq!(rerun(model, counterexample), confirmed);
    }
}

/// All that must be the same at every run and for any number of threads.
fn stable(outcome: &Outcome) -> (Value, Value) {
    let mut run = serde_json::to_value(&outcome.run).unwrap();
    for field in ["seconds", "states_per_second", "threads", "peak_bytes"] {
        run.as_object_mut().unwrap().remove(field).unwrap();
    }
    let counterexamples = serde_json::to_value(&outcome.counterexamples).unwrap();
    (run, counterexamples)
}
