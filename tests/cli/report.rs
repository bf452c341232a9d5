//! `concord report`: what it writes, and that a change is noticed.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use concord::models::registry::System;
use serde_json::Value;
use tempfile::tempdir;

use crate::support::{Ran, run};
use crate::toy;

fn report(systems: &'static [System], out: &Path, options: &str) -> Ran {
    let none = out.join("no-criterion").display().to_string();
    let arguments = format!(
        "report --out {} --criterion {none} {options}",
        out.display()
    );
    run(systems, &arguments, &Arc::default())
}

#[test]
fn reports_are_written_and_then_checked() {
    let directory = tempdir().unwrap();
    let out = directory.path().join("reports");
    let missing = report(toy::PASSING, &out, "--check");
    assert_eq!(missing.code, 1);
    assert!(
        missing.output.contains("state-space.json: is missing"),
        "{missing:?}"
    );
    assert!(!out.exists());

    let written = report(toy::PASSING, &out, "");
    assert_eq!(written.code, 0, "{written:?}");
    assert!(
        written.errors.contains("benchmarks.md stays as it is"),
        "{written:?}"
    );
    assert_eq!(report(toy::PASSING, &out, "--check").code, 0);

    let text = fs::read_to_string(out.join("state-space.json")).unwrap();
    let spaces: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(spaces["models"]["tank/guarded"]["states"], 16);
    assert!(!text.contains("seconds"), "{text}");
    insta::assert_snapshot!(fs::read_to_string(out.join("faults.md")).unwrap());
}

#[test]
fn the_first_difference_is_named() {
    let directory = tempdir().unwrap();
    let out = directory.path();
    report(toy::PASSING, out, "");
    let ran = report(toy::CHANGED, out, "--check");
    assert_eq!(ran.code, 1);
    let difference = "[models][tank/guarded][bounds][capacity] is kept as 3, this build gives 4";
    assert!(ran.output.contains(difference), "{ran:?}");

    report(toy::CHANGED, out, "");
    let file = out.join("faults.md");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("can be filled", "cannot be filled")).unwrap();
    let ran = report(toy::CHANGED, out, "--check");
    assert_eq!(ran.code, 1);
    assert!(ran.output.contains("faults.md: line "), "{ran:?}");
    assert!(
        ran.output
            .contains("this build gives `A full tank can be filled.`"),
        "{ran:?}"
    );
}

#[test]
fn a_fault_that_escapes_is_reported_and_not_passed_over() {
    const LEAKY: &[System] = toy::SYSTEMS.split_at(2).0.split_at(1).1;
    let directory = tempdir().unwrap();
    let ran = report(LEAKY, directory.path(), "");
    assert_eq!(ran.code, 1);
    assert!(
        ran.errors.contains("leaky/tank@harmless: ESCAPED"),
        "{ran:?}"
    );
    let faults = fs::read_to_string(directory.path().join("faults.md")).unwrap();
    assert!(
        faults.contains("**not caught** by `never_overflows`"),
        "{faults}"
    );
}
