//! Traces drawn at random, told by the oracle: they conform, and a spoilt line is named.

use std::collections::BTreeMap;

use concord::systems::replay::Outcome;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::recorder::{Line, Recorder};
use super::{run, verdict};
use crate::alterations::altered_results;
use crate::common::{seed, soak};

fn record(seed: u64, steps: usize) -> Vec<Line> {
    let (mut recorder, mut lines) = Recorder::new(ChaCha8Rng::seed_from_u64(seed));
    while lines.len() < steps {
        lines.push(recorder.draw());
    }
    lines
}

fn file(lines: impl IntoIterator<Item = Value>) -> String {
    let config = Recorder::config();
    let header = json!({"trace": "concord/1", "system": "pullsync", "config": config});
    let lines = [header].into_iter().chain(lines);
    let lines: Vec<String> = lines.map(|line| line.to_string()).collect();
    lines.join("\n")
}

#[test]
fn a_long_trace_of_the_oracle_conforms() {
    for round in 0..soak(1, 100) {
        let lines = record(seed() + round, 12_000);
        let replayed = run(&file(lines.iter().map(Line::json)));
        let told = replayed.to_json("pullsync", "x").to_string();
        assert_eq!(replayed.steps, 12_000, "seed {}: {told}", seed() + round);
        assert_eq!(replayed.outcome, Outcome::Conforms);
    }
}

/// What is compared is what is drawn.
#[test]
fn every_result_is_drawn() {
    let mut results = BTreeMap::<&str, Vec<&str>>::new();
    for line in record(1, 12_000) {
        let result = line.result.err().unwrap_or("returns");
        let of_op = results.entry(line.op).or_default();
        if !of_op.contains(&result) {
            of_op.push(result);
        }
    }
    assert_eq!(results.len(), 42, "{results:?}");
    for (op, wanted) in [
        ("serve_poll", &["returns", "canceled", "finished"][..]),
        (
            "serve_range",
            &["returns", "bin_out_of_range", "invalid_range"],
        ),
        ("serve_want", &["returns", "invalid_length"]),
        ("serve_open", &["returns", "shutdown"]),
        (
            "client_offer",
            &[
                "returns",
                "inconsistent_hash_length",
                "topmost_out_of_range",
                "zero_address",
            ],
        ),
        (
            "client_delivery",
            &[
                "returns",
                "unsolicited_chunk",
                "invalid_chunk",
                "unexpected_eof",
            ],
        ),
        (
            "sync_interval",
            &[
                "returns",
                "eof",
                "timeout",
                "reset",
                "invalid_range",
                "bin_out_of_range",
            ],
        ),
        ("peer_cursors", &["returns", "cursors_length_mismatch"]),
        ("seal", &["returns", "topmost_out_of_range"]),
        ("chunk_get", &["returns", "not_found"]),
        ("interval_add", &["returns", "invalid_range"]),
        ("node_close", &["returns"]),
        ("peer_gone", &["returns"]),
        ("reset_intervals", &["returns"]),
    ] {
        let drawn = results.get(op).cloned().unwrap_or_default();
        for result in wanted {
            assert!(drawn.contains(result), "{op} {result}: {drawn:?}");
        }
    }
}

#[test]
fn a_spoilt_line_is_named() {
    let lines = record(seed() + 1000, 600);
    let mut rng = ChaCha8Rng::seed_from_u64(seed());
    for _ in 0..soak(150, 5_000) {
        let at = rng.random_range(0..lines.len());
        let op = lines[at].op;
        let right: Vec<Value> = lines.iter().map(Line::json).collect();

        let wrong = altered_results(&right[at]);
        let mut altered = right.clone();
        let step = altered[at].as_object_mut().expect("a step is an object");
        step.remove("returns");
        step.remove("fails");
        step.extend(wrong[rng.random_range(0..wrong.len())].clone());
        let told = verdict(&file(altered));
        assert_eq!(told, format!("diverges {} {op}", at + 2), "{}", right[at]);

        let args = right[at]["args"].as_object().expect("an object").keys();
        let args: Vec<&String> = args.collect();
        let name = args[rng.random_range(0..args.len())];
        let mut malformed = right.clone();
        malformed[at]["args"][name] = json!(1.5);
        let told = verdict(&file(malformed));
        assert_eq!(
            told,
            format!("unusable {} args.{name}", at + 2),
            "{}",
            right[at]
        );
    }
}
