//! A versioned route catalog: a durable table on a multi-version store, the engines that route by it,
//! and the watchers that keep them up to date.
//!
//! Claim: no save or split is lost, every snapshot stems from one commit, ids are never reused, and once
//! saves stop every engine that is synced reaches the durable version (section 12 of the spec).
//! Assumed: each operation of the store is atomic and what it acknowledged survives; only saves and splits
//! write the reserved keys.
//!
//! Source: `docs/spec/catalog.md`, whose sections are cited by number. Models: `catalog/*`.

pub mod codec;
pub mod delta;
pub mod durable;
pub mod engine;
mod error;
pub mod index;
pub mod keys;
pub mod limits;
mod message;
mod route;
pub mod shell;
mod state;
pub mod store;
pub mod strategy;
pub mod task;
pub mod trace;

pub use delta::{Change, Delta};
pub use durable::{Bootstrapping, SavePlan, Saved, Snapshot, Split, SplitPlan};
pub use engine::{Access, Engine, EngineRoute, Table};
pub use error::Error;
pub use message::{Input, Output, StoreCall};
pub use route::{Route, catalog_order, floor, normalise, overlap, validate_each};
pub use state::{Node, State};
pub use store::{CommitAt, KeyRange, Memory, Mutation, Op, Pair, Store};
pub use strategy::{Admission, Level, Settings, Strategies};
pub use task::{Call, Progress, Returned, Task};
