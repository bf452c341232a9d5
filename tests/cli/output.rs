//! What `concord` prints: the table for people and the shapes of documents.

use serde_json::{Value, json};

use crate::support::toys;

#[test]
fn the_table_for_people() {
    insta::assert_snapshot!(without_times(
        &toys("check tank leaky broken --no-faults").output
    ));
    insta::assert_snapshot!(without_times(&toys("check tank leaky --faults").output));
}

/// Times differ from run to run: `0.1 s` becomes `0.0 s`.
fn without_times(text: &str) -> String {
    let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
    for index in 1..words.len() {
        let is_unit = words[index] == "s" || words[index].starts_with("s\n");
        if is_unit && words[index - 1].parse::<f64>().is_ok() {
            words[index - 1] = "0.0".to_owned();
        }
    }
    words.join(" ")
}

#[test]
fn the_list_for_people() {
    let ran = toys("list");
    assert_eq!(ran.code, 0);
    for text in [
        "tank  tanks that are filled and drained",
        "  tank/guarded\n    quick  capacity=3 tanks=2\n    full   capacity=3 tanks=3",
        "never_overflows  always TNK-S1",
        "gets_water  eventually TNK-L1, weakly fair to fill",
        "catches: no_guard",
        "@no_guard  T-1 T-2  upstream, present",
        "@unfair  mutant",
        "T-9  rust is not modelled",
    ] {
        assert!(ran.output.contains(text), "no `{text}` in {}", ran.output);
    }
}

#[test]
fn the_list_as_a_document() {
    let document = toys("list --format json").document();
    assert_eq!(document["schema"], "concord.list/1");
    let model = &document["systems"][0]["models"][0];
    assert_eq!(model["bounds"]["full"], json!({"capacity": 3, "tanks": 3}));
    let property = json!({
        "name": "never_overflows", "id": "TNK-S1", "kind": "always", "fairness": null,
        "statement": "No tank holds more than its capacity.", "killed_by": ["no_guard"],
        "witness": "is_full",
    });
    assert_eq!(model["properties"][0], property);
    let fault = json!({
        "name": "unfair", "ids": [], "violates": ["gets_water"], "origin": "mutant",
        "status": null, "statement": "Nobody has to fill a tank.",
    });
    assert_eq!(model["faults"][1], fault);
    let reason = json!([{"id": "T-9", "reason": "rust is not modelled"}]);
    assert_eq!(document["systems"][0]["not_expressible"], reason);
}

#[test]
fn the_check_as_a_document() {
    let document = toys("check tank --format json").document();
    assert_eq!(keys(&document), ["runs", "schema", "seconds", "verdict"]);
    let run = &document["runs"][0];
    let expected = [
        "actions",
        "bounds",
        "complete",
        "depth",
        "model",
        "peak_bytes",
        "properties",
        "seconds",
        "states",
        "states_per_second",
        "strategy",
        "system",
        "threads",
        "transitions",
        "variant",
    ];
    assert_eq!(keys(run), expected);
    assert_eq!((&run["states"], &run["depth"]), (&json!(16), &json!(6)));
    let fair = json!({
        "name": "gets_water", "kind": "eventually", "fairness": {"weak": ["fill"], "strong": []},
        "verdict": "holds", "expected": "holds", "counterexample": null,
    });
    assert_eq!(run["properties"][2], fair);
    let caught = json!({
        "name": "never_overflows", "kind": "always", "fairness": null, "verdict": "violated",
        "expected": "violated", "counterexample": {"length": 4, "file": null},
    });
    assert_eq!(document["runs"][1]["properties"][0], caught);
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_graph_has_one_arrow_between_two_states() {
    let ran = toys("graph tank/guarded@no_guard");
    assert_eq!(ran.code, 0);
    assert!(
        ran.output
            .starts_with("digraph \"tank/guarded@no_guard\" {"),
        "{ran:?}"
    );
    let mut arrows: Vec<_> = ran
        .output
        .lines()
        .filter_map(|line| Some(line.split_once(" [")?.0))
        .collect();
    arrows.retain(|arrow| arrow.contains("->"));
    let number = arrows.len();
    arrows.sort_unstable();
    arrows.dedup();
    assert_eq!((arrows.len(), ran.errors.as_str()), (number, ""));
}

#[test]
fn a_graph_that_is_cut_says_so() {
    let ran = toys("graph big --max-states 7");
    assert_eq!(ran.code, 0);
    assert_eq!(ran.output.matches("tooltip").count(), 7);
    assert!(ran.errors.contains("the first 7 states"), "{ran:?}");
}

#[test]
fn one_model_is_wanted_where_one_is_drawn() {
    let ran = toys("graph pair");
    assert_eq!(ran.code, 2);
    assert!(ran.errors.contains("pair/a, pair/b"), "{ran:?}");
}

#[test]
fn a_picture_needs_graphviz() {
    let ran = toys("graph tank --format svg");
    match ran.code {
        0 => assert!(ran.output.contains("<svg"), "{ran:?}"),
        _ => assert!(ran.code == 2 && ran.errors.contains("Graphviz"), "{ran:?}"),
    }
}
