//! Fuzzing of decoders: seeded inputs in each run, and a corpus for these and other fuzzers.
//!
//! A fuzzer that drives processes takes the same targets: with `CONCORD_FUZZ` naming one, the test
//! of the corpus judges standard input instead, as in
//! `CONCORD_FUZZ=msg cargo test --test causal judged_as_their_names_say < FILE`. With coverage:
//! `AFL_CRASH_EXITCODE=101 CONCORD_FUZZ=msg cargo afl fuzz -i tests/causal/corpus/msg -o target/afl
//! -- $TEST --exact fuzz::files_of_the_corpus_are_judged_as_their_names_say`, where `$TEST` is what
//! `cargo afl test --test causal --no-run` built. What it finds goes into the corpus.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{seed, soak};

/// Decoded, or the code of the error.
pub(crate) type Outcome = Result<(), &'static str>;

/// A decoder with what it can answer.
pub(crate) struct Target {
    /// Also of its folder in the corpus.
    pub(crate) name: &'static str,
    /// Panics if what the decoder says does not hold.
    pub(crate) judge: fn(&[u8]) -> Outcome,
    /// Every code it can give, in order.
    pub(crate) codes: &'static [&'static str],
    /// Characters of the format.
    pub(crate) alphabet: &'static [u8],
    /// How much slower than others it is: it gets so many times fewer inputs. At least 1.
    pub(crate) cost: u64,
}

/// The decoders of one system.
pub(crate) struct Suite {
    pub(crate) targets: &'static [Target],
    /// Encodings of values of a target.
    pub(crate) valid: fn(&str) -> BoxedStrategy<Vec<u8>>,
    /// Every code of the spec that decoding can give, in order.
    pub(crate) codes: &'static [&'static str],
    /// Answers of targets that are no codes of the spec.
    pub(crate) answers: &'static [&'static str],
    /// Of the corpus.
    pub(crate) folder: &'static str,
    /// Valid encodings of a target that are spoilt, in a short run and in a soak.
    pub(crate) rounds: (u64, u64),
}

/// Inputs of one target by a seed: valid encodings, spoilt ones, and arbitrary bytes.
pub(crate) struct Inputs {
    valid: BoxedStrategy<Vec<u8>>,
    runner: TestRunner,
    rng: ChaCha8Rng,
    alphabet: &'static [u8],
}

/// Spoilt inputs that one valid encoding gives.
const PER_VALID: u64 = 8;

/// How inputs of a target were judged.
#[derive(Default)]
struct Counts {
    decoded: u64,
    refused: BTreeMap<&'static str, u64>,
}

impl Suite {
    /// Names are `valid` or the code of the error, then what the input is about. The corpus shows
    /// every code.
    pub(crate) fn judge_corpus(&self) {
        if let Ok(name) = std::env::var("CONCORD_FUZZ") {
            let target = self.targets.iter().find(|target| target.name == name);
            let mut raw = Vec::new();
            io::stdin().read_to_end(&mut raw).expect("an input");
            let outcome = (target.expect("CONCORD_FUZZ names a target").judge)(&raw);
            println!("{outcome:?}");
            return;
        }
        let mut seen = BTreeSet::new();
        for target in self.targets {
            let mut codes = BTreeSet::new();
            for (name, raw) in self.corpus(target) {
                let code = (target.judge)(&raw).err().unwrap_or("valid");
                let said = name.split_once('-').map(|(said, _)| said);
                assert_eq!(said, Some(code), "{} {name}", target.name);
                codes.insert(code);
            }
            let expected: BTreeSet<&str> = target.codes.iter().copied().chain(["valid"]).collect();
            assert_eq!(codes, expected, "{}", target.name);
            seen.extend(codes);
        }
        for answer in self.answers.iter().chain(&["valid"]) {
            assert!(seen.remove(answer), "{answer}");
        }
        assert_eq!(seen, self.codes.iter().copied().collect());
    }

