//! Route records, codec versions 1 and 2 (3.2, 13.1).

use bytes::Bytes;

use super::cursor::{Cursor, Flaw};
use crate::catalog::error::Error;
use crate::catalog::route::Route;
use crate::catalog::strategy::{Level, OpenEnd, Settings, Surplus, Truncation, Validation};

const UNBOUNDED: u8 = 0;
const BOUNDED: u8 = 1;

/// What a codec byte announces.
enum Layout {
    /// That of 3.2.
    First,
    /// With the timestamp of the split (13.1).
    Second,
    /// The same, then what this program does not know.
    Later,
}

/// The record of codec version 1 at level 1, without the timestamp of the split, and of version 2 at
/// level 2. Fails as [`Route::validate`] does.
pub fn encode_route(route: &Route, settings: &Settings) -> Result<Bytes, Error> {
    match settings.strategies.validation {
        Validation::Both => route.validate()?,
        Validation::OnReading => {}
    }
    let mut out = Vec::with_capacity(encoded_len(route, settings.level));
    append(&mut out, route, settings.level);
    Ok(out.into())
}

/// Structure first: `InvalidRouteRecord` says where it is broken. Then as [`Route::validate`] (3.2). Level 1
/// knows codec version 1 only; level 2 also 2, and what it can of later ones. Copies start and end.
pub fn decode_route(raw: &[u8], settings: &Settings) -> Result<Route, Error> {
    let route = parse(raw, settings).map_err(|flaw| refused(flaw, settings))?;
    route.validate()?;
    Ok(route)
}

/// Bytes of the record.
pub(super) fn encoded_len(route: &Route, level: Level) -> usize {
    let end = route.end.as_ref().map_or(0, |end| 8 + end.len());
    let split_at = match level {
        Level::One => 0,
        Level::Two => 8,
    };
    35 + route.start.len() + end + split_at
}

/// The record, without looking whether the route is valid.
pub(super) fn append(out: &mut Vec<u8>, route: &Route, level: Level) {
    out.push(match level {
        Level::One => 1,
        Level::Two => 2,
    });
    out.extend(route.id.to_be_bytes());
    out.extend(route.group.to_be_bytes());
    out.push(route.state);
    out.extend(route.parent.to_be_bytes());
    append_bytes(out, &route.start);
    match &route.end {
        None => out.push(UNBOUNDED),
        Some(end) => {
            out.push(BOUNDED);
            append_bytes(out, end);
        }
    }
    match level {
        Level::One => {}
        Level::Two => out.extend(route.split_at.to_be_bytes()),
    }
}

fn append_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend(bytes);
}

fn parse(raw: &[u8], settings: &Settings) -> Result<Route, Flaw> {
    let mut cursor = Cursor::new(raw);
    let layout = layout(&mut cursor, settings.level)?;
    let id = cursor.number("a route id of 8 bytes")?;
    let group = cursor.number("a group id of 8 bytes")?;
    let state = cursor.byte("a state")?;
    let parent = cursor.number("the id of the parent, 8 bytes")?;
    let start = cursor.bytes("the length of start, at most that of the rest")?;
    let end = end(&mut cursor, settings.strategies.open_end)?;
    let split_at = match layout {
        Layout::First => 0,
        Layout::Second | Layout::Later => cursor.number("the timestamp of the split, 8 bytes")?,
    };
    match (layout, settings.strategies.surplus) {
        (Layout::Later, _) | (_, Surplus::Ignored) => {}
        (Layout::First | Layout::Second, Surplus::Refused) => cursor.end()?,
    }
    Ok(Route {
        id,
        start: Bytes::copy_from_slice(start),
        end: end.map(Bytes::copy_from_slice),
        group,
        state,
        parent,
        split_at,
    })
}

fn layout(cursor: &mut Cursor<'_>, level: Level) -> Result<Layout, Flaw> {
    let expected = match level {
        Level::One => "codec version 1",
        Level::Two => "a codec version above 0",
    };
    let flaw = cursor.flaw(expected);
    // That there is no byte at all is not a field cut short.
    let codec = cursor.byte(expected).map_err(|_| flaw)?;
    match (level, codec) {
        (Level::One | Level::Two, 1) => Ok(Layout::First),
        (Level::Two, 2) => Ok(Layout::Second),
        (Level::Two, 3..) => Ok(Layout::Later),
        (Level::Two, 0) | (Level::One, _) => Err(flaw),
    }
}

fn end<'a>(cursor: &mut Cursor<'a>, open_end: OpenEnd) -> Result<Option<&'a [u8]>, Flaw> {
    let expected = "an end flag, 0 or 1";
    let flaw = cursor.flaw(expected);
    match (cursor.byte(expected)?, open_end) {
        (UNBOUNDED, OpenEnd::Unbounded) => Ok(None),
        (UNBOUNDED, OpenEnd::Empty) => Ok(Some(&[])),
        (BOUNDED, _) => cursor
            .bytes("the length of end, at most that of the rest")
            .map(Some),
        _ => Err(flaw),
    }
}

fn refused(flaw: Flaw, settings: &Settings) -> Error {
    match settings.strategies.truncation {
        Truncation::EndOfInput if flaw.is_cut => Error::EndOfInput,
        Truncation::EndOfInput | Truncation::InvalidRecord => Error::InvalidRouteRecord {
            at: flaw.at,
            expected: flaw.expected,
        },
    }
}
