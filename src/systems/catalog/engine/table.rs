//! Lists of routes in order of starts (8).

use bytes::Bytes;
use serde::Serialize;

use crate::catalog::error::Error;
use crate::catalog::limits::DEFAULT_GROUP;
use crate::catalog::route::Route;
use crate::catalog::strategy::EqualStarts;

/// A route as an engine holds it (1.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct EngineRoute {
    /// 0 if not from the catalog.
    pub id: u64,
    /// The first key of the half-open range.
    pub start: Bytes,
    /// The first key past it; none if unbounded. An empty one is below every key.
    pub end: Option<Bytes>,
    /// The group that it belongs to; may be 0 if registered.
    pub group: u64,
    /// See [`crate::catalog::limits::LAST_STATE`].
    pub state: u8,
    /// Accesses counted since it is in the table.
    pub load: u64,
}

impl EngineRoute {
    /// What engines may begin with (8): all keys, one group, active, no id.
    pub const fn default_route() -> Self {
        Self::registered(Bytes::new(), None, DEFAULT_GROUP)
    }

    /// What update route adds (8): active, no id, no load.
    pub const fn registered(start: Bytes, end: Option<Bytes>, group: u64) -> Self {
        Self {
            id: 0,
            start,
            end,
            group,
            state: 0,
            load: 0,
        }
    }

    /// Whether it ends after `key`. Where it starts is not asked.
    fn reaches_past(&self, key: &[u8]) -> bool {
        self.end.as_ref().is_none_or(|end| end > key)
    }
}

/// Without load.
impl From<&Route> for EngineRoute {
    fn from(route: &Route) -> Self {
        Self {
            id: route.id,
            start: route.start.clone(),
            end: route.end.clone(),
            group: route.group,
            state: route.state,
            load: 0,
        }
    }
}

/// Index of the route that owns `key`: the last one that starts at or before it, if it reaches past it.
/// O(log n).
pub fn owner(routes: &[EngineRoute], key: &[u8]) -> Option<usize> {
    let behind = routes.partition_point(|route| route.start <= key);
    let last = behind.checked_sub(1)?;
    routes[last].reaches_past(key).then_some(last)
}

/// In list order, the routes that neither end at or before `start` nor begin at or after `end`. O(n).
pub fn intersecting<'a>(
    routes: &'a [EngineRoute],
    start: &'a [u8],
    end: Option<&'a [u8]>,
) -> impl Iterator<Item = &'a EngineRoute> {
    let behind = match end {
        Some(end) => routes.partition_point(|route| route.start < end),
        None => routes.len(),
    };
    let before_the_end = routes[..behind].iter();
    before_the_end.filter(move |route| route.reaches_past(start))
}

/// Puts a route where appending it and sorting by start would.
pub(super) fn register(routes: &mut Vec<EngineRoute>, new: EngineRoute, order: EqualStarts) {
    let at = match order {
        EqualStarts::Stable => routes.partition_point(|route| route.start <= new.start),
        EqualStarts::Reversed => routes.partition_point(|route| route.start < new.start),
    };
    routes.insert(at, new);
}

/// Puts routes in order of starts. Fails with the first pair of neighbours, from the left, that begin together or
/// of which one reaches into the other (8, apply snapshot, step 3).
pub(super) fn arrange(routes: &mut [EngineRoute]) -> Result<(), Error> {
    routes.sort_by(|a, b| a.start.cmp(&b.start));
    routes.windows(2).try_for_each(|pair| {
        let [left, right] = pair else {
            return Ok(());
        };
        match &left.end {
            Some(_) if left.start == right.start => Err(order_error(left, right)),
            Some(end) if *end > right.start => Err(Error::SnapshotRouteOverlap {
                left: left.id,
                right: right.id,
            }),
            Some(_) => Ok(()),
            None => Err(order_error(left, right)),
        }
    })
}

const fn order_error(left: &EngineRoute, right: &EngineRoute) -> Error {
    Error::SnapshotRouteOrder {
        left: left.id,
        right: right.id,
    }
}
