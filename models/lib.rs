//! Models.
pub mod checker;
pub mod cluster;
pub mod registry;
