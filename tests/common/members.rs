//! Traces whose members stand in another order.

use serde_json::{Value, json};

/// A trace whose every line has its members in descending order, with blanks between.
pub(crate) fn backwards(trace: &str) -> String {
    let lines = trace.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("the trace is JSON");
        let members = line.as_object().expect("a line is an object").iter().rev();
        let members = members.map(|(name, value)| format!("{} : {value}", json!(name)));
        format!("{{ {} }}", members.collect::<Vec<_>>().join(" , "))
    });
    lines.collect::<Vec<_>>().join("\n")
}
