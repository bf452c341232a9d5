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

pub use protocol::{Call, Causal, Packet, Tick, Wire};

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
                |variant, budget| faults::build(Profile::Text, text_bounds(budget), variant),
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
        reason: "A race between routines of one process, which a step of the core cannot show: the loom case self_signal deadlocks.",
    },
    NotExpressible {
        id: "D14",
        reason: "A cycle of locks between routines of one process: the loom case lock_cycle deadlocks.",
    },
    NotExpressible {
        id: "D15",
        reason: "A client that is silent while its call holds a lock. Calls arrive here whole; the shell holds no lock while it waits.",
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
        reason: "Closing channels and logs under other routines: the shell's cases of closing under loom.",
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
        fair: true,
    }
}

/// Two messages of one node and a concurrent one of another; a stranger at the third.
fn text_bounds(budget: Budget) -> Bounds {
    use calls::text::{append, create, garbage};
    bounds(
        budget,
        &[create("M", "t1"), append("M", "m", "t2")],
        &[create("M", "t3")],
        garbage(),
    )
}

fn framed_bounds(budget: Budget) -> Bounds {
    use calls::framed::{append, create, garbage};
    bounds(
        budget,
        &[create("M", "t1"), append("M", "t2")],
        &[create("M", "t3")],
        garbage(),
    )
}

fn bounds(budget: Budget, first: &[Call], second: &[Call], garbage: Call) -> Bounds {
    let faults = Faults {
        crashes: 1,
        losses: 1,
        duplicates: 1,
        ..Faults::default()
    };
    let garbage: &[Call] = match budget {
        Budget::Quick => &[],
        Budget::Full => &[garbage],
    };
    Bounds {
        replicas: 3,
        started: true,
        timers: match budget {
            Budget::Quick => Timers::AfterDelivery,
            Budget::Full => Timers::AfterOwnDelivery,
        },
        clients: ClientProgram::of(&[(0, first), (1, second), (2, garbage)]),
        faults,
        never: &["crash_between_faulty_writes"],
        ..Bounds::default()
    }
}

/// The correct cluster of these bounds.
fn cluster(profile: Profile, bounds: Bounds) -> Cluster {
    let members = bounds.replicas;
    Cluster::new(group(profile, members, 0), bounds, claims)
}
