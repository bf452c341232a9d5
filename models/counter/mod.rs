//! Models of the counter: replicas on a cluster, and the reads of one process.

mod faults;
mod oracle;
mod properties;
mod protocol;

use concord_systems::counter::{Strategies, trace};

use crate::cluster::{ClientProgram, ClusterBounds, Faults, Timers};
use crate::registry::{Budget, Family, NotExpressible, System};

use properties::{Cluster, claims, properties};

pub use protocol::{Call, Counter, Generations};

/// The counter.
pub const SYSTEM: System = System {
    name: "counter",
    summary: "PN-counter with per-process generations on a Merkle-CRDT key-value store",
    models: || {
        vec![
            Box::new(Family {
                name: "counter/replicated",
                properties: properties(),
                faults: faults::REPLICATED.to_vec(),
                build: |variant, budget| {
                    let bounds = match budget {
                        Budget::Quick => quick(),
                        Budget::Full => full(),
                    };
                    build(bounds, variant)
                },
            }),
            Box::new(Family {
                name: "counter/recovery",
                properties: properties(),
                faults: faults::RECOVERY.to_vec(),
                build: |variant, budget| build(recovery(budget), variant),
            }),
            Box::new(Family {
                name: "counter/fetches",
                properties: properties(),
                faults: faults::FETCHES.to_vec(),
                build: |variant, budget| build(fetches(budget), variant),
            }),
            Box::new(Family {
                name: "counter/publication",
                properties: properties(),
                faults: faults::PUBLICATION.to_vec(),
                build: |variant, budget| build(publication(budget), variant),
            }),
        ]
    },
    replay: |source| trace::replay(source),
    not_expressible: &[NotExpressible {
        id: "x",
        reason: "x",
    }],
};

type Bounds = ClusterBounds<Counter>;

/// The correct counter in these bounds, or a variant of it.
fn build(bounds: Bounds, variant: Option<&str>) -> Cluster {
    let counter = Counter {
        strategies: Strategies::REMEDIED,
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

fn clients(programs: &[(usize, &[Call])]) -> Vec<ClientProgram<Counter>> {
    let programs = programs.iter().map(|(node, calls)| ClientProgram {
        node: *node,
        calls: calls.to_vec(),
    });
    programs.collect()
}

fn quick() -> Bounds {
    Bounds {
        replicas: 2,
        started: true,
        timers: Timers::AfterDelivery,
        clients: clients(&[
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
    }
}

fn full() -> Bounds {
    Bounds {
        replicas: 3,
        ..quick()
    }
}

fn recovery(budget: Budget) -> Bounds {
    let writes: &[Call] = match budget {
        Budget::Quick => &[Call::Increment(0), Call::Increment(0)],
        Budget::Full => &[Call::Increment(0), Call::Increment(0), Call::Increment(0)],
    };
    Bounds {
        replicas: 2,
        started: true,
        timers: Timers::AfterDelivery,
        clients: clients(&[(0, writes), (1, &[Call::Increment(0)])]),
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
        started: true,
        timers: Timers::AfterDelivery,
        clients: clients(&[
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
        started: true,
        timers: Timers::AfterDelivery,
        clients: clients(&[(0, &[Call::Decrement(0), Call::Increment(0)]), (0, last)]),
        faults: Faults {
            failed_publications: 1,
            partitions: 1,
            ..Faults::default()
        },
        ..Bounds::default()
    }
}
