//! Records as messages of the group, and the checks that a transfer must pass (6.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::faulty;
use crate::causal::clock::{Clock, Node};
use crate::causal::error::ReceiveError;
use crate::causal::group::Profile;
use crate::causal::local::parsed;
use crate::causal::log::framed_record;
use crate::causal::message::{Message, Operation};
use crate::causal::state::Settings;
use crate::causal::strategy::{Malformed, Membership, Overflow};
use crate::causal::{Name, framed, text};

/// A message whose names are not looked up yet.
pub(super) struct Decoded {
    pub(super) sender: Name,
    pub(super) clock: Vec<(Name, i64)>,
    pub(super) operation: Option<Operation>,
}

/// A message that passed the checks.
pub(super) enum Admitted {
    /// It is delivered some day.
    Message(Arc<Message>),
    /// Nothing that the group ever does makes it deliverable: faulty variants only (D33).
    Never,
    /// It is no message: faulty variants only (D6, D7, D8, D9).
    Undecodable,
}

/// A transfer that passed the checks.
pub(super) struct Transfer {
    /// What is appended to the receive log.
    pub(super) append: Bytes,
    pub(super) messages: Vec<Admitted>,
}

impl Settings {
    /// Validates what a connection or a bulk carried, in the order of 6.3.
    pub(super) fn transfer(&self, wire: &Bytes) -> Result<Transfer, ReceiveError> {
        if self.strategies.malformed == Malformed::Fatal {
            return faulty::transfer(self, wire);
        }
        let (append, records) = self.records(wire)?;
        let decoded: Result<Vec<_>, _> = records.iter().map(|raw| self.decode(raw)).collect();
        let admitted = decoded?.into_iter().enumerate();
        let messages: Result<_, _> = admitted
            .map(|(index, one)| self.admit(index, one))
            .collect();
        let messages = messages?;
        Ok(Transfer { append, messages })
    }

    /// What a transfer appends, and its records.
    pub(super) fn records(&self, wire: &Bytes) -> Result<(Bytes, Vec<Bytes>), ReceiveError> {
        match self.profile {
            Profile::Text => Ok(match text::line_of(wire) {
                None => (Bytes::new(), Vec::new()),
                Some(line) => {
                    let append = framed_record(Profile::Text, line);
                    let record = append.slice(..line.len());
                    (append, vec![record])
                }
            }),
            Profile::Framed => {
                let bodies = framed::unframe(wire).map_err(ReceiveError::Framed)?;
                Ok((wire.clone(), bodies))
            }
        }
    }

    /// Check 1 of 6.3.
    pub(super) fn decode(&self, record: &Bytes) -> Result<Decoded, ReceiveError> {
        match self.profile {
            Profile::Text => {
                let line = text::parse_message(record).map_err(ReceiveError::Text)?;
                Ok(Decoded {
                    sender: line.sender,
                    clock: line.clock.into_iter().collect(),
                    operation: text_operation(&line.payload),
                })
            }
            Profile::Framed => {
                let msg = framed::Msg::decode(record).map_err(ReceiveError::Framed)?;
                let operation = msg.operation().map(Operation::Framed);
                let clock = msg.vclock.into_iter();
                Ok(Decoded {
                    sender: msg.replica,
                    clock: clock.map(|(name, value)| (name, value.into())).collect(),
                    operation,
                })
            }
        }
    }

    /// Checks 2 to 6 of 6.3 for message `index` of a transfer.
    pub(super) fn admit(&self, index: usize, decoded: Decoded) -> Result<Admitted, ReceiveError> {
        if self.strategies.membership == Membership::Unchecked {
            return Ok(faulty::admit(self, decoded));
        }
        let Some(sender) = self.group.node(&decoded.sender) else {
            let name = decoded.sender;
            return Err(ReceiveError::UnknownSender { index, name });
        };
        if sender == self.me {
            return Err(ReceiveError::FromSelf { index });
        }
        let message = self.message(index, sender, decoded)?;
        Ok(Admitted::Message(Arc::new(message)))
    }

    /// The message of a record, whichever member sent it. What drivers and models ask about logs and
    /// transfers; the node itself admits what others sent.
    ///
    /// # Errors
    /// Those of 6.3 but `from_self`.
    pub fn message_of(&self, record: &Bytes) -> Result<Message, ReceiveError> {
        let decoded = self.decode(record)?;
        match self.group.node(&decoded.sender) {
            Some(sender) => self.message(0, sender, decoded),
            None => Err(ReceiveError::UnknownSender {
                index: 0,
                name: decoded.sender,
            }),
        }
    }

    /// All checks of 6.3 for a record by itself.
    pub(super) fn admitted(&self, record: &Bytes) -> Result<Admitted, ReceiveError> {
        self.admit(0, self.decode(record)?)
    }

    /// Checks 4 to 6 of 6.3.
    pub(super) fn message(
        &self,
        index: usize,
        sender: Node,
        decoded: Decoded,
    ) -> Result<Message, ReceiveError> {
        let negative = decoded.clock.iter().find(|(_, value)| *value < 0);
        if let Some((name, _)) = negative.cloned() {
            return Err(ReceiveError::NegativeClockValue { index, name });
        }
        let mut stamp = Clock::zero(self.group.size());
        let mut has_own = false;
        for (name, value) in decoded.clock {
            let Some(node) = self.group.node(&name) else {
                return Err(ReceiveError::UnknownClockNode { index, name });
            };
            has_own |= node == sender;
            stamp.set(node, value.unsigned_abs());
        }
        // A counter that wraps makes 0 a number like any other (D18).
        let has_own = match self.strategies.overflow {
            Overflow::Refused => stamp.get(sender) > 0,
            Overflow::Wraps => has_own,
        };
        if !has_own {
            return Err(ReceiveError::MissingOwnEntry { index });
        }
        Ok(Message {
            sender,
            stamp,
            operation: decoded.operation,
        })
    }

    /// A stamp by names.
    pub(super) fn named<V>(&self, clock: &Clock, value: impl Fn(u64) -> V) -> BTreeMap<Name, V> {
        let names = self.group.names().iter().cloned();
        let values = clock.entries().iter().map(|entry| value(*entry));
        names.zip(values).collect()
    }
}

/// The operation that a payload of the text profile says; none if it is opaque (7.2).
pub(super) fn text_operation(payload: &[u8]) -> Option<Operation> {
    parsed(payload).map(Operation::Text)
}
