//! Errors of the operations, each with the code that traces know (6, 7.3).

use thiserror::Error;

use super::log::LogName;
use super::{framed, text};

/// Why a node refuses every operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error, serde::Serialize)]
#[error("the node is down; recover it first")]
pub struct Refusal;

/// Why a submit changed nothing (6.2, 7.3).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Error, serde::Serialize)]
#[non_exhaustive]
pub enum SubmitError {
    /// The node is down.
    #[error("the node is down; nothing changed")]
    NodeDown,
    /// Not allowed in a payload.
    #[error("{what} cannot be represented: {why}; nothing changed")]
    UnrepresentableField {
        /// Which field.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A mailbox is visible already.
    #[error("mailbox {0:?} is visible already; nothing changed")]
    MailboxExists(super::Name),
    /// A mailbox is not visible.
    #[error("mailbox {0:?} is not visible; nothing changed")]
    MailboxNotFound(super::Name),
    /// A value or pair is absent.
    #[error("{0:?} is not there; nothing changed")]
    ElementNotFound(super::Name),
    /// A list would be empty.
    #[error("a list of elements would be empty; nothing changed")]
    EmptyElements,
    /// Another number of tags than of elements.
    #[error("{tags} tags for {elements} elements; nothing changed")]
    TagCountMismatch {
        /// Tags given.
        tags: usize,
        /// Elements.
        elements: usize,
    },
    /// The own clock entry is at its largest value.
    #[error("the clock entry of this node is {0}, the largest; nothing changed")]
    ClockOverflow(u64),
    /// The request is of the other profile.
    #[error("the request is not part of this profile; nothing changed")]
    WrongProfile,
}

/// Why a flush gives nothing (6.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error, serde::Serialize)]
pub enum FlushError {
    /// The node is down.
    #[error("the node is down; nothing changed")]
    NodeDown,
    /// Not another member of the group.
    #[error("not a peer; nothing changed")]
    UnknownPeer,
}

/// Why an ack changed nothing (6.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error, serde::Serialize)]
pub enum AckError {
    /// The node is down.
    #[error("the node is down; nothing changed")]
    NodeDown,
    /// Not another member of the group.
    #[error("not a peer; nothing changed")]
    UnknownPeer,
    /// Above what this node ever submitted.
    #[error("{seq} acked, but the last message is {last}; nothing changed")]
    AckBeyondLog {
        /// What was acked.
        seq: u64,
        /// The own clock entry.
        last: u64,
    },
}

/// Why a transfer is refused; nothing of it is stored (6.3).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Error, serde::Serialize)]
pub enum ReceiveError {
    /// The node is down.
    #[error("the node is down; nothing changed")]
    NodeDown,
    /// The line cannot be parsed.
    #[error("the message is no line of this format: {0}; nothing was stored")]
    Text(text::Error),
    /// The bulk cannot be unframed, or a body not be decoded.
    #[error("the bulk is not of this format: {0}; nothing was stored")]
    Framed(framed::Error),
    /// The sender is no member.
    #[error("message {index}: the sender {name:?} is no member of the group; nothing was stored")]
    UnknownSender {
        /// Which message of the transfer, from 0.
        index: usize,
        /// The name it carries.
        name: super::Name,
    },
    /// The sender is this node.
    #[error("message {index}: the sender is this node; nothing was stored")]
    FromSelf {
        /// Which message of the transfer, from 0.
        index: usize,
    },
    /// A clock entry is below 0.
    #[error("message {index}: the clock entry of {name:?} is negative; nothing was stored")]
    NegativeClockValue {
        /// Which message of the transfer, from 0.
        index: usize,
        /// Whose entry.
        name: super::Name,
    },
    /// The clock names somebody outside the group.
    #[error("message {index}: the clock names {name:?}, no member; nothing was stored")]
    UnknownClockNode {
        /// Which message of the transfer, from 0.
        index: usize,
        /// Who.
        name: super::Name,
    },
    /// The sender's own entry is absent or 0.
    #[error("message {index}: the sender's own clock entry is missing; nothing was stored")]
    MissingOwnEntry {
        /// Which message of the transfer, from 0.
        index: usize,
    },
}

/// Why a disk is none that this node left behind; recovery changed nothing (6.6). The reference
/// never writes such a disk.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Error, serde::Serialize)]
pub enum RecoverError {
    /// A clock of the state record is of another group.
    #[error(
        "the state record has a clock of {found} entries, expected {expected}; nothing changed"
    )]
    Members {
        /// Its entries.
        found: usize,
        /// Members of the group.
        expected: usize,
    },
    /// A clock of the state record has an entry that the profile has no room for.
    #[error(
        "the state record has a clock entry {found}, expected at most {largest}; nothing changed"
    )]
    Range {
        /// The entry.
        found: u64,
        /// The largest of the profile.
        largest: u64,
    },
    /// A complete record of a log does not say what it should.
    #[error("record {record} of the {log}: {code}, expected {expected}; nothing changed")]
    Foreign {
        /// Which log.
        log: LogName,
        /// Which of its records, from 0.
        record: usize,
        /// What is wrong, as for a transfer (6.3).
        code: &'static str,
        /// What this node writes there.
        expected: &'static str,
    },
    /// Own messages are not in order.
    #[error(
        "record {record} of the send log: message {seq}, expected one above {above}; nothing changed"
    )]
    Order {
        /// Which of its records, from 0.
        record: usize,
        /// Its message's number.
        seq: u64,
        /// That of the message before.
        above: u64,
    },
}

impl SubmitError {
    /// As in traces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NodeDown => "node_down",
            Self::UnrepresentableField { .. } => "unrepresentable_field",
            Self::MailboxExists(_) => "mailbox_exists",
            Self::MailboxNotFound(_) => "mailbox_not_found",
            Self::ElementNotFound(_) => "element_not_found",
            Self::EmptyElements => "empty_elements",
            Self::TagCountMismatch { .. } => "tag_count_mismatch",
            Self::ClockOverflow(_) => "clock_overflow",
            Self::WrongProfile => "wrong_profile",
        }
    }
}

impl FlushError {
    /// As in traces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NodeDown => "node_down",
            Self::UnknownPeer => "unknown_peer",
        }
    }
}

impl AckError {
    /// As in traces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NodeDown => "node_down",
            Self::UnknownPeer => "unknown_peer",
            Self::AckBeyondLog { .. } => "ack_beyond_log",
        }
    }
}

impl ReceiveError {
    /// As in traces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NodeDown => "node_down",
            Self::Text(error) => error.code(),
            Self::Framed(error) => error.code(),
            Self::UnknownSender { .. } => "unknown_sender",
            Self::FromSelf { .. } => "from_self",
            Self::NegativeClockValue { .. } => "negative_clock_value",
            Self::UnknownClockNode { .. } => "unknown_clock_node",
            Self::MissingOwnEntry { .. } => "missing_own_entry",
        }
    }
}
