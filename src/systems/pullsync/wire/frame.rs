//! Frames: a length as varint, then the body.
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;

use super::message::{Kind, Malformed, Message};

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    #[error("no byte at all")]
    Eof,
    #[error("the input ends after {held} bytes, within a frame")]
    UnexpectedEof { held: usize },
    #[error("a length that exceeds 64 bits")]
    Overflow,
    #[error("a body of {length} bytes, expected at most 131072")]
    MessageTooLarge { length: u64 },
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// The frame of a message. The only error is that it is too large.
pub fn frame(_message: &Message) -> Result<Bytes, FrameError> {
    todo!()
}

/// Frames out of bytes that arrive in pieces. What arrives together with a message is kept.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Reader {
    buffer: bytes::BytesMut,
}

impl Reader {
    pub fn push(&mut self, _bytes: &[u8]) {
        todo!()
    }
    /// The next message, none if more bytes are needed.
    pub fn next(&mut self, _kind: Kind) -> Result<Option<Message>, FrameError> {
        todo!()
    }
    /// What the end of the input means now: `Eof` between frames, `UnexpectedEof` or `Overflow` within one.
    pub fn end(&self) -> FrameError {
        todo!()
    }
    /// The bytes not yet read.
    pub fn rest(&self) -> &[u8] {
        &self.buffer
    }
}