    /// Half of the inputs are valid encodings that were spoilt, half are arbitrary. At least so many
    /// inputs are judged, in a short run and in a soak, and every code occurs.
    pub(crate) fn judge_inputs(&self, least: (u64, u64)) {
        let rounds = soak(self.rounds.0, self.rounds.1);
        let mut total = 0;
        let mut by_code: BTreeMap<&str, u64> = BTreeMap::new();
        for target in self.targets {
            let rounds = rounds / target.cost;
            let spoilt = self.spoilt(target, rounds, seed());
            let arbitrary = self.arbitrary(target, rounds * PER_VALID, seed());
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
        assert!(total >= soak(least.0, least.1), "{total} inputs");
        for code in self.codes {
            assert!(by_code.contains_key(code), "{code} never occurred");
        }
    }

    /// Files of the corpus with their names.
    fn corpus(&self, target: &Target) -> Vec<(String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(self.folder);
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

    fn inputs(&self, target: &Target, seed: u64) -> Inputs {
        Inputs::new((self.valid)(target.name), target.alphabet, seed)
    }

    /// Every valid encoding decodes; of the spoilt ones some do and some do not.
    fn spoilt(&self, target: &Target, rounds: u64, seed: u64) -> Counts {
        let mut inputs = self.inputs(target, seed);
        let mut files = self.corpus(target);
        files.retain(|(name, _)| name.starts_with("valid-"));
        let mut files = files.iter().cycle();
        let mut counts = Counts::default();
        for round in 0..rounds {
            // The corpus has encodings that no encoder writes.
            let file = if round % 4 == 0 { files.next() } else { None };
            let valid = file.map_or_else(|| inputs.valid(), |(_, raw)| raw.clone());
            assert_eq!((target.judge)(&valid), Ok(()), "{}", target.name);
            for _ in 0..PER_VALID {
                let raw = inputs.spoilt(&valid);
                counts.add((target.judge)(&raw));
            }
        }
        counts
    }

    fn arbitrary(&self, target: &Target, inputs: u64, seed: u64) -> Counts {
        let mut source = self.inputs(target, seed);
        let mut counts = Counts::default();
        for _ in 0..inputs {
            let raw = source.arbitrary();
            counts.add((target.judge)(&raw));
        }
        counts
    }
}

impl Inputs {
    pub(crate) fn new(valid: BoxedStrategy<Vec<u8>>, alphabet: &'static [u8], seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut strategy_seed = [0; 32];
        rng.fill_bytes(&mut strategy_seed);
        let strategy_rng = TestRng::from_seed(RngAlgorithm::ChaCha, &strategy_seed);
        Self {
            valid,
            runner: TestRunner::new_with_rng(Config::default(), strategy_rng),
            rng,
            alphabet,
        }
    }

    /// The encoding of a value.
    pub(crate) fn valid(&mut self) -> Vec<u8> {
        let tree = self.valid.new_tree(&mut self.runner);
        tree.expect("nothing is filtered").current()
    }

    /// `raw` with one to three changes.
    pub(crate) fn spoilt(&mut self, raw: &[u8]) -> Vec<u8> {
        let mut raw = raw.to_vec();
        for _ in 0..self.rng.random_range(1..=3) {
            self.change(&mut raw);
        }
        raw
    }

    /// Up to 64 bytes, in one of 16 cases up to 600: any, or such as the format uses.
    pub(crate) fn arbitrary(&mut self) -> Vec<u8> {
        let most = if self.rng.random_ratio(1, 16) {
            600
        } else {
            64
        };
        let length = self.rng.random_range(0..=most);
        let mut raw = vec![0; length];
        if self.rng.random() {
            self.rng.fill_bytes(&mut raw);
        } else {
            raw.fill_with(|| self.character());
        }
        raw
    }

    fn change(&mut self, raw: &mut Vec<u8>) {
        let place = self.rng.random_range(0..=raw.len());
        let end = self.rng.random_range(place..=raw.len().min(place + 8));
        match self.rng.random_range(0..7) {
            0 if place < raw.len() => raw[place] ^= 1 << self.rng.random_range(0..8),
            1 if place < raw.len() => raw[place] = self.rng.random(),
            2 => raw.truncate(place),
            3 => drop(raw.drain(place..end)),
            4 => raw.insert(place, self.rng.random()),
            5 => {
                let copy = raw[place..end].to_vec();
                let to = self.rng.random_range(0..=raw.len());
                raw.splice(to..to, copy);
            }
            _ => raw.insert(place, self.character()),
        }
    }

    fn character(&mut self) -> u8 {
        let character = self.alphabet.choose(&mut self.rng);
        *character.expect("a format has characters")
    }
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
