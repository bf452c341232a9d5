//! Bytes of keys, values, addresses and blocks.
//!
//! Claim: encoding is injective and decoding accepts nothing but what encoding gives, so equal blocks
//! have equal bytes and a hash of the bytes may serve as address (5.1 of `docs/spec/counter.md`).
//! Decoding never panics and allocates no more than the input is long.

use std::sync::Arc;

use concord_systems::counter::Text;
use concord_systems::merkle::value;
use concord_systems::merkle::{Block, Entry, Ids};
use sha2::{Digest, Sha256};

/// Something with one form as bytes.
pub trait Bytes: Sized {
    /// Its bytes; different values have different ones.
    fn to_bytes(&self) -> impl AsRef<[u8]>;

    /// What has exactly these bytes, if anything.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Bytes for Arc<str> {
    fn to_bytes(&self) -> impl AsRef<[u8]> {
        self.as_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        str::from_utf8(bytes).ok().map(Self::from)
    }
}

impl Bytes for value::Bytes {
    fn to_bytes(&self) -> impl AsRef<[u8]> {
        self.as_slice()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_slice(bytes))
    }
}

impl Bytes for u32 {
    fn to_bytes(&self) -> impl AsRef<[u8]> {
        self.to_be_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Bytes for [u8; 32] {
    fn to_bytes(&self) -> impl AsRef<[u8]> {
        self
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

/// Identifiers of a store that can be kept in a database.
pub trait Codec: Ids<Key: Bytes, Value: Bytes, Address: Bytes> {
    /// Names the choice of identifiers; part of the format of a file.
    const NAME: &'static str;

    /// Whether a block may stand under this address.
    fn fits(address: &Self::Address, block: &Block<Self>) -> bool;
}

/// Numbered blocks, as in a replay: any number fits any block.
impl Codec for Text<u32> {
    const NAME: &'static str = "text/numbered";

    fn fits(_: &u32, _: &Block<Self>) -> bool {
        true
    }
}

/// Blocks under the SHA-256 of their bytes.
impl Codec for Text<[u8; 32]> {
    const NAME: &'static str = "text/sha-256";

    fn fits(address: &[u8; 32], block: &Block<Self>) -> bool {
        *address == sha256(block)
    }
}

/// SHA-256 over the bytes of a block.
pub fn sha256<I: Codec>(block: &Block<I>) -> [u8; 32] {
    Sha256::digest(encode_block(block)).into()
}

/// First byte of a block; another layout would take another.
const BLOCK_LAYOUT: u8 = 1;

/// The bytes of a block: layout, height, number of parents, parents, key, value. Numbers are
/// big-endian, height 8 bytes, the rest 4; parents, key and value each follow their length.
///
/// # Panics
/// If key, value or the list of parents is longer than 2^32 - 1.
pub fn encode_block<I: Codec>(block: &Block<I>) -> Vec<u8> {
    let mut out = vec![BLOCK_LAYOUT];
    out.extend(block.height.to_be_bytes());
    out.extend(length(block.parents.len()));
    for parent in &block.parents {
        put(parent, &mut out);
    }
    put(&block.key, &mut out);
    put(&block.value, &mut out);
    out
}

/// The block that has exactly these bytes, if there is one. Height 0 and parents that do not strictly
/// ascend are refused: no writer makes them.
pub fn decode_block<I: Codec>(bytes: &[u8]) -> Option<Block<I>> {
    let mut rest = bytes.strip_prefix(&[BLOCK_LAYOUT])?;
    let height = u64::from_be_bytes(take(&mut rest)?);
    let count = u32::from_be_bytes(take(&mut rest)?);
    // Grown as parents are found, never by what the count promises.
    let mut parents: Vec<I::Address> = Vec::new();
    for _ in 0..count {
        let parent = part(&mut rest)?;
        if parents.last().is_some_and(|last| *last >= parent) {
            return None;
        }
        parents.push(parent);
    }
    let key = part(&mut rest)?;
    let value = part(&mut rest)?;
    (height > 0 && rest.is_empty()).then_some(Block {
        height,
        parents,
        key,
        value,
    })
}

/// The bytes of an entry: priority, 8 bytes big-endian, then the value.
pub fn encode_entry<I: Codec>(entry: &Entry<I>) -> Vec<u8> {
    let mut out = entry.priority.to_be_bytes().to_vec();
    out.extend(entry.value.to_bytes().as_ref());
    out
}

/// The entry that has exactly these bytes, if there is one.
pub fn decode_entry<I: Codec>(bytes: &[u8]) -> Option<Entry<I>> {
    let (priority, value) = bytes.split_first_chunk()?;
    Some(Entry {
        priority: u64::from_be_bytes(*priority),
        value: Bytes::from_bytes(value)?,
    })
}

/// Two byte strings as one: the length of the first, then both.
pub(crate) fn pair(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut out = length(first.len()).to_vec();
    out.extend(first);
    out.extend(second);
    out
}

/// The two byte strings that make this one, if there are such.
pub(crate) fn unpair(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    rest.split_at_checked(length)
}

fn length(length: usize) -> [u8; 4] {
    let length = u32::try_from(length);
    let length = length.expect("nothing in a block is as long as 4 GiB");
    length.to_be_bytes()
}

fn put(part: &impl Bytes, out: &mut Vec<u8>) {
    let bytes = part.to_bytes();
    out.extend(length(bytes.as_ref().len()));
    out.extend(bytes.as_ref());
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

fn part<T: Bytes>(rest: &mut &[u8]) -> Option<T> {
    let (part, left) = unpair(rest)?;
    *rest = left;
    T::from_bytes(part)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    type Hashed = Text<[u8; 32]>;

    fn blocks() -> impl Strategy<Value = Block<Hashed>> {
        let parents = prop::collection::btree_set(any::<[u8; 32]>(), 0..4);
        let value = prop::collection::vec(any::<u8>(), 0..40);
        (1..=u64::MAX, parents, ".*", value).prop_map(|(height, parents, key, value)| Block {
            height,
            parents: BTreeSet::into_iter(parents).collect(),
            key: key.into(),
            value: value::Bytes::from_vec(value),
        })
    }

    proptest! {
        #[test]
        fn a_block_comes_back(block in blocks()) {
            let bytes = encode_block(&block);
            prop_assert_eq!(decode_block(&bytes), Some(block));
        }

        #[test]
        fn whatever_decodes_is_encoded_the_same(
            block in blocks(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = encode_block(&block);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(1 + cut.index(bytes.len()));
            if let Some(other) = decode_block::<Hashed>(&bytes) {
                prop_assert_eq!(encode_block(&other), bytes);
            }
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_entry::<Hashed>(&bytes);
            let _ = decode_block::<Hashed>(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = BLOCK_LAYOUT;
            }
            if let Some(block) = decode_block::<Hashed>(&bytes) {
                prop_assert_eq!(encode_block(&block), bytes);
            }
        }

        #[test]
        fn an_entry_comes_back(priority in any::<u64>(), value in prop::collection::vec(any::<u8>(), 0..40)) {
            let value = value::Bytes::from_vec(value);
            let entry = Entry::<Hashed> { priority, value };
            prop_assert_eq!(decode_entry(&encode_entry(&entry)), Some(entry));
        }
    }

    proptest! {
        #[test]
        fn a_pair_comes_back(first in prop::collection::vec(any::<u8>(), 0..9), second in prop::collection::vec(any::<u8>(), 0..9)) {
            let bytes = pair(&first, &second);
            prop_assert_eq!(unpair(&bytes), Some((first.as_slice(), second.as_slice())));
        }
    }

    #[test]
    fn a_promise_of_many_parents_is_not_believed() {
        let mut bytes = vec![BLOCK_LAYOUT];
        bytes.extend(1_u64.to_be_bytes());
        bytes.extend(u32::MAX.to_be_bytes());
        assert_eq!(decode_block::<Hashed>(&bytes), None);
    }

    /// Addresses of stored blocks must never change: this is the format.
    #[test]
    fn the_address_of_a_block_is_pinned() {
        let block = Block::<Hashed> {
            height: 2,
            parents: vec![[1; 32]],
            key: "/STATS/incr/k/a/g".into(),
            value: value::encode(7),
        };
        let address = data_encoding::HEXLOWER.encode(&sha256(&block));
        let pinned = "4dcbb7256c6d9d46d7984a5689c845a9d1ceb4103655e2f427aec7e60b921127";
        assert_eq!(address, pinned);
    }
}
