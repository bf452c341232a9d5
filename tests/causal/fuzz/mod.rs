//! Fuzzing of every decoder.

mod inputs;
mod targets;

use super::decoders::Suite;

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

const SUITE: Suite = Suite {
    targets: targets::TARGETS,
    valid: inputs::valid,
    codes: CODES,
    answers: &["no_line", "no_base64"],
    folder: "tests/causal/corpus",
    rounds: (1_000, 33_000),
};

#[test]
fn files_of_the_corpus_are_judged_as_their_names_say() {
    SUITE.judge_corpus();
}

#[test]
fn no_input_breaks_a_decoder() {
    SUITE.judge_inputs((300_000, 10_000_000));
}
