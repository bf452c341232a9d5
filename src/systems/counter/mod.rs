//! A PN-counter with per-process generations on a Merkle-CRDT key-value store.
//!
//! Claim: with the remedies of [`Strategies::REMEDIED`] and honest writers no acknowledged bump is
//! lost but by losing the only disk that holds it, and replicas converge (CTR-S1 to S15, CTR-L1 to
//! L4); with grouped commits ([`Commit::Grouped`]) none that a completed flush covers. Assumed:
//! generations are never drawn twice, addresses are collision-free, a block that some running replica
//! holds can be fetched in the end. Source: `docs/spec/counter.md`. Models: `counter/*`.

mod dense;
mod flush;
mod message;
pub mod shell;
mod space;
mod state;
mod step;
mod strategy;
pub mod trace;

pub use dense::Totals;
pub use message::{CallId, Direction, Failure, Input, Output, QueryEnd};
pub use space::{DataKey, Generation, Place, Small, SmallAddress, SmallKey, Space, Text};
pub use state::State;
pub use strategy::{
    Acknowledged, ClosedReads, Commit, Difference, EmptyRead, FlushedTotal, Isolation, Lock,
    PublishFailure, Snapshot, Strategies, TotalSource,
};
