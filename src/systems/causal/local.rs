//! Local operations: preconditions, and the payload they submit (7.3).

use bytes::Bytes;

use super::Name;
use super::error::SubmitError;
use super::message::Operation;
use super::orset::UserSets;
use super::{framed, text};

/// What a caller asks a node to submit.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub enum Request {
    /// Text profile.
    Text(TextRequest),
    /// Framed profile.
    Framed(FramedRequest),
}

/// Local operations of the text profile. Fields as in 7.3.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[allow(missing_docs, reason = "skeleton")]
pub enum TextRequest {
    /// Any payload, without preconditions.
    Send {
        payload: Bytes,
    },
    Create {
        user: Name,
        mailbox: Name,
        tag: Name,
    },
    Delete {
        user: Name,
        mailbox: Name,
    },
    Append {
        user: Name,
        mailbox: Name,
        value: Name,
        tag: Name,
        contents: Bytes,
    },
    Expunge {
        user: Name,
        mailbox: Name,
        value: Name,
    },
    Store {
        user: Name,
        mailbox: Name,
        value: Name,
        new_value: Name,
        tag: Name,
        contents: Bytes,
    },
    Rename {
        user: Name,
        mailbox: Name,
        new_mailbox: Name,
        tag: Name,
        mail_tags: Vec<Name>,
    },
    Copy {
        user: Name,
        from: Name,
        to: Name,
        values: Vec<Name>,
        tags: Vec<Name>,
    },
}

/// Local operations of the framed profile. Fields as in 7.3.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[allow(missing_docs, reason = "skeleton")]
pub enum FramedRequest {
    /// Any message: `replica` and `vclock` are filled in by the node.
    Send(Box<framed::Msg>),
    Create {
        user: Name,
        mailbox: Name,
        tag: Name,
    },
    Delete {
        user: Name,
        mailbox: Name,
    },
    Append {
        user: Name,
        mailbox: Name,
        tag: Name,
        content: Bytes,
    },
    Expunge {
        user: Name,
        mailbox: Name,
        rmv_tag: Name,
        add_tag: Name,
    },
    Store {
        user: Name,
        mailbox: Name,
        rmv_tag: Name,
        add_tag: Name,
        content: Bytes,
    },
}

impl TextRequest {
    /// The payload, if the preconditions hold on what its user has: bytes, and the operation if it is well formed.
    /// # Errors 7.3, in its order.
    pub fn payload(
        &self,
        _sets: Option<&UserSets>,
    ) -> Result<(Bytes, Option<text::Operation>), SubmitError> {
        todo!()
    }
}

impl FramedRequest {
    /// The message without sender and clock. # Errors 7.3, in its order.
    pub fn msg(&self, _sets: Option<&UserSets>) -> Result<framed::Msg, SubmitError> {
        todo!()
    }
}

#[allow(dead_code, reason = "skeleton")]
fn _unused(_: Operation) {}
