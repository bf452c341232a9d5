//! What is done with an input of each decoder: it is decoded, and what was decoded is encoded and
//! decoded again.

use bytes::Bytes;
use concord::systems::pullsync::chunk::{self, SizeError, Soc, SocError, soc_address};
use concord::systems::pullsync::interval::ParseError;
use concord::systems::pullsync::strategy::Intervals;
use concord::systems::pullsync::wire::{FrameError, Kind, Message, Reader, frame};
use concord::systems::pullsync::{BitVector, IntervalSet};

use super::super::decoders::{Outcome, Target};
use super::super::wire::peer;

/// Tags, numbers and ends of varints.
const PROTOBUF: &[u8] =
    b"\x08\x08\x0a\x0a\x10\x12\x18\x1a\x0b\x0c\x13\x14\x0d\x00\x01\x02\x03\x20\x80\xff";

const fn of_kind(name: &'static str, judge: fn(&[u8]) -> Outcome) -> Target {
    Target {
        name,
        judge,
        codes: &["malformed"],
        alphabet: PROTOBUF,
        cost: 1,
    }
}

/// One per decoder.
pub(crate) const TARGETS: &[Target] = &[
    of_kind("syn", |raw| message(Kind::Syn, raw)),
    of_kind("ack", |raw| message(Kind::Ack, raw)),
    of_kind("ruid", |raw| message(Kind::Ruid, raw)),
    of_kind("get_range", |raw| message(Kind::GetRange, raw)),
    Target {
        codes: &["inconsistent_hash_length", "malformed"],
        ..of_kind("offer", |raw| message(Kind::Offer, raw))
    },
    of_kind("want", |raw| message(Kind::Want, raw)),
    of_kind("delivery", |raw| message(Kind::Delivery, raw)),
    of_kind("cancel", |raw| message(Kind::Cancel, raw)),
    Target {
        name: "frames",
        judge: frames,
        codes: &[
            "eof",
            "malformed",
            "message_too_large",
            "overflow",
            "unexpected_eof",
        ],
        alphabet: b"\x80\x80\x80\xff\xff\xff\x81\x00\x02\x08\x0a\x02",
        cost: 1,
    },
    Target {
        name: "intervals",
        judge: intervals,
        codes: &[
            "invalid_range",
            "invalid_range_end",
            "invalid_range_start",
            "invalid_start",
            "range_too_short",
        ],
        alphabet: b";;;,,,0123459azAZ_",
        cost: 1,
    },
    Target {
        name: "bits",
        judge: bits,
        codes: &["invalid_length"],
        alphabet: b"\x00\x00\x00\x01\x07\x08\x09\x10\xff",
        cost: 1,
    },
    Target {
        name: "chunk",
        judge: chunk_data,
        codes: &["too_large_chunk_data", "too_short_chunk_data"],
        alphabet: b"\x00\x00\x01\xff",
        cost: 40,
    },
    Target {
        name: "soc",
        judge: soc_data,
        codes: &[
            "invalid_signature",
            "too_large_chunk_data",
            "wrong_chunk_size",
        ],
        alphabet: b"\x00\x00\x1b\x1c\x22\xff",
        cost: 40,
    },
];

/// The messages of an exchange, in turn; then from the first again.
pub(crate) const TURNS: [Kind; 5] = [
    Kind::Ruid,
    Kind::GetRange,
    Kind::Offer,
    Kind::Want,
    Kind::Delivery,
];

/// Prost refuses no less, and no more than by the rules that are its own.
fn message(kind: Kind, raw: &[u8]) -> Outcome {
    let theirs = peer::decode(kind, raw);
    let message = match Message::decode(kind, Bytes::copy_from_slice(raw)) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.at <= raw.len(), "{error} of {} bytes", raw.len());
            assert!(theirs.is_err(), "{error}");
            return Err(error.code());
        }
    };
    match theirs {
        Ok(theirs) => assert_eq!(message, theirs),
        Err(error) => assert!(peer::is_stricter(&error), "{error}"),
    }
    within(raw, &message);
    let again = message.encode();
    assert_eq!(again.len(), message.encoded_len());
    assert_eq!(Message::decode(kind, again).as_ref(), Ok(&message));
    let typed = message.typed().map_err(|error| error.code())?;
    assert_eq!(Message::untyped(typed.clone()).typed(), Ok(typed));
    Ok(())
}

/// What comes out of an input is no longer than it; a cursor takes at least a byte.
fn within(raw: &[u8], message: &Message) {
    let total = match message {
        Message::Ack { cursors } => cursors.len(),
        Message::Offer { hashes, .. } => hashes.len(),
        Message::Want { bit_vector } => bit_vector.len(),
        Message::Delivery {
            address,
            data,
            stamp,
        } => address.len() + data.len() + stamp.len(),
        Message::Syn | Message::Ruid { .. } | Message::Cancel { .. } | Message::GetRange { .. } => {
            0
        }
    };
    assert!(total <= raw.len(), "{total} of {} bytes", raw.len());
}

