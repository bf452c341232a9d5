//! The counter where threads share it.

mod commit;
mod flushes;
mod reads;

pub(crate) use concord::systems::counter::{DataKey, Direction, Totals};

#[path = "../../../src/systems/counter/shell/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each case takes what it needs")]
mod shell;

fn key() -> DataKey {
    DataKey::new("k")
}

/// The total that a list of counted ones has for the increments of [`key`].
fn total_in(counted: &[shell::Counted]) -> Option<u64> {
    let total = counted.iter().find(|(key, _)| key.0 == Direction::Incr);
    total.map(|(_, total)| *total)
}
