//! Traces by hand: what each operation answers, and which choices it takes (section 7).

use std::io::Cursor;

use concord::systems::broadcast::trace::replay;
use concord::systems::replay::Replayed;
use serde_json::{Value, json};

use super::notation;

pub(crate) const SAMPLE: &str = include_str!("traces/broadcast-sample.jsonl");

fn run(trace: &str) -> Replayed {
    replay(Cursor::new(trace)).expect("reading from memory does not fail")
}

pub(crate) fn verdict(trace: &str) -> String {
    notation::verdict(run(trace))
}

pub(crate) fn trace(capacity: u64, steps: &str) -> String {
    notation::trace("broadcast", &json!({"capacity": capacity}), steps)
}

/// The trace is as the reference does it, to the last step.
#[track_caller]
fn conforms(capacity: u64, steps: &str) {
    let trace = trace(capacity, steps);
    let expected = format!("conforms {}", trace.lines().count() - 1);
    assert_eq!(verdict(&trace), expected, "{:?}", run(&trace));
}

/// After `before`, the file is unusable at its last line, by this field.
#[track_caller]
pub(crate) fn unusable(before: &str, last: &str, field: &str) {
    let trace = trace(1, &format!("{before}\n{last}"));
    let expected = format!("unusable {} {field}", trace.lines().count());
    assert_eq!(verdict(&trace), expected, "{last}");
}

#[test]
fn the_sample_conforms() {
    assert_eq!(verdict(SAMPLE), "conforms 24");
}

#[test]
fn each_wrong_result_of_the_sample_diverges_at_its_line() {
    let lines: Vec<&str> = SAMPLE.lines().collect();
    for at in 1..lines.len() {
        let mut step: Value = serde_json::from_str(lines[at]).expect("the sample is JSON");
        let op = step["op"].as_str().expect("a step has an operation");
        let expected = format!("diverges {} {op}", at + 1);
        let members = step.as_object_mut().expect("a step is an object");
        let told = [members.remove("returns"), members.remove("fails")];
        for (kind, result) in [
            ("returns", json!("altered")),
            ("returns", json!({"returns": told[0]})),
            ("fails", json!("altered")),
            ("fails", json!("")),
        ] {
            let mut wrong = step.clone();
            wrong[kind] = result;
            let mut lines: Vec<String> = lines.iter().map(|line| (*line).into()).collect();
            lines[at] = wrong.to_string();
            assert_eq!(verdict(&lines.join("\n")), expected, "{wrong}");
        }
    }
}

#[test]
fn each_number_and_flag_of_the_state_is_compared() {
    let state = r#"{"cancelled":true,"closed":false,"dropped":1,"pending":1,"rejected":1}"#;
    let steps = "receive data=01 -> queued
        receive data=02 -> dropped_oldest
        cancel -> null
        receive data=03 -> rejected
        state -> ";
    conforms(1, &format!("{steps}{state}"));
    let flipped = [
        ("\"cancelled\":true", "\"cancelled\":false"),
        ("\"closed\":false", "\"closed\":true"),
        ("\"dropped\":1", "\"dropped\":0"),
        ("\"pending\":1", "\"pending\":1.0"),
        ("\"rejected\":1", "\"rejected\":2"),
        (",\"rejected\":1", ""),
        ("true", "true,\"received\":3"),
    ];
    for (right, wrong) in flipped {
        let state = state.replacen(right, wrong, 1);
        let trace = trace(1, &format!("{steps}{state}"));
        assert_eq!(verdict(&trace), "diverges 6 state", "{state}");
    }
    let sorted = trace(1, &format!("{steps}null"));
    let actual = run(&sorted).to_json("broadcast", "x")["divergence"]["actual"].to_string();
    assert_eq!(actual, format!("{{\"returns\":{state}}}"));
}

