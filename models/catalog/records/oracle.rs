//! Records written field by field, and whether bytes are one: by writing what they may stand for.

use concord_systems::catalog::{Change, Delta, Route};

type Code = &'static str;

/// The route record of a codec version (3.2, 13.1).
pub(super) fn route_record(route: &Route, codec: u8) -> Vec<u8> {
    let mut fields: Vec<Vec<u8>> = vec![
        vec![codec],
        eight(route.id),
        eight(route.group),
        vec![route.state],
        eight(route.parent),
        counted(&route.start),
    ];
    match &route.end {
        None => fields.push(vec![0]),
        Some(end) => fields.extend([vec![1], counted(end)]),
    }
    if codec > 1 {
        fields.push(eight(route.split_at));
    }
    fields.concat()
}

/// The delta record of level 2 (13.2).
pub(super) fn delta_record(delta: &Delta) -> Vec<u8> {
    let mut fields: Vec<Vec<u8>> = vec![
        vec![1],
        eight(delta.previous),
        eight(delta.version),
        eight(delta.changes.len() as u64),
    ];
    for change in &delta.changes {
        let (code, payload) = match &change.route {
            Some(route) => (1, route_record(route, 2)),
            None => (2, Vec::new()),
        };
        fields.extend([vec![code], eight(change.route_id), counted(&payload)]);
    }
    fields.concat()
}

/// A number record (3.1).
pub(super) fn number_record(number: u64) -> Vec<u8> {
    [vec![1], eight(number)].concat()
}

/// The first rule that a route breaks (4).
pub(super) fn route_flaw(route: &Route) -> Option<Code> {
    let is_empty = route.end.as_ref().is_some_and(|end| *end <= route.start);
    match (route.id, route.group, route.state, is_empty) {
        (0, ..) => Some("catalog_route_id_required"),
        (_, 0, ..) => Some("catalog_group_id_required"),
        (_, _, 4.., _) => Some("catalog_invalid_route_state"),
        (_, _, _, true) => Some("catalog_invalid_route_range"),
        _ => None,
    }
}

/// The first rule that a delta breaks (13.2); its upserts have their own ids.
pub(super) fn delta_flaw(delta: &Delta) -> Option<Code> {
    if delta.previous + 1 != delta.version {
        return Some("catalog_delta_version_gap");
    }
    let mut changes = delta.changes.iter().enumerate();
    changes.find_map(|(place, change)| {
        let before = &delta.changes[..place];
        let is_repeated = before.iter().any(|other| other.route_id == change.route_id);
        match change {
            Change { route_id: 0, .. } => Some("catalog_invalid_delta_mutation"),
            _ if is_repeated => Some("catalog_invalid_delta_mutation"),
            Change { route: None, .. } => None,
            Change {
                route: Some(route), ..
            } => route_flaw(route),
        }
    })
}

/// Whether readers of a level take these bytes for a record of this route.
pub(super) fn stands_for(raw: &[u8], route: &Route, level: u8) -> bool {
    match raw.first() {
        Some(1) => route.split_at == 0 && raw == route_record(route, 1),
        Some(2) if level == 2 => raw == route_record(route, 2),
        Some(codec @ 3..) if level == 2 => raw.starts_with(&route_record(route, *codec)),
        _ => false,
    }
}

/// What must come of bytes that stand for none of these routes that is valid.
pub(super) fn route_code(raw: &[u8], universe: &[Route], level: u8) -> Option<Code> {
    match universe.iter().find(|route| stands_for(raw, route, level)) {
        Some(route) => route_flaw(route),
        None => Some("catalog_invalid_route_record"),
    }
}

/// What must come of bytes that stand for none of these deltas that is valid.
pub(super) fn delta_code(raw: &[u8], universe: &[Delta]) -> Option<Code> {
    match universe.iter().find(|delta| raw == delta_record(delta)) {
        Some(delta) => delta_flaw(delta),
        None => Some("catalog_invalid_delta_record"),
    }
}

fn eight(number: u64) -> Vec<u8> {
    (0..8)
        .rev()
        .map(|place| (number >> (8 * place)) as u8)
        .collect()
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    [eight(bytes.len() as u64), bytes.to_vec()].concat()
}
