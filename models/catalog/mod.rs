//! Models of the catalog: nodes on one store, the delta log, rollback, and its parts on their own.

mod commits;
mod engine;
pub mod nodes;
mod records;
pub mod store;

use concord_systems::catalog::trace;

use crate::registry::{NotExpressible, System};

/// The catalog.
pub const SYSTEM: System = System {
    name: "catalog",
    summary: "Versioned route catalog on an MVCC store: saves, splits, engines, watchers, deltas",
    models: || {
        [
            nodes::families(),
            engine::families(),
            commits::families(),
            store::families(),
            records::families(),
        ]
        .into_iter()
        .flatten()
        .collect()
    },
    replay: |source| trace::replay(source),
    not_expressible: NOT_EXPRESSIBLE,
};

const NOT_EXPRESSIBLE: &[NotExpressible] = &[];
