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
fn the_header_alone_conforms() {
    let header = SAMPLE.lines().next().expect("a header");
    assert_eq!(verdict(header), "conforms 0");
}

#[test]
fn each_altered_result_of_the_sample_diverges_at_its_line() {
    let alterations = assert_each_altered_result_diverges(SAMPLE, verdict);
    assert!(alterations > 500, "{alterations}");
}

#[test]
fn each_malformed_line_of_the_sample_is_unusable_by_its_field() {
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
        let mut surplus = step.clone();
        surplus["args"]["surplus"] = Value::Null;
        unusable(&surplus, "args.surplus");
        for name in step["args"].as_object().expect("an object").keys() {
            let mut wrong = step.clone();
            wrong["args"][name] = json!(1.5);
            unusable(&wrong, &format!("args.{name}"));
            let args = wrong["args"].as_object_mut().expect("an object");
            args.remove(name);
            unusable(&wrong, &format!("args.{name}"));
        }
    }
}

#[test]
fn each_cut_line_of_the_sample_is_unusable() {
    for (line, text) in (1..).zip(SAMPLE.lines()) {
        for kept in (0..text.len()).step_by(7) {
            let cut = with(line, &text[..kept]);
            assert_eq!(verdict(&cut), format!("unusable {line} "), "{cut}");
        }
    }
}

#[test]
fn form_does_not_matter() {
    let windows = SAMPLE.replace('\n', "\r\n");
    let surplus = SAMPLE
        .replace(r#""op":"start""#, r#""at":[1.5],"op":"start""#)
        .replace(r#""config":{"#, r#""more":1,"config":{"more":[],"#);
    let last_counts = SAMPLE
        .replace(r#""node":"#, r#""node":7,"node":"#)
        .replace(r#""group_id":"#, r#""group_id":null,"group_id":"#)
        .replace(r#""level":1"#, r#""level":3,"level":1"#);
    let backwards = backwards(SAMPLE);
    for file in [
        &windows,
        SAMPLE.trim_end(),
        windows.trim_end(),
        &surplus,
        &last_counts,
        &backwards,
    ] {
        assert_eq!(verdict(file), "conforms 29", "{file}");
    }
    assert_eq!(verdict(&format!("{SAMPLE}\n")), "unusable 31 ");
}
