//! Short traces: `[node] op arg=value ... -> result` or `... ! code`, one step a line.
//!
//! A value that reads as JSON is that, any other is a string; a line that begins with a brace stands
//! for itself.

use concord::systems::replay::{Outcome, Replayed};
use serde_json::{Map, Value, json};

/// A trace of `system` with these steps.
pub(crate) fn trace(system: &str, config: &Value, steps: &str) -> String {
    let header = json!({"trace": "concord/1", "system": system, "config": config});
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
    let (call, mut step) = match line.split_once(" -> ") {
        Some((call, result)) => (call, json!({ "returns": value(result) })),
        None => {
            let (call, code) = line.split_once(" ! ").expect("a step has a result");
            (call, json!({ "fails": code }))
        }
    };
    let mut bare = Vec::new();
    let mut args = Map::new();
    for word in call.split_whitespace() {
        match word.split_once('=') {
            Some((name, text)) => drop(args.insert(name.into(), value(text))),
            None => bare.push(word),
        }
    }
    step["op"] = json!(bare.pop());
    for node in bare {
        args.insert("node".into(), json!(node));
    }
    step["args"] = Value::Object(args);
    step
}

/// The verdict in one line: `conforms 3`, `diverges 5 read`, `unusable 4 args.key`.
pub(crate) fn verdict(replayed: Replayed) -> String {
    match replayed.outcome {
        Outcome::Conforms => format!("conforms {}", replayed.steps),
        Outcome::Diverges(divergence) => format!("diverges {} {}", divergence.line, divergence.op),
        Outcome::Unusable { line, flaw } => {
            format!("unusable {line} {}", flaw.field.unwrap_or_default())
        }
    }
}
