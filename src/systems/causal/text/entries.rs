//! Clock entries: `name:number`, joined by semicolons (3.1, 5).

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use super::{Error, Kind, Place};
use crate::causal::Name;
use crate::causal::group::is_legal;

const PART: &str = "clock";

/// Appends entries in the order in which they come.
pub(crate) fn push_entries<'a>(
    out: &mut String,
    entries: impl IntoIterator<Item = (&'a str, impl Display)>,
) {
    for (at, (name, value)) in entries.into_iter().enumerate() {
        if at > 0 {
            out.push(';');
        }
        write!(out, "{name}:{value}").expect("a string takes everything");
    }
}

/// Refuses a name that no node may have.
pub(crate) fn check_names(entries: &BTreeMap<Name, i64>) -> Result<(), Error> {
    match entries.keys().position(|name| !is_legal(name)) {
        Some(at) => Err(illegal(PART, Place::Piece(at))),
        None => Ok(()),
    }
}

/// That a name is not one of a node.
pub(crate) const fn illegal(part: &'static str, place: Place) -> Error {
    Error::new(Kind::UnrepresentableField, part, place)
        .expecting("a name that is not empty, without bar, colon, semicolon, CR and LF")
}

/// Entries as `number` reads their values; of a name that occurs twice the last. `numbers` says what
/// that takes.
pub(crate) fn parse_entries(
    text: &str,
    number: impl Fn(&str) -> Option<i64>,
    numbers: &'static str,
) -> Result<BTreeMap<Name, i64>, Error> {
    let mut entries = BTreeMap::new();
    for (at, entry) in text.split(';').enumerate() {
        let wrong = |kind| Error::new(kind, PART, Place::Piece(at));
        let mut pieces = entry.split(':');
        let (Some(name), Some(value)) = (pieces.next(), pieces.next()) else {
            return Err(wrong(Kind::InvalidVclockElement));
        };
        let Some(value) = number(value) else {
            return Err(wrong(Kind::InvalidVclockNumber).expecting(numbers));
        };
        entries.insert(Name::new(name), value);
    }
    Ok(entries)
}

/// Signed 64 bits: an optional sign, then digits and nothing else (3.1).
pub(crate) fn signed(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// What [`signed`] takes.
pub(crate) const SIGNED: &str = "a decimal integer in signed 64 bits";
