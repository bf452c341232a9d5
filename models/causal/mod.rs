//! Models of `causal`, and what they share with its tests.

pub mod oracle;
pub mod workload;
