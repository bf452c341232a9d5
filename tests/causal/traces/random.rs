//! Traces drawn at random, recorded from the core: they conform, and an altered line is named.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::recorder::{Line, Recorder};
use super::verdict;
use crate::alterations::altered_results;
use crate::common::cases;

/// What is done, and bytes that settle the rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    pub(super) kind: Kind,
    pub(super) picks: [u8; 8],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Submit,
    Flush,
    Ack,
    Receive,
    Apply,
    Look,
    Crash,
    Shutdown,
    Codec,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let kind = prop_oneof![
        20 => Just(Kind::Submit),
        5 => Just(Kind::Flush),
        10 => Just(Kind::Ack),
        30 => Just(Kind::Receive),
        15 => Just(Kind::Apply),
        15 => Just(Kind::Look),
        8 => Just(Kind::Crash),
        1 => Just(Kind::Shutdown),
        5 => Just(Kind::Codec),
    ];
    (kind, any::<[u8; 8]>()).prop_map(|(kind, picks)| Drawn { kind, picks })
}

fn steps(length: Range<usize>) -> impl Strategy<Value = Vec<Drawn>> {
    prop::collection::vec(drawn(), length)
}

/// With which clocks a group starts.
#[derive(Clone, Copy, Debug)]
enum Start {
    AtZero,
    Ahead,
    NearTheEnd,
}

const STARTS: &[Start] = &[
    Start::AtZero,
    Start::AtZero,
    Start::Ahead,
    Start::NearTheEnd,
];

/// The header's configuration.
fn config(profile: &str, start: Start) -> Value {
    let largest = match profile {
        "text" => i64::MAX as u64,
        _ => u64::from(u32::MAX),
    };
    let value = match start {
        Start::AtZero => return json!({"profile": profile, "nodes": ["c", "a", "b"]}),
        Start::Ahead => 7,
        Start::NearTheEnd => largest - 9,
    };
    let clock = json!({"a": value, "b": value, "c": value});
    let clocks = json!({"a": clock, "b": clock, "c": clock});
    json!({"profile": profile, "nodes": ["c", "a", "b"], "clocks": clocks})
}

fn record(config: &Value, draws: &[Drawn]) -> Vec<Line> {
    let mut recorder = Recorder::new(config);
    draws.iter().map(|drawn| recorder.perform(*drawn)).collect()
}

fn file(config: &Value, lines: impl Iterator<Item = Value>) -> String {
    let header = json!({"trace": "concord/1", "system": "causal", "config": config});
    let lines = [header].into_iter().chain(lines);
    let lines: Vec<String> = lines.map(|line| line.to_string()).collect();
    lines.join("\n")
}

/// Only what occurs in the traces drawn is compared.
#[test]
fn every_answer_is_drawn() {
    let mut runner = TestRunner::deterministic();
    let mut answers = BTreeMap::<String, BTreeSet<String>>::new();
    let profiles = ["text", "framed"];
    for (start, profile) in STARTS
        .iter()
        .flat_map(|start| profiles.map(|profile| (start, profile)))
    {
        let draws = steps(1500..1501).new_tree(&mut runner);
        let draws = draws.expect("nothing is rejected").current();
        let config = config(profile, *start);
        let lines = record(&config, &draws);
        let right = file(&config, lines.iter().map(Line::json));
        assert_eq!(verdict(&right), "conforms 1500");
        for line in lines {
            answers
                .entry(line.op.to_owned())
                .or_default()
                .insert(line.kind());
        }
    }
    let answers: Vec<String> = answers
        .into_iter()
        .map(|(op, kinds)| {
            let kinds: Vec<String> = kinds.into_iter().collect();
            format!("{op}: {}", kinds.join(", "))
        })
        .collect();
    insta::assert_snapshot!(answers.join("\n"), @r"
    ack: ack_beyond_log, node_down, returns, unknown_peer
    append: clock_overflow, mailbox_not_found, node_down, returns, unrepresentable_field
    apply_ready: [] no purged, [] purged, [ok opaque] no purged, [ok opaque] purged, [ok] no purged, [ok] purged, [opaque] no purged, [opaque] purged, node_down
    clock: node_down, returns
    converged: node_down, returns
    copy: clock_overflow, element_not_found, empty_elements, mailbox_not_found, node_down, returns, tag_count_mismatch
    crash: ack_before_truncate, apply_after_state, apply_before_state, idle, node_down, receive_after_log, receive_torn, send_after_log, send_after_state, send_torn, unknown_node
    create: clock_overflow, mailbox_exists, node_down, returns
    delete: clock_overflow, element_not_found, node_down, returns
    deliverable: apply, duplicate, wait
    expunge: clock_overflow, element_not_found, mailbox_not_found, node_down, returns
    flush: node_down, returns, unknown_node, unknown_peer
    log: node_down, returns
    merge: returns
    orset: node_down, returns
    receive: from_self, invalid_protobuf, invalid_sync_message, missing_own_entry, missing_sender, negative_clock_value, no stored, node_down, stored, truncated_frame, unknown_clock_node, unknown_sender
    recover: discarded, no discarded, node_up, unknown_node
    rename: empty_elements, mailbox_exists, mailbox_not_found, node_down, returns, tag_count_mismatch
    send: clock_overflow, node_down, returns, unrepresentable_field
    send_log: node_down, returns
    shutdown: node_down, returns
    store: clock_overflow, element_not_found, mailbox_not_found, node_down, returns, unrepresentable_field
    values: mailbox_not_found, node_down, returns
    ");
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn traces_of_the_core_conform_and_an_altered_line_is_named(
        profile in prop::sample::select(&["text", "framed"][..]),
        start in prop::sample::select(STARTS),
        draws in steps(1..1200),
        at in any::<prop::sample::Index>(),
        alteration in any::<prop::sample::Index>(),
    ) {
        let config = config(profile, start);
        let lines = record(&config, &draws);
        let right = file(&config, lines.iter().map(Line::json));
        prop_assert_eq!(verdict(&right), format!("conforms {}", draws.len()));

        let at = at.index(lines.len());
        let wrong = altered_results(&lines[at].told);
        let mut spoilt = lines.clone();
        spoilt[at].told = wrong[alteration.index(wrong.len())].clone().into();
        let expected = format!("diverges {} {}", at + 2, lines[at].op);
        let spoilt = file(&config, spoilt.iter().map(Line::json));
        prop_assert_eq!(verdict(&spoilt), expected);
    }
}
