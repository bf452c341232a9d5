//! The sample conforms, and each of its lines matters.

use serde_json::{Map, Value, json};

use super::{SAMPLE, verdict};
use crate::members::backwards;

/// The sample with another text in one line, counted from 1.
fn with(line: usize, text: &str) -> String {
    let mut lines: Vec<&str> = SAMPLE.lines().collect();
    lines[line - 1] = text;
    lines.join("\n") + "\n"
}

/// The steps of the sample with their lines.
fn steps() -> impl Iterator<Item = (usize, Value)> {
    let lines = SAMPLE.lines().enumerate().skip(1);
    lines.map(|(at, text)| {
        (
            at + 1,
            serde_json::from_str(text).expect("the sample is JSON"),
        )
    })
}

/// Results that differ from that of a step in one number, string, flag, or by one element.
pub(super) fn altered_results(step: &Value) -> Vec<Map<String, Value>> {
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

#[test]
fn the_sample_conforms() {
    assert_eq!(verdict(SAMPLE), "conforms 29");
}

#[test]
fn each_altered_result_of_the_sample_diverges_at_its_line() {
    let mut alterations = 0;
    for (line, step) in steps() {
        let expected = format!("diverges {line} {}", step["op"].as_str().expect("an op"));
        for result in altered_results(&step) {
            let mut wrong = step.clone();
            let members = wrong.as_object_mut().expect("a step is an object");
            members.remove("returns");
            members.remove("fails");
            members.extend(result);
            assert_eq!(
                verdict(&with(line, &wrong.to_string())),
                expected,
                "{wrong}"
            );
            alterations += 1;
        }
    }
    assert!(alterations > 300, "{alterations}");
}

#[test]
fn each_malformed_line_of_the_sample_is_unusable_by_its_field() {
    let optional = ["create", "delete", "append", "expunge", "store"];
    for (line, step) in steps() {
        let unusable = |step: &Value, field: &str| {
            let text = step.to_string();
            let expected = format!("unusable {line} {field}");
            assert_eq!(verdict(&with(line, &text)), expected, "{text}");
        };
        let without = |name: &str| {
            let mut step = step.clone();
            step.as_object_mut().expect("an object").remove(name);
            step
        };
        unusable(&without("op"), "op");
        unusable(&without("args"), "args");
        let mut bare = without("returns");
        bare.as_object_mut().expect("an object").remove("fails");
        unusable(&bare, "returns");
        let mut unknown = step.clone();
        unknown["op"] = json!(format!("un{}", step["op"].as_str().expect("an op")));
        unusable(&unknown, "op");
        for name in step["args"].as_object().expect("an object").keys() {
            let mut wrong = step.clone();
            // No argument is a flag.
            wrong["args"][name] = json!(true);
            unusable(&wrong, &format!("args.{name}"));
            if !optional.contains(&name.as_str()) {
                let args = wrong["args"].as_object_mut().expect("an object");
                args.remove(name);
                unusable(&wrong, &format!("args.{name}"));
            }
        }
    }
}

#[test]
fn each_cut_line_of_the_sample_is_unusable() {
    for (line, text) in (1..).zip(SAMPLE.lines()) {
        for kept in (0..text.len()).step_by(7) {
            let cut = &text[..kept];
            assert_eq!(
                verdict(&with(line, cut)),
                format!("unusable {line} "),
                "{cut}"
            );
        }
    }
}

#[test]
fn form_does_not_matter() {
    let windows = SAMPLE.replace('\n', "\r\n");
    let surplus = SAMPLE
        .replace(r#""op":"#, r#""at":[1.5],"op":"#)
        .replace(r#""args":{""#, r#""args":{"surplus":-1.5,""#);
    let last_counts = SAMPLE
        .replace(r#""node":"#, r#""node":7,"node":"#)
        .replace(r#""raw":"#, r#""raw":[],"raw":"#)
        .replace(
            r#""profile":"text""#,
            r#""profile":"framed","profile":"text""#,
        );
    let nulls = SAMPLE
        .replace(r#""profile":"#, r#""clocks":null,"profile":"#)
        .replace(
            r#""args":{"node":"c"},"returns":{"applied""#,
            r#""args":{"limit":null,"node":"c"},"returns":{"applied""#,
        );
    let backwards = backwards(SAMPLE);
    for file in [
        &windows,
        SAMPLE.trim_end(),
        windows.trim_end(),
        &surplus,
        &last_counts,
        &nulls,
        &backwards,
    ] {
        assert_eq!(verdict(file), "conforms 29", "{file}");
    }
    assert_eq!(verdict(&format!("{SAMPLE}\n")), "unusable 31 ");
}
