//! Fuzzing of every decoder: seeded inputs in each run, and a corpus for these and other fuzzers.
//!
//! A fuzzer that drives processes takes the same targets: with `CONCORD_FUZZ` naming one, the test
//! of the corpus judges standard input instead, as in
//! `CONCORD_FUZZ=msg cargo test --test causal judged_as_their_names_say < FILE`. With coverage:
//! `AFL_CRASH_EXITCODE=101 CONCORD_FUZZ=msg cargo afl fuzz -i tests/causal/corpus/msg -o target/afl
//! -- $TEST --exact fuzz::files_of_the_corpus_are_judged_as_their_names_say`, where `$TEST` is what
//! `cargo afl test --test causal --no-run` built. What it finds goes into the corpus.

mod inputs;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::common::{seed, soak};
use inputs::Inputs;
use targets::{Outcome, TARGETS, Target};

/// Codes of 3.1, 3.3, 4.1, 4.2 and 5 that decoding can give.
const CODES: &[&str] = &[
    "contents_base64",
    "element_semicolons",
    "invalid_area",
    "invalid_frame_length",
    "invalid_protobuf",
    "invalid_sync_message",
    "invalid_utf8",
    "invalid_vclock_element",
    "invalid_vclock_number",
    "mailbox_base64",
    "missing_sender",
    "not_divisible_by_three",
    "not_enough_pipes",
    "odd_element_count",
    "pipe_count",
    "too_few_semicolons",
    "truncated_frame",
    "value_base64",
];

/// Spoilt inputs that one valid encoding gives.
const PER_VALID: u64 = 8;

/// How inputs of a target were judged.
#[derive(Default)]
struct Counts {
    decoded: u64,
    refused: BTreeMap<&'static str, u64>,
}

impl Counts {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Ok(()) => self.decoded += 1,
            Err(code) => *self.refused.entry(code).or_default() += 1,
        }
    }

    fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    fn all(&self) -> u64 {
        self.decoded + self.refused()
    }
}

/// Files of the corpus with their names.
fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/causal/corpus");
    let files = fs::read_dir(folder.join(target.name)).expect("each target has a corpus");
    let mut files: Vec<(String, Vec<u8>)> = files
        .map(|file| {
            let file = file.expect("it can be read");
            let name = file.file_name().into_string().expect("names are text");
            (name, fs::read(file.path()).expect("it can be read"))
        })
        .collect();
    files.sort_unstable();
    files
}

/// Names are `valid` or the code of the error, then what the input is about.
#[test]
fn files_of_the_corpus_are_judged_as_their_names_say() {
    if let Ok(name) = std::env::var("CONCORD_FUZZ") {
        let target = TARGETS.iter().find(|target| target.name == name);
        let mut raw = Vec::new();
        io::stdin().read_to_end(&mut raw).expect("an input");
        let outcome = (target.expect("CONCORD_FUZZ names a target").judge)(&raw);
        println!("{outcome:?}");
        return;
    }
    let mut seen = BTreeSet::new();
    for target in TARGETS {
        let mut codes = BTreeSet::new();
        for (name, raw) in corpus(target) {
            let code = (target.judge)(&raw).err().unwrap_or("valid");
            let said = name.split_once('-').map(|(said, _)| said);
            assert_eq!(said, Some(code), "{} {name}", target.name);
            codes.insert(code);
        }
        let expected: BTreeSet<&str> = target.codes.iter().copied().chain(["valid"]).collect();
        assert_eq!(codes, expected, "{}", target.name);
        seen.extend(codes);
    }
    // What is no error of the spec, but an answer of a target.
    for answer in ["valid", "no_line", "no_base64"] {
        assert!(seen.remove(answer));
    }
    assert_eq!(seen, CODES.iter().copied().collect());
}

/// Every valid encoding decodes; of the spoilt ones some do and some do not.
fn spoilt(target: &Target, rounds: u64, seed: u64) -> Counts {
    let mut inputs = Inputs::new(target, seed);
    let mut files = corpus(target);
    files.retain(|(name, _)| name.starts_with("valid-"));
    let mut files = files.iter().cycle();
    let mut counts = Counts::default();
    for round in 0..rounds {
        // The corpus has encodings that no encoder writes.
        let file = files.next().filter(|_| round % 4 == 0);
        let valid = file.map_or_else(|| inputs.valid(), |(_, raw)| raw.clone());
        assert_eq!((target.judge)(&valid), Ok(()), "{}", target.name);
        for _ in 0..PER_VALID {
            let raw = inputs.spoilt(&valid);
            counts.add((target.judge)(&raw));
        }
    }
    counts
}

fn arbitrary(target: &Target, inputs: u64, seed: u64) -> Counts {
    let mut source = Inputs::new(target, seed);
    let mut counts = Counts::default();
    for _ in 0..inputs {
        let raw = source.arbitrary();
        counts.add((target.judge)(&raw));
    }
    counts
}

/// Half of the inputs are valid encodings that were spoilt, half are arbitrary.
#[test]
fn no_input_breaks_a_decoder() {
    let rounds = soak(1_000, 33_000);
    let mut total = 0;
    let mut by_code: BTreeMap<&str, u64> = BTreeMap::new();
    for target in TARGETS {
        let spoilt = spoilt(target, rounds, seed());
        let arbitrary = arbitrary(target, rounds * PER_VALID, seed());
        println!(
            "{:13} spoilt: {} of {} decoded; arbitrary: {} of {}",
            target.name,
            spoilt.decoded,
            spoilt.all(),
            arbitrary.decoded,
            arbitrary.all(),
        );
        assert_eq!(spoilt.all(), rounds * PER_VALID, "{}", target.name);
        assert_eq!(arbitrary.all(), spoilt.all(), "{}", target.name);
        // Shares below which the fuzzing of this target would say little.
        assert!(spoilt.decoded >= spoilt.all() / 50, "{}", target.name);
        assert!(spoilt.refused() >= spoilt.all() / 50, "{}", target.name);
        assert!(
            arbitrary.refused() >= arbitrary.all() / 50,
            "{}",
            target.name
        );
        for counts in [spoilt, arbitrary] {
            total += counts.all();
            for (code, count) in counts.refused {
                assert!(target.codes.contains(&code), "{}: {code}", target.name);
                *by_code.entry(code).or_default() += count;
            }
        }
    }
    println!("{total} inputs: {by_code:?}");
    assert!(total >= soak(300_000, 10_000_000), "{total} inputs");
    for code in CODES {
        assert!(by_code.contains_key(code), "{code} never occurred");
    }
}
