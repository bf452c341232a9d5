//! Files that `concord check` writes.

use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use crate::support::toys;

#[test]
fn counterexamples_are_saved_under_the_names_that_the_document_gives() {
    let directory = tempdir().unwrap();
    let out = directory
        .path()
        .join("new")
        .join("and deeper")
        .display()
        .to_string();
    // The arguments of `toys` are separated by spaces.
    let out = out.replace(' ', "-");
    let name = "tank-guarded-no_guard-never_overflows.json";
    for _ in 0..2 {
        let ran = toys(&format!("check tank --out {out} --format json"));
        let document = ran.document();
        let reference = &document["runs"][1]["properties"][0]["counterexample"];
        assert_eq!(reference["file"], name);
    }
    let text = fs::read_to_string(format!("{out}/{name}")).unwrap();
    let saved: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(saved["schema"], "concord.counterexample/1");
    assert_eq!(saved["steps"].as_array().unwrap().len(), 4);
    assert_eq!(fs::read_dir(out).unwrap().count(), 2);
}

#[test]
fn junit_has_a_suite_per_model_and_a_case_per_property_and_fault() {
    let xml = junit("check tank leaky broken");
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let suites: Vec<_> = report
        .test_suites
        .iter()
        .map(|suite| {
            (
                suite.name.as_str(),
                suite.tests,
                suite.failures,
                suite.errors,
            )
        })
        .collect();
    let expected = [
        ("tank/guarded", 6, 0, 0),
        ("leaky/tank", 5, 1, 0),
        ("broken/tank", 4, 2, 0),
    ];
    assert_eq!(suites, expected);
    assert!(
        xml.contains("concord check broken/tank@correct --threads 1"),
        "{xml}"
    );
    assert!(xml.contains("fill tank 0"), "{xml}");
}

#[test]
fn junit_calls_what_is_open_an_error() {
    let xml = junit("check big --max-states 100");
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((report.failures, report.errors), (0, 4), "{xml}");
    assert!(xml.contains("--max-states 100"), "{xml}");
}

fn junit(arguments: &str) -> String {
    let directory = tempdir().unwrap();
    let file = directory.path().join("check.xml");
    toys(&format!("{arguments} --junit {}", file.display()));
    fs::read_to_string(file).unwrap()
}

#[test]
fn a_file_that_cannot_be_written_gives_2_before_anything_is_checked() {
    for option in ["--out", "--junit"] {
        let ran = toys(&format!("check big {option} /dev/null/nowhere"));
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.errors.contains("/dev/null/nowhere"), "{ran:?}");
    }
}
