//! What is wrong with a text, or with what should become one.

use std::fmt;

use thiserror::Error;

/// Which check failed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Not UTF-8: the bytes themselves, or what base64 decodes to.
    InvalidUtf8,
    /// A message of fewer than three parts (3.1).
    InvalidSyncMessage,
    /// A message with an empty sender (3.1).
    MissingSender,
    /// A clock entry without a colon (3.1, 5).
    InvalidVclockElement,
    /// A clock entry whose value is no number in range (3.1, 5).
    InvalidVclockNumber,
    /// A payload without a bar (3.3).
    NotEnoughPipes,
    /// An operation of another number of parts (3.3).
    PipeCount,
    /// A mailbox that is not base64 (3.3).
    MailboxBase64,
    /// A list of pairs of fewer than two pieces (3.3).
    TooFewSemicolons,
    /// A list of pairs of an odd number of pieces (3.3, 5).
    OddElementCount,
    /// A single element of another number of pieces (3.3).
    ElementSemicolons,
    /// A list of triples whose number of pieces is no multiple of three (3.3).
    NotDivisibleByThree,
    /// A value that is not base64 (3.3, 5).
    ValueBase64,
    /// Contents that are not base64 (3.3).
    ContentsBase64,
    /// An empty list to format (3.3).
    EmptyElements,
    /// Something that no parser would read back as it is (3.1, 3.3, 5).
    UnrepresentableField,
    /// Ranges that are malformed, negative, reversed or out of order (5).
    InvalidArea,
}

/// Where in its part something is wrong. Everything counts from 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub enum Place {
    /// The part as a whole.
    All,
    /// From this byte on.
    Byte(usize),
    /// This piece between separators; in what is formatted, this element, entry or range.
    Piece(usize),
    /// So many pieces are the wrong number.
    Count(usize),
}

/// Why bytes are no text of this format, or a value has none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error, serde::Serialize)]
#[error("{}: {part}{place}: expected {expected}", .kind.code())]
pub struct Error {
    kind: Kind,
    part: &'static str,
    place: Place,
    expected: &'static str,
}

impl Error {
    /// With the expectation that goes with `kind`.
    pub(crate) const fn new(kind: Kind, part: &'static str, place: Place) -> Self {
        Self {
            kind,
            part,
            place,
            expected: kind.expected(),
        }
    }

    /// With an expectation of its own.
    pub(crate) const fn expecting(self, expected: &'static str) -> Self {
        Self { expected, ..self }
    }

    /// As in traces.
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// Which check failed.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What is wrong, in words: `clock`, `removed pairs`.
    pub const fn part(&self) -> &'static str {
        self.part
    }

    /// Where in it.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// What should have been there.
    pub const fn expected(&self) -> &'static str {
        self.expected
    }
}

impl Kind {
    /// As in traces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidUtf8 => "invalid_utf8",
            Self::InvalidSyncMessage => "invalid_sync_message",
            Self::MissingSender => "missing_sender",
            Self::InvalidVclockElement => "invalid_vclock_element",
            Self::InvalidVclockNumber => "invalid_vclock_number",
            Self::NotEnoughPipes => "not_enough_pipes",
            Self::PipeCount => "pipe_count",
            Self::MailboxBase64 => "mailbox_base64",
            Self::TooFewSemicolons => "too_few_semicolons",
            Self::OddElementCount => "odd_element_count",
            Self::ElementSemicolons => "element_semicolons",
            Self::NotDivisibleByThree => "not_divisible_by_three",
            Self::ValueBase64 => "value_base64",
            Self::ContentsBase64 => "contents_base64",
            Self::EmptyElements => "empty_elements",
            Self::UnrepresentableField => "unrepresentable_field",
            Self::InvalidArea => "invalid_area",
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::InvalidUtf8 => "UTF-8",
            Self::InvalidSyncMessage => "three parts, sender, clock and payload, between bars",
            Self::MissingSender => "a name",
            Self::InvalidVclockElement => "a name, a colon and a number",
            Self::InvalidVclockNumber => "a decimal integer in signed 64 bits",
            Self::NotEnoughPipes => "an operation word and a bar",
            Self::PipeCount => "another number of parts between bars",
            Self::TooFewSemicolons => "at least one value and tag",
            Self::OddElementCount => "values and tags in turn",
            Self::ElementSemicolons => "exactly the pieces of one element",
            Self::NotDivisibleByThree => "value, tag and contents in turn",
            Self::MailboxBase64 | Self::ValueBase64 | Self::ContentsBase64 => {
                "base64 with padding and nothing behind it"
            }
            Self::EmptyElements => "at least one element",
            Self::UnrepresentableField => "no bar, semicolon, CR or LF",
            Self::InvalidArea => "ranges start-end of bytes, in order and without overlap",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::Byte(at) => write!(out, " at byte {at}"),
            Self::Piece(at) => write!(out, ", piece {at}"),
            Self::Count(pieces) => write!(out, " of {pieces} pieces"),
        }
    }
}
