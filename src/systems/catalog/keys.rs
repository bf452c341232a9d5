//! Reserved keys (2, 13.2).
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;

pub const VERSION: &[u8] = b"!dist|meta|version";
pub const NEXT_ROUTE_ID: &[u8] = b"!dist|meta|next_route_id";
pub const ROUTE_PREFIX: &[u8] = b"!dist|route|";
pub const DELTA_PREFIX: &[u8] = b"!dist|delta|";
pub const DELTA_FLOOR: &[u8] = b"!dist|meta|delta_floor";

/// Key of a route's record.
pub fn route(_id: u64) -> Bytes {
    todo!()
}

/// A pure prefix test (2).
pub fn is_route(_key: &[u8]) -> bool {
    todo!()
}

pub fn route_id(_key: &[u8]) -> Option<u64> {
    todo!()
}

pub fn delta(_version: u64) -> Bytes {
    todo!()
}

pub fn is_delta(_key: &[u8]) -> bool {
    todo!()
}

/// None for 0 (13.2).
pub fn delta_version(_key: &[u8]) -> Option<u64> {
    todo!()
}

/// The smallest key above all that begin with `prefix`; none if there is none (2).
pub fn successor(_prefix: &[u8]) -> Option<Bytes> {
    todo!()
}
