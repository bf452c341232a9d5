//! Shells under shuttle: random interleavings of larger cases.
//!
//! The shells are the files that ship, compiled here once more with shuttle's primitives in place of
//! the usual ones.

#![allow(unreachable_pub, reason = "modules stand here as they do in a library")]

mod broadcast;
mod causal;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "tests take what they need")]
mod common;
mod counter;
mod explore;

mod primitives {
    pub use shuttle::sync::*;
    pub use std::cell::Cell;
}

#[path = "../common/twin.rs"]
#[allow(dead_code, unused_imports, reason = "shells take what they need")]
mod sync;

#[path = "../common/tasks.rs"]
#[allow(dead_code, reason = "tests take what they need")]
mod tasks;
