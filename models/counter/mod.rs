//! Models of the counter: replicas on a cluster, and the reads of one process.

mod faults;
mod grouped;
mod oracle;
mod properties;
mod protocol;
mod reads;
pub mod workload;

use concord_systems::counter::{Acknowledged, Commit, Strategies, trace};

use crate::cluster::{ClientProgram, ClusterBounds, Faults, Publications, Timers, family};
use crate::registry::{Budget, Family, NotExpressible, System};

use properties::{Cluster, claims, properties};

pub use protocol::{Call, Counter, Generations};

/// The counter.
pub const SYSTEM: System = System {
    name: "counter",
    summary: "PN-counter with per-process generations on a Merkle-CRDT key-value store",
    models: || {
        vec![
            family(
                "counter/replicated",
                properties,
                faults::replicated(),
                |variant, budget| build(replicated(budget), variant),
            ),
            family(
                "counter/recovery",
                properties,
                faults::recovery(),
                |variant, budget| build(recovery(budget), variant),
            ),
            family(
                "counter/fetches",
                properties,
                faults::fetches(),
                |variant, budget| build(fetches(budget), variant),
            ),
            family(
                "counter/publication",
                properties,
                faults::publication(),
                |variant, budget| build(publication(budget), variant),
            ),
            family(
                "counter/grouped",
                properties,
                faults::grouped(),
                |variant, budget| build_with(FLUSHED, grouped(budget), variant),
            ),
            family(
                "counter/deferred",
                properties,
                faults::deferred(),
                |variant, budget| build_with(COUNTED, deferred(budget), variant),
            ),
            Box::new(Family {
                name: "counter/reads",
                properties: reads::properties(),
                faults: reads::faults(),
                build: reads::build,
            }),
        ]
    },
    replay: |source| trace::replay(source),
    not_expressible: &[
        NotExpressible {
            id: "C-7",
            reason: "It breaks a promise of cost (section 8) and no invariant, and no remedy is known: reference and correct model keep every block alike.",
        },
        NotExpressible {
            id: "C-10",
            reason: "The flag that a user likes is the caller's. The counter's part, a bump that failed and left nothing behind, is allowed by CTR-S6.",
        },
        NotExpressible {
            id: "C-11",
            reason: "Who liked is remembered by the caller, not by the counter, which stays correct.",
        },
        NotExpressible {
            id: "C-13",
            reason: "A started process that is left running. The core takes its generation as an argument and starts nothing.",
        },
        NotExpressible {
            id: "C-H2",
            reason: "It breaks no invariant: a local write is visible before it returns, so the total read back is the total remembered.",
        },
    ],
};

const FLUSHED: Commit = Commit::Grouped(Acknowledged::Flushed);
const COUNTED: Commit = Commit::Grouped(Acknowledged::Counted);

type Bounds = ClusterBounds<Counter>;

/// The correct counter in these bounds, or a variant of it.
pub(crate) fn build(bounds: Bounds, variant: Option<&str>) -> Cluster {
    build_with(Commit::EachBump, bounds, variant)
}

fn build_with(commit: Commit, bounds: Bounds, variant: Option<&str>) -> Cluster {
    let counter = Counter {
        strategies: Strategies {
            commit,
            ..Strategies::REMEDIED
        },
        contract: commit,
        generations: Generations::Fresh,
        syncs: true,
        fair: true,
    };
    let mut cluster = Cluster::new(counter, bounds, claims);
    if let Some(variant) = variant {
        faults::inject(&mut cluster, variant);
    }
    cluster
}

