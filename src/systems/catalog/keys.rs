//! Reserved keys (2, 13.2).

use bytes::Bytes;

/// Key of the record of the catalog's version.
pub const VERSION: &[u8] = b"!dist|meta|version";

/// Key of the record of the next route id.
pub const NEXT_ROUTE_ID: &[u8] = b"!dist|meta|next_route_id";

/// What every route key begins with.
pub const ROUTE_PREFIX: &[u8] = b"!dist|route|";

/// The smallest key above all route keys: the end of their scan.
pub const ROUTE_END: &[u8] = b"!dist|route}";

/// What every delta key begins with (13.2).
pub const DELTA_PREFIX: &[u8] = b"!dist|delta|";

/// Key of the record of the oldest delta retained (13.2).
pub const DELTA_FLOOR: &[u8] = b"!dist|meta|delta_floor";

/// Key of a route's record. Keys are in the order of ids.
pub fn route(id: u64) -> Bytes {
    numbered(ROUTE_PREFIX, id)
}

/// Whether a key begins with the prefix of routes, whatever follows, if anything (2).
pub fn is_route(key: &[u8]) -> bool {
    key.starts_with(ROUTE_PREFIX)
}

/// The id in a route key, 0 included; none if the prefix is missing or what follows is not 8 bytes.
pub fn route_id(key: &[u8]) -> Option<u64> {
    number_after(ROUTE_PREFIX, key)
}

/// Key of the delta that makes a version. Keys are in the order of versions.
pub fn delta(version: u64) -> Bytes {
    numbered(DELTA_PREFIX, version)
}

/// Whether a key begins with the prefix of deltas, whatever follows, if anything (13.2).
pub fn is_delta(key: &[u8]) -> bool {
    key.starts_with(DELTA_PREFIX)
}

/// The version in a delta key; none if the prefix is missing, what follows is not 8 bytes, or it is 0 (13.2).
pub fn delta_version(key: &[u8]) -> Option<u64> {
    number_after(DELTA_PREFIX, key).filter(|version| *version != 0)
}

/// The smallest key above all that begin with `prefix`; none if there is none: of an empty prefix, and
/// of one whose bytes are all `ff` (2).
pub fn successor(prefix: &[u8]) -> Option<Bytes> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut successor = prefix[..=last].to_vec();
    successor[last] += 1;
    Some(successor.into())
}

fn numbered(prefix: &[u8], number: u64) -> Bytes {
    [prefix, &number.to_be_bytes()].concat().into()
}

fn number_after(prefix: &[u8], key: &[u8]) -> Option<u64> {
    let suffix = key.strip_prefix(prefix)?;
    suffix.try_into().ok().map(u64::from_be_bytes)
}
