//! Models of pullsync: chains of nodes, one exchange as bytes, interval sets on their own.

pub mod chain;
mod intervals;
mod stream;

use concord_systems::pullsync::trace;

use crate::registry::{NotExpressible, System};

/// Pullsync.
pub const SYSTEM: System = System {
    name: "pullsync",
    summary: "Chunk replication by intervals: offer, want, delivery, cursors, cancel",
    models: || {
        let mut models = chain::families();
        models.push(stream::family());
        models.push(intervals::family());
        models
    },
    replay: |source| trace::replay(source),
    not_expressible: NOT_EXPRESSIBLE,
};

const NOT_EXPRESSIBLE: &[NotExpressible] = &[
    NotExpressible {
        id: "D6",
        reason: "A set that is merged into itself cannot be borrowed twice: the compiler rules it out.",
    },
    NotExpressible {
        id: "D8",
        reason: "Indices of bits come from the lengths of vectors, so no index in a model is too large. Tests of bit vectors ask for every index around the length.",
    },
    NotExpressible {
        id: "D11",
        reason: "What writes messages here never writes such a block. Tables of malformed messages and the fuzz targets hold it.",
    },
    NotExpressible {
        id: "D18",
        reason: "Which of two errors is reported changes no state of any node. A test of the node asks for it.",
    },
    NotExpressible {
        id: "D19",
        reason: "The hook reaches no other node and no disk. A test of the node asks for whom it is called.",
    },
    NotExpressible {
        id: "D21",
        reason: "Allowed: two exchanges that overlap in time may both fetch a chunk, and put keeps it single.",
    },
    NotExpressible {
        id: "D32",
        reason: "Left as it is: a page may wait for ever, and cancel, disconnect and close end it.",
    },
    NotExpressible {
        id: "D34",
        reason: "A pause: models have no clock, and the reference has no pause.",
    },
    NotExpressible {
        id: "D39",
        reason: "A chain has one peer to fetch from. A test of the node has several, of which one is silent.",
    },
    NotExpressible {
        id: "D45",
        reason: "Takes bins of one and of two digits; these models have two bins. A test of the storage contract has them all.",
    },
];
