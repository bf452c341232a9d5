//! Models.
pub mod checker;
pub mod registry;
