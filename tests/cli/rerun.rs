//! `concord rerun`: what `concord check --out` saved, executed again.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::{Ran, toys};

/// The counterexamples of `tank`, changed by `change`, executed again.
fn rerun(property: &str, change: impl FnOnce(&mut Value)) -> Ran {
    let (_directory, file) = saved(property);
    let mut document: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    change(&mut document);
    fs::write(&file, document.to_string()).unwrap();
    toys(&format!("rerun {} --format json", file.display()))
}

fn saved(property: &str) -> (TempDir, PathBuf) {
    let directory = tempdir().unwrap();
    let out = directory.path().display();
    assert_eq!(toys(&format!("check tank --out {out}")).code, 0);
    let file = directory
        .path()
        .join(format!("tank-guarded-{property}.json"));
    (directory, file)
}

const OVERFLOW: &str = "no_guard-never_overflows";
const NO_WATER: &str = "unfair-gets_water";

#[test]
fn what_was_saved_is_confirmed() {
    for property in [OVERFLOW, NO_WATER] {
        let ran = rerun(property, |_| {});
        assert_eq!(ran.code, 0, "{ran:?}");
        let document = ran.document();
        assert_eq!(document["schema"], "concord.rerun/1");
        assert_eq!(
            (&document["verdict"], &document["step"]),
            (&json!("confirmed"), &json!(null))
        );
    }
}

#[test]
fn a_step_that_is_not_enabled_or_leads_elsewhere_is_named() {
    let ran = rerun(OVERFLOW, |saved| {
        saved["steps"][1]["action"] = json!({"drain": 1})
    });
    assert_eq!(
        (ran.code, &ran.document()["step"]),
        (1, &json!(1)),
        "{ran:?}"
    );
    let ran = rerun(OVERFLOW, |saved| {
        saved["steps"][2]["state"] = json!("0123456789abcdef")
    });
    assert_eq!(
        (ran.code, &ran.document()["step"]),
        (1, &json!(2)),
        "{ran:?}"
    );
    assert_eq!(ran.document()["verdict"], "not_reproduced");
}

#[test]
fn what_violates_nothing_is_not_reproduced() {
    let shorten = |saved: &mut Value| drop(saved["steps"].as_array_mut().unwrap().pop());
    assert_eq!(rerun(OVERFLOW, shorten).code, 1);
}

#[test]
fn what_names_the_unknown_is_unusable() {
    for (field, value) in [
        ("schema", json!("concord.counterexample/2")),
        ("system", json!("tanks")),
        ("model", json!("tank/other")),
        ("variant", json!("other")),
        ("property", json!("other")),
        ("bounds", json!({"tanks": 99})),
        (
            "steps",
            json!([{"action": "explode", "text": "", "state": ""}]),
        ),
        ("steps", json!(7)),
    ] {
        let ran = rerun(OVERFLOW, |saved| saved[field] = value);
        assert_eq!(ran.code, 2, "{field}: {ran:?}");
        assert_eq!(ran.document()["verdict"], "unusable", "{field}");
        assert!(!ran.errors.is_empty(), "{field}");
    }
}

#[test]
fn the_worst_of_several_files_decides() {
    let (directory, good) = saved(OVERFLOW);
    let bad = directory.path().join("bad.json");
    fs::write(&bad, "no json").unwrap();
    let files = format!("{} {} missing.json", bad.display(), good.display());
    let ran = toys(&format!("rerun {files} --format json"));
    assert_eq!(ran.code, 2);
    let verdicts: Vec<_> = ran
        .documents()
        .iter()
        .map(|d| d["verdict"].clone())
        .collect();
    assert_eq!(verdicts, ["unusable", "confirmed", "unusable"]);
    assert_eq!(ran.documents()[2]["file"], "missing.json");
    let people = toys(&format!("rerun {files}"));
    assert!(
        people
            .output
            .contains("no_guard-never_overflows.json: confirmed\n"),
        "{people:?}"
    );
}
