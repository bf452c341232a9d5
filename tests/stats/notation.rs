//! Short traces: `node op arg=value ... -> result` or `... ! code`, one step a line.
//!
//! A value that reads as JSON is that, any other is a string; a line that begins with a brace stands
//! for itself.

use std::io::Cursor;

use concord::systems::replay::{Outcome, Replayed};
use concord::systems::stats::trace::replay;
use serde_json::{Map, Value, json};

pub(crate) fn run(trace: &str) -> Replayed {
    replay(Cursor::new(trace)).expect("reading from memory does not fail")
}

/// A trace of nodes a, b and c.
pub(crate) fn trace(layout: &str, steps: &str) -> String {
    let config = json!({"layout": layout, "nodes": ["a", "b", "c"]});
    let header = json!({"trace": "concord/1", "system": "stats", "config": config});
    let steps = steps.lines().map(str::trim).filter(|line| !line.is_empty());
    let steps = steps.map(|line| match line.starts_with('{') {
        true => line.to_owned(),
        false => step(line).to_string(),
    });
    let lines: Vec<String> = [header.to_string()].into_iter().chain(steps).collect();
    lines.join("\n")
}

fn step(line: &str) -> Value {
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    let (call, result) = match line.split_once(" -> ") {
        Some((call, result)) => (call, json!({ "returns": value(result) })),
        None => {
            let (call, code) = line.split_once(" ! ").expect("a step has a result");
            (call, json!({ "fails": code }))
        }
    };
    let mut words = call.split_whitespace();
    let mut args = Map::new();
    args.insert("node".into(), json!(words.next()));
    let op = json!(words.next());
    for word in words {
        let (name, text) = word.split_once('=').expect("an argument has a value");
        args.insert(name.into(), value(text));
    }
    let mut step = result;
    step["op"] = op;
    step["args"] = Value::Object(args);
    step
}

pub(crate) fn conforms(steps: &str) {
    conforms_in("documented", steps);
}

pub(crate) fn conforms_in(layout: &str, steps: &str) {
    let replayed = run(&trace(layout, steps));
    assert_eq!(replayed.outcome, Outcome::Conforms, "{steps}");
}

/// The file is unusable at its last line, by this field.
pub(crate) fn unusable(steps: &str, field: Option<&str>) {
    let trace = trace("documented", steps);
    let Outcome::Unusable { line, flaw } = run(&trace).outcome else {
        panic!("usable: {steps}");
    };
    assert_eq!(line, trace.lines().count() as u64, "{steps}");
    assert_eq!(flaw.field.as_deref(), field, "{steps}");
}
