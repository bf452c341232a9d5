//! Pullsync on real connections and a database.

mod store;

pub use store::{ChunkStore, Synced};
