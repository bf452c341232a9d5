//! Encodings of messages: the one that is written, and others that decode.

use bytes::Bytes;
use concord::systems::pullsync::wire::{Kind, Message};
use proptest::prelude::*;

use super::super::common::cases;
use super::{any_message, peer};

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn a_message_comes_back(message in any_message()) {
        let body = message.encode();
        prop_assert_eq!(body.len(), message.encoded_len());
        prop_assert_eq!(Message::decode(message.kind(), body), Ok(message));
    }

    #[test]
    fn prost_reads_and_writes_the_same(message in any_message()) {
        let body = message.encode();
        prop_assert_eq!(&peer::decode(message.kind(), &body).unwrap(), &message);
        prop_assert_eq!(peer::encode(message), body);
    }

    /// Two encodings after one another are one message: bytes and numbers of the second that are
    /// written count, cursors follow one another.
    #[test]
    fn bodies_after_one_another_are_one(
        (first, second) in prop::sample::select(&Kind::ALL[..])
            .prop_flat_map(|kind| (super::message(kind), super::message(kind)))
    ) {
        let kind = first.kind();
        let body = Bytes::from([first.encode(), second.encode()].concat());
        let theirs = peer::decode(kind, &body).unwrap();
        prop_assert_eq!(Message::decode(kind, body), Ok(theirs));
    }

    /// No proper prefix is read past its end; one that decodes ends after a field.
    #[test]
    fn prefixes_are_judged_like_prost_judges_them(
        message in any_message(),
        cut in any::<prop::sample::Index>(),
    ) {
        let body = message.encode();
        let body = body.slice(..cut.index(body.len() + 1));
        let theirs = peer::decode(message.kind(), &body);
        match Message::decode(message.kind(), body.clone()) {
            Ok(ours) => prop_assert_eq!(Ok(ours), theirs),
            Err(error) => {
                prop_assert!(theirs.is_err(), "{}", error);
                prop_assert!(error.at <= body.len());
            }
        }
    }
}

fn get_range(bin: i32, from: u64, to: u64) -> Message {
    Message::GetRange { bin, from, to }
}

fn ack(cursors: &[u64]) -> Message {
    Message::Ack {
        cursors: cursors.to_vec(),
    }
}

fn offer(topmost: u64, hashes: &'static [u8]) -> Message {
    Message::Offer {
        topmost,
        hashes: Bytes::from_static(hashes),
    }
}

fn want(bit_vector: &'static [u8]) -> Message {
    Message::Want {
        bit_vector: Bytes::from_static(bit_vector),
    }
}

