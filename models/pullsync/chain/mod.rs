//! A chain of nodes, of which each pulls from the one before it.

mod faults;
mod forgery;
mod history;
mod properties;
mod protocol;
mod text;

use std::sync::Arc;

use concord_systems::pullsync::{Chunk, Mode, Settings, SmallData, Strategies, Worker, limits};

use crate::cluster::{ClientProgram, ClusterBounds, Faults, Order, family};
use crate::registry::{Budget, Subject};

use properties::{Cluster, claims, properties};

pub use forgery::Forgery;
pub use history::History;
pub use protocol::{Body, Call, Chain, End, Ids, Member, Packet, Part, Stream, Tick};

type Bounds = ClusterBounds<Chain>;

/// The chunks of the models; the stamp of the last one is not verifiable.
const X: Chunk<Ids> = chunk(0x11);
const Y: Chunk<Ids> = chunk(0x12);
const Z: Chunk<Ids> = chunk(0x13);
const BAD: Chunk<Ids> = chunk(0x19);

const fn chunk(address: u8) -> Chunk<Ids> {
    Chunk {
        address,
        data: SmallData::Valid,
        stamp: history::is_admissible(address),
    }
}

/// The models, by page limit.
pub(super) fn families() -> Vec<Box<dyn Subject>> {
    vec![
        family(
            "pullsync/single",
            properties,
            faults::single(),
            |variant, budget| faults::build(single(budget), variant),
        ),
        family(
            "pullsync/paged",
            properties,
            faults::paged(),
            |variant, budget| faults::build(paged(budget), variant),
        ),
    ]
}

/// A correct chain of three.
fn chain(max_page: usize, held: &[(usize, Mode, Chunk<Ids>)]) -> Chain {
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
    Chain {
        settings: settings.collect(),
        held: held.to_vec(),
        forgeries: &[Forgery::Cut],
        fair: true,
    }
}

/// Pages of one chunk: two are there at the start, one is uploaded later.
fn single(_budget: Budget) -> Cluster {
    let held = [(0, Mode::Upload, X), (0, Mode::Upload, Y)];
    let bounds = bounds(&[
        (0, &[Call::Put(Mode::Upload, Z)]),
        (1, &[Call::Expire(Worker::Live)]),
    ]);
    Cluster::new(chain(1, &held), bounds, claims)
}

/// Pages of two chunks.
fn paged(_budget: Budget) -> Cluster {
    let held = [(0, Mode::Upload, X), (0, Mode::Upload, Y)];
    let bounds = bounds(&[
        (0, &[Call::Put(Mode::Upload, Z)]),
        (0, &[Call::Delete(X.address)]),
    ]);
    Cluster::new(chain(2, &held), bounds, claims)
}

fn bounds(clients: &[(usize, &[Call])]) -> Bounds {
    Bounds {
        replicas: 3,
        started: true,
        order: Order::Fifo,
        clients: ClientProgram::of(clients),
        faults: Faults {
            damages: 1,
            ..Faults::default()
        },
        ..Bounds::default()
    }
}
