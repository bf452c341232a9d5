//! The sample conforms, and each of its lines matters.

use serde_json::{Value, json};

use super::{SAMPLE, verdict};
use crate::alterations::{
    assert_each_altered_result_diverges, assert_each_cut_line_is_unusable,
    assert_each_malformed_line_is_unusable, steps, with,
};
use crate::members::backwards;

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
    assert_each_malformed_line_is_unusable(SAMPLE, &json!(1.5), &[], verdict);
    for (line, mut step) in steps(SAMPLE) {
        step["args"]["surplus"] = Value::Null;
        let surplus = with(SAMPLE, line, &step.to_string());
        assert_eq!(verdict(&surplus), format!("unusable {line} args.surplus"));
    }
}

#[test]
fn each_cut_line_of_the_sample_is_unusable() {
    assert_each_cut_line_is_unusable(SAMPLE, verdict);
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
