//! Lists of routes in order of starts (8).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use bytes::Bytes;
use serde::Serialize;

/// A route as an engine holds it (1.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct EngineRoute {
    /// 0 if not from the catalog.
    pub id: u64,
    pub start: Bytes,
    pub end: Option<Bytes>,
    pub group: u64,
    pub state: u8,
    /// Accesses counted since it is in the table.
    pub load: u64,
}

/// Index of the route that owns `key`: the last one that starts at or before it, if it reaches past it.
pub fn owner(routes: &[EngineRoute], key: &[u8]) -> Option<usize> {
    todo!()
}

pub fn intersecting<'a>(
    routes: &'a [EngineRoute],
    start: &'a [u8],
    end: Option<&'a [u8]>,
) -> impl Iterator<Item = &'a EngineRoute> {
    routes.iter().filter(move |route| -> bool { todo!() })
}
