//! Forms of addresses, chunks, messages and ranges in traces (12).

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::pullsync::interval::IntervalSet;
use crate::pullsync::limits::BINS;
use crate::pullsync::message;
use crate::pullsync::puller::{Range, Start, Worker};
use crate::pullsync::space::{Address, Chunk, Real};
use crate::pullsync::wire::{self, InconsistentHashLength, Kind};
use crate::replay::{Args, Flaw};

pub(super) const MESSAGES: &[(&str, Kind)] = &[
    ("syn", Kind::Syn),
    ("ack", Kind::Ack),
    ("ruid", Kind::Ruid),
    ("cancel", Kind::Cancel),
    ("get_range", Kind::GetRange),
    ("offer", Kind::Offer),
    ("want", Kind::Want),
    ("delivery", Kind::Delivery),
];

/// A number of things in memory. What exceeds that exceeds all that could be there.
pub(super) fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

pub(super) fn address(args: &Args<'_>, field: &str) -> Result<Address, Flaw> {
    args.array(field).map(Address)
}

pub(super) fn addresses(args: &Args<'_>, field: &str) -> Result<Vec<Address>, Flaw> {
    let addresses = args.arrays(field)?.into_iter();
    Ok(addresses.map(Address).collect())
}

pub(super) fn bytes(args: &Args<'_>, field: &str) -> Result<Bytes, Flaw> {
    args.hex(field).map(Bytes::from)
}

/// A bin of an operation that fails for one that does not exist, or of a message.
pub(super) fn any_bin(args: &Args<'_>) -> Result<i32, Flaw> {
    args.integer("bin", i32::MIN..=i32::MAX)
}

/// A bin that exists.
pub(super) fn bin(args: &Args<'_>) -> Result<u8, Flaw> {
    args.integer("bin", 0..=BINS - 1)
}

pub(super) fn ruid(args: &Args<'_>) -> Result<u32, Flaw> {
    args.integer("ruid", 0..=u32::MAX)
}

/// The chunk objects of a list (12.5).
pub(super) fn chunks(args: &Args<'_>, field: &str) -> Result<Vec<Chunk<Real>>, Flaw> {
    let read = |args: &Args<'_>| {
        Ok(Chunk {
            address: address(args, "address")?,
            data: bytes(args, "data")?,
            stamp: bytes(args, "stamp")?,
        })
    };
    args.objects(field)?.iter().map(read).collect()
}

pub(super) fn hex(bytes: impl AsRef<[u8]>) -> Value {
    HEXLOWER.encode(bytes.as_ref()).into()
}

pub(super) fn chunk(chunk: &Chunk<Real>) -> Value {
    json!({"address": chunk.address, "data": hex(&chunk.data), "stamp": hex(&chunk.stamp)})
}

pub(super) fn chunk_list(chunks: &[Chunk<Real>]) -> Value {
    chunks.iter().map(chunk).collect()
}

/// The addresses of chunks.
pub(super) fn address_list(chunks: &[Chunk<Real>]) -> Value {
    chunks.iter().map(|chunk| json!(chunk.address)).collect()
}

/// Addresses as an offer holds them.
pub(super) fn concatenated(addresses: &[Address]) -> Value {
    let bytes: Vec<[u8; 32]> = addresses.iter().map(|address| address.0).collect();
    hex(bytes.as_flattened())
}

/// The addresses of an offer that holds these bytes (7, 4a).
pub(super) fn split(hashes: Bytes) -> Result<Vec<Address>, InconsistentHashLength> {
    let offer = wire::Message::Offer { topmost: 0, hashes };
    match offer.typed()? {
        message::Message::Offer { hashes, .. } => Ok(hashes),
        _ => Ok(Vec::new()),
    }
}

pub(super) fn ranges(set: &IntervalSet) -> Value {
    set.ranges().map(|(from, to)| json!([from, to])).collect()
}

pub(super) fn set(set: &IntervalSet) -> Value {
    json!({"start": set.start(), "ranges": ranges(set)})
}

pub(super) fn range(range: Option<Range>) -> Value {
    range.map_or(
        Value::Null,
        |Range { from, to }| json!({"from": from, "to": to}),
    )
}

pub(super) fn starts(starts: &[Start<Real>]) -> Value {
    let start = |start: &Start<Real>| {
        let worker = match start.worker {
            Worker::Hist => "hist",
            Worker::Live => "live",
        };
        let Range { from, to } = start.range;
        json!({"peer": start.peer, "bin": start.bin, "worker": worker, "from": from, "to": to})
    };
    starts.iter().map(start).collect()
}

/// The message that the arguments `message` and `fields` tell (12.3).
pub(super) fn read_message(args: &Args<'_>) -> Result<wire::Message, Flaw> {
    let kind = args.choice("message", MESSAGES)?;
    let fields = &args.object("fields")?;
    Ok(match kind {
        Kind::Syn => wire::Message::Syn,
        Kind::Ack => wire::Message::Ack {
            cursors: fields.integers("cursors", 0..=u64::MAX)?,
        },
        Kind::Ruid => wire::Message::Ruid {
            ruid: ruid(fields)?,
        },
        Kind::GetRange => wire::Message::GetRange {
            bin: any_bin(fields)?,
            from: fields.u64("from")?,
            to: fields.u64("to")?,
        },
        Kind::Offer => wire::Message::Offer {
            topmost: fields.u64("topmost")?,
            hashes: bytes(fields, "hashes")?,
        },
        Kind::Want => wire::Message::Want {
            bit_vector: bytes(fields, "bit_vector")?,
        },
        Kind::Delivery => wire::Message::Delivery {
            address: bytes(fields, "address")?,
            data: bytes(fields, "data")?,
            stamp: bytes(fields, "stamp")?,
        },
        Kind::Cancel => wire::Message::Cancel {
            ruid: ruid(fields)?,
        },
    })
}

/// The same fields that [`read_message`] reads.
pub(super) fn fields(message: &wire::Message) -> Value {
    match message {
        wire::Message::Syn => json!({}),
        wire::Message::Ack { cursors } => json!({ "cursors": cursors }),
        wire::Message::Ruid { ruid } | wire::Message::Cancel { ruid } => json!({ "ruid": ruid }),
        wire::Message::GetRange { bin, from, to } => json!({"bin": bin, "from": from, "to": to}),
        wire::Message::Offer { topmost, hashes } => {
            json!({"topmost": topmost, "hashes": hex(hashes)})
        }
        wire::Message::Want { bit_vector } => json!({"bit_vector": hex(bit_vector)}),
        wire::Message::Delivery {
            address,
            data,
            stamp,
        } => json!({"address": hex(address), "data": hex(data), "stamp": hex(stamp)}),
    }
}
