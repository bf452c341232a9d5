//! The broadcaster from outside.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "tests take what they need")]
mod common;
#[path = "../common/notation.rs"]
mod notation;

mod core;
mod forms;
mod inbox;
mod oracle;
mod random_traces;
mod reentry;
mod refinement;
mod threads;
mod traces;
