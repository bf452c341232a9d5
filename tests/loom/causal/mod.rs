//! The shell of a causal node.

#[path = "../../../src/systems/causal/shell/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each case takes what it needs")]
mod shell;
