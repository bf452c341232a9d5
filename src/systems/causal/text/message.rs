//! Message lines (3.1).

use std::collections::BTreeMap;
use std::fmt::Display;

use bytes::Bytes;

use super::entries::{self, SIGNED, illegal};
use super::{Error, Kind, Place, utf8};
use crate::causal::Name;
use crate::causal::group::is_legal;

/// A message line, decoded.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Line {
    /// Who sent it; not empty where it was parsed.
    pub sender: Name,
    /// Its stamp, as it was sent: names may be unknown, and values negative.
    pub clock: BTreeMap<Name, i64>,
    /// Everything after the second bar.
    pub payload: Bytes,
}

/// The message line without terminator.
///
/// # Errors
/// `unrepresentable_field` if the sender or a name of the clock is not legal, the clock is empty, or
/// [`check_payload`] refuses the payload.
pub fn format_message(line: &Line) -> Result<Bytes, Error> {
    if !is_legal(&line.sender) {
        return Err(illegal(SENDER, Place::All));
    }
    if line.clock.is_empty() {
        let empty = Error::new(Kind::UnrepresentableField, "clock", Place::All);
        return Err(empty.expecting("at least one entry"));
    }
    entries::check_names(&line.clock)?;
    check_payload(&line.payload)?;
    let clock = line.clock.iter().map(|(name, value)| (&**name, value));
    Ok(format_message_unchecked(&line.sender, clock, &line.payload))
}

/// The message line without terminator, whether or not it can be parsed: for names known to be legal
/// and a payload known to be representable. Entries come in byte order of their names.
pub fn format_message_unchecked<'a>(
    sender: &str,
    clock: impl IntoIterator<Item = (&'a str, impl Display)>,
    payload: &[u8],
) -> Bytes {
    let mut head = String::with_capacity(sender.len() + CLOCK_ROOM + payload.len());
    head.push_str(sender);
    head.push('|');
    entries::push_entries(&mut head, clock);
    head.push('|');
    let mut line = head.into_bytes();
    line.extend_from_slice(payload);
    Bytes::from(line)
}

/// Whether a payload can stand in a message line.
///
/// # Errors
/// `unrepresentable_field` for CR or LF, and for what is not UTF-8.
pub fn check_payload(payload: &[u8]) -> Result<(), Error> {
    let end = payload.iter().position(|byte| b"\r\n".contains(byte));
    let wrong = end.map(|at| (at, "no CR or LF")).or_else(|| {
        let error = std::str::from_utf8(payload).err()?;
        Some((error.valid_up_to(), "UTF-8"))
    });
    match wrong {
        None => Ok(()),
        Some((at, expected)) => {
            let place = Place::Byte(at);
            Err(Error::new(Kind::UnrepresentableField, "payload", place).expecting(expected))
        }
    }
}

/// A message line, with or without its LF.
///
/// # Errors
/// The first check of 3.1 that fails: `invalid_utf8`, `invalid_sync_message`, `missing_sender`,
/// `invalid_vclock_element`, `invalid_vclock_number`.
pub fn parse_message(raw: &[u8]) -> Result<Line, Error> {
    let text = utf8(raw, "message")?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut parts = text.splitn(3, '|');
    let (Some(sender), Some(clock), Some(payload)) = (parts.next(), parts.next(), parts.next())
    else {
        let parts = Place::Count(text.split('|').count());
        return Err(Error::new(Kind::InvalidSyncMessage, "message", parts));
    };
    if sender.is_empty() {
        return Err(Error::new(Kind::MissingSender, SENDER, Place::All));
    }
    Ok(Line {
        clock: entries::parse_entries(clock, entries::signed, SIGNED)?,
        sender: Name::new(sender),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    })
}

const SENDER: &str = "sender";

/// For the bars and a clock of a few members.
const CLOCK_ROOM: usize = 64;
