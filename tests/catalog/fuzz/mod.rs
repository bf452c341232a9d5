//! Fuzzing of every decoder.

mod inputs;
mod targets;

use super::decoders::Suite;

/// Codes of 3, 4 and 13.2 that decoding can give.
const CODES: &[&str] = &[
    "catalog_delta_version_gap",
    "catalog_group_id_required",
    "catalog_invalid_delta_mutation",
    "catalog_invalid_delta_record",
    "catalog_invalid_next_route_id",
    "catalog_invalid_route_range",
    "catalog_invalid_route_record",
    "catalog_invalid_route_state",
    "catalog_invalid_version_record",
    "catalog_route_id_required",
];

const SUITE: Suite = Suite {
    targets: targets::TARGETS,
    valid: inputs::valid,
    codes: CODES,
    answers: &["diverges", "no_id", "no_version", "unusable"],
    folder: "tests/catalog/corpus",
    rounds: (4_000, 70_000),
};

#[test]
fn files_of_the_corpus_are_judged_as_their_names_say() {
    SUITE.judge_corpus();
}

#[test]
fn no_input_breaks_a_decoder() {
    SUITE.judge_inputs((560_000, 10_000_000));
}
