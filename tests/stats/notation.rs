//! Short traces of nodes a, b and c.

use std::io::Cursor;

use concord::systems::replay::{Outcome, Replayed};
use concord::systems::stats::trace::replay;
use serde_json::json;

use super::steps;

pub(crate) fn run(trace: &str) -> Replayed {
    replay(Cursor::new(trace)).expect("reading from memory does not fail")
}

pub(crate) fn trace(layout: &str, lines: &str) -> String {
    let config = json!({"layout": layout, "nodes": ["a", "b", "c"]});
    steps::trace("stats", &config, lines)
}

pub(crate) fn conforms(steps: &str) {
    conforms_in("documented", steps);
}

pub(crate) fn conforms_in(layout: &str, steps: &str) {
    let replayed = run(&trace(layout, steps));
    assert_eq!(replayed.outcome, Outcome::Conforms, "{steps}");
}

/// The file is unusable at its last line, by this field.
pub(crate) fn unusable(lines: &str, field: Option<&str>) {
    let trace = trace("documented", lines);
    let expected = format!(
        "unusable {} {}",
        trace.lines().count(),
        field.unwrap_or_default()
    );
    assert_eq!(steps::verdict(run(&trace)), expected, "{lines}");
}
