//! Framed codec (section 4).

use std::collections::BTreeMap;

use bytes::Bytes;
use thiserror::Error;

use super::Name;

/// Why bytes are no frames, or a body no message.
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

/// `Msg` of 4.2, every field as it was decoded.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize)]
#[allow(missing_docs, reason = "skeleton")]
pub struct Msg {
    pub replica: Name,
    pub vclock: BTreeMap<Name, u32>,
    pub operation: Name,
    pub create: Option<Create>,
    pub delete: Option<Delete>,
    pub append: Option<Append>,
    pub expunge: Option<Expunge>,
    pub store: Option<Store>,
}
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize)]
#[allow(missing_docs, reason = "skeleton")]
pub struct Create {
    pub user: Name,
    pub mailbox: Name,
    pub add_tag: Name,
}
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize)]
#[allow(missing_docs, reason = "skeleton")]
pub struct Delete {
    pub user: Name,
    pub mailbox: Name,
    pub rmv_tags: Vec<Name>,
    pub rmv_mails: Vec<Name>,
}
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize)]
#[allow(missing_docs, reason = "skeleton")]
pub struct Append {
    pub user: Name,
    pub mailbox: Name,
    pub add_tag: Name,
    pub add_content: Bytes,
}
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize)]
#[allow(missing_docs, reason = "skeleton")]
pub struct Expunge {
    pub user: Name,
    pub mailbox: Name,
    pub rmv_tag: Name,
    pub add_tag: Name,
}
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize)]
#[allow(missing_docs, reason = "skeleton")]
pub struct Store {
    pub user: Name,
    pub mailbox: Name,
    pub rmv_tag: Name,
    pub add_tag: Name,
    pub add_content: Bytes,
}

/// The sub-message that counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[allow(missing_docs, reason = "skeleton")]
pub enum Operation {
    Create(Create),
    Delete(Delete),
    Append(Append),
    Expunge(Expunge),
    Store(Store),
}

impl Msg {
    /// The sub-message that `operation` names; none if unknown or absent (7.2: opaque).
    pub fn operation(&self) -> Option<Operation> {
        todo!()
    }
    /// Canonical encoding.
    pub fn encode(&self) -> Bytes {
        todo!()
    }
    /// Decoding (4.2). Contents are slices of `raw`. # Errors `invalid_protobuf`.
    pub fn decode(_raw: &Bytes) -> Result<Self, Error> {
        todo!()
    }
}

/// One frame.
pub fn frame(_body: &[u8]) -> Bytes {
    todo!()
}
/// The bodies of all frames, as slices of `raw`. # Errors 4.1.
pub fn unframe(_raw: &Bytes) -> Result<Vec<Bytes>, Error> {
    todo!()
}
/// Reads one frame at the start: body range and length of the frame. # Errors 4.1; `truncated_frame` if more bytes may complete it.
pub fn first_frame(_raw: &[u8]) -> Result<(std::ops::Range<usize>, usize), Error> {
    todo!()
}
/// `BinMsgs` (4.2).
pub fn encode_bulk(_data: &[u8]) -> Bytes {
    todo!()
}
/// # Errors `invalid_protobuf`.
pub fn decode_bulk(_raw: &Bytes) -> Result<Bytes, Error> {
    todo!()
}
/// `Conf` (4.2).
pub fn encode_confirmation(_status: u32) -> Bytes {
    todo!()
}
/// # Errors `invalid_protobuf`.
pub fn decode_confirmation(_raw: &[u8]) -> Result<u32, Error> {
    todo!()
}
