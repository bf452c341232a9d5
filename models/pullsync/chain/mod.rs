//! A chain of nodes, of which each pulls from the one before it.

mod faults;
mod forgery;
mod history;
mod properties;
mod protocol;
mod text;

use std::sync::Arc;

use concord_systems::pullsync::store::Failing;
use concord_systems::pullsync::{Chunk, Mode, Settings, SmallData, Strategies, Worker, limits};

use crate::cluster::{ClientProgram, ClusterBounds, Links, Order, Timers, family};
use crate::registry::{Budget, Fault, Subject};

use properties::{Cluster, claims, properties};

pub use forgery::Forgery;
pub use history::History;
pub use protocol::{Body, Call, Chain, End, Ids, Member, Packet, Part, Stream, Tick};

type Bounds = ClusterBounds<Chain>;

/// The chunks of the models; the stamp of the last one is not verifiable.
const X: Chunk<Ids> = chunk(0x11);
const Y: Chunk<Ids> = chunk(0x12);
const Z: Chunk<Ids> = chunk(0x13);
const W: Chunk<Ids> = chunk(0x14);
const BAD: Chunk<Ids> = chunk(0x19);

const fn chunk(address: u8) -> Chunk<Ids> {
    Chunk {
        address,
        data: SmallData::Valid,
        stamp: history::is_admissible(address),
    }
}

/// The models.
pub(super) fn families() -> Vec<Box<dyn Subject>> {
    vec![
        family(
            "pullsync/cancels",
            properties,
            faults::cancels(),
            |variant, budget| faults::build(cancels(budget), variant),
        ),
        family(
            "pullsync/restarts",
            properties,
            faults::restarts(),
            |variant, budget| faults::build(restarts(budget), variant),
        ),
        family(
            "pullsync/neighbours",
            properties,
            faults::neighbours(),
            |variant, budget| faults::build(neighbours(budget), variant),
        ),
        family(
            "pullsync/forgeries",
            properties,
            faults::forgeries(),
            |variant, budget| faults::build(forgeries(budget), variant),
        ),
    ]
}

/// A correct chain of three, which claims what `faults` violate.
fn chain(max_page: usize, held: &[(usize, Mode, Chunk<Ids>)], faults: &[Fault]) -> Chain {
    let settings = (0..3).map(|overlay| {
        Arc::new(Settings {
            overlay,
            bins: 2,
            max_page,
            pending_cancels: limits::PENDING_CANCELS,
            verifier: (),
            strategies: Strategies::REFERENCE,
        })
    });
    let claimed = faults.iter().flat_map(|fault| fault.violates);
    Chain {
        settings: settings.collect(),
        held: held.to_vec(),
        forgeries: &[Forgery::Cut],
        claimed: claimed.copied().collect(),
        fair: true,
    }
}

/// Pages of one chunk: two are there at the start, one is uploaded later. Streams are cut, an exchange
/// is given up, its cancel may be lost.
fn cancels(budget: Budget) -> Cluster {
    let held = [(0, Mode::Upload, X), (0, Mode::Upload, Y)];
    let mut bounds = bounds(&[
        (0, &[Call::Put(Mode::Upload, Z)]),
        (1, &[Call::Expire(Worker::Live)]),
    ]);
    bounds.faults.damages = 1;
    bounds.faults.losses = 1;
    bounds.never = &["idle"];
    if budget == Budget::Full {
        bounds.faults.damages = 2;
    }
    Cluster::new(chain(1, &held, &faults::cancels()), bounds, claims)
}

/// Pages of two chunks, likewise. A chunk is collected, a stream is cut, a node crashes.
fn restarts(budget: Budget) -> Cluster {
    let held = [(0, Mode::Upload, X), (0, Mode::Upload, Y)];
    let mut bounds = bounds(&[
        (0, &[Call::Put(Mode::Upload, Z)]),
        (0, &[Call::Delete(X.address)]),
    ]);
    bounds.faults.crashes = 1;
    bounds.never = &["crash_after_reset"];
    if budget == Budget::Full {
        bounds.faults.damages = 1;
    }
    Cluster::new(chain(2, &held, &faults::restarts()), bounds, claims)
}

/// Pages of two chunks, of which one has a stamp that is not verifiable and one is cached on the way. A
/// peer leaves and returns, a put is refused.
fn neighbours(budget: Budget) -> Cluster {
    let held = [
        (0, Mode::Upload, X),
        (0, Mode::Upload, BAD),
        (1, Mode::Cache, X),
    ];
    let mut bounds = bounds(&[
        (0, &[Call::Put(Mode::Upload, Z)]),
        (1, &[Call::Drop, Call::Return]),
        (2, &[Call::Refuse(Failing::Put)]),
    ]);
    let mut chain = chain(2, &held, &faults::neighbours());
    if budget == Budget::Full {
        bounds.faults.damages = 1;
        chain.forgeries = FORGERIES;
    }
    Cluster::new(chain, bounds, claims)
}

/// Pages of two chunks. A server sends something else than it should, once.
fn forgeries(_: Budget) -> Cluster {
    let held = [(0, Mode::Upload, X), (0, Mode::Upload, Y)];
    let mut bounds = bounds(&[(0, &[Call::Put(Mode::Upload, Z)])]);
    bounds.faults.damages = 1;
    let mut chain = chain(2, &held, &faults::forgeries());
    chain.forgeries = FORGERIES;
    Cluster::new(chain, bounds, claims)
}

/// What a misbehaving server may send.
const FORGERIES: &[Forgery] = &[
    Forgery::RepeatedHash,
    Forgery::ZeroHash,
    Forgery::TopmostBelow,
    Forgery::TopmostAbove,
    Forgery::TopmostMax,
    Forgery::ShortCursors,
    Forgery::InvalidChunk,
    Forgery::Unsolicited,
];

fn bounds(clients: &[(usize, &[Call])]) -> Bounds {
    Bounds {
        replicas: 3,
        started: true,
        order: Order::Fifo,
        links: Links::InTurn,
        timers: Timers::AfterDelivery,
        clients: ClientProgram::of(clients),
        ..Bounds::default()
    }
}
