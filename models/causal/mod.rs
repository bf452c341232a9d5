//! Models of causal: nodes of one group on a cluster, one model per profile.

mod faults;
mod history;

mod calls;
pub mod oracle;
mod properties;
mod protocol;
mod records;
mod text;
pub mod workload;

use std::sync::Arc;

use concord_systems::causal::{Clock, Group, Profile, Settings, Strategies, trace};

use crate::cluster::{ClientProgram, ClusterBounds, Faults, Timers, family};
use crate::registry::{Budget, NotExpressible, System};

use properties::{Cluster, claims, properties};

pub use protocol::{Applies, Call, Causal, Packet, Tick, Wire};

/// Causal.
pub const SYSTEM: System = System {
    name: "causal",
    summary: "Reliable, causally ordered messages with vector clocks, and the OR-set they carry",
    models: || {
        vec![
            family(
                "causal/text",
                properties,
                faults::text(),
                |variant, budget| {
                    let mut cluster = faults::build(Profile::Text, text_bounds(budget), variant);
                    // Any other step may come between receiving and applying.
                    if budget == Budget::Full {
                        cluster.protocol.applies = Applies::Anytime;
                    }
                    cluster
                },
            ),
            family(
                "causal/framed",
                properties,
                faults::framed(),
                |variant, budget| faults::build(Profile::Framed, framed_bounds(budget), variant),
            ),
        ]
    },
    replay: |source| trace::replay(source),
    not_expressible: NOT_EXPRESSIBLE,
};

const NOT_EXPRESSIBLE: &[NotExpressible] = &[
    NotExpressible {
        id: "D13",
        reason: "A race between routines of one process, which a step of the core cannot show: loom finds the deadlock (self_signal).",
    },
    NotExpressible {
        id: "D14",
        reason: "A cycle of locks between routines of one process: loom finds the deadlock (lock_cycle).",
    },
    NotExpressible {
        id: "D15",
        reason: "A client that is silent while its call holds a lock. Calls reach a model whole; loom finds the deadlock (silent_client).",
    },
    NotExpressible {
        id: "D21",
        reason: "Open connections are the transport's. A test of the adapter counts descriptors.",
    },
    NotExpressible {
        id: "D22",
        reason: "Errors of reading a connection and of a handshake are the transport's. Tests of the adapter send garbage and break handshakes.",
    },
    NotExpressible {
        id: "D23",
        reason: "The text of errors of sockets is the transport's. The adapter retries on every error; the cluster test cuts connections at any place.",
    },
    NotExpressible {
        id: "D24",
        reason: "Closing under routines that wait or write: loom finds the routine that waits for ever (silent_close).",
    },
    NotExpressible {
        id: "D30",
        reason: "A failed write counts as a crash here, so nothing is undone in memory.",
    },
    NotExpressible {
        id: "D32",
        reason: "A lock that stays taken on an error path: the core is owned by one routine and has no lock.",
    },
    NotExpressible {
        id: "D34",
        reason: "A model needs every step to be a function. That equal runs give equal bytes is a test of the core.",
    },
    NotExpressible {
        id: "D35",
        reason: "A missing lock and one that stays taken: the core is owned by one routine and has no lock.",
    },
];

type Bounds = ClusterBounds<Causal>;

/// A correct group of `members`, all clocks at `preset`.
fn group(profile: Profile, members: usize, preset: u64) -> Causal {
    let names = (0..members as u8).map(|node| crate::cluster::letter(node).to_string().into());
    let group = Group::new(names).expect("letters are distinct legal names");
    let settings = group.nodes().map(|me| {
        Arc::new(Settings {
            profile,
            group: group.clone(),
            me,
            initial: Clock::from_entries(vec![preset; members]),
            strategies: Strategies::REFERENCE,
        })
    });
    Causal {
        settings: settings.collect(),
        applies: Applies::AtOnce,
        fair: true,
    }
}

/// Two messages of one node, of which the second is no operation, and one of another.
fn text_bounds(budget: Budget) -> Bounds {
    use calls::text::{create, send};
    let mut bounds = bounds(&[create("M", "t1"), send("?")], &[create("M", "t2")]);
    if budget == Budget::Full {
        bounds.faults.losses = 0;
    }
    bounds
}

/// Likewise. Within full bounds a second crash may strike, also in the midst of a recovery.
fn framed_bounds(budget: Budget) -> Bounds {
    use calls::framed::{create, send_empty};
    let mut bounds = bounds(
        &[create("M", "t1"), send_empty("store")],
        &[create("M", "t2")],
    );
    if budget == Budget::Full {
        bounds.faults.crashes = 2;
        bounds.faults.duplicates = 0;
        bounds.never = &[FAULTY];
    }
    bounds
}

fn bounds(first: &[Call], second: &[Call]) -> Bounds {
    Bounds {
        replicas: 3,
        started: true,
        timers: Timers::AfterDelivery,
        clients: ClientProgram::of(&[(0, first), (1, second)]),
        faults: Faults {
            crashes: 1,
            losses: 1,
            duplicates: 1,
            ..Faults::default()
        },
        // A crash in recovery takes a crash before.
        never: &[FAULTY, "crash_in_recovery"],
        ..Bounds::default()
    }
}

const FAULTY: &str = "crash_between_faulty_writes";

/// The correct cluster of these bounds.
fn cluster(profile: Profile, bounds: Bounds) -> Cluster {
    let members = bounds.replicas;
    Cluster::new(group(profile, members, 0), bounds, claims)
}
