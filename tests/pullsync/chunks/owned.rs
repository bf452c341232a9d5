//! Single-owner chunks of every sort (2.2).

use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use k256::elliptic_curve::Curve as _;
use k256::elliptic_curve::ops::Reduce as _;
use k256::elliptic_curve::point::{AffineCoordinates as _, DecompressPoint as _};
use k256::elliptic_curve::scalar::IsHigh as _;
use k256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar, Secp256k1, U256};

use super::tree::{address, keccak};

/// Whoever signs.
pub(crate) struct Owner(SigningKey);

impl Owner {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(SigningKey::from_slice(&key).expect("a scalar that is not 0"))
    }

    /// The last 20 bytes of the hash of the key.
    pub(crate) fn name(&self) -> [u8; 20] {
        name(self.0.verifying_key())
    }

    /// A chunk around another, with a low s.
    pub(crate) fn sign(&self, id: [u8; 32], wrapped: &[u8]) -> Vec<u8> {
        let (signature, recovery) = self.0.sign_prehash_recoverable(&message(id, wrapped));
        chunk(id, &signature, recovery, wrapped)
    }
}

/// The chunk with the other signature of the same message: n - s, and the other parity.
pub(crate) fn mirrored(data: &[u8]) -> Vec<u8> {
    let mut mirrored = data.to_vec();
    mirrored[64..96].copy_from_slice(&(-scalar(&data[64..96])).to_bytes());
    mirrored[96] = 27 + ((data[96] - 27) ^ 1);
    mirrored
}

/// Whether s is beyond half of the order.
pub(crate) fn is_high(data: &[u8]) -> bool {
    scalar(&data[64..96]).is_high().into()
}

/// A chunk whose signature has a point with an x between the order and the prime of the field, and the
/// name of its owner. Nobody draws such a point by chance, so the key is computed from it.
pub(crate) fn with_reduced_x(id: [u8; 32], wrapped: &[u8]) -> (Vec<u8>, [u8; 20]) {
    let point_at = |r: u64| {
        let x = Secp256k1::ORDER.wrapping_add(&U256::from(r)).to_be_bytes();
        let x: [u8; 32] = x.as_ref().try_into().expect("32 bytes");
        AffinePoint::decompress(&x.into(), 1.into()).into_option()
    };
    let found = (1..100).find_map(|r| Some((r, point_at(r)?)));
    let (r, point) = found.expect("every second x is one of a point");
    let (r, s) = (Scalar::from(r), Scalar::from(5_u64));
    let inverse = r.invert_vartime().expect("r is not 0");
    let signed = scalar(&message(id, wrapped));
    let key = ProjectivePoint::from(point) * (inverse * s)
        - ProjectivePoint::GENERATOR * (inverse * signed);
    let key = VerifyingKey::from_affine(key.to_affine()).expect("not at infinity");
    let signature = Signature::from_scalars(r, s).expect("they are not 0");
    let data = chunk(id, &signature, RecoveryId::new(true, true), wrapped);
    (data, name(&key))
}

/// A chunk whose signature recovers the point at infinity.
pub(crate) fn without_key(id: [u8; 32], wrapped: &[u8]) -> Vec<u8> {
    let nonce = Scalar::from(11_u64);
    let point = (ProjectivePoint::GENERATOR * nonce).to_affine();
    let r = scalar(&point.x());
    let s = scalar(&message(id, wrapped)) * nonce.invert_vartime().expect("it is not 0");
    let signature = Signature::from_scalars(r, s).expect("they are not 0");
    let recovery = RecoveryId::new(point.y_is_odd().into(), false);
    chunk(id, &signature, recovery, wrapped)
}

fn chunk(id: [u8; 32], signature: &Signature, recovery: RecoveryId, wrapped: &[u8]) -> Vec<u8> {
    let v = 27 + recovery.to_byte();
    [&id, &signature.to_bytes()[..], &[v], wrapped].concat()
}

fn message(id: [u8; 32], wrapped: &[u8]) -> [u8; 32] {
    let signed = keccak(&[id, address(wrapped)].concat());
    keccak(&[b"\x19Ethereum Signed Message:\n32", &signed[..]].concat())
}

fn name(key: &VerifyingKey) -> [u8; 20] {
    let point = key.to_sec1_point(false);
    let hash = keccak(&point.as_bytes()[1..]);
    *hash.last_chunk().expect("32 bytes")
}

fn scalar(bytes: &[u8]) -> Scalar {
    let bytes: [u8; 32] = bytes.try_into().expect("32 bytes");
    Scalar::reduce(&FieldBytes::from(bytes))
}
