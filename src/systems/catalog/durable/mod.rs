//! The durable catalog: reads, saves, splits, deltas, bootstrap (6, 7, 9, 13.3, 13.4).
#![allow(missing_docs, reason = "skeleton")]

mod bootstrap;
mod deltas;
mod read;
mod save;
mod split;
mod sync;

pub use bootstrap::{BootstrapStep, Bootstrapping};
pub use deltas::{Changes, changes_since, delta_floor, delta_mutations};
pub use read::{
    Reading, next_route_id, next_route_id_at, routes_at, snapshot, snapshot_at, version, version_at,
};
pub use save::{SavePlan, SaveStep, Saved};
pub use split::{Split, SplitPlan, SplitStep};
pub use sync::{SyncStep, Syncing};

use serde::Serialize;

use super::route::Route;

/// The table of one version, as read at one timestamp (1.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Snapshot {
    pub version: u64,
    /// In catalog order.
    pub routes: Vec<Route>,
    pub read_ts: u64,
}
