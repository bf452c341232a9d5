//! Models of the counter.

use crate::registry::System;

/// The counter.
pub const SYSTEM: System = System {
    name: "counter",
    summary: "PN-counter with per-process generations on a Merkle-CRDT key-value store",
    models: || vec![],
    replay: |source| concord_systems::counter::trace::replay(source),
    not_expressible: &[],
};
