//! Laws that hold for all inputs, on the counter as it ships.
//!
//! proptest draws, shrinks and remembers (in a `.regressions` file beside the source); quickcheck
//! draws some of the same again with a generator of its own.

mod cluster;
mod delivery;
mod history;
mod keys;
mod oracle;
mod renaming;

use concord::models::counter::workload::Shape;
use proptest::test_runner::{Config, FileFailurePersistence};

use crate::common::soak;

/// So many cases, a hundred times as many in a soak.
pub(crate) fn cases(short: u32) -> Config {
    let cases = soak(short.into(), 100 * u64::from(short));
    Config {
        cases: u32::try_from(cases).expect("a soak of fewer than four thousand million cases"),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..Config::default()
    }
}

/// Small enough that nodes meet, large enough that they have something to tell.
fn shape(operations: usize, faults: bool) -> Shape {
    Shape {
        nodes: 3,
        keys: 4,
        operations,
        faults,
    }
}
