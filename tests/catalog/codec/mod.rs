//! Keys, records, deltas and tables (2, 3, 4, 13.1 to 13.3).

mod deltas;
mod keys;
mod malformed;
mod numbers;
pub(crate) mod peer;
mod routes;
mod sample;
mod tables;

use bytes::Bytes;
use concord::systems::catalog::strategy::{Level, Settings, Strategies, Truncation};
use concord::systems::catalog::{Admission, Change, Delta, Error, Route};
use data_encoding::HEXLOWER;
use proptest::prelude::*;

const LEVELS: [Level; 2] = [Level::One, Level::Two];

/// The reference.
pub(crate) const fn settings(level: Level) -> Settings {
    Settings::strict(level)
}

/// The original's report of truncation (D1).
pub(crate) const fn cutting(level: Level) -> Settings {
    Settings {
        level,
        admission: Admission::Strict,
        strategies: Strategies {
            truncation: Truncation::EndOfInput,
            ..Strategies::REFERENCE
        },
    }
}

/// `None` is unbounded. Group 1, state and parent 0.
fn ranging(id: u64, start: &'static str, end: Option<&'static str>) -> Route {
    let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
    Route {
        id,
        start: bytes(start),
        end: end.map(bytes),
        group: 1,
        state: 0,
        parent: 0,
        split_at: 0,
    }
}

/// That of the sample: every field differs from every other.
fn sample() -> Route {
    Route {
        group: 3,
        state: 1,
        parent: 2,
        ..ranging(7, "a", Some("m"))
    }
}

#[track_caller]
fn unhex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn codes<T>(outcome: Result<T, Error>) -> Result<T, &'static str> {
    outcome.map_err(|error| error.code())
}

/// Of every length, often the least or the largest.
pub(crate) fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(u64::MAX),
        (any::<u64>(), 0..64).prop_map(|(number, shift)| number >> shift),
    ]
}

fn above_zero() -> impl Strategy<Value = u64> {
    number().prop_map(|number| number.max(1))
}

/// Short, so that many are equal and many begin alike.
fn key() -> impl Strategy<Value = Bytes> {
    let byte = prop_oneof![Just(0), Just(u8::MAX), b'a'..=b'c', any::<u8>()];
    prop::collection::vec(byte, 0..5).prop_map(Bytes::from)
}

/// A range that holds a key.
fn range() -> impl Strategy<Value = (Bytes, Option<Bytes>)> {
    (key(), key(), any::<bool>()).prop_map(|(one, other, is_bounded)| {
        let (start, end) = (one.clone().min(other.clone()), one.max(other));
        let is_bounded = is_bounded && start < end;
        (start, is_bounded.then_some(end))
    })
}

/// A valid route, as this level has them.
pub(crate) fn route(level: Level) -> impl Strategy<Value = Route> {
    let numbers = (above_zero(), above_zero(), number(), number());
    (numbers, range(), 0..=3_u8).prop_map(
        move |((id, group, parent, split_at), (start, end), state)| Route {
            id,
            start,
            end,
            group,
            state,
            parent,
            split_at: match level {
                Level::One => 0,
                Level::Two => split_at,
            },
        },
    )
}

/// A route of which nothing is known. Ids are few.
fn unchecked() -> impl Strategy<Value = Route> {
    let numbers = (0..12_u64, 0..8_u64, number());
    let ends = prop::option::of(key());
    let state = prop_oneof![8 => 0..=3_u8, 1 => any::<u8>()];
    (numbers, key(), ends, state).prop_map(|((id, group, parent), start, end, state)| Route {
        id,
        start,
        end,
        group,
        state,
        parent,
        split_at: 0,
    })
}

/// A valid delta, its changes in any order.
pub(crate) fn delta(level: Level) -> impl Strategy<Value = Delta> {
    let changes = prop::collection::btree_map(above_zero(), prop::option::of(route(level)), 0..4);
    let changes = changes.prop_map(|changes| {
        let changes = changes.into_iter().map(|(id, route)| match route {
            None => Change::delete(id),
            Some(route) => Change::upsert(Route { id, ..route }),
        });
        changes.collect::<Vec<Change>>()
    });
    (above_zero(), changes.prop_shuffle()).prop_map(|(version, changes)| Delta {
        previous: version - 1,
        version,
        changes,
    })
}
