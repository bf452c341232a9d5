//! Bytes of one version.
//!
//! Claim: decoding accepts nothing but what encoding gives, and never panics. The timestamp is part of
//! the key.

use bytes::Bytes;
use concord_systems::catalog::store::rules::Version;

/// First byte of a tombstone.
const TOMBSTONE: u8 = 0;

/// First byte of a value; its expiry follows, 8 bytes big-endian, then the value.
const VALUE: u8 = 1;

/// The bytes of a version.
pub(super) fn encode(version: &Version) -> Vec<u8> {
    let Some(value) = &version.value else {
        return vec![TOMBSTONE];
    };
    let mut bytes = Vec::with_capacity(9 + value.len());
    bytes.push(VALUE);
    bytes.extend(version.expire_at.to_be_bytes());
    bytes.extend(value.as_ref());
    bytes
}

/// The version that has exactly these bytes.
///
/// # Errors
/// What is wrong with them.
pub(super) fn decode(ts: u64, bytes: &[u8]) -> Result<Version, &'static str> {
    match bytes.split_first() {
        Some((&TOMBSTONE, [])) => Ok(Version::tombstone(ts)),
        Some((&TOMBSTONE, _)) => Err("a tombstone with bytes after its first, expected none"),
        Some((&VALUE, rest)) => match rest.split_first_chunk() {
            Some((expire_at, value)) => {
                let expire_at = u64::from_be_bytes(*expire_at);
                Ok(Version::put(ts, Bytes::copy_from_slice(value), expire_at))
            }
            None => Err("a value that ends within its expiry, expected 8 bytes"),
        },
        Some(_) => Err("a first byte above 1, expected 0 or 1"),
        None => Err("no bytes, expected at least 1"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_version_comes_back(ts: u64, expire_at: u64, value in prop::option::of(prop::collection::vec(any::<u8>(), 0..40))) {
            let version = match value {
                Some(value) => Version::put(ts, value.into(), expire_at),
                None => Version::tombstone(ts),
            };
            prop_assert_eq!(decode(ts, &encode(&version)), Ok(version));
        }

        #[test]
        fn whatever_decodes_is_encoded_the_same(first in 0_u8..3, rest in prop::collection::vec(any::<u8>(), 0..40)) {
            let bytes: Vec<u8> = [first].into_iter().chain(rest).collect();
            if let Ok(version) = decode(7, &bytes) {
                prop_assert_eq!(encode(&version), bytes);
            }
        }
    }

    #[test]
    fn malformed_bytes_are_told_apart() {
        let flaws = [&[][..], &[0, 0], &[1, 0, 0], &[2]].map(|bytes| decode(1, bytes));
        let flaws = flaws.map(|flaw| flaw.expect_err("none is a version"));
        assert!(
            flaws
                .iter()
                .enumerate()
                .all(|(at, flaw)| !flaws[..at].contains(flaw))
        );
    }
}