#[test]
fn a_divergence_outranks_a_later_choice_and_no_earlier_one() {
    let choice = "receive data=01 choice=reject -> rejected";
    let divergence = "cancel -> 1";
    let before = trace(1, &format!("{divergence}\n{choice}"));
    assert_eq!(verdict(&before), "diverges 2 cancel");
    let after = trace(1, &format!("{choice}\n{divergence}"));
    assert_eq!(verdict(&after), "unusable 2 args.choice");
}

/// Steps before, whether a cancellation follows, a call, its answer to each possible choice, and its
/// answer where none is possible.
type Situation = (
    &'static str,
    bool,
    &'static str,
    Vec<(&'static str, &'static str)>,
    &'static str,
);

#[test]
fn choices_are_required_where_several_cases_are_possible_and_optional_where_one_is() {
    const FULL: &str = "receive data=aa -> queued";
    const OPEN: &str = "receive data=aa -> queued
        receive_begin id=p data=bb -> full";
    const OPEN_DRAINED: &str = "receive data=aa -> queued
        receive_begin id=p data=bb -> full
        receive_pop id=p -> aa";
    const CLOSED: &str = "receive data=aa -> queued
        cancel -> null
        next ctx=live choice=parent ! context_canceled";
    const DRAINED: &str = "cancel -> null
        next ctx=live ! context_canceled";
    let queue = ("queue", "-> queued");
    let reject = ("reject", "-> rejected");
    let caller = ("caller", "! context_canceled");
    let late = ("caller", "! deadline_exceeded");
    let parent = ("parent", "! context_canceled");
    let blocked = ("parent", "! would_block");
    let data = ("data", "-> aa");
    let nothing = ("data", "-> null");
    let waits = "! would_block";

    // Of two kinds of calls: those that take part in R3, and Next under each signal.
    let receives = ["receive data=cc", "receive_begin id=q data=cc"];
    let table: Vec<Situation> = [
        ("", false, vec![queue], ""),
        ("", true, vec![queue, reject], ""),
        (FULL, true, vec![reject], ""),
        (OPEN, false, vec![], waits),
        (OPEN, true, vec![], waits),
        (OPEN_DRAINED, false, vec![], waits),
        (OPEN_DRAINED, true, vec![], waits),
        (CLOSED, false, vec![], "-> rejected"),
        (CLOSED, true, vec![], "-> rejected"),
        (DRAINED, false, vec![], "-> rejected"),
    ]
    .into_iter()
    .flat_map(|(before, cancel, cases, none)| {
        receives.map(|call| (before, cancel, call, cases.clone(), none))
    })
    .chain([
        (FULL, false, receives[0], vec![], "-> dropped_oldest"),
        (FULL, false, receives[1], vec![], "-> full"),
        ("", false, "next ctx=live", vec![], waits),
        ("", false, "next ctx=cancelled", vec![caller], ""),
        ("", false, "next ctx=expired", vec![late], ""),
        ("", true, "next ctx=live", vec![parent], ""),
        ("", true, "next ctx=expired", vec![late, parent], ""),
        (FULL, false, "next ctx=live", vec![data], ""),
        (FULL, false, "next ctx=cancelled", vec![data, caller], ""),
        (FULL, true, "next ctx=live", vec![data, parent], ""),
        (FULL, true, "next ctx=expired", vec![data, late, parent], ""),
        (OPEN, false, "next ctx=live", vec![data], ""),
        (OPEN, true, "next ctx=live", vec![data, blocked], ""),
        (
            OPEN,
            true,
            "next ctx=expired",
            vec![data, late, blocked],
            "",
        ),
        (OPEN_DRAINED, false, "next ctx=live", vec![], waits),
        (OPEN_DRAINED, true, "next ctx=live", vec![blocked], ""),
        (
            OPEN_DRAINED,
            true,
            "next ctx=cancelled",
            vec![caller, blocked],
            "",
        ),
        (CLOSED, false, "next ctx=live", vec![data, parent], ""),
        (DRAINED, false, "next ctx=live", vec![nothing, parent], ""),
        (
            DRAINED,
            true,
            "next ctx=expired",
            vec![nothing, late, parent],
            "",
        ),
    ])
    .collect();

    for (before, cancel, call, cases, none) in table {
        let cancel = if cancel { "cancel -> null" } else { "" };
        let before = format!("{before}\n{cancel}");
        for (choice, answer) in &cases {
            conforms(1, &format!("{before}\n{call} choice={choice} {answer}"));
        }
        match cases.as_slice() {
            [] => conforms(1, &format!("{before}\n{call} {none}")),
            [(_, answer)] => conforms(1, &format!("{before}\n{call} {answer}")),
            [(_, answer), ..] => unusable(&before, &format!("{call} {answer}"), "args.choice"),
        }
        let all: &[&str] = match call.starts_with("next") {
            true => &["data", "caller", "parent"],
            false => &["queue", "reject"],
        };
        for choice in all {
            if !cases.iter().any(|(possible, _)| possible == choice) {
                // Whatever the trace says of the result.
                for result in ["! would_block", "-> rejected", "-> full"] {
                    let step = format!("{call} choice={choice} {result}");
                    unusable(&before, &step, "args.choice");
                }
            }
        }
    }
}

