//! Operations without a node: keys, messages, frames and chunks (12.1, 12.3, 12.4).

use bytes::Bytes;
use serde_json::{Value, json};

use crate::pullsync::chunk::{self, Soc};
use crate::pullsync::limits::HASH_SIZE;
use crate::pullsync::message::Protocol;
use crate::pullsync::space::Address;
use crate::pullsync::store;
use crate::pullsync::wire::{self, FrameError, Kind, Message, Reader};
use crate::replay::{Answer, Args, Flaw};

use super::code;
use super::json::{self, MESSAGES, address, bytes, hex};

/// One call of a codec, or of a function of chunks.
#[derive(Debug)]
pub(super) enum Codec {
    IntervalKey { peer: Address, bin: i32 },
    Encode(Message),
    Decode(Kind, Bytes),
    WriteFrame(Message),
    ReadFrame(Kind, Bytes),
    ProtocolId(Protocol),
    NewChunk(Bytes),
    ChunkAddress(Bytes),
    ChunkKind { address: Bytes, data: Bytes },
    SocAddress { id: [u8; HASH_SIZE], owner: Bytes },
    ParseSoc(Bytes),
    Proximity(Address, Address),
}

const STREAMS: &[(&str, Protocol)] = &[
    ("pullsync", Protocol::Pullsync),
    ("cursors", Protocol::Cursors),
    ("cancel", Protocol::Cancel),
];

impl Codec {
    /// Reads the call that `op` names, if it names one.
    pub(super) fn read(op: &str, args: &Args<'_>) -> Result<Option<Self>, Flaw> {
        let kind = || args.choice("message", MESSAGES);
        let data = || bytes(args, "data");
        Ok(Some(match op {
            "interval_key" => Self::IntervalKey {
                peer: address(args, "peer")?,
                bin: json::any_bin(args)?,
            },
            "encode" => Self::Encode(json::read_message(args)?),
            "decode" => Self::Decode(kind()?, data()?),
            "frame_write" => Self::WriteFrame(json::read_message(args)?),
            "frame_read" => Self::ReadFrame(kind()?, data()?),
            "protocol_id" => Self::ProtocolId(args.choice("stream", STREAMS)?),
            "chunk_new" => Self::NewChunk(bytes(args, "payload")?),
            "chunk_address" => Self::ChunkAddress(data()?),
            "chunk_kind" => Self::ChunkKind {
                address: bytes(args, "address")?,
                data: data()?,
            },
            "soc_address" => Self::SocAddress {
                id: args.array("id")?,
                owner: bytes(args, "owner")?,
            },
            "soc_parse" => Self::ParseSoc(data()?),
            "proximity" => Self::Proximity(address(args, "one")?, address(args, "other")?),
            _ => return Ok(None),
        }))
    }

    pub(super) fn perform(self) -> Answer {
        match self {
            Self::IntervalKey { peer, bin } => {
                Answer::Returns(store::interval_key(&peer, bin).into())
            }
            Self::Encode(message) => Answer::Returns(hex(message.encode())),
            Self::Decode(kind, data) => match Message::decode(kind, data) {
                Ok(message) => Answer::Returns(json::fields(&message)),
                Err(error) => code::frame(&error.into()),
            },
            Self::WriteFrame(message) => match wire::frame(&message) {
                Ok(frame) => Answer::Returns(hex(frame)),
                Err(error) => code::frame(&error),
            },
            Self::ReadFrame(kind, data) => match read_frame(kind, &data) {
                Ok((message, reader)) => {
                    let fields = json::fields(&message);
                    Answer::Returns(json!({"fields": fields, "rest": hex(reader.rest())}))
                }
                Err(error) => code::frame(&error),
            },
            Self::ProtocolId(protocol) => Answer::Returns(wire::protocol_id(protocol).into()),
            Self::NewChunk(payload) => match chunk::new(&payload) {
                Ok((address, data)) => {
                    Answer::Returns(json!({"address": address, "data": hex(data)}))
                }
                Err(error) => code::size(error),
            },
            Self::ChunkAddress(data) => match chunk::address(&data) {
                Ok(address) => Answer::Returns(json!(address)),
                Err(error) => code::size(error),
            },
            Self::ChunkKind { address, data } => Answer::Returns(kind(&address, &data)),
            Self::SocAddress { id, owner } => match owner.as_ref().try_into() {
                Ok(owner) => Answer::Returns(json!(chunk::soc_address(&id, owner))),
                Err(_) => Answer::Fails("invalid_address"),
            },
            Self::ParseSoc(data) => match Soc::parse(&data) {
                Ok(soc) => Answer::Returns(json!({
                    "id": hex(soc.id),
                    "owner": hex(soc.owner),
                    "wrapped_address": soc.wrapped,
                    "address": soc.address,
                })),
                Err(error) => code::soc(error),
            },
            Self::Proximity(one, other) => Answer::Returns(chunk::proximity(&one, &other).into()),
        }
    }
}

/// The first message in bytes of which no more follow, and a reader of the rest.
pub(super) fn read_frame(kind: Kind, data: &[u8]) -> Result<(Message, Reader), FrameError> {
    let mut reader = Reader::default();
    reader.push(data);
    match reader.next(kind)? {
        Some(message) => Ok((message, reader)),
        None => Err(reader.end()),
    }
}

fn kind(address: &[u8], data: &[u8]) -> Value {
    let kind = match chunk::kind(address, data) {
        chunk::Kind::Cac => "cac",
        chunk::Kind::Soc => "soc",
        chunk::Kind::Invalid => "invalid",
    };
    kind.into()
}
