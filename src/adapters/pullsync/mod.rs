//! Pullsync on real connections and a database.

mod store;
pub mod transport;

pub use store::{ChunkStore, Synced};