#[test]
fn an_unusable_choice_is_explained() {
    let explained = |steps: &str| {
        let document = run(&trace(1, steps)).to_json("broadcast", "x");
        assert_eq!(document["steps"], 0);
        document["error"]["message"].as_str().map(str::to_owned)
    };
    assert_eq!(
        explained("cancel -> null\nreceive data= -> queued").as_deref(),
        Some("missing, expected a case possible here: queue, reject")
    );
    assert_eq!(
        explained("receive data= -> queued\nnext ctx=live choice=parent -> null").as_deref(),
        Some("\"parent\", expected a case possible here: data")
    );
    assert_eq!(
        explained("next ctx=live choice=data -> null").as_deref(),
        Some("\"data\", expected none, as no case is possible here")
    );
}

#[test]
fn an_open_receive_goes_through_its_steps_once_and_in_order() {
    conforms(
        1,
        r#"
        receive_pop id=p ! no_such_receive
        receive_begin id=p data=01 -> queued
        receive_pop id=p ! no_such_receive
        receive_push id=p ! no_such_receive
        receive_begin id=p data=02 -> full
        receive_push id=p ! no_such_receive
        receive_pop id=q ! no_such_receive
        receive_begin id=p data=03 ! would_block
        receive_begin id=q data=03 ! would_block
        receive data=03 ! would_block
        receive_pop id=q ! no_such_receive
        state -> {"cancelled":false,"closed":false,"dropped":0,"pending":1,"rejected":0}
        receive_pop id=p -> 01
        receive_pop id=p ! no_such_receive
        receive_push id=q ! no_such_receive
        state -> {"cancelled":false,"closed":false,"dropped":1,"pending":0,"rejected":0}
        receive data=03 ! would_block
        receive_push id=p -> queued
        receive_push id=p ! no_such_receive
        receive_begin id=p data=04 -> full
        receive_pop id=p -> 02
        receive_push id=p -> queued
        next ctx=live -> 04
        next ctx=live ! would_block
        state -> {"cancelled":false,"closed":false,"dropped":2,"pending":0,"rejected":0}
        "#,
    );
}

#[test]
fn a_queue_drained_under_an_open_receive_loses_nothing() {
    conforms(
        2,
        r#"
        receive data=01 -> queued
        receive data=02 -> queued
        receive_begin id= data=03 -> full
        next ctx=live -> 01
        next ctx=live -> 02
        receive_pop id= -> null
        receive_push id= -> queued
        next ctx=live -> 03
        state -> {"cancelled":false,"closed":false,"dropped":0,"pending":0,"rejected":0}
        "#,
    );
}

