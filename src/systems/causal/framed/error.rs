//! Why bytes are no frames or no message.

use thiserror::Error;

/// Why bytes are no frames (4.1) or no message (4.2), and where.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Error, serde::Serialize)]
#[error("{} at byte {offset}{}: {reason}", .reason.code(), of(.field))]
pub struct Error {
    /// Which rule is broken.
    pub reason: Reason,
    /// The innermost field that was being read, by its number; none in frames and in keys of fields.
    pub field: Option<u32>,
    /// From the start of what was given to the decoder: where the length, key or value begins that
    /// breaks the rule.
    pub offset: usize,
}

/// The rules that bytes can break.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error, serde::Serialize)]
pub enum Reason {
    /// A frame begins otherwise.
    #[error("expected a length in decimal digits and ';'")]
    NoLength,
    /// The length of a frame does not fit.
    #[error("expected a length up to 9223372036854775807")]
    LengthTooLarge,
    /// The input ends within, or before, the digits of a length.
    #[error("expected the rest of a length in decimal digits and ';', but the input ends")]
    UnfinishedLength,
    /// The input ends within the body of a frame.
    #[error("expected a body of {expected} bytes, but {left} are left")]
    UnfinishedBody {
        /// Its length, as the frame says.
        expected: u64,
        /// Bytes after the length.
        left: usize,
    },
    /// Truncated, or too long, or too large.
    #[error(
        "expected a varint of at most 10 bytes and 64 bits that ends before the message around it"
    )]
    Varint,
    /// The key of a field does not fit.
    #[error("expected the key of a field of at most 32 bits, found {0}")]
    KeyTooLarge(u64),
    /// There is no such field.
    #[error("expected a field number from 1, found 0")]
    FieldZero,
    /// Groups are not part of proto3; nor are wire types 6 and 7.
    #[error("expected wire type 0, 1, 2 or 5, found {0}")]
    WireType(u8),
    /// Wire type of another type than that of the field.
    #[error("expected wire type {expected} in this field, found {found}")]
    OtherWireType {
        /// That of the field.
        expected: u8,
        /// That of the key.
        found: u8,
    },
    /// A value is longer than what is left of the message, sub-message or map entry around it.
    #[error("expected a value of {expected} bytes, but {left} are left of the message around it")]
    UnfinishedValue {
        /// Its length.
        expected: u64,
        /// Bytes up to the end of the message around it.
        left: usize,
    },
    /// A string is not UTF-8.
    #[error("expected a string in UTF-8")]
    Utf8,
}

impl Error {
    /// As in traces.
    pub const fn code(&self) -> &'static str {
        self.reason.code()
    }
}

impl Reason {
    /// As in traces: `invalid_frame_length`, `truncated_frame` or `invalid_protobuf`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoLength | Self::LengthTooLarge => "invalid_frame_length",
            Self::UnfinishedLength | Self::UnfinishedBody { .. } => "truncated_frame",
            Self::Varint
            | Self::KeyTooLarge(_)
            | Self::FieldZero
            | Self::WireType(_)
            | Self::OtherWireType { .. }
            | Self::UnfinishedValue { .. }
            | Self::Utf8 => "invalid_protobuf",
        }
    }
}

fn of(field: &Option<u32>) -> String {
    field.map_or_else(String::new, |number| format!(" (field {number})"))
}
