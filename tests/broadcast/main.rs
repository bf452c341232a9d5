//! The broadcaster from outside.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "tests take what they need")]
mod common;
#[path = "../common/members.rs"]
mod members;
#[path = "../common/notation.rs"]
mod notation;
#[path = "../common/process.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod process;

mod burst;
mod core;
mod forms;
mod gossip;
mod inbox;
mod oracle;
mod random_traces;
mod reentry;
mod refinement;
mod threads;
mod traces;
