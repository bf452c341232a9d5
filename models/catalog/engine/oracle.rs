//! Owners of keys by walking lists from end to end.

use concord_systems::catalog::{EngineRoute, Route};

/// The last route in the list that starts at or before the key, unless it ends there or before.
pub(super) fn owner<'a>(routes: &'a [EngineRoute], key: &[u8]) -> Option<&'a EngineRoute> {
    let started = routes.iter().rfind(|route| &route.start[..] <= key)?;
    let has_ended = started.end.as_ref().is_some_and(|end| &end[..] <= key);
    (!has_ended).then_some(started)
}

/// All routes that have the key, in list order.
pub(super) fn covering<'a>(routes: &'a [EngineRoute], key: &[u8]) -> Vec<&'a EngineRoute> {
    let has = |route: &&EngineRoute| {
        let has_ended = route.end.as_ref().is_some_and(|end| &end[..] <= key);
        &route.start[..] <= key && !has_ended
    };
    routes.iter().filter(has).collect()
}

/// Group and state that a table without overlap gives a key.
pub(super) fn owner_in(table: &[Route], key: &[u8]) -> Option<(u64, u8)> {
    let mut owner = None;
    for route in table {
        let has_ended = route.end.as_ref().is_some_and(|end| &end[..] <= key);
        if &route.start[..] <= key && !has_ended {
            owner = Some((route.group, route.state));
        }
    }
    owner
}

/// Whether every route ends before any other one starts that starts later, and none start together.
pub(super) fn is_disjoint_and_ordered(routes: &[EngineRoute]) -> bool {
    for (at, left) in routes.iter().enumerate() {
        for right in &routes[at + 1..] {
            let has_ended = left.end.as_ref().is_some_and(|end| *end <= right.start);
            if left.start >= right.start || !has_ended {
                return false;
            }
        }
    }
    true
}
