//! Single-owner chunks (2.2).

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};

use crate::pullsync::limits::{HASH_SIZE, SIGNATURE_SIZE};

use super::keccak::keccak;
use super::{Address, SizeError, bmt};

/// Length of the name of an owner, in bytes.
pub const OWNER_SIZE: usize = 20;

/// What the data of a single-owner chunk say (2.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Soc {
    /// Chosen by the owner.
    pub id: [u8; HASH_SIZE],
    /// Whoever signed: the end of the hash of the public key.
    pub owner: [u8; OWNER_SIZE],
    /// Address of the content-addressed chunk in it.
    pub wrapped: Address,
    /// The only address under which the data are valid.
    pub address: Address,
}

/// Why data are no single-owner chunk, in the order in which it is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SocError {
    /// Too short for id, signature and span.
    #[error("{0} bytes, expected at least 105")]
    WrongChunkSize(usize),
    /// What follows the signature is no content-addressed chunk.
    #[error("{0} bytes of wrapped chunk, expected at most 4104")]
    TooLarge(usize),
    /// The bytes from 32 to 97 are no signature, or none of any key.
    #[error("the signature does not recover a key")]
    InvalidSignature,
}

impl Soc {
    /// Takes the data apart and finds out who signed them. One recovery of a key and the hashes of
    /// [`bmt::address`].
    pub fn parse(data: &[u8]) -> Result<Self, SocError> {
        let too_short = SocError::WrongChunkSize(data.len());
        let (id, rest) = data.split_first_chunk().ok_or(too_short)?;
        let (signature, wrapped) = rest.split_first_chunk().ok_or(too_short)?;
        let wrapped = bmt::address(wrapped).map_err(|error| match error {
            SizeError::TooShort { .. } => too_short,
            SizeError::TooLarge { length, .. } => SocError::TooLarge(length),
        })?;
        let signed = keccak(&[id, &wrapped.0]);
        let owner = signer(&signed, signature).ok_or(SocError::InvalidSignature)?;
        Ok(Self {
            id: *id,
            owner,
            wrapped,
            address: soc_address(id, &owner),
        })
    }
}

/// `keccak256(id | owner)` (2.2, step 5).
pub fn soc_address(id: &[u8; HASH_SIZE], owner: &[u8; OWNER_SIZE]) -> Address {
    Address(keccak(&[id, owner]))
}

/// Whoever made the signature, none if nobody can have made it (2.2, steps 2 to 4).
fn signer(signed: &[u8; HASH_SIZE], signature: &[u8; SIGNATURE_SIZE]) -> Option<[u8; OWNER_SIZE]> {
    let [scalars @ .., v] = signature;
    if !(27..=34).contains(v) {
        return None;
    }
    let id = RecoveryId::from_byte((v - 27) % 4)?;
    // It refuses scalars of 0 or beyond the order. Neither it nor the recovery minds a high s, other
    // than the verification of signatures, which has no part in this.
    let signature = Signature::from_slice(scalars).ok()?;
    let message = keccak(&[b"\x19Ethereum Signed Message:\n32", signed]);
    let key = VerifyingKey::recover_from_prehash(&message, &signature, id).ok()?;
    let point = key.to_sec1_point(false);
    // Without the byte that says how the point is encoded.
    let (_, coordinates) = point.as_bytes().split_first()?;
    keccak(&[coordinates]).last_chunk().copied()
}
