//! A report for continuous integration: a suite per model, a case per property and per fault.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::Check;
use super::human::{doubt, failure};
use crate::cli::text;
use crate::models::checker::{Judgement, Outcome, PropertyVerdict, Verdict};

/// Creates the file before anything is searched, so that a wrong name is known at once.
pub(super) fn create(file: &Path) -> Result<()> {
    File::create(file)
        .map(drop)
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Writes the report on `outcomes`.
pub(super) fn write(file: &Path, check: &Check, outcomes: &[Outcome], seconds: f64) -> Result<()> {
    let mut report = quick_junit::Report::new("concord check");
    report.set_time(Duration::from_secs_f64(seconds));
    for runs in outcomes.chunk_by(|a, b| a.run.model == b.run.model) {
        let mut suite = TestSuite::new(&runs[0].run.model);
        let seconds = runs.iter().map(|outcome| outcome.run.seconds).sum();
        suite.set_time(Duration::from_secs_f64(seconds));
        for outcome in runs {
            let cases = match outcome.run.is_correct() {
                true => correct_cases(check, outcome),
                false => vec![fault_case(check, outcome)],
            };
            suite.add_test_cases(cases);
        }
        report.add_test_suite(suite);
    }
    let context = || format!("cannot write {}", file.display());
    let written = File::create(file).with_context(context)?;
    report.serialize(written).with_context(context)
}

/// One case per property, and one that every action fires on a space that was covered.
fn correct_cases(check: &Check, outcome: &Outcome) -> Vec<TestCase> {
    let run = &outcome.run;
    let mut cases: Vec<_> = run
        .properties
        .iter()
        .map(|property| {
            case(
                outcome,
                &property.name,
                property_status(check, outcome, property),
            )
        })
        .collect();
    let silent: Vec<_> = run
        .actions
        .iter()
        .filter(|(_, count)| **count == 0)
        .collect();
    let status = if !run.complete {
        open(check, outcome)
    } else if silent.is_empty() {
        TestCaseStatus::success()
    } else {
        let kinds: Vec<_> = silent.iter().map(|(kind, _)| kind.as_str()).collect();
        let message = format!("never fired: {}", kinds.join(", "));
        failed(check, outcome, message, String::new())
    };
    cases.push(case(outcome, "every_action_fires", status));
    for case in &mut cases {
        // The properties are judged together, so none has a time of its own.
        case.set_time(Duration::ZERO);
    }
    if let Some(first) = cases.first_mut() {
        first.set_time(Duration::from_secs_f64(run.seconds));
    }
    cases
}

fn property_status(check: &Check, outcome: &Outcome, property: &PropertyVerdict) -> TestCaseStatus {
    match property.verdict {
        Verdict::Holds | Verdict::Reached => TestCaseStatus::success(),
        Verdict::Unknown => open(check, outcome),
        Verdict::Unreached => {
            let message = format!("{} is never reached", property.name);
            failed(check, outcome, message, String::new())
        }
        Verdict::Violated => {
            let mut found = outcome.counterexamples.iter();
            let counterexample = found.find(|found| found.property == property.name);
            let steps = counterexample.map(text::steps).unwrap_or_default();
            failed(
                check,
                outcome,
                format!("{} is violated", property.name),
                steps,
            )
        }
    }
}

fn fault_case(check: &Check, outcome: &Outcome) -> TestCase {
    let status = match outcome.run.judgement() {
        Judgement::Pass => TestCaseStatus::success(),
        Judgement::Inconclusive => open(check, outcome),
        Judgement::Fail => {
            let message = "the fault escaped".to_owned();
            failed(check, outcome, message, failure(outcome))
        }
    };
    let mut case = case(outcome, "caught", status);
    case.set_time(Duration::from_secs_f64(outcome.run.seconds));
    case
}

fn case(outcome: &Outcome, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(outcome.run.name());
    case
}

fn failed(check: &Check, outcome: &Outcome, message: String, details: String) -> TestCaseStatus {
    status(NonSuccessKind::Failure, check, outcome, message, details)
}

/// What is not known must not look like success.
fn open(check: &Check, outcome: &Outcome) -> TestCaseStatus {
    let message = doubt(check, outcome);
    status(
        NonSuccessKind::Error,
        check,
        outcome,
        message,
        String::new(),
    )
}

fn status(
    kind: NonSuccessKind,
    check: &Check,
    outcome: &Outcome,
    message: String,
    details: String,
) -> TestCaseStatus {
    let ty = match kind {
        NonSuccessKind::Failure => "failure",
        NonSuccessKind::Error => "inconclusive",
    };
    let command = check.command(&outcome.run);
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(ty);
    status.set_description(format!("{message}\n{details}reproduce: {command}"));
    status.set_message(message);
    status
}
