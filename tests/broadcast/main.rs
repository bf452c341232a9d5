//! The broadcaster from outside.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/process.rs"]
mod process;

mod burst;
mod gossip;
mod inbox;
