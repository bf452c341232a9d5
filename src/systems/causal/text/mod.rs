//! Text codec (section 3).
//!
//! Parsers never panic and check in the order of the spec: where two things are wrong, the first
//! check decides. They run in time linear in their input, and allocate no more than a constant times
//! its length.

mod connection;
mod element;
mod entries;
mod error;
mod message;
mod operation;

pub use connection::{PING, connection_of, line_of};
pub use element::Triple;
pub use error::{Error, Kind, Place};
pub use message::{Line, check_payload, format_message, format_message_unchecked, parse_message};
pub use operation::{Action, Operation, parse_op};

pub(crate) use element::{Decoder, check_field, push_pair};
pub(crate) use entries::{SIGNED, check_names, parse_entries, push_entries, signed};

/// All of `raw` as text.
pub(crate) fn utf8<'a>(raw: &'a [u8], part: &'static str) -> Result<&'a str, Error> {
    std::str::from_utf8(raw)
        .map_err(|error| Error::new(Kind::InvalidUtf8, part, Place::Byte(error.valid_up_to())))
}