/// A Receive that was decided before the cancellation still appends.
#[test]
fn a_parent_case_waits_for_the_open_receive_and_changes_nothing() {
    conforms(
        1,
        r#"
        receive data=01 -> queued
        receive_begin id=p data=02 -> full
        cancel -> null
        cancel -> null
        next ctx=live choice=parent ! would_block
        next ctx=expired choice=parent ! would_block
        next ctx=expired choice=caller ! deadline_exceeded
        state -> {"cancelled":true,"closed":false,"dropped":0,"pending":1,"rejected":0}
        receive_pop id=p -> 01
        next ctx=live ! would_block
        broadcast data=aa publish=error ! publish_failed
        receive_push id=p -> queued
        next ctx=live choice=parent ! context_canceled
        receive_begin id=p data=03 -> rejected
        receive_pop id=p ! no_such_receive
        next ctx=live choice=data -> 02
        next ctx=live choice=data -> null
        next ctx=live choice=parent ! context_canceled
        broadcast data= publish=ok -> /warpnet/stats/1.0.0
        state -> {"cancelled":true,"closed":true,"dropped":1,"pending":0,"rejected":1}
        "#,
    );
}

#[test]
fn an_empty_message_is_no_null() {
    conforms(
        1,
        r#"
        receive data= -> queued
        next ctx=live -> ""
        receive data= -> queued
        receive data= -> dropped_oldest
        receive_begin id=p data=00 -> full
        receive_pop id=p -> ""
        receive_push id=p -> queued
        next ctx=live -> "00"
        "#,
    );
    let trace = trace(1, "receive data= -> queued\nnext ctx=live -> null");
    assert_eq!(verdict(&trace), "diverges 3 next");
}

#[test]
fn withdrawn_calls_leave_nothing_behind() {
    conforms(
        1,
        r#"
        next ctx=live ! would_block
        receive data=01 -> queued
        receive_begin id=p data=02 -> full
        receive data=03 ! would_block
        receive_begin id=q data=04 ! would_block
        receive_pop id=p -> 01
        receive_push id=p -> queued
        next ctx=live -> 02
        next ctx=live ! would_block
        cancel -> null
        next ctx=live ! context_canceled
        state -> {"cancelled":true,"closed":true,"dropped":1,"pending":0,"rejected":0}
        "#,
    );
}

#[test]
fn the_largest_capacity_takes_no_memory_in_advance() {
    let receives: Vec<String> = (0..1000)
        .map(|n| format!("receive data={n:04} -> queued"))
        .collect();
    let nexts: Vec<String> = (0..1000)
        .map(|n| format!("next ctx=live -> \"{n:04}\""))
        .collect();
    conforms(u64::MAX, &[receives, nexts].concat().join("\n"));
}

#[test]
fn results_of_another_shape_diverge() {
    let table = [
        ("receive data=01 -> Queued", "receive"),
        ("receive data=01 -> null", "receive"),
        ("receive data=01 ! queued", "receive"),
        ("next ctx=live -> null", "next"),
        ("next ctx=live -> would_block", "next"),
        ("next ctx=expired ! context_canceled", "next"),
        ("next ctx=cancelled ! deadline_exceeded", "next"),
        ("broadcast data=01 publish=ok -> null", "broadcast"),
        (
            "broadcast data=01 publish=ok -> /warpnet/stats/crdt/1.0.0",
            "broadcast",
        ),
        (
            "broadcast data=01 publish=error -> /warpnet/stats/1.0.0",
            "broadcast",
        ),
        ("receive_pop id=p -> null", "receive_pop"),
        ("receive_push id=p -> queued", "receive_push"),
        ("cancel ! context_canceled", "cancel"),
    ];
    for (step, op) in table {
        assert_eq!(
            verdict(&trace(1, step)),
            format!("diverges 2 {op}"),
            "{step}"
        );
    }
}
