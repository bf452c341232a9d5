//! Version, next-id and floor records (3.1).
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;

use crate::catalog::error::Error;

/// The layout that all three share.
pub fn encode_number(_number: u64) -> Bytes {
    todo!()
}

pub fn decode_version(_raw: &[u8]) -> Result<u64, Error> {
    todo!()
}

pub fn decode_next_route_id(_raw: &[u8]) -> Result<u64, Error> {
    todo!()
}

/// Undecodable or 0: `InvalidDeltaRecord` (13.3).
pub fn decode_delta_floor(_raw: &[u8]) -> Result<u64, Error> {
    todo!()
}
