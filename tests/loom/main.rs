//! Shells under loom: every interleaving of small cases.
//!
//! The shells are the files that ship, compiled here once more with loom's primitives in place of
//! the usual ones.

#![allow(unreachable_pub, reason = "modules stand here as they do in a library")]

mod broadcast;
mod catalog;
mod causal;
mod counter;
mod explore;
#[path = "../common/orders.rs"]
mod orders;
mod pullsync;

mod primitives {
    pub use loom::cell::Cell;
    pub use loom::sync::*;
}

#[path = "../common/small_streams.rs"]
mod small_streams;

#[path = "../common/twin.rs"]
#[allow(dead_code, unused_imports, reason = "shells take what they need")]
mod sync;

#[path = "../common/tasks.rs"]
mod tasks;
