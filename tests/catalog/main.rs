//! Black-box tests of the catalog.

#![allow(clippy::unwrap_used, reason = "a test may fail there")]

mod codec;
mod disk;
mod durability;
mod durable;
mod engine;
mod fuzz;
mod index;
mod kill;
mod shell;
mod store;
mod traces;
mod watcher;

#[path = "../common/alterations.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod alterations;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod common;
#[path = "../common/decoders.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod decoders;
#[path = "../common/members.rs"]
mod members;
#[path = "../common/notation.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod notation;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/simulated.rs"]
mod simulated;

// Under these names what is shared with other test crates takes them.
#[allow(unused_imports, reason = "each system takes what it needs")]
use concord::systems::{catalog, sync};
