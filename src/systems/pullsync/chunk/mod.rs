//! Chunks, their addresses and proximity (2).

mod bmt;
mod keccak;
mod soc;

pub use bmt::address;
pub use soc::{OWNER_SIZE, Soc, SocError, soc_address};

use bytes::{BufMut as _, Bytes, BytesMut};
use serde::Serialize;

use super::limits::{BINS, CHUNK_SIZE, HASH_SIZE, SPAN_SIZE};
use super::space::Address;

/// What data are under an address (2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Content-addressed (2.1).
    Cac,
    /// Single-owner (2.2).
    Soc,
    /// Neither.
    Invalid,
}

/// A number of bytes that no chunk has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SizeError {
    /// Too few bytes.
    #[error("{length} bytes, expected at least {least}")]
    TooShort {
        /// Length in bytes.
        length: usize,
        /// The least that is accepted.
        least: usize,
    },
    /// Too many bytes.
    #[error("{length} bytes, expected at most {most}")]
    TooLarge {
        /// Length in bytes.
        length: usize,
        /// The most that is accepted.
        most: usize,
    },
}

/// Address and data of the chunk of a payload of 1 to 4096 bytes; its span is their number (2.1).
pub fn new(payload: &[u8]) -> Result<(Address, Bytes), SizeError> {
    let length = payload.len();
    if length == 0 {
        return Err(SizeError::TooShort { length, least: 1 });
    }
    if length > CHUNK_SIZE {
        return Err(SizeError::TooLarge {
            length,
            most: CHUNK_SIZE,
        });
    }
    let mut data = BytesMut::with_capacity(SPAN_SIZE + length);
    data.put_u64_le(length as u64);
    data.put_slice(payload);
    Ok((address(&data)?, data.freeze()))
}

/// What kind of chunk these data are under an address of any length (2). At most two trees and one
/// recovery of a key; a content-addressed chunk takes one tree.
pub fn kind(address: &[u8], data: &[u8]) -> Kind {
    if address.len() != HASH_SIZE {
        Kind::Invalid
    } else if bmt::address(data).is_ok_and(|own| own.0 == *address) {
        Kind::Cac
    } else if Soc::parse(data).is_ok_and(|soc| soc.address.0 == *address) {
        Kind::Soc
    } else {
        Kind::Invalid
    }
}

/// Number of leading equal bits, at most 31 (2.3). The first 32 bits decide.
pub fn proximity(one: &Address, other: &Address) -> u8 {
    let [one, other] = [one, other].map(|address| {
        let [first, second, third, fourth, ..] = address.0;
        u32::from_be_bytes([first, second, third, fourth])
    });
    (one ^ other).leading_zeros().min(u32::from(BINS) - 1) as u8
}
