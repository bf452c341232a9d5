//! The hash tree as the spec tells it (2.1): all of it, from the root down.

use sha3::{Digest as _, Keccak256};

pub(crate) fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

pub(crate) fn address(data: &[u8]) -> [u8; 32] {
    let (span, payload) = data.split_at(8);
    let mut padded = payload.to_vec();
    padded.resize(4096, 0);
    keccak(&[span, &root(&padded)].concat())
}

fn root(bytes: &[u8]) -> [u8; 32] {
    match bytes.len() {
        64 => keccak(bytes),
        length => {
            let (left, right) = bytes.split_at(length / 2);
            keccak(&[root(left), root(right)].concat())
        }
    }
}
