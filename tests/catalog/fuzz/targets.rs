//! What is done with an input of each decoder: it is decoded, what was decoded is encoded and decoded
//! again, and both are compared with what the peer says.

use std::io::Cursor;

use bytes::Bytes;
use concord::systems::catalog::codec::{
    decode_delta, decode_delta_floor, decode_next_route_id, decode_route, decode_version,
    encode_delta, encode_number, encode_route,
};
use concord::systems::catalog::strategy::{Level, Strategies, Truncation};
use concord::systems::catalog::{Error, Route, keys, trace};
use concord::systems::replay::Outcome as Verdict;

use super::super::codec::{cutting, peer, settings};
use super::super::decoders::{Outcome, Target};

/// Codec bytes, flags, codes, and bytes of small numbers.
const RECORD: &[u8] = b"\0\0\0\0\0\0\x01\x01\x01\x02\x02\x03\x04a\xff";

const ROUTE: &[&str] = &[
    "catalog_group_id_required",
    "catalog_invalid_route_range",
    "catalog_invalid_route_record",
    "catalog_invalid_route_state",
    "catalog_route_id_required",
];

const DELTA: &[&str] = &[
    "catalog_delta_version_gap",
    "catalog_group_id_required",
    "catalog_invalid_delta_mutation",
    "catalog_invalid_delta_record",
    "catalog_invalid_route_range",
    "catalog_invalid_route_record",
    "catalog_invalid_route_state",
    "catalog_route_id_required",
];

const fn target(
    name: &'static str,
    judge: fn(&[u8]) -> Outcome,
    codes: &'static [&'static str],
) -> Target {
    Target {
        name,
        judge,
        codes,
        alphabet: RECORD,
        cost: 1,
    }
}

const fn key(
    name: &'static str,
    judge: fn(&[u8]) -> Outcome,
    code: &'static [&'static str],
) -> Target {
    Target {
        alphabet: b"!dist|route|delta|meta\0\0\0\xff",
        ..target(name, judge, code)
    }
}

/// One per decoder; those of routes and deltas at each level.
pub(crate) const TARGETS: &[Target] = &[
    target(
        "version",
        |raw| number(raw, decode_version, 0),
        &["catalog_invalid_version_record"],
    ),
    target(
        "next_route_id",
        |raw| number(raw, decode_next_route_id, 1),
        &["catalog_invalid_next_route_id"],
    ),
    target(
        "delta_floor",
        |raw| number(raw, decode_delta_floor, 1),
        &["catalog_invalid_delta_record"],
    ),
    target("route_one", |raw| route(raw, Level::One), ROUTE),
    target("route_two", |raw| route(raw, Level::Two), ROUTE),
    target("delta_one", |raw| delta(raw, Level::One), DELTA),
    target("delta_two", |raw| delta(raw, Level::Two), DELTA),
    key("route_key", route_key, &["no_id"]),
    key("delta_key", delta_key, &["no_version"]),
    Target {
        alphabet: br#"      {}[]:,""0123456789abcdef{"op":"args":{}"returns":"fails":null"#,
        cost: 40,
        ..target("trace", replayed, &["diverges", "unusable"])
    },
];

/// Any number from `least`, and no other form of it.
fn number(raw: &[u8], decode: fn(&[u8]) -> Result<u64, Error>, least: u64) -> Outcome {
    let is_sound = raw.len() == 9 && raw[0] == 1 && raw[1..] >= least.to_be_bytes()[..];
    let number = decode(raw);
    assert_eq!(number.is_ok(), is_sound, "{raw:02x?}");
    let number = number.map_err(|error| error.code())?;
    assert_eq!(encode_number(number), raw);
    Ok(())
}

