//! The one trait that every core implements.

use std::fmt::Debug;
use std::hash::Hash;

/// A deterministic state machine: a plain value, an input, and the outputs that follow from both.
///
/// Nothing else reaches a core: time, random numbers, received bytes and the outcome of a write all
/// arrive as inputs, and whatever must happen outside leaves as an output. The model checker, the
/// property tests, the adapters and the trace interpreters are drivers of this same trait.
pub trait Machine: Clone + Eq + Hash + Debug {
    /// What happened: a call, a message, the outcome of an earlier output.
    type Input;
    /// What must be done: a durable write, a message, an answer to a caller.
    type Output;

    /// Takes one input and appends the outputs, in the order in which they must be carried out.
    fn step(&mut self, input: Self::Input, outputs: &mut Vec<Self::Output>);
}
