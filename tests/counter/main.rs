//! The counter as its users meet it.

#[path = "../common/mod.rs"]
mod common;

mod disk;
mod durability;
mod kill;
mod replica;
mod storage;
mod storage_errors;
mod traces;
