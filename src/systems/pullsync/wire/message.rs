//! Messages and their proto3 form.
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;
use serde::Serialize;

use crate::pullsync::message;
use crate::pullsync::space::Real;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub enum Kind {
    Syn,
    Ack,
    Ruid,
    GetRange,
    Offer,
    Want,
    Delivery,
    Cancel,
}

/// A message with its fields as they are on the wire.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    Syn,
    Ack {
        cursors: Vec<u64>,
    },
    Ruid {
        ruid: u32,
    },
    GetRange {
        bin: i32,
        from: u64,
        to: u64,
    },
    Offer {
        topmost: u64,
        hashes: Bytes,
    },
    Want {
        bit_vector: Bytes,
    },
    Delivery {
        address: Bytes,
        data: Bytes,
        stamp: Bytes,
    },
    Cancel {
        ruid: u32,
    },
}

/// Bytes that are no message of the expected kind.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("byte {at}: {what}")]
pub struct Malformed {
    pub at: usize,
    pub what: &'static str,
}

/// Hashes that are not a whole number of hashes (7, 4a).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} bytes of hashes, expected a multiple of 32")]
pub struct InconsistentHashLength(pub usize);

impl Message {
    pub fn kind(&self) -> Kind {
        todo!()
    }
    /// The body.
    pub fn encode(&self) -> Bytes {
        todo!()
    }
    /// Length of the body in bytes. O(1) but for packed cursors.
    pub fn encoded_len(&self) -> usize {
        todo!()
    }
    pub fn decode(_kind: Kind, _body: Bytes) -> Result<Self, Malformed> {
        todo!()
    }
    /// Tells addresses apart.
    pub fn typed(self) -> Result<message::Message<Real>, InconsistentHashLength> {
        todo!()
    }
    pub fn untyped(_message: message::Message<Real>) -> Self {
        todo!()
    }
}
