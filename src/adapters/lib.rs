//! Files, databases and sockets around the cores.
//!
//! Everything here drives a core of `concord-systems` and carries out what it asks for, in order.
//! What is deliberately absent: protocol decisions. A step, a merge rule or a message that is decided
//! here is a fault.

pub mod catalog;
pub mod causal;
pub mod codec;
mod database;
mod error;
pub mod gossip;
mod held;
mod merkle;
mod opening;
pub mod pullsync;
mod replica;
mod schema;
mod shared;
mod stats;

pub use database::Database;
pub use error::Error;
pub use merkle::MerkleTables;
pub use redb::StorageBackend;
pub use replica::{
    Address, Applied, CallError, Counter, Ids, Network, Offline, OpenError, Unreachable,
};
pub use schema::{Flaw, Schema};
pub use shared::{CommitError, Durability, SharedCounter, SharedWriter};
pub use stats::StatsTables;
