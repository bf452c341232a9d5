//! Chunks, their addresses and proximity (2).
#![allow(missing_docs, reason = "skeleton")]

mod bmt;
mod soc;

pub use bmt::address;
pub use soc::{Soc, SocError, soc_address};

use bytes::Bytes;

use super::space::Address;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Content-addressed (2.1).
    Cac,
    /// Single-owner (2.2).
    Soc,
    Invalid,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SizeError {
    #[error("{0} bytes, too few")]
    TooShort(usize),
    #[error("{0} bytes, too many")]
    TooLarge(usize),
}

/// Address and data of the chunk of a payload of 1 to 4096 bytes.
pub fn new(_payload: &[u8]) -> Result<(Address, Bytes), SizeError> {
    todo!()
}

/// What kind of chunk these data are under an address of any length.
pub fn kind(_address: &[u8], _data: &[u8]) -> Kind {
    todo!()
}

/// Number of leading equal bits, at most 31.
pub fn proximity(_one: &Address, _other: &Address) -> u8 {
    todo!()
}
