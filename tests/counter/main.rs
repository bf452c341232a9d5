//! The counter as its users meet it.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/reopening.rs"]
mod reopening;

mod disk;
mod durability;
mod kill;
mod laws;
mod live;
mod replica;
mod storage;
mod storage_errors;
mod traces;
