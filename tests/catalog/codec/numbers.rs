//! Version, next-id and floor records.

use concord::systems::catalog::Error;
use concord::systems::catalog::codec::{
    decode_delta_floor, decode_next_route_id, decode_version, encode_number,
};
use quickcheck::quickcheck;

use super::unhex;

type Decode = fn(&[u8]) -> Result<u64, Error>;

const DECODERS: [(Decode, &str); 3] = [
    (decode_version, "catalog_invalid_version_record"),
    (decode_next_route_id, "catalog_invalid_next_route_id"),
    (decode_delta_floor, "catalog_invalid_delta_record"),
];

#[test]
fn a_number_follows_the_codec_byte() {
    assert_eq!(encode_number(0), unhex("010000000000000000"));
    assert_eq!(encode_number(2), unhex("010000000000000002"));
    assert_eq!(
        encode_number(0x0123_4567_89ab_cdef),
        unhex("010123456789abcdef")
    );
    assert_eq!(encode_number(u64::MAX), unhex("01ffffffffffffffff"));
}

quickcheck! {
    fn a_number_comes_back(number: u64) -> bool {
        let number = number.max(1);
        let raw = encode_number(number);
        raw.len() == 9 && DECODERS.iter().all(|(decode, _)| decode(&raw) == Ok(number))
    }
}

/// 0 is a version, but neither an id nor a floor.
#[test]
fn only_versions_may_be_0() {
    let zero = encode_number(0);
    assert_eq!(decode_version(&zero), Ok(0));
    for (decode, code) in &DECODERS[1..] {
        assert_eq!(decode(&zero).map_err(|error| error.code()), Err(*code));
    }
}

#[test]
fn other_lengths_and_codec_bytes_are_refused() {
    let sound = encode_number(7);
    let mut broken: Vec<Vec<u8>> = (0..9).map(|cut| sound[..cut].to_vec()).collect();
    broken.push([&sound[..], b"\0"].concat());
    broken.push([&sound[..], &sound[..]].concat());
    broken.extend((0..=u8::MAX).filter(|codec| *codec != 1).map(|codec| {
        let mut raw = sound.to_vec();
        raw[0] = codec;
        raw
    }));
    assert_eq!(broken.len(), 9 + 2 + 255);
    for raw in broken {
        for (decode, code) in DECODERS {
            assert_eq!(
                decode(&raw).map_err(|error| error.code()),
                Err(code),
                "{raw:02x?}"
            );
        }
    }
}

#[test]
fn errors_name_what_was_expected() {
    let text = |decode: Decode, raw: &[u8]| decode(raw).unwrap_err().to_string();
    assert_eq!(
        text(decode_version, b"\x01\0"),
        "version record of 2 bytes, expected 9 beginning with 1"
    );
    assert_eq!(
        text(decode_next_route_id, &encode_number(0)),
        "next-id record of 9 bytes, expected 9 beginning with 1, with a number above 0"
    );
    assert_eq!(
        text(decode_delta_floor, &encode_number(0)),
        "delta record: byte 1, expected a floor above 0"
    );
    assert_eq!(
        text(decode_delta_floor, b""),
        "delta record: byte 0, expected the floor: 9 bytes beginning with 1"
    );
}
