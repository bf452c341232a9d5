//! Route records of both levels.

use concord::systems::catalog::Route;
use concord::systems::catalog::codec::{decode_route, encode_route};
use concord::systems::catalog::strategy::Level;
use proptest::prelude::*;

use super::super::common::cases;
use super::{
    LEVELS, codes, cutting, key, peer, ranging, route, sample, settings, unchecked, unhex,
};

const ONE: &str =
    "01000000000000000700000000000000030100000000000000020000000000000001610100000000000000016d";

#[test]
fn records_are_these() {
    for (route, raw) in [
        (sample(), ONE),
        (
            Route {
                group: 5,
                ..ranging(1, "", None)
            },
            "0100000000000000010000000000000005000000000000000000000000000000000000",
        ),
        (
            Route {
                id: u64::MAX,
                group: 0x0123_4567_89ab_cdef,
                state: 3,
                parent: u64::MAX - 1,
                ..ranging(1, "", Some("\0"))
            },
            "01ffffffffffffffff0123456789abcdef03fffffffffffffffe000000000000000001000000000000000100",
        ),
    ] {
        let raw = unhex(raw);
        let one = settings(Level::One);
        assert_eq!(encode_route(&route, &one).unwrap(), raw);
        assert_eq!(decode_route(&raw, &one).unwrap(), route);
        // Level 2 reads the same.
        assert_eq!(decode_route(&raw, &settings(Level::Two)).unwrap(), route);
    }
}

/// 13.1: the timestamp of the split comes last.
#[test]
fn records_of_level_2_end_with_the_split() {
    let two = settings(Level::Two);
    for split_at in [0, 5, u64::MAX] {
        for end in [None, Some("m")] {
            let route = Route {
                split_at,
                ..ranging(7, "a", end)
            };
            let first = encode_route(&route, &settings(Level::One)).unwrap();
            let raw = encode_route(&route, &two).unwrap();
            assert_eq!(raw[0], 2);
            assert_eq!(raw[1..first.len()], first[1..]);
            assert_eq!(raw[first.len()..], split_at.to_be_bytes());
            assert_eq!(decode_route(&raw, &two).unwrap(), route);
        }
    }
}

/// H18.
#[test]
fn level_1_knows_codec_version_1_only() {
    let raw = encode_route(&sample(), &settings(Level::Two)).unwrap();
    let error = decode_route(&raw, &settings(Level::One)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "route record: byte 0, expected codec version 1"
    );
}

/// 13.1.
#[test]
fn level_2_reads_what_it_can_of_later_versions() {
    let two = settings(Level::Two);
    let expected = Route {
        split_at: 9,
        ..sample()
    };
    let raw = encode_route(&expected, &two).unwrap();
    for codec in 2..=u8::MAX {
        let mut later = raw.to_vec();
        later[0] = codec;
        assert_eq!(decode_route(&later, &two).unwrap(), expected);
        later.extend(b"more");
        let outcome = codes(decode_route(&later, &two));
        match codec {
            2 => assert_eq!(outcome, Err("catalog_invalid_route_record")),
            _ => assert_eq!(outcome.as_ref(), Ok(&expected)),
        }
        later.truncate(raw.len() - 1);
        assert_eq!(
            codes(decode_route(&later, &two)),
            Err("catalog_invalid_route_record")
        );
    }
}

