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

const NOT_EXPRESSIBLE: &[NotExpressible] = &[
    kept(
        "H2",
        "Kept as it is: catalog/engine reaches it, halves_vanished.",
    ),
    kept(
        "H3",
        "Kept as it is: catalog/engine reaches it, hot_key_stayed.",
    ),
    kept(
        "H4",
        "Kept as it is: catalog/engine reaches it, accesses_lost.",
    ),
    kept(
        "H5",
        "Kept as it is: catalog/bootstraps reaches it, empty_node_seeds.",
    ),
    kept(
        "H6",
        "Kept as it is: catalog/foreign_writes reaches it, routes_without_version.",
    ),
    kept(
        "H7",
        "Kept as it is: catalog/rollbacks reaches it, saved_then_stale.",
    ),
    kept(
        "H8",
        "Kept as it is: catalog/rollbacks reaches it, same_version_other_table.",
    ),
    kept(
        "H10",
        "Kept as it is: catalog/foreign_writes reaches it, counter_lags.",
    ),
    kept(
        "H11",
        "Kept as it is: catalog/foreign_writes reaches it, bad_record_disables.",
    ),
    kept(
        "H12",
        "Kept as it is: catalog/foreign_writes reaches it, compacted_past_the_newest.",
    ),
    kept(
        "H13",
        "Kept as it is: catalog/saves and catalog/deltas reach it, fenced_route_split.",
    ),
    kept(
        "H14",
        "Kept as it is: catalog/histories reaches it, id_changes_hands.",
    ),
    kept(
        "H15",
        "Kept as it is: catalog/permissive reaches it, durable_split_fails.",
    ),
    kept(
        "H16",
        "Kept as it is: catalog/permissive reaches it, sync_fails_again.",
    ),
    kept(
        "H17",
        "Takes nodes with stores of their own; here all nodes share one.",
    ),
    kept(
        "H18",
        "Kept as it is: catalog/foreign_deltas reaches it, older_reader_fails.",
    ),
    kept(
        "H20",
        "Kept as it is: catalog/delta_rollbacks reaches it, engine_ahead_of_the_catalog.",
    ),
    kept(
        "H21",
        "Kept as it is: catalog/foreign_deltas reaches it, hole_in_the_log.",
    ),
    kept(
        "C1",
        "A data race within one engine: loom finds it in a variant of the shell (tests/loom/catalog).",
    ),
    kept(
        "C2",
        "Keys are immutable buffers, so nothing can be changed through them: the compiler rules it out, and a doctest of the shell shows that.",
    ),
    kept(
        "C5",
        "Which error a caller sees, and a version that the reply carries: neither changes a state. Splits return their own version, and a conflict as one; tests ask for it.",
    ),
    kept(
        "C6",
        "A field of a reply: here the commit timestamp is one of its own.",
    ),
];

const fn kept(id: &'static str, reason: &'static str) -> NotExpressible {
    NotExpressible { id, reason }
}
