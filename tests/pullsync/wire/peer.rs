//! The same messages as prost reads and writes them.
//!
//! It differs from 6 in four ways, all of which make it refuse more: tags have 32 bits, the tenth byte
//! of a varint is at most 1, a group ends with the number it began with, and a hundred groups may be
//! open.

use bytes::Bytes;
use concord::systems::pullsync::wire::{Kind, Message};
use prost::{DecodeError, Message as _};

#[derive(Clone, PartialEq, prost::Message)]
struct Syn {}

#[derive(Clone, PartialEq, prost::Message)]
struct Ack {
    #[prost(uint64, repeated, tag = "1")]
    cursors: Vec<u64>,
}

/// Ruid and cancel.
#[derive(Clone, PartialEq, prost::Message)]
struct Ruid {
    #[prost(uint32, tag = "1")]
    ruid: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct GetRange {
    #[prost(int32, tag = "1")]
    bin: i32,
    #[prost(uint64, tag = "2")]
    from: u64,
    #[prost(uint64, tag = "3")]
    to: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Offer {
    #[prost(uint64, tag = "1")]
    topmost: u64,
    #[prost(bytes = "bytes", tag = "2")]
    hashes: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Want {
    #[prost(bytes = "bytes", tag = "1")]
    bit_vector: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Delivery {
    #[prost(bytes = "bytes", tag = "1")]
    address: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    data: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    stamp: Bytes,
}

/// What prost reads.
pub(crate) fn decode(kind: Kind, body: &[u8]) -> Result<Message, DecodeError> {
    Ok(match kind {
        Kind::Syn => Syn::decode(body).map(|_| Message::Syn)?,
        Kind::Ack => Message::Ack {
            cursors: Ack::decode(body)?.cursors,
        },
        Kind::Ruid => Message::Ruid {
            ruid: Ruid::decode(body)?.ruid,
        },
        Kind::Cancel => Message::Cancel {
            ruid: Ruid::decode(body)?.ruid,
        },
        Kind::GetRange => {
            let GetRange { bin, from, to } = GetRange::decode(body)?;
            Message::GetRange { bin, from, to }
        }
        Kind::Offer => {
            let Offer { topmost, hashes } = Offer::decode(body)?;
            Message::Offer { topmost, hashes }
        }
        Kind::Want => Message::Want {
            bit_vector: Want::decode(body)?.bit_vector,
        },
        Kind::Delivery => {
            let delivery = Delivery::decode(body)?;
            Message::Delivery {
                address: delivery.address,
                data: delivery.data,
                stamp: delivery.stamp,
            }
        }
    })
}

/// What prost writes.
pub(crate) fn encode(message: Message) -> Vec<u8> {
    match message {
        Message::Syn => Syn {}.encode_to_vec(),
        Message::Ack { cursors } => Ack { cursors }.encode_to_vec(),
        Message::Ruid { ruid } | Message::Cancel { ruid } => Ruid { ruid }.encode_to_vec(),
        Message::GetRange { bin, from, to } => GetRange { bin, from, to }.encode_to_vec(),
        Message::Offer { topmost, hashes } => Offer { topmost, hashes }.encode_to_vec(),
        Message::Want { bit_vector } => Want { bit_vector }.encode_to_vec(),
        Message::Delivery {
            address,
            data,
            stamp,
        } => Delivery {
            address,
            data,
            stamp,
        }
        .encode_to_vec(),
    }
}

/// Whether prost refuses by a rule that 6 does not have.
pub(crate) fn is_stricter(error: &DecodeError) -> bool {
    let text = error.to_string();
    let rules = [
        "invalid key value",
        "invalid varint",
        "unexpected end group tag",
        "recursion limit reached",
    ];
    rules.iter().any(|rule| text.contains(rule))
}
