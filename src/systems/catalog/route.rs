//! Route descriptors: validation, catalog order, id floor (1.1, 4).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::limits::LAST_STATE;

/// A durable route descriptor (1.1). Nothing says that it is valid. Its own order is that of its fields;
/// tables are in [`catalog_order`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Route {
    /// Unique within a table, and over time; 0 is no id.
    pub id: u64,
    /// The first key of the half-open range.
    pub start: Bytes,
    /// The first key past it; none if unbounded. An empty one is below every key.
    pub end: Option<Bytes>,
    /// The replication group that owns the range; 0 is none.
    pub group: u64,
    /// At most [`LAST_STATE`].
    pub state: u8,
    /// The route that it was split from. Never checked.
    pub parent: u64,
    /// Level 2 (13.1): timestamp of the split that made it, 0 if none did.
    pub split_at: u64,
}

impl Route {
    /// Id, group, state and range (4). Fails with the first of `RouteIdRequired`, `GroupIdRequired`,
    /// `InvalidRouteState` and `InvalidRouteRange` that applies.
    pub fn validate(&self) -> Result<(), Error> {
        let route_id = self.id;
        if route_id == 0 {
            return Err(Error::RouteIdRequired);
        }
        if self.group == 0 {
            return Err(Error::GroupIdRequired { route_id });
        }
        if self.state > LAST_STATE {
            let state = self.state;
            return Err(Error::InvalidRouteState { route_id, state });
        }
        match &self.end {
            Some(end) if self.start >= end => Err(Error::InvalidRouteRange { route_id }),
            _ => Ok(()),
        }
    }
}

/// Validates each route in the order given, then that its id has not occurred before; the first failing
/// route decides (4, 8). An id that has occurred fails with what `duplicate` makes of it.
pub fn validate_each<'a>(
    routes: impl IntoIterator<Item = &'a Route>,
    duplicate: impl Fn(u64) -> Error,
) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for route in routes {
        route.validate()?;
        if !seen.insert(route.id) {
            return Err(duplicate(route.id));
        }
    }
    Ok(())
}

/// By start, then by end with unbounded last, then by id (4): a total order of routes with unique ids.
pub fn catalog_order(left: &Route, right: &Route) -> Ordering {
    let starts = left.start.cmp(&right.start);
    starts
        .then_with(|| match (&left.end, &right.end) {
            (Some(left), Some(right)) => left.cmp(right),
            (left, right) => left.is_none().cmp(&right.is_none()),
        })
        .then_with(|| left.id.cmp(&right.id))
}

/// The routes in catalog order (4). Fails as [`validate_each`] does, for an id that occurred before with
/// `DuplicateRouteId`.
pub fn normalise(mut routes: Vec<Route>) -> Result<Vec<Route>, Error> {
    validate_each(&routes, |route_id| Error::DuplicateRouteId { route_id })?;
    routes.sort_unstable_by(catalog_order);
    Ok(routes)
}

/// The first pair of neighbours of a table in catalog order of which the left one reaches beyond the
/// start of the right one (6.2 step 2). Gaps are no overlap.
pub fn overlap(routes: &[Route]) -> Option<(&Route, &Route)> {
    let mut neighbours = routes.windows(2).map(|pair| (&pair[0], &pair[1]));
    neighbours.find(|(left, right)| left.end.as_ref().is_none_or(|end| *end > right.start))
}

/// The largest id plus one, 1 of no routes (4). Fails with `RouteIdOverflow` if the largest id is 2^64-1.
/// Nothing is validated.
pub fn floor(routes: &[Route]) -> Result<u64, Error> {
    let largest = routes.iter().map(|route| route.id).max().unwrap_or(0);
    largest.checked_add(1).ok_or(Error::RouteIdOverflow)
}
