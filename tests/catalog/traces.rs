//! Traces by hand and drawn at random: what each operation answers (15).

mod altered;
mod codes;
mod defects;
mod forms;
mod hazards;
mod limits;
mod mutants;
mod nodes;
mod oracle;
mod random;
mod recorder;
mod scenario;

use std::io::Cursor;

use concord::systems::catalog::trace::replay;
use concord::systems::replay::Replayed;

use super::notation;

const SAMPLE: &str = include_str!("traces/catalog-sample.jsonl");

/// The largest number.
const MAX: u64 = u64::MAX;

fn run(trace: &str) -> Replayed {
    replay(Cursor::new(trace)).expect("reading from memory does not fail")
}

fn verdict(trace: &str) -> String {
    notation::verdict(run(trace))
}

/// What stands in traces for these bytes.
fn hex(bytes: impl AsRef<[u8]>) -> String {
    data_encoding::HEXLOWER.encode(bytes.as_ref())
}
