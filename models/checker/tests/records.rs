//! Counterexamples that are executed again, on the same model and on others.

use serde_json::json;

use super::super::{Counterexample, Rerun, RerunVerdict, Trial, rerun, trial};
use super::graph::{Graph, arrow, plain};
use super::line::Line;
use super::{counterexample, run, threads};

fn lasso() -> (Graph, Counterexample) {
    let arrows = [plain(0, 1), plain(1, 1), arrow(1, 2, "a", 0), plain(0, 3)];
    let graph = Graph::eventually(&arrows, &[2, 3]);
    let found = counterexample(&run(&graph, &threads(1)), "live").clone();
    assert_eq!((found.steps.len(), found.cycle_start), (2, Some(1)));
    (graph, found)
}

fn assert_differs(rerun: Rerun, step: Option<usize>, message: &str) {
    assert_eq!(rerun.verdict, RerunVerdict::NotReproduced);
    assert_eq!(
        (rerun.step, rerun.message.unwrap()),
        (step, message.to_owned())
    );
}

#[test]
fn step_that_is_not_enabled_any_more_is_named() {
    let (mut graph, found) = lasso();
    graph.arrows.remove(1);
    assert_differs(rerun(&graph, &found), Some(1), "`c 1->1` is not enabled");
}

#[test]
fn state_that_differs_is_named() {
    let (graph, mut found) = lasso();
    let was = std::mem::replace(&mut found.steps[0].state, "0".repeat(16));
    let message = format!("`c 0->1` leads to state {was}, not 0000000000000000");
    assert_differs(rerun(&graph, &found), Some(0), &message);
}

#[test]
fn initial_state_that_differs_is_named() {
    let (mut graph, found) = lasso();
    graph.initial = vec![3];
    let message = format!("no initial state has the digest {}", found.init);
    assert_differs(rerun(&graph, &found), None, &message);
}

#[test]
fn goal_that_is_met_is_named() {
    let (mut graph, found) = lasso();
    graph.q.push(1);
    let message = "the goal is met in state 1 of the path";
    assert_differs(rerun(&graph, &found), Some(1), message);
}

#[test]
fn cycle_that_does_not_close_is_named() {
    let (graph, mut found) = lasso();
    found.cycle_start = Some(0);
    let message = "the cycle from step 0 does not close";
    assert_differs(rerun(&graph, &found), Some(1), message);
}

#[test]
fn cycle_that_is_not_fair_is_named() {
    let (graph, mut found) = lasso();
    let graph = graph.weak(&["a"]);
    let message = "the property is of another kind, or judged under other fairness";
    assert_differs(rerun(&graph, &found), Some(1), message);
    found.fairness.as_mut().unwrap().weak.push("a".to_owned());
    let message = "the cycle is not fair to `a 1->2`";
    assert_differs(rerun(&graph, &found), Some(1), message);
}

#[test]
fn path_that_could_go_on_does_not_end_for_good() {
    let (graph, mut found) = lasso();
    found.cycle_start = None;
    let message = "an action is enabled after the last step";
    assert_differs(rerun(&graph, &found), Some(1), message);
}

#[test]
fn property_that_holds_at_the_end_is_named() {
    let mut found = counterexample(&run(&Line::to(30), &threads(1)), "below_three").clone();
    found.steps.pop();
    let message = "the property holds after the last step";
    assert_differs(rerun(&Line::to(30), &found), Some(1), message);
}

#[test]
fn what_the_model_does_not_know_is_unusable() {
    let (graph, found) = lasso();
    let mut schema = found.clone();
    schema.schema = "concord.counterexample/2".to_owned();
    let mut property = found.clone();
    property.property = "unheard_of".to_owned();
    let mut action = found;
    action.steps[1].action = json!("fly");
    for (unusable, step) in [(schema, None), (property, None), (action, Some(1))] {
        let rerun = rerun(&graph, &unusable);
        assert_eq!((rerun.verdict, rerun.step), (RerunVerdict::Unusable, step));
        assert_eq!(rerun.exit_code(), 2);
    }
}

#[test]
fn unfair_cycle_is_harmless_where_fairness_is_owed() {
    let (graph, found) = lasso();
    let actions = found.actions();
    let violated = vec!["live"];
    assert_eq!(trial(&graph, &actions), Trial::Executed { violated });
    let fair = trial(&graph.clone().weak(&["a"]), &actions);
    assert_eq!(fair, Trial::Executed { violated: vec![] });
    assert!(fair.is_harmless());
}

#[test]
fn trial_tells_the_step_that_is_not_enabled() {
    let (mut graph, found) = lasso();
    graph.arrows.remove(1);
    let trial = trial(&graph, &found.actions());
    assert_eq!(trial, Trial::NotEnabled { step: 1 });
    assert!(trial.is_harmless());
}

#[test]
fn trial_judges_every_state_of_the_path() {
    let four = vec![json!(null); 4];
    let violated = vec!["below_three"];
    assert_eq!(trial(&Line::to(30), &four), Trial::Executed { violated });
    assert!(trial(&Line::to(30), &four[..2]).is_harmless());
    assert!(!trial(&Line::to(30), &[json!(5)]).is_harmless());
}
