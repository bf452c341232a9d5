//! Black-box tests of pullsync.

#![allow(clippy::unwrap_used, reason = "a test may fail there")]

mod bits;
mod chunks;
mod convergence;
mod defects;
mod exchange;
mod fuzz;
mod intervals;
mod network;
mod node;
mod pair;
mod puller;
mod renaming;
mod server;
mod shell;
mod small;
mod storage;
mod store;
mod traces;
mod transport;
mod wire;

#[path = "../common/alterations.rs"]
mod alterations;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod common;
#[path = "../common/decoders.rs"]
mod decoders;
#[path = "../common/members.rs"]
mod members;
#[path = "../common/small_streams.rs"]
mod small_streams;
#[path = "../common/tasks.rs"]
#[allow(dead_code, reason = "tests take what they need")]
mod tasks;

// Under these names what is shared with other test crates takes them.
use concord::systems::{pullsync, sync};

#[path = "../common/notation.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod notation;
#[path = "../common/process.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod process;
#[path = "../common/served.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod served;
