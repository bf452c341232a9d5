//! Version, next-id and floor records (3.1).

use bytes::Bytes;

use crate::catalog::error::Error;

const CODEC: u8 = 1;

/// The layout that all three share: a codec byte, then the number. Any number can be encoded.
pub fn encode_number(number: u64) -> Bytes {
    [&[CODEC][..], &number.to_be_bytes()].concat().into()
}

/// Any number. Anything but 9 bytes that begin with 1 is an `InvalidVersionRecord`.
pub fn decode_version(raw: &[u8]) -> Result<u64, Error> {
    let length = raw.len();
    decode(raw).ok_or(Error::InvalidVersionRecord { length })
}

/// A number above 0. Anything else is an `InvalidNextRouteId`.
pub fn decode_next_route_id(raw: &[u8]) -> Result<u64, Error> {
    let length = raw.len();
    let id = decode(raw).filter(|id| *id != 0);
    id.ok_or(Error::InvalidNextRouteId { length })
}

/// A number above 0. Anything else is an `InvalidDeltaRecord` (13.3).
pub fn decode_delta_floor(raw: &[u8]) -> Result<u64, Error> {
    let (at, expected) = match decode(raw) {
        Some(0) => (1, "a floor above 0"),
        Some(floor) => return Ok(floor),
        None => (0, "the floor: 9 bytes beginning with 1"),
    };
    Err(Error::InvalidDeltaRecord { at, expected })
}

fn decode(raw: &[u8]) -> Option<u64> {
    match <[u8; 9]>::try_from(raw) {
        Ok([CODEC, number @ ..]) => Some(u64::from_be_bytes(number)),
        _ => None,
    }
}
