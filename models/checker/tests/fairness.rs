//! Liveness on graphs drawn by hand.

use stateright::{Checker, Model};

use super::graph::{Arrow, Graph, arrow, plain};
use super::{assert_reproduces, counterexample, oracle, run, threads, verdict};
use crate::checker::{Fairness, Verdict};

/// The claim of `graph` is violated by exactly these states, the last part of which is a cycle.
fn violated(graph: &Graph, states: &[u32], cycle_start: Option<usize>) {
    let outcome = run(graph, &threads(1));
    assert_eq!(verdict(&outcome, "live"), Verdict::Violated);
    let found = counterexample(&outcome, "live");
    let arrows: Vec<Arrow> = found
        .actions()
        .into_iter()
        .map(|action| serde_json::from_value(action).unwrap())
        .collect();
    let reached: Vec<u32> = arrows.iter().map(|arrow| arrow.to).collect();
    assert_eq!((&reached[..], found.cycle_start), (states, cycle_start));
    oracle::assert_violates(graph, found);
    assert_reproduces(graph, &outcome);
    assert!(oracle::distance_to_violation(graph).is_some());
}

fn holds(graph: &Graph) {
    let outcome = run(graph, &threads(1));
    assert_eq!(verdict(&outcome, "live"), Verdict::Holds);
    assert!(outcome.run.complete);
    assert_eq!(oracle::distance_to_violation(graph), None);
}

#[test]
fn cycle_that_avoids_the_goal_violates() {
    let arrows = [plain(0, 1), plain(1, 2), plain(2, 1), plain(2, 3)];
    violated(&Graph::eventually(&arrows, &[3]), &[1, 2, 1], Some(1));
}

#[test]
fn path_that_joins_a_visited_state_violates() {
    let arrows = [plain(0, 1), plain(0, 2), plain(1, 3), plain(2, 3)];
    let graph = Graph::eventually(&arrows, &[1]);
    violated(&graph, &[2, 3], None);
    // Stateright came to 3 through the goal first, and says that all is well.
    graph.checker().spawn_bfs().join().assert_properties();
}

#[test]
fn stateright_passes_a_cycle_that_avoids_the_goal() {
    let arrows = [plain(0, 1), plain(1, 0)];
    let graph = Graph::eventually(&arrows, &[7]);
    violated(&graph, &[1, 0], Some(0));
    graph.checker().spawn_bfs().join().assert_properties();
}

#[test]
fn goal_before_the_cycle_satisfies_eventually() {
    let arrows = [plain(0, 1), plain(1, 2), plain(2, 2)];
    holds(&Graph::eventually(&arrows, &[1]));
}

#[test]
fn goal_in_the_initial_state_satisfies_eventually() {
    holds(&Graph::eventually(&[plain(0, 1), plain(1, 0)], &[0]));
}

#[test]
fn one_of_several_initial_states_violates() {
    let mut graph = Graph::eventually(&[plain(0, 1), plain(2, 2)], &[1]);
    graph.initial = vec![0, 2];
    violated(&graph, &[2], Some(0));
}

#[test]
fn state_without_actions_violates() {
    violated(&Graph::eventually(&[plain(0, 1)], &[7]), &[1], None);
    violated(&Graph::eventually(&[], &[7]), &[], None);
}

#[test]
fn no_fairness_is_owed_in_a_state_without_actions() {
    let arrows = [arrow(0, 1, "a", 0)];
    violated(&Graph::eventually(&arrows, &[7]).weak(&["a"]), &[1], None);
}

#[test]
fn self_loop_is_a_cycle() {
    violated(&Graph::eventually(&[plain(0, 0)], &[7]), &[0], Some(0));
}

#[test]
fn self_loop_is_left_under_weak_fairness_of_the_exit() {
    let arrows = [plain(0, 0), arrow(0, 1, "a", 0)];
    let graph = Graph::eventually(&arrows, &[1]);
    violated(&graph, &[0], Some(0));
    holds(&graph.weak(&["a"]));
}

#[test]
fn self_loop_takes_its_own_action() {
    let arrows = [arrow(0, 0, "a", 0)];
    violated(
        &Graph::eventually(&arrows, &[7]).weak(&["a"]),
        &[0],
        Some(0),
    );
    violated(
        &Graph::eventually(&arrows, &[7]).strong(&["a"]),
        &[0],
        Some(0),
    );
}

#[test]
fn fairness_is_owed_to_each_instance() {
    let same = [arrow(0, 0, "a", 1), arrow(0, 1, "a", 1)];
    violated(&Graph::eventually(&same, &[1]).weak(&["a"]), &[0], Some(0));
    let other = [arrow(0, 0, "a", 1), arrow(0, 1, "a", 2)];
    holds(&Graph::eventually(&other, &[1]).weak(&["a"]));
}

#[test]
fn exit_enabled_now_and_then_is_taken_only_under_strong_fairness() {
    let arrows = [plain(0, 1), plain(1, 0), arrow(1, 2, "a", 0)];
    let graph = Graph::eventually(&arrows, &[2]);
    violated(&graph.clone().weak(&["a"]), &[1, 0], Some(0));
    holds(&graph.strong(&["a"]));
}

#[test]
fn strong_fairness_leaves_a_smaller_cycle() {
    // Going through 1 obliges to leave; staying between 2 and 3 does not.
    let arrows = [
        plain(0, 1),
        plain(1, 2),
        plain(2, 3),
        plain(3, 2),
        plain(3, 1),
        arrow(1, 4, "a", 0),
    ];
    let graph = Graph::eventually(&arrows, &[4]).strong(&["a"]);
    violated(&graph, &[1, 2, 3, 2], Some(2));
}

