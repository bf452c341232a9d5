//! Messages, inputs and outputs (section 6).

use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;

use super::clock::{Clock, Node};
use super::error::{AckError, FlushError, ReceiveError, Refusal, SubmitError};
use super::local::Request;
use super::log::LogName;
use super::{framed, text};

/// A stamped message, decoded. Identified by `(sender, seq)`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Message {
    /// Who submitted it.
    pub sender: Node,
    /// The sender's clock just after the increment (rule 2).
    pub stamp: Clock,
    /// What it does; none if the payload is no well-formed operation (opaque).
    pub operation: Option<Operation>,
}

/// A well-formed payload.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub enum Operation {
    /// Of the text profile (3.3).
    Text(text::Operation),
    /// Of the framed profile (4.2).
    Framed(framed::Operation),
}

impl Message {
    /// The sender's own entry of the stamp.
    pub fn seq(&self) -> u64 {
        self.stamp.get(self.sender)
    }
}

/// A complete record of a log, with its message. Equality and hash are those of the record.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As received or as sent: text: the line without its terminator; framed: the body of the frame.
    pub record: Bytes,
    /// What it says.
    pub message: Arc<Message>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.record == other.record
    }
}

impl Eq for Entry {}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.record.hash(state);
    }
}

impl AsRef<Message> for Entry {
    fn as_ref(&self) -> &Message {
        &self.message
    }
}

/// What happened to a node. Operations are serial: the next one begins when the outputs of the one
/// before are carried out. A failed write or sync is a crash: the state is dropped and recovered
/// from disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// A caller submits a payload or a local operation (6.2, 7.3).
    Submit(Request),
    /// Transfer to `peer` what it has not confirmed (6.3). Changes nothing.
    Flush {
        /// The peer.
        peer: Node,
    },
    /// `peer` has durably stored every message up to `seq` (6.3).
    Ack {
        /// The peer.
        peer: Node,
        /// The highest of the own messages that it confirmed.
        seq: u64,
    },
    /// Everything read from one connection (text) or one bulk (framed) (6.3).
    Receive {
        /// Its bytes.
        wire: Bytes,
    },
    /// Deliver what can be delivered (6.4).
    Apply {
        /// Ends the run right after that many deliveries.
        limit: Option<NonZeroU64>,
    },
    /// Stop in order (6.7).
    Shutdown,
}

/// What must be done, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// A durable write. A crash may come after each, and tear an append.
    Write(Write),
    /// All writes so far must be durable before anything after this is done.
    Sync,
    /// Answer of [`Input::Submit`].
    Submitted(Result<Submitted, SubmitError>),
    /// Answer of [`Input::Flush`].
    Flushed(Result<Flushed, FlushError>),
    /// Answer of [`Input::Ack`]: entries left in the send log.
    Acked(Result<usize, AckError>),
    /// Answer of [`Input::Receive`]. Confirms the transfer if it is no error.
    Received(Result<Received, ReceiveError>),
    /// Answer of [`Input::Apply`].
    Applied(Result<Applied, Refusal>),
    /// Answer of [`Input::Shutdown`].
    Stopped(Result<Stopped, Refusal>),
}

impl Output {
    /// The write, if it is one.
    pub const fn as_write(&self) -> Option<&Write> {
        match self {
            Self::Write(write) => Some(write),
            _ => None,
        }
    }
}

/// One atomic write to the durable image, but for appends, of which a crash may leave any prefix.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub enum Write {
    /// Appends to a log.
    Append {
        /// The log.
        log: LogName,
        /// Complete records with their framing, unless a crash tears it.
        bytes: Bytes,
    },
    /// Removes one record of the receive log.
    Purge {
        /// Number of the record, counted from the open of the log.
        id: u64,
    },
    /// Removes the oldest records of the send log.
    Truncate {
        /// How many.
        count: usize,
    },
    /// Changes the state record.
    Change(Change),
    /// Cuts a log after its last complete record (6.6).
    Cut {
        /// The log.
        log: LogName,
    },
    /// Puts any bytes in place of a log: faulty variants only (D9).
    Overwrite {
        /// The log.
        log: LogName,
        /// All of it.
        bytes: Bytes,
    },
    /// Puts any bytes in place of the clock file: faulty variants only (D10).
    ClockFile(Bytes),
    /// Notes that records of the receive log are done with: faulty variants only (D17).
    Areas {
        /// Their numbers.
        done: Vec<u64>,
    },
}

/// A change of the state record, which is atomic. The same function takes it into the running state,
/// into models' disks and into a journal read back.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub enum Change {
    /// A message is delivered, or submitted here: its effect and the clock in one.
    Delivered(Arc<Message>),
    /// A peer confirmed the own messages up to `seq`.
    Cursor {
        /// The peer.
        peer: Node,
        /// Its cursor.
        seq: u64,
    },
    /// The effect without the clock: faulty variants only.
    Effect(Arc<Message>),
    /// One clock entry without an effect: faulty variants only.
    Clock {
        /// Whose.
        node: Node,
        /// Its value.
        value: u64,
    },
}

/// A submitted message.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Submitted {
    /// Its number among those of this node.
    pub seq: u64,
    /// Its stamp.
    pub clock: Clock,
    /// Text: its line without terminator. Framed: its frame.
    pub wire: Bytes,
}

/// A transfer.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Flushed {
    /// The last message included, or the cursor if there is none.
    pub upto: u64,
    /// Text: what each connection carries. Framed: one bulk, or none.
    pub wire: Vec<Bytes>,
}

/// A stored transfer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Received {
    /// Messages appended.
    pub stored: usize,
    /// Entries of the receive log now.
    pub log: usize,
}

/// What a node had when it stopped in order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Stopped {
    /// Entries of the receive log.
    pub log: usize,
    /// Entries of the send log.
    pub send_log: usize,
}

/// What a run of apply did.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Applied {
    /// In order of delivery.
    pub applied: Vec<Delivery>,
    /// Duplicates removed.
    pub purged: usize,
    /// Entries of the receive log now.
    pub log: usize,
    /// The clock now.
    pub clock: Clock,
}

/// One delivered message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Delivery {
    /// Its sender.
    pub sender: Node,
    /// Its number among the sender's.
    pub seq: u64,
    /// Whether it was no well-formed operation.
    pub opaque: bool,
}
