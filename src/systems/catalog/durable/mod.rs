//! The durable catalog: reads, saves, splits, deltas, bootstrap, syncs (6, 7, 9, 10, 13.3 to 13.8).
//!
//! What reads, writes or loads an engine in more than one atomic step (11) is a value here, whose
//! `advance` takes one of them, so that a driver may put anything in between.

mod adopt;
mod bootstrap;
mod deltas;
mod read;
mod save;
mod split;
mod sync;

pub use adopt::Adopting;
pub use bootstrap::{BootstrapStep, Bootstrapping};
pub use deltas::{Changes, changes_since, delta_floor, delta_mutations};
pub use read::{
    Reading, next_route_id, next_route_id_at, routes_at, snapshot, snapshot_at, version, version_at,
};
pub use save::{SavePlan, SaveStep, Saved};
pub use split::{Split, SplitPlan, SplitStep};
pub use sync::{Follower, SyncStep, Syncing};

use serde::Serialize;

use super::error::Error;
use super::route::Route;

/// The table of one version, as read at one timestamp (1.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Snapshot {
    /// Of the catalog; 0 before the first save.
    pub version: u64,
    /// In catalog order (4). Nothing says that they do not overlap.
    pub routes: Vec<Route>,
    /// Where it was read; of a table just saved, where it was committed (C6).
    pub read_ts: u64,
}

impl Snapshot {
    /// Whether nobody has saved or written anything yet, so that a bootstrap seeds the catalog (9).
    pub const fn is_unseeded(&self) -> bool {
        self.version == 0 && self.routes.is_empty()
    }
}

/// Where an operation is after one atomic step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step<T, R> {
    /// It goes on.
    Next(T),
    /// It is over.
    Done(Result<R, Error>),
}

impl<T, R> Step<T, R> {
    /// Goes on with `next`, or is over with its error.
    pub(crate) fn go_on(next: Result<T, Error>) -> Self {
        match next {
            Ok(next) => Self::Next(next),
            Err(error) => Self::Done(Err(error)),
        }
    }

    /// The same step of an operation that this one is part of.
    pub(crate) fn within<U, Q>(
        self,
        next: impl FnOnce(T) -> U,
        done: impl FnOnce(R) -> Q,
    ) -> Step<U, Q> {
        match self {
            Self::Next(operation) => Step::Next(next(operation)),
            Self::Done(result) => Step::Done(result.map(done)),
        }
    }

    /// Takes all steps that are left.
    pub(crate) fn finish(mut self, mut advance: impl FnMut(T) -> Self) -> Result<R, Error> {
        loop {
            match self {
                Self::Next(operation) => self = advance(operation),
                Self::Done(result) => return result,
            }
        }
    }
}
