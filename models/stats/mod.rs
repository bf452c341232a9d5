//! Models of the tweet statistics: nodes on a cluster in either layout, and the repositories of one
//! node.
//!
//! The remedied statistics hold as long as no node loses its data. That one fault has no remedy in
//! this design: `stats/documented@total_loss` opens its budget on the unchanged core (T-3), and the
//! same workload on the counter is harmless.

mod faults;
mod oracle;
mod properties;
mod protocol;
mod repositories;
#[cfg(test)]
mod tests;

use concord_systems::stats::{Layout, Op, Strategies, trace};

use crate::cluster::{ClientProgram, ClusterBounds, Faults, Publications, Timers, family};
use crate::registry::{Budget, Family, NotExpressible, System};

use properties::{Cluster, properties};

pub use protocol::{Call, Identities, Stats};

/// The tweet statistics.
pub const SYSTEM: System = System {
    name: "stats",
    summary: "Per-node counters for tweet statistics on a Merkle-CRDT store, before generations",
    models: || {
        vec![
            family(
                "stats/documented",
                properties,
                faults::documented(),
                |variant, budget| build(Layout::Documented, documented(budget), variant),
            ),
            family(
                "stats/shipped",
                properties,
                faults::shipped(),
                |variant, budget| build(Layout::Shipped, shipped(budget), variant),
            ),
            Box::new(Family {
                name: "stats/repositories",
                properties: repositories::properties(),
                faults: repositories::faults(),
                build: repositories::build,
            }),
        ]
    },
    replay: |source| trace::replay(source),
    not_expressible: &[
        NotExpressible {
            id: "T-11",
            reason: "The process aborts. The core answers a parent that is present and empty as one that is absent.",
        },
        NotExpressible {
            id: "T-16",
            reason: "Opening the store always fails, before there is a node to model. The core takes an open store as given.",
        },
        NotExpressible {
            id: "T-21",
            reason: "A handle that is empty and does not look absent, on which the process aborts. A node of the core has a store or has none.",
        },
    ],
};

/// The tweet of most workloads.
const TWEET: u8 = 1;
/// A tweet whose id reads like a path below the likes of [`TWEET`].
const NESTED: u8 = 0x21;

type Bounds = ClusterBounds<Stats>;

/// The correct statistics in these bounds, or a variant of them.
fn build(layout: Layout, bounds: Bounds, variant: Option<&str>) -> Cluster {
    let stats = Stats {
        layout,
        strategies: Strategies::REMEDIED,
        identities: Identities::Own,
        subscribed: true,
        fair: true,
    };
    let claims = match layout {
        Layout::Documented => properties::documented,
        Layout::Shipped => properties::shipped,
    };
    let mut cluster = Cluster::new(stats, bounds, claims);
    if let Some(variant) = variant {
        faults::inject(&mut cluster, variant);
    }
    cluster
}

fn like(tweet: u8, user: u8) -> Call {
    Call::Sound(Op::Like { tweet, user })
}

fn unlike(tweet: u8, user: u8) -> Call {
    Call::Sound(Op::Unlike { tweet, user })
}

/// Two callers of node a and one of node b.
fn documented(budget: Budget) -> Bounds {
    let second: &[Call] = match budget {
        Budget::Quick => &[like(TWEET, 1)],
        Budget::Full => &[like(TWEET, 1), unlike(TWEET, 1)],
    };
    Bounds {
        replicas: 2,
        timers: Timers::AfterDelivery,
        publications: Publications::AtOnce,
        clients: ClientProgram::of(&[(0, &[like(TWEET, 0)]), (0, second), (1, &[like(TWEET, 0)])]),
        faults: Faults {
            crashes: 1,
            ..Faults::default()
        },
        ..Bounds::default()
    }
}

/// Two callers of node a, one of whom may take back what the other does.
fn shipped(budget: Budget) -> Bounds {
    let first: &[Call] = match budget {
        Budget::Quick => &[like(TWEET, 0)],
        Budget::Full => &[like(TWEET, 0), like(TWEET, 1)],
    };
    Bounds {
        replicas: 2,
        timers: Timers::AfterDelivery,
        publications: Publications::AtOnce,
        clients: ClientProgram::of(&[(0, first), (0, &[unlike(TWEET, 0)]), (1, &[like(TWEET, 0)])]),
        faults: Faults {
            crashes: 1,
            losses: 1,
            ..Faults::default()
        },
        ..Bounds::default()
    }
}