#[test]
fn bodies_are_these() {
    let cases: [(Message, &[u8]); 16] = [
        (Message::Syn, b""),
        (ack(&[]), b""),
        (ack(&[0]), b"\x0a\x01\x00"),
        (ack(&[3, 0, 300]), b"\x0a\x04\x03\x00\xac\x02"),
        (Message::Ruid { ruid: 0 }, b""),
        (
            Message::Ruid { ruid: u32::MAX },
            b"\x08\xff\xff\xff\xff\x0f",
        ),
        (Message::Cancel { ruid: 300 }, b"\x08\xac\x02"),
        (get_range(0, 0, 0), b""),
        (
            get_range(1, 1, u64::MAX),
            b"\x08\x01\x10\x01\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ),
        (
            get_range(-1, 0, 7),
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x18\x07",
        ),
        (
            get_range(i32::MIN, 0, 0),
            b"\x08\x80\x80\x80\x80\xf8\xff\xff\xff\xff\x01",
        ),
        (offer(0, b"h"), b"\x12\x01h"),
        (offer(5, b""), b"\x08\x05"),
        (want(b"\x00\x00"), b"\x0a\x02\x00\x00"),
        (want(b""), b""),
        (
            Message::Delivery {
                address: Bytes::from_static(b"a"),
                data: Bytes::new(),
                stamp: Bytes::from_static(b"st"),
            },
            b"\x0a\x01a\x1a\x02st",
        ),
    ];
    for (message, body) in cases {
        assert_eq!(message.encode(), body, "{message:?}");
        let again = Message::decode(message.kind(), Bytes::from_static(body));
        assert_eq!(again, Ok(message));
    }
}

/// Bodies that no encoder writes, with their meaning.
#[test]
fn other_bodies_decode() {
    let cases: Vec<(&str, Message, &'static [u8])> = vec![
        (
            "fields out of order",
            get_range(1, 2, 3),
            b"\x18\x03\x08\x01\x10\x02",
        ),
        (
            "defaults written out",
            get_range(0, 0, 0),
            b"\x08\x00\x10\x00\x18\x00",
        ),
        (
            "the last number wins",
            get_range(2, 0, 0),
            b"\x08\x01\x08\x02",
        ),
        (
            "the last number wins, also 0",
            get_range(0, 0, 0),
            b"\x08\x01\x08\x00",
        ),
        ("the last bytes win", want(b"b"), b"\x0a\x01a\x0a\x01b"),
        (
            "the last bytes win, also none",
            want(b""),
            b"\x0a\x01a\x0a\x00",
        ),
        (
            "a uint32 takes the low 32 bits",
            Message::Ruid { ruid: 2 },
            b"\x08\x82\x80\x80\x80\xf0\x01",
        ),
        (
            "an int32 takes the low 32 bits",
            get_range(-1, 0, 0),
            b"\x08\xff\xff\xff\xff\x0f",
        ),
        (
            "an int32 takes the low 32 bits of ten bytes",
            get_range(1, 0, 0),
            b"\x08\x81\x80\x80\x80\xf0\xff\xff\xff\xff\x01",
        ),
        (
            "bits above 64 are dropped",
            get_range(0, u64::MAX, 0),
            b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        ),
        (
            "bits above 64 are dropped, and nothing is left",
            get_range(0, 0, 0),
            b"\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02",
        ),
        (
            "bits above 64 of a tag are dropped",
            get_range(1, 0, 0),
            b"\x88\x80\x80\x80\x80\x80\x80\x80\x80\x02\x01",
        ),
        (
            "bits above 64 of a length are dropped",
            want(b"a"),
            b"\x0a\x81\x80\x80\x80\x80\x80\x80\x80\x80\x02a",
        ),
        (
            "bits above 64 of a packed number are dropped",
            ack(&[1]),
            b"\x0a\x0a\x81\x80\x80\x80\x80\x80\x80\x80\x80\x02",
        ),
        (
            "zeros behind a number",
            get_range(1, 0, 0),
            b"\x08\x81\x80\x00",
        ),
        ("zeros behind a tag", get_range(1, 0, 0), b"\x88\x00\x01"),
        (
            "cursors one by one",
            ack(&[1, 300]),
            b"\x08\x01\x08\xac\x02",
        ),
        (
            "cursors in several ways, in order",
            ack(&[1, 2, 3, 4]),
            b"\x08\x01\x0a\x02\x02\x03\x0a\x00\x08\x04",
        ),
        ("an unknown varint", want(b"a"), b"\x10\x96\x01\x0a\x01a"),
        ("unknown 64 bits", want(b"a"), b"\x1101234567\x0a\x01a"),
        ("unknown bytes", want(b"a"), b"\x12\x03abc\x0a\x01a"),
        ("unknown 32 bits", want(b"a"), b"\x150123\x0a\x01a"),
        ("an unknown group", want(b"a"), b"\x13\x14\x0a\x01a"),
        (
            "a group with every wire type",
            want(b"a"),
            b"\x13\x18\x01\x1901234567\x1a\x02xy\x1d0123\x1b\x1c\x14\x0a\x01a",
        ),
        (
            "known numbers in a group, of any wire type",
            want(b"a"),
            b"\x13\x08\x07\x0a\x01b\x0b\x0c\x14\x0a\x01a",
        ),
        (
            "a group that ends as another",
            want(b"a"),
            b"\x13\x1b\x6c\x0c\x0a\x01a",
        ),
        ("field 16", Message::Syn, b"\x80\x01\x00"),
        ("a field of syn", Message::Syn, b"\x08\x00"),
        (
            "a number of 30 bits",
            want(b"a"),
            b"\x80\x80\x80\x80\x20\x00\x0a\x01a",
        ),
        (
            "the largest number",
            want(b"a"),
            b"\xf8\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x0a\x01a",
        ),
        (
            "a number that is 1 in its low 32 bits",
            want(b"a"),
            b"\x82\x80\x80\x80\x80\x01\x01b\x0a\x01a",
        ),
    ];
    for (what, message, body) in cases {
        let decoded = Message::decode(message.kind(), Bytes::from_static(body));
        assert_eq!(decoded, Ok(message), "{what}");
    }
}

#[test]
fn groups_may_be_open_without_limit() {
    let depth = 1_000_000;
    let body = [vec![0x13; depth], vec![0x14; depth], b"\x0a\x01a".to_vec()].concat();
    let decoded = Message::decode(Kind::Want, body.into());
    assert_eq!(decoded, Ok(want(b"a")));
}

#[test]
fn bytes_are_slices_of_the_body() {
    let body = Bytes::from_static(b"\x0a\x03abc");
    let Ok(Message::Want { bit_vector }) = Message::decode(Kind::Want, body.clone()) else {
        panic!("it is a want");
    };
    assert_eq!(bit_vector.as_ptr(), body[2..].as_ptr());
}