/// At level 2 only records of codec version 2 come back as they were.
fn route(raw: &[u8], level: Level) -> Outcome {
    let decoded = decode_route(raw, &settings(level));
    let codes = decoded.clone().map_err(|error| error.code());
    assert_eq!(codes, peer::route(raw, level), "{raw:02x?}");
    let route = decoded.map_err(|error| refused(raw, &error))?;
    assert_eq!(decode_route(raw, &cutting(level)).as_ref(), Ok(&route));
    within(raw, [&route]);
    let again = encode_route(&route, &settings(level)).expect("what was decoded is valid");
    if level == Level::One || raw[0] == 2 {
        assert_eq!(again, raw);
    }
    assert_eq!(decode_route(&again, &settings(level)), Ok(route));
    Ok(())
}

/// The same, of all records in it.
fn delta(raw: &[u8], level: Level) -> Outcome {
    let decoded = decode_delta(raw, &settings(level));
    let codes = decoded.clone().map_err(|error| error.code());
    let theirs = peer::delta(raw, level);
    let is_current = matches!(theirs, Ok((_, true)));
    assert_eq!(codes, theirs.map(|(delta, _)| delta), "{raw:02x?}");
    let delta = decoded.map_err(|error| refused(raw, &error))?;
    assert!(17 * delta.changes.len() <= raw.len());
    within(
        raw,
        delta
            .changes
            .iter()
            .filter_map(|change| change.route.as_ref()),
    );
    let again = encode_delta(&delta, &settings(level)).expect("what was decoded is valid");
    assert!(is_current || level == Level::Two);
    if is_current {
        assert_eq!(again, raw);
    }
    assert_eq!(decode_delta(&again, &settings(level)), Ok(delta));
    Ok(())
}

/// The code; the place is within the input.
fn refused(raw: &[u8], error: &Error) -> &'static str {
    if let Error::InvalidRouteRecord { at, .. } | Error::InvalidDeltaRecord { at, .. } = error {
        assert!(*at <= raw.len(), "{error} of {} bytes", raw.len());
    }
    error.code()
}

/// What comes out of an input is no longer than it.
fn within<'a>(raw: &[u8], routes: impl IntoIterator<Item = &'a Route>) {
    let length = |route: &Route| 35 + route.start.len() + route.end.as_ref().map_or(0, Bytes::len);
    let total: usize = routes.into_iter().map(length).sum();
    assert!(total <= raw.len(), "{total} of {} bytes", raw.len());
}

fn route_key(raw: &[u8]) -> Outcome {
    let id = keys::route_id(raw);
    assert!(id.is_none() || keys::is_route(raw));
    assert_eq!(id.is_some(), keys::is_route(raw) && raw.len() == 20);
    assert_eq!(keys::route(id.ok_or("no_id")?), raw);
    Ok(())
}

fn delta_key(raw: &[u8]) -> Outcome {
    let version = keys::delta_version(raw);
    let is_sound = keys::is_delta(raw) && raw.len() == 20 && raw[12..] != [0; 8];
    assert_eq!(version.is_some(), is_sound);
    assert_eq!(keys::delta(version.ok_or("no_version")?), raw);
    Ok(())
}

/// A trace is unusable by its form alone, whatever it is replayed on (15.1).
fn replayed(raw: &[u8]) -> Outcome {
    let lines = raw.split(|byte| *byte == b'\n').count() as u64;
    let replayed = trace::replay(Cursor::new(raw)).expect("bytes can be read");
    let cutting = Strategies {
        truncation: Truncation::EndOfInput,
        ..Strategies::REFERENCE
    };
    let other = trace::replay_on(Cursor::new(raw), cutting).expect("bytes can be read");
    let is_unusable = |verdict: &Verdict| matches!(verdict, Verdict::Unusable { .. });
    assert_eq!(is_unusable(&replayed.outcome), is_unusable(&other.outcome));
    match replayed.outcome {
        Verdict::Conforms => {
            assert!(replayed.steps < lines);
            Ok(())
        }
        Verdict::Diverges(divergence) => {
            assert_eq!(divergence.line, replayed.steps + 2);
            assert!(divergence.line <= lines);
            Err("diverges")
        }
        Verdict::Unusable { line, .. } => {
            assert_eq!(other.outcome, replayed.outcome);
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
            Err("unusable")
        }
    }
}
