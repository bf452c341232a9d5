//! Bit vectors (5).

use bytes::Bytes;
use serde::Serialize;

/// At least one bit over a byte string; bit i is `1 << (i % 8)` of byte `i / 8` (5). Surplus bytes and
/// bits are kept as they came and never looked at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct BitVector {
    /// At least `length` bits.
    bytes: Vec<u8>,
    /// At least 1.
    length: usize,
}

/// A vector of this length cannot be made (5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
#[error("the length is {length} bits, expected 1 to {most}")]
pub struct InvalidLength {
    /// The length asked for, in bits.
    pub length: usize,
    /// What the bytes hold; `usize::MAX` for a new vector.
    pub most: usize,
}

/// A bit at or beyond the length (D8); nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
#[error("bit {index} of {length}")]
pub struct IndexOutOfRange {
    /// The bit asked for, counted from 0.
    pub index: usize,
    /// Number of bits.
    pub length: usize,
}

impl BitVector {
    /// `length` bits, all unset, in `length / 8 + 1` bytes: one byte too many for multiples of 8, which
    /// shows on the wire and must stay.
    pub fn new(length: usize) -> Result<Self, InvalidLength> {
        Self::checked(length, usize::MAX)?;
        let bytes = vec![0; length / 8 + 1];
        Ok(Self { bytes, length })
    }

    /// The first `length` bits of these bytes. A longer byte string is kept as it is.
    pub fn from_bytes(bytes: &[u8], length: usize) -> Result<Self, InvalidLength> {
        Self::checked(length, bytes.len().saturating_mul(8))?;
        let bytes = bytes.to_vec();
        Ok(Self { bytes, length })
    }

    /// Whether a bit is set.
    pub fn get(&self, index: usize) -> Result<bool, IndexOutOfRange> {
        let (byte, mask) = self.place(index)?;
        Ok(self.bytes[byte] & mask != 0)
    }

    /// Sets a bit.
    pub fn set(&mut self, index: usize) -> Result<(), IndexOutOfRange> {
        let (byte, mask) = self.place(index)?;
        self.bytes[byte] |= mask;
        Ok(())
    }

    /// Unsets a bit.
    pub fn unset(&mut self, index: usize) -> Result<(), IndexOutOfRange> {
        let (byte, mask) = self.place(index)?;
        self.bytes[byte] &= !mask;
        Ok(())
    }

    /// Number of bits.
    #[allow(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.length
    }

    /// The indices of the set bits below [`Self::len`], ascending.
    pub fn ones(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.length).filter(|index| self.get(*index) == Ok(true))
    }

    /// All backing bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A copy of [`Self::bytes`].
    pub fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&self.bytes)
    }

    fn checked(length: usize, most: usize) -> Result<(), InvalidLength> {
        if length == 0 || length > most {
            return Err(InvalidLength { length, most });
        }
        Ok(())
    }

    /// The byte that holds a bit, and the bit in it.
    fn place(&self, index: usize) -> Result<(usize, u8), IndexOutOfRange> {
        let length = self.length;
        if index >= length {
            return Err(IndexOutOfRange { index, length });
        }
        Ok((index / 8, 1 << (index % 8)))
    }
}
