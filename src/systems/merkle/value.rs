//! Counter values as bytes (CTR-6).

use smallvec::SmallVec;

/// Bytes of a value; eight fit in place.
pub type Bytes = SmallVec<[u8; 16]>;

/// Eight bytes, big-endian.
pub fn encode(value: u64) -> Bytes {
    Bytes::from_slice(&value.to_be_bytes())
}

/// The first eight bytes, big-endian; fewer decode to 0 and more are ignored.
pub fn decode(bytes: &[u8]) -> u64 {
    bytes.first_chunk().copied().map_or(0, u64::from_be_bytes)
}
