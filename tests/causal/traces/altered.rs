//! The sample conforms, and each of its lines matters.

use serde_json::{Value, json};

use super::{SAMPLE, verdict};
use crate::alterations::{self, assert_each_altered_result_diverges};
use crate::members::backwards;

/// The sample with another text in one line, counted from 1.
fn with(line: usize, text: &str) -> String {
    alterations::with(SAMPLE, line, text)
}

/// The steps of the sample with their lines.
fn steps() -> impl Iterator<Item = (usize, Value)> {
    alterations::steps(SAMPLE)
}

#[test]
fn the_sample_conforms() {
    assert_eq!(verdict(SAMPLE), "conforms 29");
}

#[test]
fn each_altered_result_of_the_sample_diverges_at_its_line() {
    let alterations = assert_each_altered_result_diverges(SAMPLE, verdict);
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
