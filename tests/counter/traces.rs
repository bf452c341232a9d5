//! Traces: the sample conforms, and wrong lines are named exactly.

use std::io::Cursor;

use concord::systems::counter::trace::replay;
use concord::systems::replay::{Outcome, Replayed};

const SAMPLE: &str = include_str!("traces/counter-sample.jsonl");

fn run(trace: &str) -> Replayed {
    replay(Cursor::new(trace)).expect("reading from memory does not fail")
}

#[test]
fn the_sample_conforms() {
    let replayed = run(SAMPLE);
    assert_eq!(replayed.outcome, Outcome::Conforms);
    assert_eq!(replayed.steps, 23);
}
