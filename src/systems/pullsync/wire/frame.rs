//! Frames: the length of a body as varint, then the body (6).

use bytes::{Buf as _, Bytes, BytesMut};
use prost::encoding;
use serde::Serialize;

use super::faulty;
use super::message::{Kind, Malformed, Message};
use super::strategy::{Oversized, Strategies};
use crate::pullsync::limits::MAX_MESSAGE;

/// Most bytes of a length.
const MAX_LENGTH: usize = 10;

/// Why a frame was not read, or not written. Nothing more can be read from a stream after any of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum FrameError {
    /// The input ends between frames (rule 1).
    #[error("no byte at all, expected a frame")]
    Eof,
    /// It ends within one (rules 2 and 4).
    #[error("the input ends {held} bytes into a frame")]
    UnexpectedEof {
        /// Bytes of the frame that are there, at least 1.
        held: usize,
    },
    /// A length without end, or beyond 64 bits (rule 2).
    #[error("a length of more than 64 bits")]
    Overflow,
    /// A body that is too long (rule 3, D10).
    #[error("a body of {length} bytes, expected at most 131072")]
    MessageTooLarge {
        /// Its length in bytes, as it was announced.
        length: u64,
    },
    /// A body that does not decode (rule 5).
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl FrameError {
    /// The error code of 12.3.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Eof => "eof",
            Self::UnexpectedEof { .. } => "unexpected_eof",
            Self::Overflow => "overflow",
            Self::MessageTooLarge { .. } => "message_too_large",
            Self::Malformed(malformed) => malformed.code(),
        }
    }
}

/// The frame of a message.
///
/// # Errors
/// `message_too_large`.
pub fn frame(message: &Message) -> Result<Bytes, FrameError> {
    frame_by(message, &Strategies::REFERENCE)
}

/// The frame of a message, or of one that is too large if these frames may be.
///
/// # Errors
/// `message_too_large`, unless such are written.
pub fn frame_by(message: &Message, how: &Strategies) -> Result<Bytes, FrameError> {
    let length = message.encoded_len();
    if length > MAX_MESSAGE && how.oversized == Oversized::Refused {
        let length = length as u64;
        return Err(FrameError::MessageTooLarge { length });
    }
    let mut out = Vec::with_capacity(encoding::encoded_len_varint(length as u64) + length);
    encoding::encode_varint(length as u64, &mut out);
    message.encode_into(&mut out);
    Ok(out.into())
}

/// Frames out of bytes that arrive in pieces, however those are cut. What arrives together with a
/// message is kept (D12).
///
/// It holds what was pushed and not yet read. Whoever takes all messages out before pushing more thus
/// holds at most one frame and one piece.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct Reader {
    buffer: BytesMut,
}

impl Reader {
    /// Takes in what arrived. Amortised O(length).
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message; none if more bytes are needed. Its bytes are slices of what was pushed.
    ///
    /// # Errors
    /// `overflow`, `message_too_large` and `malformed`; the first two as soon as the length is there. They
    /// come again if it is asked again, `malformed` does not.
    pub fn next(&mut self, kind: Kind) -> Result<Option<Message>, FrameError> {
        self.next_by(kind, &Strategies::REFERENCE)
    }

    /// Likewise, as these frames are read (D12).
    ///
    /// # Errors
    /// Those of [`Reader::next`].
    pub fn next_by(&mut self, kind: Kind, how: &Strategies) -> Result<Option<Message>, FrameError> {
        let Some((start, length)) = header(&self.buffer)? else {
            return Ok(None);
        };
        faulty::fill(&mut self.buffer, start, length, how);
        if self.buffer.len() - start < length {
            return Ok(None);
        }
        self.buffer.advance(start);
        let body = self.buffer.split_to(length).freeze();
        faulty::replace(&mut self.buffer, kind, how);
        Ok(Some(Message::decode(kind, body)?))
    }

    /// What it means that the input ends now: `eof` between frames, else `unexpected_eof`, or what
    /// [`Reader::next`] says of the length. To be asked when there is no further message.
    pub fn end(&self) -> FrameError {
        self.end_by(&Strategies::REFERENCE)
    }

    /// Likewise, as these frames are read (D9).
    pub fn end_by(&self, how: &Strategies) -> FrameError {
        let held = self.buffer.len();
        match header(&self.buffer) {
            Err(error) => error,
            Ok(None) if held == 0 => FrameError::Eof,
            Ok(Some((start, _))) if faulty::ends_cleanly(start == held, how) => FrameError::Eof,
            Ok(_) => FrameError::UnexpectedEof { held },
        }
    }

    /// The bytes not yet read.
    pub fn rest(&self) -> &[u8] {
        &self.buffer
    }
}

/// Where the body of the frame at the start of `raw` begins, and its length; none if the length is not
/// whole. Neither is more than a frame has.
fn header(raw: &[u8]) -> Result<Option<(usize, usize)>, FrameError> {
    let length = &raw[..raw.len().min(MAX_LENGTH)];
    let Some(last) = length.iter().position(|byte| *byte < 0x80) else {
        return match length.len() {
            MAX_LENGTH => Err(FrameError::Overflow),
            _ => Ok(None),
        };
    };
    // Prost refuses a tenth byte above 1, as the spec does here, but not within a body.
    let mut rest = &length[..=last];
    let length = encoding::decode_varint(&mut rest).map_err(|_| FrameError::Overflow)?;
    match usize::try_from(length) {
        Ok(length) if length <= MAX_MESSAGE => Ok(Some((last + 1, length))),
        _ => Err(FrameError::MessageTooLarge { length }),
    }
}