#[test]
fn cycle_takes_what_weak_fairness_demands() {
    // `a` is enabled everywhere in the component, and taken on its far side only.
    let arrows = [
        plain(0, 1),
        plain(1, 0),
        plain(1, 2),
        arrow(0, 9, "a", 0),
        arrow(1, 9, "a", 0),
        arrow(2, 0, "a", 0),
    ];
    let graph = Graph::eventually(&arrows, &[9]).weak(&["a"]);
    violated(&graph, &[1, 2, 0], Some(0));
}

#[test]
fn cycle_passes_where_a_weakly_fair_action_is_disabled() {
    let arrows = [
        plain(0, 1),
        plain(1, 0),
        plain(1, 2),
        plain(2, 1),
        arrow(0, 9, "a", 0),
        arrow(1, 9, "a", 0),
    ];
    let graph = Graph::eventually(&arrows, &[9]).weak(&["a"]);
    violated(&graph, &[1, 2, 1, 0], Some(0));
}

#[test]
fn enabledness_counts_steps_that_leave_the_region() {
    // `a` leads to the goal from both states: it never stays inside, yet it is owed.
    let arrows = [
        plain(0, 1),
        plain(1, 0),
        arrow(0, 2, "a", 0),
        arrow(1, 2, "a", 0),
    ];
    holds(&Graph::eventually(&arrows, &[2]).weak(&["a"]));
}

#[test]
fn nearest_of_several_components_is_shown() {
    let arrows = [
        plain(0, 1),
        plain(1, 2),
        plain(2, 2),
        plain(0, 3),
        plain(3, 3),
    ];
    violated(&Graph::eventually(&arrows, &[7]), &[3, 3], Some(1));
}

#[test]
fn unfair_component_does_not_hide_a_fair_one_behind_it() {
    let arrows = [plain(0, 0), arrow(0, 1, "a", 0), plain(1, 1), plain(1, 2)];
    violated(
        &Graph::eventually(&arrows, &[2]).weak(&["a"]),
        &[1, 1],
        Some(1),
    );
}

#[test]
fn goal_owed_and_never_met_violates_leads_to() {
    let arrows = [plain(0, 1), plain(1, 2), plain(2, 2)];
    violated(&Graph::leads_to(&arrows, &[1], &[7]), &[1, 2, 2], Some(2));
}

#[test]
fn goal_met_before_it_is_owed_does_not_count() {
    let arrows = [plain(0, 1), plain(1, 2)];
    violated(&Graph::leads_to(&arrows, &[1], &[0]), &[1, 2], None);
}

#[test]
fn goal_never_owed_satisfies_leads_to() {
    let arrows = [plain(0, 1), plain(1, 0)];
    holds(&Graph::leads_to(&arrows, &[7], &[]));
}

#[test]
fn goal_met_where_it_is_owed_satisfies_leads_to() {
    let arrows = [plain(0, 1), plain(1, 2)];
    holds(&Graph::leads_to(&arrows, &[1], &[1]));
}

#[test]
fn goal_met_on_the_cycle_satisfies_leads_to() {
    let arrows = [plain(0, 1), plain(1, 0)];
    holds(&Graph::leads_to(&arrows, &[0], &[1]));
}

#[test]
fn goal_owed_again_after_it_was_met_violates_leads_to() {
    let arrows = [plain(0, 1), plain(1, 2), plain(2, 3), plain(3, 3)];
    let graph = Graph::leads_to(&arrows, &[0, 2], &[1]);
    violated(&graph, &[1, 2, 3, 3], Some(3));
}

#[test]
fn long_cycle_needs_no_deep_stack() {
    let length = 100_000;
    let ring: Vec<Arrow> = (0..length)
        .map(|state| plain(state, (state + 1) % length))
        .collect();
    let graph = Ring(Graph::eventually(&ring, &[]));
    let outcome = run(&graph, &threads(1));
    assert_eq!(verdict(&outcome, "live"), Verdict::Violated);
    let found = counterexample(&outcome, "live");
    assert_eq!(
        (found.steps.len(), found.cycle_start),
        (length as usize, Some(0))
    );
}

/// A graph whose arrow number n leaves state n, so that a big one is quick.
struct Ring(Graph);

impl Model for Ring {
    type State = u32;
    type Action = Arrow;

    fn init_states(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, state: &u32, actions: &mut Vec<Arrow>) {
        actions.push(self.0.arrows[*state as usize]);
    }

    fn next_state(&self, _: &u32, arrow: Arrow) -> Option<u32> {
        Some(arrow.to)
    }
}

impl crate::checker::Checkable for Ring {
    fn bounds(&self) -> crate::checker::Bounds {
        self.0.bounds()
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.0.kinds()
    }

    fn kind_of(&self, arrow: &Arrow) -> &'static str {
        self.0.kind_of(arrow)
    }

    fn instance_of(&self, arrow: &Arrow) -> u64 {
        self.0.instance_of(arrow)
    }

    fn describe(&self, arrow: &Arrow) -> String {
        self.0.describe(arrow)
    }

    fn claims(&self) -> Vec<crate::checker::Claim<Self>> {
        vec![crate::checker::Claim {
            name: "live",
            goal: crate::checker::Goal::Eventually(|_, _| false),
            fairness: Fairness::default(),
        }]
    }
}
