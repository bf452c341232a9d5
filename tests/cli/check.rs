//! `concord check`: exit codes, limits, and what does not depend on threads.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;

use crate::support::{run, toys};
use crate::toy;

#[test]
fn a_system_that_holds_and_whose_faults_are_caught_gives_0() {
    let ran = toys("check tank --format json");
    assert_eq!(ran.code, 0, "{ran:?}");
    let document = ran.document();
    assert_eq!(document["schema"], "concord.check/1");
    assert_eq!(document["verdict"], "pass");
    let variants: Vec<_> = document["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["variant"])
        .collect();
    assert_eq!(variants, ["correct", "no_guard", "unfair"]);
}

#[test]
fn a_violated_correct_model_gives_1() {
    let ran = toys("check broken --format json");
    assert_eq!((ran.code, &ran.document()["verdict"]), (1, &"fail".into()));
}

#[test]
fn a_fault_that_escapes_gives_1() {
    assert_eq!(toys("check leaky").code, 1);
    assert_eq!(toys("check leaky --no-faults").code, 0);
    assert_eq!(toys("check leaky@harmless leaky/tank@harmless").code, 2);
    let ran = toys("check leaky/tank@harmless");
    assert_eq!(ran.code, 1);
    assert!(
        ran.output
            .contains("never_overflows holds: the fault escaped"),
        "{ran:?}"
    );
}

#[test]
fn an_action_that_never_fires_gives_1() {
    let ran = toys("check silent");
    assert_eq!(ran.code, 1);
    assert!(ran.output.contains("action steam never fired"), "{ran:?}");
    assert!(ran.output.contains("is_full is never reached"), "{ran:?}");
}

#[test]
fn a_limit_of_states_gives_3_and_is_named() {
    let ran = toys("check tank/guarded@correct --max-states 10");
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.output.contains("ended by --max-states after 10 states"),
        "{ran:?}"
    );
    let command = "concord check tank/guarded@correct --max-states 10 --threads 1";
    assert!(ran.output.contains(command), "{ran:?}");
}

#[test]
fn a_limit_of_time_is_for_all_runs_together() {
    let ran = toys("check big tank --timeout 0.3 --format json");
    assert_eq!(ran.code, 3, "{ran:?}");
    let document = ran.document();
    assert_eq!(document["verdict"], "inconclusive");
    assert!(document["seconds"].as_f64().unwrap() < 30.0);
    // The toys before the big one in the registry have had their time.
    let runs = document["runs"].as_array().unwrap();
    let big = runs.iter().find(|run| run["system"] == "big").unwrap();
    assert_eq!(big["complete"], false);
}

#[test]
fn runs_that_had_no_time_are_told_in_one_list() {
    let ran = toys("check big pair --timeout 2");
    assert_eq!(ran.code, 3);
    let text = "2 runs\n  --timeout was over before they began:\n  pair/a\n  pair/b\n";
    assert!(ran.output.contains(text), "{ran:?}");
    assert!(
        ran.output
            .contains("inconclusive big/tanks\n  ended by --timeout"),
        "{ran:?}"
    );
}

#[test]
fn a_limit_of_memory_gives_3_and_is_named() {
    let ran = toys("check big --memory 1MiB");
    assert_eq!(ran.code, 3);
    assert!(ran.output.contains("ended by --memory"), "{ran:?}");
}

#[test]
fn a_violation_outranks_a_limit() {
    assert_eq!(toys("check broken big --max-states 100").code, 1);
}

#[test]
fn an_interrupt_gives_130_and_what_is_known() {
    let interrupt = Arc::new(AtomicBool::new(true));
    let ran = run(toy::SYSTEMS, "check big tank --format json", &interrupt);
    assert_eq!(ran.code, 130);
    let document = ran.document();
    assert_eq!(document["verdict"], "inconclusive");
    assert_eq!(document["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_panic_of_a_model_gives_70() {
    let ran = toys("check panicking");
    assert_eq!(ran.code, 70);
    assert!(ran.errors.contains("please report"), "{ran:?}");
}

#[test]
fn a_selection_of_nothing_gives_2() {
    assert_eq!(toys("check bare").code, 2);
    assert_eq!(toys("check broken --faults").code, 2);
    assert_eq!(toys("check tank/guarded@no_guard --no-faults").code, 2);
}

#[test]
fn names_that_overlap_are_checked_once_in_the_order_of_the_registry() {
    let ran = toys("check pair tank/guarded@no_guard tank/guarded@no_guard --format json");
    let document = ran.document();
    let names: Vec<_> = document["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| format!("{}@{}", run["model"], run["variant"]).replace('"', ""))
        .collect();
    assert_eq!(
        names,
        ["tank/guarded@no_guard", "pair/a@correct", "pair/b@correct"]
    );
}

#[test]
fn the_report_does_not_depend_on_threads() {
    let names = "check tank leaky broken silent pair --format json";
    let of = |threads| {
        let mut document = toys(&format!("{names} --threads {threads}")).document();
        remove_what_varies(&mut document);
        document
    };
    assert_eq!(of(1), of(2));
    let limited = |threads| {
        let arguments = format!("check big --max-states 3000 --threads {threads} --format json");
        let mut document = toys(&arguments).document();
        remove_what_varies(&mut document);
        document
    };
    assert_eq!(limited(1), limited(2));
}

fn remove_what_varies(document: &mut Value) {
    document.as_object_mut().unwrap().remove("seconds");
    for run in document["runs"].as_array_mut().unwrap() {
        for field in ["seconds", "states_per_second", "threads", "peak_bytes"] {
            assert!(
                run.as_object_mut().unwrap().remove(field).is_some(),
                "{field}"
            );
        }
    }
}

#[test]
fn wrong_usage_gives_2() {
    for arguments in [
        "check tank --faults --no-faults",
        "check tank --threads 0",
        "check tank --max-states 0",
        "check tank --timeout 0",
        "check tank --memory 5apples",
        "check tank --budget huge",
        "check tank --format xml",
        "replay tank",
        "rerun",
        "explore",
        "graph tank --format png",
        "nothing",
        "",
    ] {
        let ran = toys(arguments);
        assert_eq!(ran.code, 2, "{arguments}: {ran:?}");
        assert!(ran.output.is_empty(), "{ran:?}");
        assert!(
            ran.errors.contains("--help") || ran.errors.contains("Usage"),
            "{arguments}: {ran:?}"
        );
    }
}
