//! Systems.
pub mod machine;