fn replicated(budget: Budget) -> Bounds {
    let quick = Bounds {
        replicas: 2,
        timers: Timers::AfterDelivery,
        publications: Publications::AtOnce,
        clients: ClientProgram::of(&[
            (0, &[Call::Increment(0), Call::Increment(0)]),
            (1, &[Call::Decrement(0)]),
        ]),
        faults: Faults {
            crashes: 1,
            losses: 1,
            duplicates: 1,
            ..Faults::default()
        },
        ..Bounds::default()
    };
    match budget {
        Budget::Quick => quick,
        Budget::Full => Bounds {
            replicas: 3,
            clients: ClientProgram::of(&[(0, &[Call::Increment(0)]), (1, &[Call::Decrement(0)])]),
            faults: Faults {
                failed_queries: 1,
                ..quick.faults
            },
            ..quick
        },
    }
}

fn recovery(budget: Budget) -> Bounds {
    let writes: &[Call] = match budget {
        Budget::Quick => &[Call::Increment(0), Call::Increment(0)],
        Budget::Full => &[Call::Increment(0), Call::Increment(0), Call::Increment(0)],
    };
    Bounds {
        replicas: 2,
        timers: Timers::AfterDelivery,
        publications: Publications::AtOnce,
        clients: ClientProgram::of(&[(0, writes), (1, &[Call::Increment(0)])]),
        faults: Faults {
            crashes: 1,
            data_losses: 1,
            ..Faults::default()
        },
        ..Bounds::default()
    }
}

fn fetches(budget: Budget) -> Bounds {
    let theirs: &[Call] = match budget {
        Budget::Quick => &[],
        Budget::Full => &[Call::Increment(0)],
    };
    Bounds {
        replicas: 2,
        timers: Timers::AfterDelivery,
        publications: Publications::AtOnce,
        clients: ClientProgram::of(&[
            (
                0,
                &[Call::Increment(0), Call::Increment(1), Call::Increment(0)],
            ),
            (1, theirs),
        ]),
        faults: Faults {
            crashes: 1,
            failed_queries: 1,
            corrupt_answers: 1,
            ..Faults::default()
        },
        ..Bounds::default()
    }
}

fn publication(budget: Budget) -> Bounds {
    let last: &[Call] = match budget {
        Budget::Quick => &[Call::Increment(0)],
        Budget::Full => &[Call::Increment(0), Call::Increment(1)],
    };
    Bounds {
        replicas: 2,
        timers: Timers::AfterDelivery,
        clients: ClientProgram::of(&[(0, &[Call::Decrement(0), Call::Increment(0)]), (0, last)]),
        faults: Faults {
            failed_publications: 1,
            partitions: 1,
            ..Faults::default()
        },
        ..Bounds::default()
    }
}

/// Every bump returns once it is flushed: clients share flushes.
fn grouped(budget: Budget) -> Bounds {
    let ours: [&[Call]; 2] = [
        &[Call::Increment(0), Call::Increment(0)],
        &[Call::Decrement(1)],
    ];
    committed_later(budget, &ours, 0)
}

/// Bumps return at once; a timer flushes, and so does a client that wants to be sure.
fn deferred(budget: Budget) -> Bounds {
    let ours: &[Call] = &[
        Call::Increment(0),
        Call::Decrement(1),
        Call::Flush,
        Call::Increment(0),
    ];
    committed_later(budget, &[ours], 1)
}

/// Clients of one node, whose other node receives and within full bounds also counts.
fn committed_later(budget: Budget, ours: &[&[Call]], duplicates: u8) -> Bounds {
    let mut clients: Vec<(usize, &[Call])> = ours.iter().map(|calls| (0, *calls)).collect();
    let faults = match budget {
        Budget::Quick => Faults {
            crashes: 1,
            losses: 1,
            duplicates,
            ..Faults::default()
        },
        Budget::Full => {
            clients.push((1, &[Call::Decrement(0)]));
            Faults {
                crashes: 1,
                ..Faults::default()
            }
        }
    };
    Bounds {
        replicas: 2,
        timers: Timers::AfterDelivery,
        publications: Publications::AtOnce,
        clients: ClientProgram::of(&clients),
        faults,
        ..Bounds::default()
    }
}
