//! The sample conforms, and each of its lines matters.

use serde_json::json;

use super::{SAMPLE, verdict};
use crate::alterations::{
    assert_each_altered_result_diverges, assert_each_cut_line_is_unusable,
    assert_each_malformed_line_is_unusable,
};
use crate::members::backwards;

#[test]
fn the_sample_conforms() {
    assert_eq!(verdict(SAMPLE), "conforms 26");
}

#[test]
fn each_altered_result_of_the_sample_diverges_at_its_line() {
    let alterations = assert_each_altered_result_diverges(SAMPLE, verdict);
    assert!(alterations > 250, "{alterations}");
}

#[test]
fn each_malformed_line_of_the_sample_is_unusable_by_its_field() {
    assert_each_malformed_line_is_unusable(SAMPLE, &json!(1.5), &[], verdict);
}

#[test]
fn each_cut_line_of_the_sample_is_unusable() {
    assert_each_cut_line_is_unusable(SAMPLE, verdict);
}

#[test]
fn form_does_not_matter() {
    let windows = SAMPLE.replace('\n', "\r\n");
    let surplus = SAMPLE
        .replace(r#""op":"#, r#""at":[1.5],"op":"#)
        .replace(r#""args":{""#, r#""args":{"surplus":-1.5,""#)
        .replace(r#""fields":{""#, r#""fields":{"surplus":null,""#)
        .replace(r#"[{"address":"#, r#"[{"bin":7,"address":"#)
        .replace(r#""config":{"#, r#""config":{"more":[],"#);
    let last_counts = SAMPLE
        .replace(r#""node":"#, r#""node":7,"node":"#)
        .replace(r#""idle":"#, r#""idle":null,"idle":"#)
        .replace(r#""bins":32"#, r#""bins":33,"bins":32"#);
    let backwards = backwards(SAMPLE);
    for file in [
        &windows,
        SAMPLE.trim_end(),
        windows.trim_end(),
        &surplus,
        &last_counts,
        &backwards,
    ] {
        assert_eq!(verdict(file), "conforms 26", "{file}");
    }
    assert_eq!(verdict(&format!("{SAMPLE}\n")), "unusable 28 ");
}
