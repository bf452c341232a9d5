//! A model that counts, for what is about paths and nothing else.

use serde::{Deserialize, Serialize};
use stateright::{Checker, Model, Property};

use super::super::{Bounds, Checkable, Claim, Fairness, Goal, Judgement, Verdict};
use super::{assert_reproduces, counterexample, property, run, run_variant, threads, verdict};

/// Counts up to `most` by one, from zero.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) most: u32,
    /// An action that is declared and never enabled.
    pub(super) has_silent_kind: bool,
}

impl Line {
    pub(super) fn to(most: u32) -> Self {
        Line {
            most,
            has_silent_kind: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Up;

impl Model for Line {
    type State = u32;
    type Action = Up;

    fn init_states(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, _: &u32, actions: &mut Vec<Up>) {
        actions.push(Up);
    }

    fn next_state(&self, state: &u32, _: Up) -> Option<u32> {
        Some(state + 1)
    }

    fn within_boundary(&self, state: &u32) -> bool {
        *state <= self.most
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("below_three", |_, state| *state < 3),
            Property::always("below_twenty", |_, state| *state < 20),
        ]
    }
}

impl Checkable for Line {
    fn bounds(&self) -> Bounds {
        Bounds::from_iter([("most".to_owned(), self.most.into())])
    }

    fn kinds(&self) -> Vec<&'static str> {
        if self.has_silent_kind {
            vec!["up", "down"]
        } else {
            vec!["up"]
        }
    }

    fn kind_of(&self, _: &Up) -> &'static str {
        "up"
    }

    fn instance_of(&self, _: &Up) -> u64 {
        0
    }

    fn describe(&self, _: &Up) -> String {
        "up".to_owned()
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        let claim = |name, goal| Claim {
            name,
            goal,
            fairness: Fairness::default(),
        };
        vec![
            claim("below_three", Goal::Always(|_, state| *state < 3)),
            claim("below_twenty", Goal::Always(|_, state| *state < 20)),
            claim("two", Goal::Sometimes(|_, state| *state == 2)),
        ]
    }
}

#[test]
fn each_of_several_violations_is_shortest() {
    for threads_used in [1, 2] {
        let outcome = run(&Line::to(30), &threads(threads_used));
        let length = |name| counterexample(&outcome, name).steps.len();
        assert_eq!((length("below_three"), length("below_twenty")), (3, 20));
        assert_eq!(outcome.run.judgement(), Judgement::Fail);
        assert_reproduces(&Line::to(30), &outcome);
    }
    // Stateright overwrites what it found first.
    let stateright = Line::to(30).checker().spawn_bfs().join();
    let path = stateright.discovery("below_three").unwrap();
    assert_eq!(path.into_actions().len(), 20);
}

#[test]
fn correct_run_goes_on_after_a_violation() {
    let outcome = run(&Line::to(30), &threads(1));
    assert_eq!((outcome.run.states, outcome.run.depth), (31, 30));
    assert!(outcome.run.complete);
}

#[test]
fn variant_ends_with_the_layer_of_the_last_expected_violation() {
    let outcome = run_variant(&Line::to(30), &["below_three"], &threads(1));
    assert_eq!((outcome.run.states, outcome.run.complete), (4, false));
    assert_eq!(outcome.run.judgement(), Judgement::Pass);
    assert_eq!(property(&outcome, "below_twenty").expected, None);
    assert_eq!(verdict(&outcome, "below_twenty"), Verdict::Unknown);

    let both = ["below_three", "below_twenty"];
    let outcome = run_variant(&Line::to(30), &both, &threads(1));
    assert_eq!(outcome.run.states, 21);
    assert_eq!(outcome.run.judgement(), Judgement::Pass);
}

#[test]
fn variant_whose_space_holds_no_violation_has_escaped() {
    let outcome = run_variant(&Line::to(2), &["below_three"], &threads(1));
    assert!(outcome.run.complete);
    assert_eq!(outcome.run.judgement(), Judgement::Fail);
    assert_eq!(
        outcome.run.failures(),
        ["below_three holds: the fault escaped"]
    );
}

#[test]
fn variant_cut_short_is_inconclusive() {
    let limits = super::Limits {
        max_states: Some(2),
        ..threads(1)
    };
    let outcome = run_variant(&Line::to(30), &["below_three"], &limits);
    assert_eq!(outcome.run.judgement(), Judgement::Inconclusive);
}

#[test]
fn variant_that_must_violate_nothing_is_a_failure() {
    let outcome = run_variant(&Line::to(2), &[], &threads(1));
    assert_eq!(outcome.run.judgement(), Judgement::Fail);
}

#[test]
fn kind_that_never_fires_fails_a_correct_run_only() {
    let line = Line {
        most: 2,
        has_silent_kind: true,
    };
    let outcome = run(&line, &threads(1));
    assert_eq!(outcome.run.failures(), ["action down never fired"]);
    assert_eq!(outcome.run.actions["down"], 0);
    let line = Line { most: 30, ..line };
    let outcome = run_variant(&line, &["below_three"], &threads(1));
    assert_eq!(outcome.run.judgement(), Judgement::Pass);
}

#[test]
fn unreached_sometimes_fails() {
    let outcome = run(&Line::to(1), &threads(1));
    assert_eq!(verdict(&outcome, "two"), Verdict::Unreached);
    assert_eq!(outcome.run.failures(), ["two is never reached"]);
}

#[test]
fn step_across_the_boundary_is_no_step() {
    let outcome = run(&Line::to(2), &threads(1));
    assert_eq!((outcome.run.states, outcome.run.transitions), (3, 2));
    assert_eq!(outcome.run.judgement(), Judgement::Pass);
}

#[test]
fn model_without_states_is_covered() {
    let graph = super::graph::Graph {
        initial: Vec::new(),
        ..super::graph::Graph::eventually(&[], &[])
    };
    let outcome = run(&graph, &threads(1));
    assert_eq!((outcome.run.states, outcome.run.depth), (0, 0));
}