/// 3.2 rule 2, D1: a cut is an invalid record, wherever it is. The original reports cuts within fields
/// of fixed size, the end flag among them, as end of input.
#[test]
fn every_cut_is_an_invalid_record() {
    for level in LEVELS {
        for route in [
            Route {
                start: b"abc"[..].into(),
                end: Some(b"mnop"[..].into()),
                ..sample()
            },
            ranging(1, "abc", None),
            ranging(1, "", Some("mnop")),
        ] {
            let raw = encode_route(&route, &settings(level)).unwrap();
            let start = 34..34 + route.start.len();
            let first_of_end = start.end + 9;
            let end = route.end.as_ref().map_or(0, |end| end.len());
            let end = first_of_end..first_of_end + end;
            for cut in 0..raw.len() {
                let cut_off = &raw[..cut];
                let outcome = codes(decode_route(cut_off, &settings(level)));
                assert_eq!(
                    outcome,
                    Err("catalog_invalid_route_record"),
                    "{level:?} {cut}"
                );
                let original = codes(decode_route(cut_off, &cutting(level)));
                let is_within_bytes = start.contains(&cut) || end.contains(&cut);
                let expected = match is_within_bytes || cut == 0 {
                    true => "catalog_invalid_route_record",
                    false => "unexpected_eof",
                };
                assert_eq!(original, Err(expected), "{level:?} {cut}");
            }
        }
    }
}

/// The scenario of D1.
#[test]
fn a_codec_byte_alone_is_an_invalid_record() {
    let error = decode_route(b"\x01", &settings(Level::One)).unwrap_err();
    assert_eq!(error.code(), "catalog_invalid_route_record");
    let error = decode_route(b"\x01", &cutting(Level::One)).unwrap_err();
    assert_eq!(error.code(), "unexpected_eof");
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn a_route_comes_back(
        (level, route) in prop::sample::select(&LEVELS[..])
            .prop_flat_map(|level| (Just(level), route(level)))
    ) {
        let raw = encode_route(&route, &settings(level)).unwrap();
        prop_assert_eq!(peer::route(&raw, level), Ok(route.clone()));
        prop_assert_eq!(decode_route(&raw, &settings(level)), Ok(route));
    }

    #[test]
    fn what_is_not_valid_is_neither_written_nor_read(route in unchecked()) {
        for level in LEVELS {
            let expected = peer::invalid(&route).map_or(Ok(()), Err);
            prop_assert_eq!(codes(route.validate()), expected);
            let encoded = codes(encode_route(&route, &settings(level)));
            prop_assert_eq!(encoded.clone().map(drop), expected);
            let raw = by_hand(&route, level);
            if let Ok(encoded) = encoded {
                prop_assert_eq!(&encoded, &raw);
            }
            let decoded = codes(decode_route(&raw, &settings(level)));
            prop_assert_eq!(decoded, expected.map(|()| route.clone()));
        }
    }

    /// Fields of a record, each of them anything.
    #[test]
    fn records_are_judged_like_the_peer_judges_them(
        codec in 0..4_u8,
        head in prop::collection::vec(0..5_u8, 25),
        lengths in [0..4_u64, 0..4_u64],
        flag in 0..3_u8,
        keys in [key(), key()],
        rest in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let [start, end] = &keys;
        let raw = [
            &[codec][..],
            &head,
            &lengths[0].to_be_bytes(),
            start,
            &[flag],
            &lengths[1].to_be_bytes(),
            end,
            &rest,
        ].concat();
        for level in LEVELS {
            let decoded = codes(decode_route(&raw, &settings(level)));
            prop_assert_eq!(decoded, peer::route(&raw, level));
        }
    }
}

/// The record of any route.
fn by_hand(route: &Route, level: Level) -> Vec<u8> {
    let mut raw = match level {
        Level::One => vec![1],
        Level::Two => vec![2],
    };
    raw.extend(route.id.to_be_bytes());
    raw.extend(route.group.to_be_bytes());
    raw.push(route.state);
    raw.extend(route.parent.to_be_bytes());
    raw.extend((route.start.len() as u64).to_be_bytes());
    raw.extend(&route.start);
    match &route.end {
        None => raw.push(0),
        Some(end) => {
            raw.push(1);
            raw.extend((end.len() as u64).to_be_bytes());
            raw.extend(end);
        }
    }
    if level == Level::Two {
        raw.extend(route.split_at.to_be_bytes());
    }
    raw
}
