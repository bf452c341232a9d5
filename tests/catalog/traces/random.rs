//! Traces drawn at random, told by the oracle: they conform, and a spoilt line is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, Write};

use concord::systems::catalog::trace::replay;
use concord::systems::replay::Outcome;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::recorder::{Line, Recorder};
use super::{run, verdict};
use crate::alterations::altered_results;
use crate::common::{seed, soak};

/// Levels, and whether admission is strict.
pub(super) const CONFIGS: [(u8, bool); 4] = [(1, true), (1, false), (2, true), (2, false)];

/// Header, and lines.
pub(super) fn record(seed: u64, (level, strict): (u8, bool), steps: usize) -> (Value, Vec<Line>) {
    let mut recorder = Recorder::new(seed, level, strict);
    let lines = (0..steps).map(|_| recorder.draw()).collect();
    (recorder.header(), lines)
}

pub(super) fn file(header: &Value, lines: impl IntoIterator<Item = Value>) -> String {
    let lines = [header.clone()].into_iter().chain(lines);
    let lines: Vec<String> = lines.map(|line| line.to_string()).collect();
    lines.join("\n")
}

#[test]
fn a_long_trace_of_the_oracle_conforms() {
    for round in 0..soak(1, 50) {
        for config in CONFIGS {
            let seed = seed() + round;
            let (header, lines) = record(seed, config, 12_500);
            let replayed = run(&file(&header, lines.iter().map(Line::json)));
            let told = replayed.to_json("catalog", "x").to_string();
            assert_eq!(
                replayed.outcome,
                Outcome::Conforms,
                "seed {seed}, {config:?}: {told}"
            );
            assert_eq!(replayed.steps, 12_500);
        }
    }
}

/// Longer than what is kept in memory at once.
#[test]
fn a_long_file_of_the_oracle_conforms() {
    let steps = soak(2_000, 1_000_000);
    for config in CONFIGS.into_iter().step_by(2) {
        let mut recorder = Recorder::new(seed() + 77, config.0, config.1);
        let mut file = tempfile::tempfile().expect("a file");
        let mut lines = BufWriter::new(&mut file);
        writeln!(lines, "{}", recorder.header()).expect("room on the disk");
        for _ in 0..steps {
            writeln!(lines, "{}", recorder.draw().json()).expect("room on the disk");
        }
        lines.flush().expect("room on the disk");
        drop(lines);
        file.rewind().expect("a file");
        let replayed = replay_file(file);
        assert_eq!(replayed, (steps, Outcome::Conforms), "{config:?}");
    }
}

fn replay_file(file: File) -> (u64, Outcome) {
    let replayed = replay(BufReader::new(file)).expect("a file can be read");
    (replayed.steps, replayed.outcome)
}

/// What is compared is what is drawn.
#[test]
fn every_result_is_drawn() {
    let mut results = BTreeMap::<&str, BTreeSet<&str>>::new();
    for config in CONFIGS {
        for line in record(1, config, 12_500).1 {
            let result = line.result.err().unwrap_or("returns");
            results.entry(line.op).or_default().insert(result);
        }
    }
    assert_eq!(results.len(), 72, "{results:?}");
    for (op, results) in &results {
        assert!(results.contains("returns"), "{op}: {results:?}");
    }
    let drawn: BTreeSet<&str> = results.values().flatten().copied().collect();
    let missing: Vec<&str> = super::codes::all()
        .filter(|code| !drawn.contains(code))
        .collect();
    assert!(missing.is_empty(), "{missing:?} of {results:#?}");
}

#[test]
fn a_spoilt_line_is_named() {
    let mut rng = ChaCha8Rng::seed_from_u64(seed());
    for config in CONFIGS {
        let (header, lines) = record(seed() + 1000, config, 400);
        let right: Vec<Value> = lines.iter().map(Line::json).collect();
        for _ in 0..soak(30, 2_000) {
            let at = rng.random_range(0..lines.len());
            let op = lines[at].op;

            let wrong = altered_results(&right[at]);
            let mut altered = right.clone();
            let step = altered[at].as_object_mut().expect("a step is an object");
            step.remove("returns");
            step.remove("fails");
            step.extend(wrong[rng.random_range(0..wrong.len())].clone());
            let told = verdict(&file(&header, altered));
            assert_eq!(told, format!("diverges {} {op}", at + 2), "{}", right[at]);

            let args = right[at]["args"].as_object().expect("an object").keys();
            let args: Vec<&String> = args.collect();
            let unknown = String::from("unknown");
            let name = match args.is_empty() {
                true => &unknown,
                false => args[rng.random_range(0..args.len())],
            };
            let mut malformed = right.clone();
            malformed[at]["args"][name] = json!(1.5);
            let told = verdict(&file(&header, malformed));
            assert_eq!(
                told,
                format!("unusable {} args.{name}", at + 2),
                "{}",
                right[at]
            );
        }
    }
}
