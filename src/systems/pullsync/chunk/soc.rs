//! Single-owner chunks (2.2).
#![allow(missing_docs, reason = "skeleton")]

use super::Address;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Soc {
    pub id: [u8; 32],
    pub owner: [u8; 20],
    pub wrapped: Address,
    pub address: Address,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SocError {
    #[error("{0} bytes, expected at least 105")]
    WrongChunkSize(usize),
    #[error("{0} bytes of wrapped chunk, expected at most 4104")]
    TooLarge(usize),
    #[error("the signature does not recover a key")]
    InvalidSignature,
}

impl Soc {
    pub fn parse(_data: &[u8]) -> Result<Self, SocError> {
        todo!()
    }
}

/// `keccak256(id | owner)`.
pub fn soc_address(_id: &[u8; 32], _owner: &[u8; 20]) -> Address {
    todo!()
}
