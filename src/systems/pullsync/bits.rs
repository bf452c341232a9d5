//! Bit vectors (5).
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;
use serde::Serialize;

/// Bits over a byte string; bit i is `1 << (i % 8)` of byte `i / 8`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct BitVector {
    bytes: Vec<u8>,
    length: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
#[error("the length is {length} bits, expected 1 to {most}")]
pub struct InvalidLength {
    pub length: usize,
    /// What the bytes hold; `usize::MAX` for a new vector.
    pub most: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
#[error("bit {index} of {length}")]
pub struct IndexOutOfRange {
    pub index: usize,
    pub length: usize,
}

impl BitVector {
    /// `length` bits, all unset, in `length / 8 + 1` bytes.
    pub fn new(_length: usize) -> Result<Self, InvalidLength> {
        todo!()
    }
    /// A longer byte string is kept as it is.
    pub fn from_bytes(_bytes: &[u8], _length: usize) -> Result<Self, InvalidLength> {
        todo!()
    }
    pub fn get(&self, _index: usize) -> Result<bool, IndexOutOfRange> {
        todo!()
    }
    pub fn set(&mut self, _index: usize) -> Result<(), IndexOutOfRange> {
        todo!()
    }
    pub fn unset(&mut self, _index: usize) -> Result<(), IndexOutOfRange> {
        todo!()
    }
    /// Number of bits.
    pub fn len(&self) -> usize {
        self.length
    }
    /// The indices of the set bits below `len`, ascending.
    pub fn ones(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::empty()
    }
    /// All backing bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    pub fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&self.bytes)
    }
}
