//! What the clients of a model do, and what others write to its store.

use bytes::Bytes;
use concord_systems::catalog::{Call, Route, Settings, Snapshot, StoreCall, codec, keys};
use serde::{Deserialize, Serialize};

/// A client of one node. It makes its edits one after the other, each on a snapshot that it reads first.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) node: u8,
    pub(super) edits: Vec<Edit>,
}

/// What a client does with the table that it read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Edit {
    /// Nothing.
    Read,
    /// Gives the route that owns this key to another group.
    Move(&'static str, u64),
    /// Write-fences the route that owns this key.
    Fence(&'static str),
    /// Splits the route that owns this key there.
    Split(&'static str),
    /// Saves one route in place of all.
    Merge,
    /// Saves two routes, of which the second has a low id, which may have been stored before.
    Revive,
    /// Saves two routes that overlap.
    Overlap,
}

impl Edit {
    /// The call that does it; none if reading was all.
    pub(super) fn call(self, seen: &Snapshot) -> Option<Call> {
        let expected = seen.version;
        let first = seen.routes.first().map_or(1, |route| route.id);
        let change = |key: &str, change: &dyn Fn(&mut Route)| {
            let mut routes = seen.routes.clone();
            let owner = routes
                .iter_mut()
                .rev()
                .find(|route| *route.start <= *key.as_bytes());
            owner.into_iter().for_each(change);
            routes
        };
        let routes = match self {
            Self::Read => return None,
            Self::Move(key, group) => change(key, &|route| route.group = group),
            Self::Fence(key) => change(key, &|route| route.state = 1),
            Self::Split(key) => {
                let mut owners = seen.routes.iter().rev();
                let owner = owners.find(|route| *route.start <= *key.as_bytes())?;
                return Some(Call::Split {
                    expected,
                    route_id: owner.id,
                    key: Bytes::from_static(key.as_bytes()),
                });
            }
            Self::Merge => vec![route(first, "", None, 1)],
            Self::Revive => vec![
                route(first, "", Some("b"), 1),
                route(1 + first % 2, "b", None, 7),
            ],
            Self::Overlap => vec![route(first, "", Some("b"), 1), route(9, "a", None, 1)],
        };
        Some(Call::Save { expected, routes })
    }
}

pub(super) fn route(id: u64, start: &'static str, end: Option<&'static str>, group: u64) -> Route {
    Route {
        id,
        start: Bytes::from_static(start.as_bytes()),
        end: end.map(|end| Bytes::from_static(end.as_bytes())),
        group,
        state: 0,
        parent: 0,
        split_at: 0,
    }
}

/// What somebody else writes, made in the order of its list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Write {
    /// A key of a user, two after the last timestamp.
    User,
    /// A record of a route, at version 0 or beside the table.
    Route(u64),
    /// Bytes under a route key that are no record.
    Garbage,
    /// A next id.
    Counter(u64),
    /// A version record, as a writer without delta log leaves it.
    Version(u64),
    /// Compaction past the newest commit.
    Compact,
}

impl Write {
    /// The call that makes it, given the last commit timestamp.
    pub(super) fn call(self, last_ts: u64, settings: &Settings) -> StoreCall {
        let put = |key: Bytes, value: Bytes, after: u64| StoreCall::Put {
            key,
            value,
            commit_ts: last_ts + after,
            expire_at: 0,
        };
        match self {
            Self::User => put("user".into(), "x".into(), 2),
            Self::Route(id) => {
                let record = codec::encode_route(&route(id, "x", Some("y"), 1), settings);
                put(keys::route(id), record.expect("a valid route"), 1)
            }
            Self::Garbage => put(keys::route(8), "?".into(), 1),
            Self::Counter(id) => put(
                Bytes::from_static(keys::NEXT_ROUTE_ID),
                codec::encode_number(id),
                1,
            ),
            Self::Version(version) => put(
                Bytes::from_static(keys::VERSION),
                codec::encode_number(version),
                1,
            ),
            Self::Compact => StoreCall::Compact {
                min_ts: last_ts + 5,
            },
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::User => "a user writes",
            Self::Route(_) => "somebody writes a route record",
            Self::Garbage => "somebody writes garbage under a route key",
            Self::Counter(_) => "somebody writes the next id",
            Self::Version(_) => "somebody raises the version without a delta",
            Self::Compact => "the store is compacted past its newest commit",
        }
    }
}
