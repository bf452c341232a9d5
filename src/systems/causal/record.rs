//! The state record: clock, payload state and ack cursors, replaced atomically (6.1).

use std::sync::Arc;

use super::clock::{Clock, Node};
use super::message::{Change, Message};
use super::orset::Sets;
use super::strategy::{Dependencies, Strategies};

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
    pub fn new(initial: Clock, me: Node) -> Self {
        let start = initial.get(me);
        let cursors = Clock::from_entries(initial.entries().iter().map(|_| start));
        Self {
            clock: initial,
            payload: Arc::default(),
            cursors,
        }
    }

    /// Takes in one change. False, and nothing changes, if a faulty strategy makes its effect fatal.
    pub fn change(&mut self, change: &Change, strategies: &Strategies) -> bool {
        match change {
            Change::Delivered(message) => {
                let survives = self.payload.apply(message, strategies);
                if survives {
                    self.merge(message, strategies);
                }
                survives
            }
            Change::Effect(message) => self.payload.apply(message, strategies),
            Change::Clock { node, value } => {
                self.clock.set(*node, *value);
                true
            }
            Change::Cursor { peer, seq } => {
                let seq = self.cursors.get(*peer).max(*seq);
                self.cursors.set(*peer, seq);
                true
            }
        }
    }

    /// Rule 5.
    fn merge(&mut self, message: &Message, strategies: &Strategies) {
        match strategies.dependencies {
            Dependencies::All => self.clock.merge(&message.stamp),
            Dependencies::OwnOnly => {
                let seq = self.clock.get(message.sender).max(message.seq());
                self.clock.set(message.sender, seq);
            }
        }
    }
}