/// However the input is cut, the same is read. An end between frames is no error but for an empty
/// input.
fn frames(raw: &[u8]) -> Outcome {
    let (messages, error) = read([raw]);
    let bytes = raw.chunks(1);
    assert_eq!(read(bytes), (messages.clone(), error));
    // Pieces of one to eight bytes, in an order that the input determines.
    let mut rest = raw;
    let pieces = std::iter::from_fn(|| {
        let length = 1 + usize::from(*rest.first()? ^ rest.len() as u8) % 8;
        let piece = rest.split_off(..length.min(rest.len()));
        piece.filter(|piece| !piece.is_empty())
    });
    assert_eq!(read(pieces), (messages.clone(), error));

    let again: Vec<Bytes> = messages
        .iter()
        .map(|message| frame(message).expect("it came in a frame"))
        .collect();
    assert_eq!(read(again.iter().map(|frame| &frame[..])).0, messages);
    match error {
        FrameError::Eof if !messages.is_empty() => Ok(()),
        error => Err(error.code()),
    }
}

/// The messages in these pieces, and why there are no more.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Message>, FrameError) {
    let mut reader = Reader::default();
    let mut messages = Vec::new();
    let mut turns = TURNS.into_iter().cycle().peekable();
    for piece in pieces {
        reader.push(piece);
        while let Some(kind) = turns.peek() {
            match reader.next(*kind) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, error),
            }
            turns.next();
        }
    }
    (messages, reader.end())
}

fn intervals(raw: &[u8]) -> Outcome {
    let mut target = IntervalSet::new(7);
    let parsed = target.decode_into(raw, Intervals::REFERENCE);
    let set = match IntervalSet::decode(raw) {
        Ok(set) => set,
        Err(error) => {
            assert_eq!(parsed, Err(error));
            assert_eq!(target, IntervalSet::new(7));
            return Err(match error {
                ParseError::Start { .. } => "invalid_start",
                ParseError::TooShort { .. } => "range_too_short",
                ParseError::RangeStart { .. } => "invalid_range_start",
                ParseError::RangeEnd { .. } => "invalid_range_end",
                ParseError::Inverted { .. } => "invalid_range",
            });
        }
    };
    assert_eq!(parsed, Ok(()));
    assert_eq!(target, set);
    assert!(set.is_canonical());
    assert!(set.ranges().all(|(from, _)| from >= set.start()));
    assert!(4 * set.ranges().count() <= raw.len());
    let again = set.encode();
    // Only the first range can have been cut off below, which takes more digits at most.
    assert!(again.len() <= raw.len() + 12, "{again}");
    assert_eq!(IntervalSet::decode(again.as_bytes()), Ok(set));
    Ok(())
}

/// The number of bits in two bytes, then bits.
fn bits(raw: &[u8]) -> Outcome {
    let (length, bytes) = match raw.split_first_chunk() {
        Some((length, bytes)) => (u16::from_le_bytes(*length).into(), bytes),
        None => (0, raw),
    };
    let mut vector = BitVector::from_bytes(bytes, length).map_err(|_| "invalid_length")?;
    assert_eq!((vector.len(), vector.bytes()), (length, bytes));
    let expected = (0..length).filter(|index| bytes[index / 8] >> (index % 8) & 1 == 1);
    let ones: Vec<usize> = vector.ones().collect();
    assert!(expected.eq(ones.iter().copied()));
    let surplus: Vec<usize> = (length..8 * bytes.len()).collect();
    assert!(surplus.iter().all(|index| vector.get(*index).is_err()));
    for index in ones {
        assert_eq!(vector.get(index), Ok(true));
        assert_eq!(vector.unset(index), Ok(()));
    }
    assert_eq!(vector.ones().next(), None);
    Ok(())
}

fn chunk_data(raw: &[u8]) -> Outcome {
    let address = chunk::address(raw).map_err(|error| match error {
        SizeError::TooShort { .. } => "too_short_chunk_data",
        SizeError::TooLarge { .. } => "too_large_chunk_data",
    })?;
    assert_eq!(chunk::kind(&address.0, raw), chunk::Kind::Cac);
    let other = raw.iter().rev().copied().collect::<Vec<u8>>();
    let is_other = other != raw && raw.last() != Some(&0) && raw.first() != Some(&0);
    assert!(!is_other || chunk::kind(&address.0, &other) != chunk::Kind::Cac);
    Ok(())
}

fn soc_data(raw: &[u8]) -> Outcome {
    let soc = Soc::parse(raw).map_err(|error| match error {
        SocError::WrongChunkSize(_) => "wrong_chunk_size",
        SocError::TooLarge(_) => "too_large_chunk_data",
        SocError::InvalidSignature => "invalid_signature",
    })?;
    assert_eq!(raw[..32], soc.id);
    assert_eq!(soc.address, soc_address(&soc.id, &soc.owner));
    assert_eq!(chunk::address(&raw[97..]), Ok(soc.wrapped));
    assert_eq!(chunk::kind(&soc.address.0, raw), chunk::Kind::Soc);
    Ok(())
}
