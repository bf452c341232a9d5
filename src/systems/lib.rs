//! Deterministic cores.
//!
//! Each system is a plain value and a `step`: no clock, thread, file, socket, global or random source
//! is reachable from this crate. What is deliberately absent: stateright, runtimes, command lines.

pub mod broadcast;
pub mod catalog;
pub mod causal;
pub mod counter;
mod lanes;
pub mod machine;
pub mod map;
pub mod merkle;
mod proto;
pub mod pullsync;
pub mod replay;
pub mod stats;
pub mod sync;
