//! Black-box tests of causal.

mod codec;
mod crash;
mod defects;
mod delivery;
mod driver;
mod framed;
mod fuzz;
mod history;
mod local;
mod node;
mod orset;
mod shell;
mod traces;

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/notation.rs"]
mod notation;
