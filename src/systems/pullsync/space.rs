//! What the exchange does not look into: addresses, payloads, stamps; real ones and small ones.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::chunk;
use super::limits::{HASH_SIZE, STAMP_SIZE};

/// Identifiers and verdicts over which the exchange is generic.
pub trait Space:
    Copy + Eq + Ord + Hash + Debug + Default + Serialize + Send + Sync + 'static
{
    /// Number of bins of a store.
    const BINS: u8 = super::limits::BINS;

    /// A node as its neighbours know it: its overlay.
    type Peer: Copy + Ord + Hash + Debug + Serialize + Send + Sync;
    /// A chunk address.
    type Address: Copy + Ord + Hash + Debug + Serialize + Send + Sync;
    /// Data of a chunk.
    type Data: Clone + Ord + Hash + Debug + Serialize + Send + Sync;
    /// A stamp.
    type Stamp: Clone + Ord + Hash + Debug + Serialize + Send + Sync;
    /// What decides on stamps.
    type Verifier: Clone + Eq + Hash + Debug + Serialize + Send + Sync;
    /// A stream, as the transport of a node numbers it; never used again during the life of a node.
    type Stream: Copy + Ord + Hash + Debug + Serialize + Send + Sync;

    /// The bin of a chunk on a node (2.3), below [`super::limits::BINS`].
    fn bin(overlay: &Self::Peer, address: &Self::Address) -> u8;

    /// Whether an address is all zero (7, 4d).
    fn is_zero(address: &Self::Address) -> bool;

    /// Whether the data belong to the address: content-addressed or, failing that, single-owner (2.2).
    fn is_valid(address: &Self::Address, data: &Self::Data) -> bool;

    /// Whether the stamp is verifiable (2.4).
    fn is_stamped(verifier: &Self::Verifier, address: &Self::Address, stamp: &Self::Stamp) -> bool;
}

/// A chunk with its stamp. Nothing says that it is valid or its stamp verifiable.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(bound(
    serialize = "",
    deserialize = "S::Address: Deserialize<'de>, S::Data: Deserialize<'de>, S::Stamp: Deserialize<'de>"
))]
pub struct Chunk<S: Space> {
    /// Under which it is held.
    pub address: S::Address,
    /// With span, and what else its kind puts before the payload.
    pub data: S::Data,
    /// Which may differ from node to node (3).
    pub stamp: S::Stamp,
}

/// A chunk as it is delivered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(bound(
    serialize = "",
    deserialize = "S::Address: Deserialize<'de>, S::Data: Deserialize<'de>, S::Stamp: Deserialize<'de>"
))]
pub struct Delivery<S: Space> {
    /// None if the bytes sent are no address, which nobody can have asked for.
    pub address: Option<S::Address>,
    /// As in [`Chunk`].
    pub data: S::Data,
    /// As in [`Chunk`].
    pub stamp: S::Stamp,
}

impl<S: Space> From<Chunk<S>> for Delivery<S> {
    fn from(chunk: Chunk<S>) -> Self {
        Self {
            address: Some(chunk.address),
            data: chunk.data,
            stamp: chunk.stamp,
        }
    }
}

/// Addresses, data and stamps as in the spec.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
pub struct Real;

/// An overlay or a chunk address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub [u8; HASH_SIZE]);

/// The batches that a node knows (2.4): a stamp is verifiable if it has 97 bytes and begins with one.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct Batches(pub Arc<BTreeSet<[u8; HASH_SIZE]>>);

impl Space for Real {
    type Peer = Address;
    type Address = Address;
    type Data = Bytes;
    type Stamp = Bytes;
    type Verifier = Batches;
    type Stream = u64;

    fn bin(overlay: &Address, address: &Address) -> u8 {
        chunk::proximity(overlay, address)
    }

    fn is_zero(address: &Address) -> bool {
        *address == Address::default()
    }

    fn is_valid(address: &Address, data: &Bytes) -> bool {
        chunk::kind(&address.0, data) != chunk::Kind::Invalid
    }

    fn is_stamped(batches: &Batches, _: &Address, stamp: &Bytes) -> bool {
        stamp.len() == STAMP_SIZE && batches.0.contains(&stamp[..HASH_SIZE])
    }
}

/// Small integers: peers are numbers, the upper half of an address is its bin, 0 is the zero address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
pub struct Small<const BINS: u8 = 32>;

/// Data of a small chunk.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum SmallData {
    /// Belong to every address.
    Valid,
    /// Belong to none.
    Invalid,
}

impl<const BINS: u8> Space for Small<BINS> {
    const BINS: u8 = BINS;

    type Peer = u8;
    type Address = u8;
    type Data = SmallData;
    /// Whether it is verifiable.
    type Stamp = bool;
    type Verifier = ();
    /// The opener and a number of its own.
    type Stream = (u8, u32);

    /// The upper half of the address.
    fn bin(_: &u8, address: &u8) -> u8 {
        address >> 4
    }

    fn is_zero(address: &u8) -> bool {
        *address == 0
    }

    fn is_valid(_: &u8, data: &SmallData) -> bool {
        *data == SmallData::Valid
    }

    fn is_stamped((): &(), _: &u8, stamp: &bool) -> bool {
        *stamp
    }
}

impl Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl Serialize for Address {
    fn serialize<T: serde::Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serializer.serialize_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}
