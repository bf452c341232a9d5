//! The counter as its users meet it.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/notation.rs"]
#[allow(dead_code, reason = "the counter has a notation of its own for steps")]
mod notation;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/reopening.rs"]
mod reopening;
#[path = "../common/simulated.rs"]
#[allow(dead_code, reason = "each system takes what it needs")]
mod simulated;

mod disk;
mod durability;
mod kill;
mod laws;
mod live;
mod replica;
mod shared;
mod storage;
mod storage_errors;
mod traces;
