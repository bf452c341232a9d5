//! Keys and records (2, 3, 4, 13.1, 13.2).

use serde_json::{Value, json};

use super::super::hex;
use super::json as form;
use super::{Bytes, Code, DELTAS, FLOOR_KEY, MAX, NEXT_ID_KEY, ROUTES, VERSION_KEY};

#[derive(Clone, PartialEq, Debug)]
pub(in super::super) struct Route {
    pub(in super::super) id: u64,
    pub(in super::super) start: Bytes,
    pub(in super::super) end: Option<Bytes>,
    pub(in super::super) group: u64,
    pub(in super::super) state: u8,
    pub(in super::super) parent: u64,
    pub(in super::super) hlc: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub(in super::super) struct Change {
    /// 1 upsert, 2 delete.
    pub(in super::super) code: u8,
    pub(in super::super) id: u64,
    pub(in super::super) route: Option<Route>,
}

#[derive(Clone, PartialEq, Debug)]
pub(in super::super) struct Delta {
    pub(in super::super) previous: u64,
    pub(in super::super) version: u64,
    pub(in super::super) changes: Vec<Change>,
}

pub(super) fn perform(op: &str, args: &Value, level: u8) -> Option<Result<Value, Code>> {
    let raw = || form::bytes(args, "raw");
    let key = || form::bytes(args, "key");
    let number = |name| form::number(args, name);
    Some(match op {
        "version_key" => Ok(json!(hex(VERSION_KEY))),
        "next_route_id_key" => Ok(json!(hex(NEXT_ID_KEY))),
        "delta_floor_key" => Ok(json!(hex(FLOOR_KEY))),
        "route_key" => Ok(json!(hex(route_key(number("route_id"))))),
        "delta_key" => Ok(json!(hex(delta_key(number("version"))))),
        "is_route_key" => Ok(json!(key().starts_with(ROUTES))),
        "is_delta_key" => Ok(json!(key().starts_with(DELTAS))),
        "route_id_from_key" => Ok(json!(number_below(ROUTES, &key()))),
        "delta_version_from_key" => Ok(json!(number_below(DELTAS, &key()).filter(|n| *n != 0))),
        "encode_version" => Ok(json!(hex(encode_number(number("version"))))),
        "encode_next_route_id" => Ok(json!(hex(encode_number(number("next_route_id"))))),
        "decode_version" => decode_version(&raw()).map(|number| json!(number)),
        "decode_next_route_id" => decode_next_id(&raw()).map(|number| json!(number)),
        "encode_route" => {
            encode_route(&form::route(&args["route"]), level).map(|raw| json!(hex(raw)))
        }
        "decode_route" => decode_route(&raw(), level).map(|route| form::told_route(&route, level)),
        "next_route_id_floor" => floor(&form::routes(args)).map(|floor| json!(floor)),
        "encode_delta" => encode_delta(&form::delta(args)).map(|raw| json!(hex(raw))),
        "decode_delta" => decode_delta(&raw()).map(|delta| form::told_delta(&delta)),
        _ => return None,
    })
}

pub(in super::super) fn route_key(id: u64) -> Bytes {
    [ROUTES, &id.to_be_bytes()].concat()
}

pub(in super::super) fn delta_key(version: u64) -> Bytes {
    [DELTAS, &version.to_be_bytes()].concat()
}

/// The number behind a prefix, if 8 bytes follow it.
pub(super) fn number_below(prefix: &[u8], key: &[u8]) -> Option<u64> {
    let suffix = key.strip_prefix(prefix)?;
    let suffix: [u8; 8] = suffix.try_into().ok()?;
    Some(u64::from_be_bytes(suffix))
}

pub(in super::super) fn encode_number(number: u64) -> Bytes {
    [&[1][..], &number.to_be_bytes()].concat()
}

fn decode_number(raw: &[u8]) -> Option<u64> {
    match raw.split_first() {
        Some((1, rest)) if rest.len() == 8 => Some(
            rest.iter()
                .fold(0, |sum, byte| sum * 256 + u64::from(*byte)),
        ),
        _ => None,
    }
}

pub(super) fn decode_version(raw: &[u8]) -> Result<u64, Code> {
    decode_number(raw).ok_or("catalog_invalid_version_record")
}

pub(super) fn decode_next_id(raw: &[u8]) -> Result<u64, Code> {
    match decode_number(raw) {
        None | Some(0) => Err("catalog_invalid_next_route_id"),
        Some(number) => Ok(number),
    }
}

pub(super) fn decode_floor(raw: &[u8]) -> Result<u64, Code> {
    match decode_number(raw) {
        None | Some(0) => Err("catalog_invalid_delta_record"),
        Some(number) => Ok(number),
    }
}

pub(super) fn validate(route: &Route) -> Result<(), Code> {
    if route.id == 0 {
        return Err("catalog_route_id_required");
    }
    if route.group == 0 {
        return Err("catalog_group_id_required");
    }
    if route.state > 3 {
        return Err("catalog_invalid_route_state");
    }
    if route.end.as_ref().is_some_and(|end| route.start >= *end) {
        return Err("catalog_invalid_route_range");
    }
    Ok(())
}

/// Catalog order as a sort key: unbounded last.
pub(super) fn in_catalog_order(mut routes: Vec<Route>) -> Vec<Route> {
    routes.sort_by_key(|route| {
        let end = (route.end.is_none(), route.end.clone());
        (route.start.clone(), end, route.id)
    });
    routes
}

pub(super) fn normalise(routes: Vec<Route>) -> Result<Vec<Route>, Code> {
    for (at, route) in routes.iter().enumerate() {
        validate(route)?;
        if routes[..at].iter().any(|other| other.id == route.id) {
            return Err("catalog_duplicate_route_id");
        }
    }
    Ok(in_catalog_order(routes))
}

pub(super) fn floor(routes: &[Route]) -> Result<u64, Code> {
    let largest = routes.iter().map(|route| route.id).max().unwrap_or(0);
    match largest {
        MAX => Err("catalog_route_id_overflow"),
        largest => Ok(largest + 1),
    }
}

fn field(bytes: &[u8]) -> Bytes {
    [&(bytes.len() as u64).to_be_bytes(), bytes].concat()
}

pub(in super::super) fn encode_route(route: &Route, level: u8) -> Result<Bytes, Code> {
    validate(route)?;
    let end = match &route.end {
        None => vec![0],
        Some(end) => [vec![1], field(end)].concat(),
    };
    let split = match level {
        1 => Vec::new(),
        _ => route.hlc.to_be_bytes().to_vec(),
    };
    Ok([
        vec![level],
        route.id.to_be_bytes().to_vec(),
        route.group.to_be_bytes().to_vec(),
        vec![route.state],
        route.parent.to_be_bytes().to_vec(),
        field(&route.start),
        end,
        split,
    ]
    .concat())
}

/// Takes bytes from the front.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take(&mut self, length: u64) -> Option<Bytes> {
        let length = usize::try_from(length).ok()?;
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken.to_vec())
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn field(&mut self) -> Option<Bytes> {
        let length = self.number()?;
        self.take(length)
    }
}

