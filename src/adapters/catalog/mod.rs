//! The multi-version store of the catalog on an embedded database, and the watcher of a node.

mod record;
mod store;
mod watcher;

pub use store::{Checkpoint, MvccStore};
pub use watcher::{Options, Watcher};
