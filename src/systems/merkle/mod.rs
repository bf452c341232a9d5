//! The replicated store under `counter` and `stats`: a key-value store on a Merkle-DAG.
//!
//! Claim: replicas that merged the same blocks have equal entries (CTR-S1), and with the remedies of
//! [`Strategies::REMEDIED`] every replica comes to merge every block that a running peer holds
//! (CTR-L1, CTR-L2). Assumed: addresses are collision-free, and a block that some running replica
//! holds can be fetched in the end. Source: `docs/spec/counter.md` section 5. Judged by the models of
//! the systems that use it.

mod block;
mod check;
pub mod driver;
pub mod key;

mod memory;
mod message;
mod put;
mod state;
mod step;
mod strategy;
pub mod trace;

pub mod value;

pub use crate::map::{Iter, SortedMap, SortedSet};
pub use block::{Block, Disk, Entry, Ids, Write};
pub use memory::{Image, Memory};
pub use message::{Exchanged, Fetched, Input, Output, Patience};
pub use state::Store;
pub use strategy::{
    FirstFetch, Height, Interruption, LocalWrite, Merge, Strategies, Unreadable, WalkRoot,
};