fn structure(raw: &[u8], level: u8) -> Option<Route> {
    let mut rest = Rest(raw);
    let codec = rest.byte()?;
    if codec == 0 || (level == 1 && codec != 1) {
        return None;
    }
    let (id, group) = (rest.number()?, rest.number()?);
    let (state, parent) = (rest.byte()?, rest.number()?);
    let start = rest.field()?;
    let end = match rest.byte()? {
        0 => None,
        1 => Some(rest.field()?),
        _ => return None,
    };
    let hlc = if codec == 1 { 0 } else { rest.number()? };
    if codec <= 2 && !rest.0.is_empty() {
        return None;
    }
    Some(Route {
        id,
        start,
        end,
        group,
        state,
        parent,
        hlc,
    })
}

pub(super) fn decode_route(raw: &[u8], level: u8) -> Result<Route, Code> {
    let route = structure(raw, level).ok_or("catalog_invalid_route_record")?;
    validate(&route)?;
    Ok(route)
}

pub(super) fn validate_delta(delta: &Delta) -> Result<(), Code> {
    if delta.version == 0 || delta.previous != delta.version - 1 {
        return Err("catalog_delta_version_gap");
    }
    const WRONG: Code = "catalog_invalid_delta_mutation";
    for (at, change) in delta.changes.iter().enumerate() {
        let seen = delta.changes[..at].iter().any(|one| one.id == change.id);
        if change.id == 0 || seen {
            return Err(WRONG);
        }
        match (change.code, &change.route) {
            (1, Some(route)) if route.id == change.id => validate(route)?,
            (2, None) => {}
            _ => return Err(WRONG),
        }
    }
    Ok(())
}

pub(in super::super) fn encode_delta(delta: &Delta) -> Result<Bytes, Code> {
    validate_delta(delta)?;
    Ok(encode_delta_unchecked(delta))
}

/// Also of deltas that are not valid, but for routes that are not.
pub(in super::super) fn encode_delta_unchecked(delta: &Delta) -> Bytes {
    let numbers = [delta.previous, delta.version, delta.changes.len() as u64];
    let mut raw = vec![1];
    for number in numbers {
        raw.extend(number.to_be_bytes());
    }
    for change in &delta.changes {
        raw.push(change.code);
        raw.extend(change.id.to_be_bytes());
        let payload = change.route.as_ref();
        let payload = payload.map(|route| encode_route(route, 2).unwrap_or_default());
        raw.extend(field(&payload.unwrap_or_default()));
    }
    raw
}

pub(super) fn decode_delta(raw: &[u8]) -> Result<Delta, Code> {
    const RECORD: Code = "catalog_invalid_delta_record";
    if raw.len() < 25 || raw[0] != 1 {
        return Err(RECORD);
    }
    let mut rest = Rest(&raw[1..]);
    let mut number = || rest.number().ok_or(RECORD);
    let (previous, version, count) = (number()?, number()?, number()?);
    if count > (raw.len() as u64 - 25) / 17 {
        return Err(RECORD);
    }
    let mut changes = Vec::new();
    for _ in 0..count {
        let code = rest.byte().ok_or(RECORD)?;
        let id = rest.number().ok_or(RECORD)?;
        let payload = rest.field().ok_or(RECORD)?;
        let route = match code {
            1 => Some(decode_route(&payload, 2)?),
            _ if payload.is_empty() => None,
            _ => return Err("catalog_invalid_delta_mutation"),
        };
        changes.push(Change { code, id, route });
    }
    if !rest.0.is_empty() {
        return Err(RECORD);
    }
    let delta = Delta {
        previous,
        version,
        changes,
    };
    validate_delta(&delta)?;
    Ok(delta)
}
