//! Black-box tests of causal.

mod cluster;
mod codec;
mod crash;
mod delivery;
mod files;
mod framed;
mod fuzz;
mod local;
mod node;
mod orset;
mod tls;
mod traces;

#[path = "../common/notation.rs"]
mod notation;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/process.rs"]
mod process;
