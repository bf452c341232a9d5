//! Records that are malformed, where, and how that is said.

use concord::systems::catalog::codec::{decode_delta, decode_route, encode_delta, encode_route};
use concord::systems::catalog::strategy::Level;
use concord::systems::catalog::{Change, Delta};

use super::{sample, settings};

/// What stands at an offset of a sound record instead, and what is said of it.
type Case = (usize, &'static [u8], &'static str, &'static str);

const RECORD: &str = "catalog_invalid_route_record";
const DELTA: &str = "catalog_invalid_delta_record";
const CHANGE: &str = "catalog_invalid_delta_mutation";
const MAX: &[u8] = b"\xff\xff\xff\xff\xff\xff\xff\xff";

fn altered(raw: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut raw = raw.to_vec();
    raw[at..at + bytes.len()].copy_from_slice(bytes);
    raw
}

#[track_caller]
fn route_refused(raw: &[u8], level: Level, code: &str, text: &str) {
    let error = decode_route(raw, &settings(level)).unwrap_err();
    assert_eq!(
        (error.code(), &error.to_string()[..]),
        (code, text),
        "{raw:02x?}"
    );
}

#[track_caller]
fn delta_refused(raw: &[u8], code: &str, text: &str) {
    let error = decode_delta(raw, &settings(Level::Two)).unwrap_err();
    assert_eq!(
        (error.code(), &error.to_string()[..]),
        (code, text),
        "{raw:02x?}"
    );
}

/// Start is byte 34, the end flag 35, the length of end 36 and end byte 44.
#[test]
fn altered_route_records_are_refused() {
    const CODEC: &str = "route record: byte 0, expected codec version 1";
    const START: &str =
        "route record: byte 26, expected the length of start, at most that of the rest";
    const FLAG: &str = "route record: byte 35, expected an end flag, 0 or 1";
    const END: &str = "route record: byte 36, expected the length of end, at most that of the rest";
    let cases: &[Case] = &[
        (0, b"\0", RECORD, CODEC),
        (0, b"\x02", RECORD, CODEC),
        (0, b"\xff", RECORD, CODEC),
        (26, b"\0\0\0\0\0\0\0\x0c", RECORD, START),
        (26, b"\x7f\xff\xff\xff\xff\xff\xff\xff", RECORD, START),
        (26, b"\x80\0\0\0\0\0\0\0", RECORD, START),
        (26, MAX, RECORD, START),
        (35, b"\x02", RECORD, FLAG),
        (35, b"\xff", RECORD, FLAG),
        (
            35,
            b"\0",
            RECORD,
            "route record: byte 36, expected the end of the record",
        ),
        (36, b"\0\0\0\0\0\0\0\x02", RECORD, END),
        (36, b"\x80\0\0\0\0\0\0\x01", RECORD, END),
        (36, MAX, RECORD, END),
        (
            36,
            b"\0\0\0\0\0\0\0\0",
            RECORD,
            "route record: byte 44, expected the end of the record",
        ),
        // Sound, but not valid.
        (
            1,
            b"\0\0\0\0\0\0\0\0",
            "catalog_route_id_required",
            "route id 0, expected at least 1",
        ),
        (
            9,
            b"\0\0\0\0\0\0\0\0",
            "catalog_group_id_required",
            "route 7 has group 0, expected at least 1",
        ),
        (
            17,
            b"\x04",
            "catalog_invalid_route_state",
            "route 7 has state 4, expected 0 to 3",
        ),
        (
            17,
            b"\xff",
            "catalog_invalid_route_state",
            "route 7 has state 255, expected 0 to 3",
        ),
        (
            44,
            b"a",
            "catalog_invalid_route_range",
            "route 7 ends at or before its start",
        ),
        (
            44,
            b"A",
            "catalog_invalid_route_range",
            "route 7 ends at or before its start",
        ),
    ];
    let raw = encode_route(&sample(), &settings(Level::One)).unwrap();
    for (at, bytes, code, text) in cases {
        route_refused(&altered(&raw, *at, bytes), Level::One, code, text);
    }
}

/// Structure comes before validity, and id before group before state before range.
#[test]
fn the_first_flaw_decides() {
    let raw = encode_route(&sample(), &settings(Level::One)).unwrap();
    let raw = altered(&raw, 44, b"a");
    let raw = altered(&raw, 17, b"\x09");
    route_refused(
        &raw,
        Level::One,
        "catalog_invalid_route_state",
        "route 7 has state 9, expected 0 to 3",
    );
    let raw = altered(&raw, 9, b"\0\0\0\0\0\0\0\0");
    route_refused(
        &raw,
        Level::One,
        "catalog_group_id_required",
        "route 7 has group 0, expected at least 1",
    );
    let raw = altered(&raw, 1, b"\0\0\0\0\0\0\0\0");
    route_refused(
        &raw,
        Level::One,
        "catalog_route_id_required",
        "route id 0, expected at least 1",
    );
    let raw = [&raw[..], b"\0"].concat();
    route_refused(
        &raw,
        Level::One,
        RECORD,
        "route record: byte 45, expected the end of the record",
    );
}

/// 3.2: an empty end is a bound below every key.
#[test]
fn an_empty_end_is_no_range() {
    let raw = encode_route(&sample(), &settings(Level::One)).unwrap();
    let raw = altered(&raw, 36, b"\0\0\0\0\0\0\0\0");
    route_refused(
        &raw[..44],
        Level::One,
        "catalog_invalid_route_range",
        "route 7 ends at or before its start",
    );
}

#[test]
fn cut_route_records_say_which_field_is_missing() {
    let raw = encode_route(&sample(), &settings(Level::Two)).unwrap();
    for (cut, text) in [
        (0, "route record: byte 0, expected a codec version above 0"),
        (1, "route record: byte 1, expected a route id of 8 bytes"),
        (8, "route record: byte 1, expected a route id of 8 bytes"),
        (9, "route record: byte 9, expected a group id of 8 bytes"),
        (17, "route record: byte 17, expected a state"),
        (
            18,
            "route record: byte 18, expected the id of the parent, 8 bytes",
        ),
        (
            33,
            "route record: byte 26, expected the length of start, at most that of the rest",
        ),
        (
            34,
            "route record: byte 26, expected the length of start, at most that of the rest",
        ),
        (35, "route record: byte 35, expected an end flag, 0 or 1"),
        (
            44,
            "route record: byte 36, expected the length of end, at most that of the rest",
        ),
        (
            45,
            "route record: byte 45, expected the timestamp of the split, 8 bytes",
        ),
        (
            52,
            "route record: byte 45, expected the timestamp of the split, 8 bytes",
        ),
    ] {
        route_refused(&raw[..cut], Level::Two, RECORD, text);
    }
    route_refused(
        &altered(&raw, 0, b"\0"),
        Level::Two,
        RECORD,
        "route record: byte 0, expected a codec version above 0",
    );
    let longer = [&raw[..], b"\0"].concat();
    route_refused(
        &longer,
        Level::Two,
        RECORD,
        "route record: byte 53, expected the end of the record",
    );
    // Codec version 1 has no timestamp.
    route_refused(
        &altered(&raw, 0, b"\x01"),
        Level::Two,
        RECORD,
        "route record: byte 45, expected the end of the record",
    );
}

/// Delete 3 at byte 25, upsert 7 at 42, whose record of 53 bytes is at 59.
#[test]
fn altered_delta_records_are_refused() {
    const COUNT: &str =
        "delta record: byte 17, expected a number of changes that have room in the rest";
    const PAYLOAD: &str =
        "delta record: byte 51, expected the length of a route record, at most that of the rest";
    const NO_UPSERT: &str = "change 1 of the delta: a payload, but it is no upsert";
    let cases: &[Case] = &[
        (
            0,
            b"\0",
            DELTA,
            "delta record: byte 0, expected codec version 1",
        ),
        (
            0,
            b"\x02",
            DELTA,
            "delta record: byte 0, expected codec version 1",
        ),
        (17, b"\0\0\0\0\0\0\0\x06", DELTA, COUNT),
        (17, b"\x80\0\0\0\0\0\0\0", DELTA, COUNT),
        (17, MAX, DELTA, COUNT),
        (
            17,
            b"\0\0\0\0\0\0\0\x01",
            DELTA,
            "delta record: byte 42, expected the end of the record",
        ),
        (
            17,
            b"\0\0\0\0\0\0\0\x03",
            DELTA,
            "delta record: byte 112, expected the code of a change",
        ),
        (51, b"\0\0\0\0\0\0\0\x36", DELTA, PAYLOAD),
        (51, b"\x80\0\0\0\0\0\0\0", DELTA, PAYLOAD),
        (51, MAX, DELTA, PAYLOAD),
        // Truncation comes before the code.
        (
            42,
            b"\x02\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x36",
            DELTA,
            PAYLOAD,
        ),
        (
            42,
            b"\x09\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x36",
            DELTA,
            PAYLOAD,
        ),
        (42, b"\x02", CHANGE, NO_UPSERT),
        (42, b"\0", CHANGE, NO_UPSERT),
        (42, b"\x03", CHANGE, NO_UPSERT),
        // The route record fails as it does alone, with its own offsets.
        (
            25,
            b"\x01",
            RECORD,
            "route record: byte 0, expected a codec version above 0",
        ),
        (
            51,
            b"\0\0\0\0\0\0\0\x34",
            RECORD,
            "route record: byte 45, expected the timestamp of the split, 8 bytes",
        ),
        (
            59,
            b"\0",
            RECORD,
            "route record: byte 0, expected a codec version above 0",
        ),
        (
            60,
            b"\0\0\0\0\0\0\0\0",
            "catalog_route_id_required",
            "route id 0, expected at least 1",
        ),
        // Sound, but not valid.
        (
            1,
            MAX,
            "catalog_delta_version_gap",
            "the delta of version 5 is missing or does not follow the one before",
        ),
        (
            9,
            b"\0\0\0\0\0\0\0\0",
            "catalog_delta_version_gap",
            "the delta of version 0 is missing or does not follow the one before",
        ),
        (
            25,
            b"\x07",
            CHANGE,
            "change 0 of the delta: neither an upsert nor a delete",
        ),
        (
            26,
            b"\0\0\0\0\0\0\0\0",
            CHANGE,
            "change 0 of the delta: route id 0, expected at least 1",
        ),
        (
            26,
            b"\0\0\0\0\0\0\0\x07",
            CHANGE,
            "change 1 of the delta: its route id occurred before",
        ),
        (
            43,
            b"\0\0\0\0\0\0\0\x08",
            CHANGE,
            "change 1 of the delta: its descriptor has another id",
        ),
    ];
    let delta = Delta {
        previous: 4,
        version: 5,
        changes: vec![Change::delete(3), Change::upsert(sample())],
    };
    let raw = encode_delta(&delta, &settings(Level::Two)).unwrap();
    assert_eq!(raw.len(), 112);
    for (at, bytes, code, text) in cases {
        delta_refused(&altered(&raw, *at, bytes), code, text);
    }
}

/// The first broken change decides while reading; validity comes last.
#[test]
fn a_broken_route_record_decides_before_what_follows() {
    let delta = Delta {
        previous: 4,
        version: 5,
        changes: vec![Change::upsert(sample()), Change::delete(3)],
    };
    let raw = encode_delta(&delta, &settings(Level::Two)).unwrap();
    // The versions do not follow each other, the route record is broken, and the end is missing.
    let broken = altered(&altered(&raw, 1, MAX), 42, b"\0");
    delta_refused(
        &broken[..raw.len() - 1],
        RECORD,
        "route record: byte 0, expected a codec version above 0",
    );
    let whole = altered(&raw, 1, MAX);
    delta_refused(
        &whole[..raw.len() - 1],
        DELTA,
        "delta record: byte 104, expected the length of a route record, at most that of the rest",
    );
    let longer = [&whole[..], b"\0"].concat();
    delta_refused(
        &longer,
        DELTA,
        "delta record: byte 112, expected the end of the record",
    );
}
