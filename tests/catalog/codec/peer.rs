//! Records read by the offsets of 3.2, 13.1 and 13.2, and rules of 4, the slow way.

use bytes::Bytes;
use concord::systems::catalog::delta::ChangeKind;
use concord::systems::catalog::strategy::Level;
use concord::systems::catalog::{Change, Delta, Route};

type Code = &'static str;

/// The route of a record, or the code of the error.
pub(crate) fn route(raw: &[u8], level: Level) -> Result<Route, Code> {
    let route = structure(raw, level).ok_or("catalog_invalid_route_record")?;
    match invalid(&route) {
        None => Ok(route),
        Some(code) => Err(code),
    }
}

/// Why a route is not valid.
pub(crate) fn invalid(route: &Route) -> Option<Code> {
    let is_inverted = match &route.end {
        None => false,
        Some(end) => route.start[..] >= end[..],
    };
    let rules = [
        (route.id == 0, "catalog_route_id_required"),
        (route.group == 0, "catalog_group_id_required"),
        (
            ![0, 1, 2, 3].contains(&route.state),
            "catalog_invalid_route_state",
        ),
        (is_inverted, "catalog_invalid_route_range"),
    ];
    rules
        .iter()
        .find(|(breaks, _)| *breaks)
        .map(|(_, code)| *code)
}

/// The delta of a record and whether its route records are of the version that this level writes, or
/// the code of the error.
pub(crate) fn delta(raw: &[u8], level: Level) -> Result<(Delta, bool), Code> {
    const INVALID: Code = "catalog_invalid_delta_record";
    let header = |at| number_at(raw, at).ok_or(INVALID);
    let (previous, version, count) = (header(1)?, header(9)?, header(17)?);
    let has_room = u128::from(count) * 17 <= raw.len() as u128 - 25;
    if raw[0] != 1 || !has_room {
        return Err(INVALID);
    }
    let mut is_current = true;
    let mut changes = Vec::new();
    let mut at = 25;
    for _ in 0..count {
        let id = number_at(raw, at + 1).ok_or(INVALID)?;
        let length = u128::from(number_at(raw, at + 9).ok_or(INVALID)?);
        let payload = bytes_at(raw, at + 17, length).ok_or(INVALID)?;
        changes.push(match raw[usize::try_from(at).unwrap()] {
            1 => {
                is_current &= payload.first() == Some(&current(level));
                (ChangeKind::Upsert, id, Some(route(payload, level)?))
            }
            _ if length != 0 => return Err("catalog_invalid_delta_mutation"),
            2 => (ChangeKind::Delete, id, None),
            _ => (ChangeKind::Unknown, id, None),
        });
        at += 17 + length;
    }
    if at != raw.len() as u128 {
        return Err(INVALID);
    }
    let changes = changes.into_iter().map(|(kind, route_id, route)| Change {
        kind,
        route_id,
        route,
    });
    let delta = Delta {
        previous,
        version,
        changes: changes.collect(),
    };
    match invalid_delta(&delta) {
        None => Ok((delta, is_current)),
        Some(code) => Err(code),
    }
}

/// Why a delta is not valid.
pub(crate) fn invalid_delta(delta: &Delta) -> Option<Code> {
    if u128::from(delta.version) != u128::from(delta.previous) + 1 {
        return Some("catalog_delta_version_gap");
    }
    for (place, change) in delta.changes.iter().enumerate() {
        let occurred = delta.changes[..place]
            .iter()
            .any(|before| before.route_id == change.route_id);
        let fits = match change.kind {
            ChangeKind::Upsert => change.route.iter().any(|route| route.id == change.route_id),
            ChangeKind::Delete => change.route.is_none(),
            ChangeKind::Unknown => false,
        };
        if change.route_id == 0 || occurred || !fits {
            return Some("catalog_invalid_delta_mutation");
        }
        if let Some(code) = change.route.as_ref().and_then(invalid) {
            return Some(code);
        }
    }
    None
}

/// A table in catalog order, or the code of the error.
pub(crate) fn normalised(routes: &[Route]) -> Result<Vec<Route>, Code> {
    for (place, route) in routes.iter().enumerate() {
        if let Some(code) = invalid(route) {
            return Err(code);
        }
        if routes[..place].iter().any(|before| before.id == route.id) {
            return Err("catalog_duplicate_route_id");
        }
    }
    let mut rest = routes.to_vec();
    let mut table = Vec::new();
    while !rest.is_empty() {
        let least = (0..rest.len())
            .find(|one| {
                (0..rest.len()).all(|other| one == &other || precedes(&rest[*one], &rest[other]))
            })
            .expect("the order is total");
        table.push(rest.remove(least));
    }
    Ok(table)
}

fn precedes(one: &Route, other: &Route) -> bool {
    if one.start != other.start {
        return one.start < other.start;
    }
    match (&one.end, &other.end) {
        (Some(one), Some(other)) if one != other => one < other,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        _ => one.id < other.id,
    }
}

/// What 3.2 and 13.1 say before a route is validated.
fn structure(raw: &[u8], level: Level) -> Option<Route> {
    let codec = *raw.first()?;
    let is_known = match level {
        Level::One => codec == 1,
        Level::Two => codec != 0,
    };
    let s = u128::from(number_at(raw, 26)?);
    let start = bytes_at(raw, 34, s)?;
    let (end, after) = match bytes_at(raw, 34 + s, 1)? {
        [0] => (None, 35 + s),
        [1] => {
            let e = u128::from(number_at(raw, 35 + s)?);
            (Some(bytes_at(raw, 43 + s, e)?), 43 + s + e)
        }
        _ => return None,
    };
    let (split_at, after) = match codec {
        1 => (0, after),
        _ => (number_at(raw, after)?, after + 8),
    };
    let ends = after == raw.len() as u128 || codec > 2;
    (is_known && ends).then_some(Route {
        id: number_at(raw, 1)?,
        start: Bytes::copy_from_slice(start),
        end: end.map(Bytes::copy_from_slice),
        group: number_at(raw, 9)?,
        state: raw[17],
        parent: number_at(raw, 18)?,
        split_at,
    })
}

const fn current(level: Level) -> u8 {
    match level {
        Level::One => 1,
        Level::Two => 2,
    }
}

fn bytes_at(raw: &[u8], at: u128, length: u128) -> Option<&[u8]> {
    let from = usize::try_from(at).ok()?;
    let to = usize::try_from(at + length).ok()?;
    raw.get(from..to)
}

fn number_at(raw: &[u8], at: u128) -> Option<u64> {
    let bytes = bytes_at(raw, at, 8)?;
    Some(
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}
