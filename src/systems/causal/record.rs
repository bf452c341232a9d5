//! The state record: clock, payload state and ack cursors, replaced atomically (6.1).

use std::sync::Arc;

use super::clock::Clock;
use super::message::Change;
use super::orset::Sets;
use super::strategy::Strategies;

/// The state record.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Record {
    /// Messages of each member delivered, plus what the group started with.
    pub clock: Clock,
    /// What they left.
    pub payload: Arc<Sets>,
    /// Own messages that each peer confirmed; the own entry is not used and stays at its start.
    pub cursors: Clock,
}

impl Record {
    /// Before anything happened: `initial` is the clock that the group starts with; cursors start at
    /// the own entry.
    pub fn new(_initial: Clock, _me: super::Node) -> Self {
        todo!()
    }
    /// Takes in one change. False if a faulty strategy makes its effect fatal.
    pub fn change(&mut self, _change: &Change, _strategies: &Strategies) -> bool {
        todo!()
    }
}
