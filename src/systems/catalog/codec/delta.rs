//! Delta records (13.2).

use bytes::Bytes;

use super::cursor::{Cursor, Flaw};
use super::route::{append, decode_route, encoded_len};
use crate::catalog::delta::{Change, ChangeKind, Delta};
use crate::catalog::error::Error;
use crate::catalog::strategy::{Settings, Validation};

const CODEC: u8 = 1;
const UPSERT: u8 = 1;
const DELETE: u8 = 2;

/// Codec byte, two versions and the number of changes.
const HEADER: usize = 25;

/// Of a change without payload: code, route id and length.
const CHANGE: usize = 17;

/// The record. Fails as [`Delta::validate`] does.
pub fn encode_delta(delta: &Delta, settings: &Settings) -> Result<Bytes, Error> {
    match settings.strategies.validation {
        Validation::Both => delta.validate()?,
        Validation::OnReading => {}
    }
    let level = settings.level;
    let payload = |change: &Change| {
        let route = change.route.as_ref();
        route.map_or(0, |route| encoded_len(route, level))
    };
    let changes = delta.changes.iter();
    let length = changes
        .map(|change| CHANGE + payload(change))
        .sum::<usize>();
    let mut out = Vec::with_capacity(HEADER + length);
    out.push(CODEC);
    out.extend(delta.previous.to_be_bytes());
    out.extend(delta.version.to_be_bytes());
    out.extend((delta.changes.len() as u64).to_be_bytes());
    for change in &delta.changes {
        out.push(code(change.kind));
        out.extend(change.route_id.to_be_bytes());
        out.extend((payload(change) as u64).to_be_bytes());
        if let Some(route) = &change.route {
            append(&mut out, route, level);
        }
    }
    Ok(out.into())
}

/// Structure first: `InvalidDeltaRecord` says where it is broken; a broken route record in it fails as
/// [`decode_route`] does, with places within that record; a payload where none belongs is an
/// `InvalidDeltaMutation`. Then as [`Delta::validate`] (13.2). Memory is linear in the input.
pub fn decode_delta(raw: &[u8], settings: &Settings) -> Result<Delta, Error> {
    let delta = parse(raw, settings)?;
    delta.validate()?;
    Ok(delta)
}

const fn code(kind: ChangeKind) -> u8 {
    match kind {
        ChangeKind::Upsert => UPSERT,
        ChangeKind::Delete => DELETE,
        // Validation refuses it before anything is written.
        ChangeKind::Unknown => 0,
    }
}

fn parse(raw: &[u8], settings: &Settings) -> Result<Delta, Error> {
    let mut cursor = Cursor::new(raw);
    let (previous, version, count) = header(&mut cursor).map_err(refused)?;
    let mut changes = Vec::with_capacity(count);
    for index in 0..count {
        changes.push(change(&mut cursor, index, settings)?);
    }
    cursor.end().map_err(refused)?;
    Ok(Delta {
        previous,
        version,
        changes,
    })
}

/// Both versions, and the number of changes, for which there is room.
fn header(cursor: &mut Cursor<'_>) -> Result<(u64, u64, usize), Flaw> {
    let first = cursor.flaw("codec version 1");
    if cursor.byte("codec version 1")? != CODEC {
        return Err(first);
    }
    let previous = cursor.number("the previous version, 8 bytes")?;
    let version = cursor.number("the version, 8 bytes")?;
    let expected = "a number of changes that have room in the rest";
    let flaw = cursor.flaw(expected);
    let count = cursor.number(expected)?;
    let count = usize::try_from(count).ok();
    let count = count.filter(|count| *count <= cursor.left() / CHANGE);
    Ok((previous, version, count.ok_or(flaw)?))
}

fn change(cursor: &mut Cursor<'_>, index: usize, settings: &Settings) -> Result<Change, Error> {
    let (code, route_id, payload) = fields(cursor).map_err(refused)?;
    let kind = match code {
        UPSERT => ChangeKind::Upsert,
        DELETE => ChangeKind::Delete,
        _ => ChangeKind::Unknown,
    };
    let route = match kind {
        ChangeKind::Upsert => Some(decode_route(payload, settings)?),
        ChangeKind::Delete | ChangeKind::Unknown if payload.is_empty() => None,
        ChangeKind::Delete | ChangeKind::Unknown => {
            let flaw = "a payload, but it is no upsert";
            return Err(Error::InvalidDeltaMutation { index, flaw });
        }
    };
    Ok(Change {
        kind,
        route_id,
        route,
    })
}

fn fields<'a>(cursor: &mut Cursor<'a>) -> Result<(u8, u64, &'a [u8]), Flaw> {
    let code = cursor.byte("the code of a change")?;
    let route_id = cursor.number("the route id of a change, 8 bytes")?;
    let payload = cursor.bytes("the length of a route record, at most that of the rest")?;
    Ok((code, route_id, payload))
}

/// That the original reports truncation as end of input is said of route records only (D1).
const fn refused(flaw: Flaw) -> Error {
    Error::InvalidDeltaRecord {
        at: flaw.at,
        expected: flaw.expected,
    }
}
