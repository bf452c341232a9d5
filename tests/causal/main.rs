//! Black-box tests of causal.

mod codec;
mod crash;
mod delivery;
mod framed;
mod local;
mod node;
mod orset;
mod shell;
mod traces;

#[path = "../common/mod.rs"]
mod common;
