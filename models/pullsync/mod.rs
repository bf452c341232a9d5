//! Models of pullsync.

pub mod intervals;
pub mod stream;
