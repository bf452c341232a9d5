//! Laws that hold for all inputs, on the counter as it ships.
//!
//! proptest draws, shrinks and remembers (in a `.regressions` file beside the source); quickcheck
//! draws some of the same again with a generator of its own.

mod cluster;
mod delivery;
mod grouped;
mod history;
mod keys;
mod oracle;
mod renaming;

use concord::models::counter::workload::Shape;

use crate::common::cases;

/// Small enough that nodes meet, large enough that they have something to tell.
fn shape(operations: usize, faults: bool) -> Shape {
    Shape {
        nodes: 3,
        keys: 4,
        operations,
        faults,
    }
}
