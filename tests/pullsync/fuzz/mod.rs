//! Fuzzing of every decoder.

mod inputs;
mod targets;

use super::decoders::Suite;

/// Codes of 2, 4, 5, 6 and 7 that decoding can give.
const CODES: &[&str] = &[
    "eof",
    "inconsistent_hash_length",
    "invalid_length",
    "invalid_range",
    "invalid_range_end",
    "invalid_range_start",
    "invalid_signature",
    "invalid_start",
    "malformed",
    "message_too_large",
    "overflow",
    "range_too_short",
    "too_large_chunk_data",
    "too_short_chunk_data",
    "unexpected_eof",
    "wrong_chunk_size",
];

const SUITE: Suite = Suite {
    targets: targets::TARGETS,
    valid: inputs::valid,
    codes: CODES,
    answers: &[],
    folder: "tests/pullsync/corpus",
    rounds: (1_000, 57_000),
};

#[test]
fn files_of_the_corpus_are_judged_as_their_names_say() {
    SUITE.judge_corpus();
}

#[test]
fn no_input_breaks_a_decoder() {
    SUITE.judge_inputs((150_000, 10_000_000));
}
