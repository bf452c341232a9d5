//! Traces by hand: what each operation answers (11).

mod altered;
mod codecs;
mod forms;
mod nodes;
mod random;
mod recorder;

use std::io::Cursor;

use concord::systems::causal::trace::replay;
use concord::systems::replay::Replayed;
use serde_json::{Value, json};

use super::notation;

const SAMPLE: &str = include_str!("traces/causal-sample.jsonl");

fn run(trace: &str) -> Replayed {
    replay(Cursor::new(trace)).expect("reading from memory does not fail")
}

fn verdict(trace: &str) -> String {
    notation::verdict(run(trace))
}

/// A trace of nodes a, b, c.
fn trace(profile: &str, steps: &str) -> String {
    let config = json!({"profile": profile, "nodes": ["a", "b", "c"]});
    notation::trace("causal", &config, steps)
}

/// The trace is as the reference does it, to the last step.
#[track_caller]
fn conforms(profile: &str, steps: &str) {
    conforms_to(
        &json!({"profile": profile, "nodes": ["a", "b", "c"]}),
        steps,
    );
}

#[track_caller]
fn conforms_to(config: &Value, steps: &str) {
    let trace = notation::trace("causal", config, steps);
    let expected = format!("conforms {}", trace.lines().count() - 1);
    let replayed = run(&trace);
    let told = replayed.to_json("causal", "x").to_string();
    assert_eq!(notation::verdict(replayed), expected, "{told}");
}

/// What stands in traces for these bytes.
fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// What a connection carries for this line.
fn connection(line: &str) -> String {
    hex(format!("> ping <\r\n{line}\r\n"))
}
