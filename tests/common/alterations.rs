//! Traces whose results are not what they should be, or whose lines cannot be used.

use serde_json::{Map, Value, json};

/// A trace with another text in one line, counted from 1.
pub(crate) fn with(trace: &str, line: usize, text: &str) -> String {
    let mut lines: Vec<&str> = trace.lines().collect();
    lines[line - 1] = text;
    lines.join("\n") + "\n"
}

/// The steps of a trace with their lines.
pub(crate) fn steps(trace: &str) -> impl Iterator<Item = (usize, Value)> {
    let lines = (1..).zip(trace.lines()).skip(1);
    lines.map(|(line, text)| (line, serde_json::from_str(text).expect("a trace is JSON")))
}

/// Asserts that each altered result of a trace diverges at its line, and says how many there were.
pub(crate) fn assert_each_altered_result_diverges(
    trace: &str,
    verdict: impl Fn(&str) -> String,
) -> usize {
    let mut alterations = 0;
    for (line, step) in steps(trace) {
        let expected = format!("diverges {line} {}", step["op"].as_str().expect("an op"));
        for result in altered_results(&step) {
            let mut wrong = step.clone();
            let members = wrong.as_object_mut().expect("a step is an object");
            members.remove("returns");
            members.remove("fails");
            members.extend(result);
            let text = wrong.to_string();
            assert_eq!(verdict(&with(trace, line, &text)), expected, "{text}");
            alterations += 1;
        }
    }
    alterations
}

/// Asserts that each step of a trace is unusable, and by which field, if that is missing or unknown, or if an
/// argument is `wrong`, which is of no argument's type. The `optional` ones may be missing.
pub(crate) fn assert_each_malformed_line_is_unusable(
    trace: &str,
    wrong: &Value,
    optional: &[&str],
    verdict: impl Fn(&str) -> String,
) {
    for (line, step) in steps(trace) {
        let unusable = |step: &Value, field: &str| {
            let text = step.to_string();
            let expected = format!("unusable {line} {field}");
            assert_eq!(verdict(&with(trace, line, &text)), expected, "{text}");
        };
        let without = |names: &[&str]| {
            let mut step = step.clone();
            let members = step.as_object_mut().expect("a step is an object");
            members.retain(|name, _| !names.contains(&name.as_str()));
            step
        };
        unusable(&without(&["op"]), "op");
        unusable(&without(&["args"]), "args");
        unusable(&without(&["returns", "fails"]), "returns");
        let mut unknown = step.clone();
        unknown["op"] = json!(format!("un{}", step["op"].as_str().expect("an op")));
        unusable(&unknown, "op");
        for name in step["args"].as_object().expect("an object").keys() {
            let mut changed = step.clone();
            changed["args"][name] = wrong.clone();
            unusable(&changed, &format!("args.{name}"));
            if !optional.contains(&name.as_str()) {
                let args = changed["args"].as_object_mut().expect("an object");
                args.remove(name);
                unusable(&changed, &format!("args.{name}"));
            }
        }
    }
}

/// Asserts that each line of a trace is unusable if it is cut short.
pub(crate) fn assert_each_cut_line_is_unusable(trace: &str, verdict: impl Fn(&str) -> String) {
    for (line, text) in (1..).zip(trace.lines()) {
        for kept in (0..text.len()).step_by(7) {
            let cut = with(trace, line, &text[..kept]);
            assert_eq!(verdict(&cut), format!("unusable {line} "), "{cut}");
        }
    }
}

/// Results that differ from that of a step in one number, string, flag, or by one element.
pub(crate) fn altered_results(step: &Value) -> Vec<Map<String, Value>> {
    let results = match step["fails"].as_str() {
        Some(code) => vec![
            ("fails", json!(format!("{code}x"))),
            ("fails", json!("")),
            ("returns", json!(code)),
            ("returns", Value::Null),
        ],
        None => {
            let values = altered(&step["returns"]).into_iter();
            let values = values.map(|value| ("returns", value));
            values.chain([("fails", json!("node_down"))]).collect()
        }
    };
    let results = results.into_iter();
    results
        .map(|(kind, value)| Map::from_iter([(kind.to_owned(), value)]))
        .collect()
}

/// Every value that differs from `value` in one number, string, flag, or by one element.
fn altered(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => vec![json!(0), json!({})],
        Value::Bool(flag) => vec![json!(!flag)],
        Value::Number(number) => {
            let other = match number.as_u64() {
                Some(number) => json!(number ^ 1),
                None => json!(0),
            };
            vec![other, json!(number.as_f64()), json!(number.to_string())]
        }
        Value::String(text) => vec![json!(format!("{text}0")), Value::Null],
        Value::Array(items) => {
            let inner = (0..items.len()).flat_map(|at| {
                let changed = altered(&items[at]).into_iter().map(move |item| (at, item));
                changed.map(|(at, item)| {
                    let mut items = items.clone();
                    items[at] = item;
                    Value::Array(items)
                })
            });
            let longer = [items.clone(), vec![json!("more")]].concat();
            let shorter = items.split_last().map(|(_, rest)| json!(rest));
            inner.chain([json!(longer)]).chain(shorter).collect()
        }
        Value::Object(members) => {
            let inner = members.iter().flat_map(|(name, value)| {
                altered(value).into_iter().map(|value| {
                    let mut members = members.clone();
                    members.insert(name.clone(), value);
                    Value::Object(members)
                })
            });
            let fewer = members.keys().map(|name| {
                let mut members = members.clone();
                members.remove(name);
                Value::Object(members)
            });
            let mut more = members.clone();
            more.insert("more".into(), json!(1));
            inner.chain(fewer).chain([Value::Object(more)]).collect()
        }
    }
}
