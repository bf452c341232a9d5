//! What the durable table is, read from raw records by a reader of its own, and who owns a key in it.

use concord_systems::catalog::Route;
use serde::Serialize;
use stateright::semantics::SequentialSpec;

/// The newest records.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub(super) struct Raw {
    /// 0 if there is no version record.
    pub(super) version: u64,
    pub(super) next_id: Option<u64>,
    /// By start, then end, then id; none if a record cannot be read.
    pub(super) routes: Option<Vec<Route>>,
}

impl Raw {
    /// From the values of the version record and the next-id record, and all pairs below the route prefix.
    pub(super) fn read<'a>(
        version: Option<&[u8]>,
        next_id: Option<&[u8]>,
        routes: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Self {
        let number = |raw: &[u8]| match raw {
            [1, number @ ..] => Some(u64::from_be_bytes(number.try_into().ok()?)),
            _ => None,
        };
        let mut routes: Option<Vec<Route>> = routes.map(|(key, raw)| record(key, raw)).collect();
        if let Some(routes) = &mut routes {
            routes.sort_by(|a, b| {
                let end = |route: &Route| (route.end.is_none(), route.end.clone());
                (&a.start, end(a), a.id).cmp(&(&b.start, end(b), b.id))
            });
        }
        Self {
            version: version.and_then(number).unwrap_or(0),
            next_id: next_id.and_then(number),
            routes,
        }
    }
}

/// The route in a record of codec version 1 or 2.
fn record(key: &[u8], raw: &[u8]) -> Option<Route> {
    let mut rest = raw;
    let codec = *rest.split_off_first()?;
    let mut number = || Some(u64::from_be_bytes(rest.split_off(..8)?.try_into().ok()?));
    let (id, group) = (number()?, number()?);
    let state = *rest.split_off_first()?;
    let parent = u64::from_be_bytes(rest.split_off(..8)?.try_into().ok()?);
    let start = bytes(&mut rest)?;
    let end = match *rest.split_off_first()? {
        0 => None,
        _ => Some(bytes(&mut rest)?),
    };
    let split_at = match codec {
        1 => 0,
        _ => u64::from_be_bytes(rest.split_off(..8)?.try_into().ok()?),
    };
    let is_whole = rest.is_empty() && key.ends_with(&id.to_be_bytes());
    is_whole.then(|| Route {
        id,
        start: start.to_vec().into(),
        end: end.map(|end| end.to_vec().into()),
        group,
        state,
        parent,
        split_at,
    })
}

fn bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u64::from_be_bytes(rest.split_off(..8)?.try_into().ok()?);
    rest.split_off(..usize::try_from(length).ok()?)
}

/// Every route that contains `key`.
pub(super) fn owners<'a>(routes: &'a [Route], key: &'a [u8]) -> impl Iterator<Item = &'a Route> {
    routes.iter().filter(move |route| {
        let starts = route.start.as_ref() <= key;
        starts && route.end.as_ref().is_none_or(|end| key < end.as_ref())
    })
}

/// Whether no key has two owners.
pub(super) fn is_disjoint(routes: &[Route]) -> bool {
    routes.iter().enumerate().all(|(at, one)| {
        routes.iter().skip(at + 1).all(|other| {
            let before = |left: &Route, right: &Route| {
                left.end.as_ref().is_some_and(|end| *end <= right.start)
            };
            before(one, other) || before(other, one)
        })
    })
}

/// The catalog as one object whose operations take no time.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) struct Sequential {
    pub(super) version: u64,
    pub(super) routes: Vec<Route>,
}

/// An operation on it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) enum Op {
    /// Replaces the table if the version is the expected one.
    Save { expected: u64, routes: Vec<Route> },
    /// Reads version and table.
    Snapshot,
}

/// What it returns.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) enum Ret {
    /// The new version.
    Saved(u64),
    /// The version was another one.
    Refused,
    /// Version and table.
    Snapshot(u64, Vec<Route>),
}

impl SequentialSpec for Sequential {
    type Op = Op;
    type Ret = Ret;

    fn invoke(&mut self, op: &Op) -> Ret {
        match op {
            Op::Save { expected, .. } if *expected != self.version => Ret::Refused,
            Op::Save { routes, .. } => {
                self.version += 1;
                self.routes.clone_from(routes);
                Ret::Saved(self.version)
            }
            Op::Snapshot => Ret::Snapshot(self.version, self.routes.clone()),
        }
    }
}
