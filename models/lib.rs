//! The models of each system, and the checker that judges them.
//!
//! - [`checker`]: what a model claims ([`checker::Checkable`]), the breadth-first search that covers
//!   its states, liveness under fairness, verdicts and counterexamples.
//! - [`laws`]: what merging, delivery and codecs must obey, for types here and elsewhere.
//! - [`registry`]: every system, model and variant by name; what commands, reports and tests iterate.
//!
//! Deliberately absent: messages, states and transitions of any system. Those live in
//! `concord-systems`, and a model instantiates them.
//!
//! # A property that needs fairness
//!
//! A liveness property that holds only because some kinds of action are fair is accompanied by a
//! variant named `unfair`: the same model, whose claim carries `Fairness::default()`. The variant
//! must be violated by a cycle, so that the fairness is known to matter and not to be decoration.
//! The cycle, executed on the correct model, violates nothing, since there it is not fair.

pub mod broadcast;
pub mod catalog;
pub mod causal;
pub mod checker;
pub mod cluster;
pub mod counter;
pub mod laws;
mod merkle;
pub mod pullsync;
pub mod registry;
pub mod stats;

use registry::System;

/// Every system, in the order of reports.
pub const SYSTEMS: &[System] = &[
    counter::SYSTEM,
    stats::SYSTEM,
    broadcast::SYSTEM,
    causal::SYSTEM,
    pullsync::SYSTEM,
    catalog::SYSTEM,
];
