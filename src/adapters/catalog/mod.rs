//! The multi-version store of the catalog on an embedded database.

mod record;
mod store;

pub use store::{Checkpoint, MvccStore};
