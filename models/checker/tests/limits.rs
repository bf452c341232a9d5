//! Runs that are cut short.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::super::{Job, Judgement, Limits, Observer, Outcome, Progress, Report, Stop, Verdict};
use super::graph::{Graph, plain};
use super::line::Line;
use super::{check, counterexample, run, threads, verdict};

const ENDLESS: u32 = u32::MAX;

fn assert_cut(outcome: &Outcome, stop: Stop) {
    assert_eq!(outcome.stop, Some(stop));
    assert!(!outcome.run.complete);
    for property in &outcome.run.properties {
        assert!(
            matches!(
                property.verdict,
                Verdict::Unknown | Verdict::Violated | Verdict::Reached
            ),
            "{property:?}"
        );
    }
}

#[test]
fn truncated_run_is_inconclusive() {
    let limits = Limits {
        max_states: Some(3),
        ..threads(1)
    };
    let outcome = run(&Line::to(ENDLESS), &limits);
    assert_cut(&outcome, Stop::States);
    assert_eq!((outcome.run.states, outcome.run.transitions), (3, 2));
    assert_eq!(verdict(&outcome, "below_three"), Verdict::Unknown);
    assert_eq!(outcome.run.judgement(), Judgement::Inconclusive);
    assert_eq!(Report::new(vec![outcome.run], 0.0).exit_code(), 3);
}

#[test]
fn violation_before_the_limit_stays_a_violation() {
    let limits = Limits {
        max_states: Some(4),
        ..threads(1)
    };
    let outcome = run(&Line::to(ENDLESS), &limits);
    assert_cut(&outcome, Stop::States);
    assert_eq!(verdict(&outcome, "below_three"), Verdict::Violated);
    assert_eq!(verdict(&outcome, "below_twenty"), Verdict::Unknown);
    assert_eq!(outcome.run.judgement(), Judgement::Fail);
    assert_eq!(Report::new(vec![outcome.run], 0.0).exit_code(), 1);
}

#[test]
fn limit_that_is_just_enough_changes_nothing() {
    let limits = Limits {
        max_states: Some(3),
        ..threads(1)
    };
    let outcome = run(&Line::to(2), &limits);
    assert_eq!((outcome.stop, outcome.run.complete), (None, true));
    assert_eq!(outcome.run.judgement(), Judgement::Pass);
}

#[test]
fn limit_of_no_states_is_a_limit() {
    let limits = Limits {
        max_states: Some(0),
        ..threads(1)
    };
    assert_cut(&run(&Line::to(2), &limits), Stop::States);
}

#[test]
fn state_that_was_not_expanded_is_not_taken_for_the_end() {
    let limits = Limits {
        max_states: Some(3),
        ..threads(1)
    };
    let chain: Vec<_> = (0..9).map(|state| plain(state, state + 1)).collect();
    let outcome = run(&Graph::eventually(&chain, &[]), &limits);
    assert_eq!(verdict(&outcome, "live"), Verdict::Unknown);
}

#[test]
fn cycle_before_the_limit_is_found() {
    let limits = Limits {
        max_states: Some(3),
        ..threads(1)
    };
    let mut arrows: Vec<_> = (0..9).map(|state| plain(state, state + 1)).collect();
    arrows.push(plain(1, 0));
    let outcome = run(&Graph::eventually(&arrows, &[]), &limits);
    assert_eq!(counterexample(&outcome, "live").cycle_start, Some(0));
    assert_cut(&outcome, Stop::States);
}

#[test]
fn timeout_is_honoured_on_one_thread() {
    let limits = Limits {
        timeout: Some(Duration::from_millis(200)),
        ..threads(1)
    };
    let began = Instant::now();
    assert_cut(&run(&Line::to(ENDLESS), &limits), Stop::Time);
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn memory_limit_ends_a_run() {
    let limits = Limits {
        memory: Some(100_000),
        ..threads(2)
    };
    let outcome = run(&Line::to(ENDLESS), &limits);
    assert_cut(&outcome, Stop::Memory);
    assert!(outcome.run.peak_bytes > 100_000);
}

#[test]
fn interrupt_ends_a_run() {
    let limits = Limits {
        interrupt: Some(Arc::new(AtomicBool::new(true))),
        ..threads(2)
    };
    assert_cut(&run(&Line::to(ENDLESS), &limits), Stop::Interrupt);
}

#[test]
fn progress_is_reported_now_and_then() {
    struct Notes {
        notes: RefCell<Vec<Progress>>,
        enough: Arc<AtomicBool>,
    }
    impl Observer for Notes {
        fn progress(&self, progress: &Progress) {
            let mut notes = self.notes.borrow_mut();
            notes.push(*progress);
            self.enough.store(notes.len() >= 3, Ordering::Relaxed);
        }
    }
    let enough = Arc::default();
    let limits = Limits {
        interrupt: Some(Arc::clone(&enough)),
        ..threads(1)
    };
    let job = Job {
        model: "fixture/model",
        variant: None,
    };
    let notes = Notes {
        notes: RefCell::default(),
        enough,
    };
    check(&Line::to(ENDLESS), job, &limits, &notes);
    let notes = notes.notes.into_inner();
    assert!(notes.len() >= 3, "{notes:?}");
    assert!(notes.is_sorted_by_key(|progress| progress.states));
}
