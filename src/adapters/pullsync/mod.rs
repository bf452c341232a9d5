//! Pullsync on real connections and a database.
//!
//! [`ChunkStore`] keeps what a node holds, [`transport`] carries its streams, and [`Node`] runs the core
//! between them.
//!
//! Source: `docs/spec/pullsync.md`, sections 3 and 6 to 9.

mod node;
mod store;
pub mod transport;

pub use node::{Config, Event, Intervals, Limits, Node, NodeError, Peer, Requests, Status, Tally};
pub use store::{ChunkStore, Synced};
