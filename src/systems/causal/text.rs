//! Text codec (section 3).

use std::collections::BTreeMap;

use bytes::Bytes;
use thiserror::Error;

use super::Name;
use super::orset::Pair;

/// Why bytes are no message, payload or list of this format.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Error, serde::Serialize)]
#[error("{code}: {message}")]
pub struct Error {
    code: &'static str,
    message: String,
}

impl Error {
    /// As in traces.
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

/// A message line, decoded (3.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Who sent it.
    pub sender: Name,
    /// Its stamp.
    pub clock: BTreeMap<Name, i64>,
    /// Everything after the second bar.
    pub payload: Bytes,
}

/// A pair with contents.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
pub struct Triple {
    /// Value.
    pub value: Name,
    /// Tag.
    pub tag: Name,
    /// Contents.
    pub contents: Bytes,
}

/// A payload (3.3).
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Operation {
    /// Whose mailboxes.
    pub user: Name,
    /// Which.
    pub mailbox: Name,
    /// What is done.
    pub action: Action,
}

/// What an operation does.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[allow(missing_docs, reason = "skeleton")]
pub enum Action {
    Create {
        add: Pair,
    },
    Delete {
        remove: Vec<Pair>,
    },
    Append {
        add: Triple,
    },
    Expunge {
        remove: Vec<Pair>,
    },
    Store {
        remove: Vec<Pair>,
        add: Triple,
    },
    Rename {
        remove: Vec<Pair>,
        add: Pair,
        mails: Vec<Triple>,
    },
    Copy {
        mails: Vec<Triple>,
    },
}

/// The message line, without terminator (3.1). # Errors `unrepresentable_field`.
pub fn format_message(_line: &Line) -> Result<Bytes, Error> {
    todo!()
}
/// 3.1, in the order of its checks. # Errors The first check that fails.
pub fn parse_message(_raw: &[u8]) -> Result<Line, Error> {
    todo!()
}
/// Operation word and rest. # Errors `invalid_utf8`, `not_enough_pipes`.
pub fn parse_op(_raw: &[u8]) -> Result<(&str, &str), Error> {
    todo!()
}
/// The message line among what a connection carried, if one is complete (3.2): stripped of CR and LF.
pub fn line_of(_connection: &[u8]) -> Option<&[u8]> {
    todo!()
}
/// What a connection carries: ping line, message, CR LF (3.2).
pub fn connection_of(_line: &[u8]) -> Bytes {
    todo!()
}

impl Operation {
    /// What follows the operation word and its bar. # Errors 3.3. None as word: unknown.
    pub fn parse(_word: &str, _rest: &[u8]) -> Option<Result<Self, Error>> {
        todo!()
    }
    /// The operation word.
    pub fn word(&self) -> &'static str {
        todo!()
    }
    /// The whole payload. # Errors `empty_elements`, then `unrepresentable_field`.
    pub fn format(&self) -> Result<Bytes, Error> {
        todo!()
    }
}
