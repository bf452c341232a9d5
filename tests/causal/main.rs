//! Black-box tests of causal.

mod cluster;
mod codec;
mod crash;
mod defects;
mod delivery;
mod driver;
mod files;
mod framed;
mod fuzz;
mod history;
mod local;
mod node;
mod orset;
mod shell;
mod tls;
mod traces;

#[path = "../common/alterations.rs"]
mod alterations;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/decoders.rs"]
mod decoders;
#[path = "../common/members.rs"]
mod members;
#[path = "../common/notation.rs"]
mod notation;
#[path = "../common/process.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod process;
#[path = "../common/served.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod served;
