//! Frames: rules 1 to 5 and their order, and input that arrives in pieces.

use bytes::Bytes;
use concord::systems::pullsync::limits::MAX_MESSAGE;
use concord::systems::pullsync::wire::{FrameError, Kind, Message, Reader, frame};
use proptest::prelude::*;

use super::super::common::cases;
use super::any_message;

/// One frame and the bytes behind it, as `frame_read` of 12.3 reads them.
fn read(kind: Kind, raw: &[u8]) -> Result<(Message, Vec<u8>), FrameError> {
    let mut reader = Reader::default();
    reader.push(raw);
    match reader.next(kind)? {
        Some(message) => Ok((message, reader.rest().to_vec())),
        None => Err(reader.end()),
    }
}

fn want(length: usize) -> Message {
    Message::Want {
        bit_vector: vec![7; length].into(),
    }
}

#[test]
fn a_frame_is_length_and_body() {
    assert_eq!(frame(&Message::Syn), Ok(Bytes::from_static(b"\x00")));
    let ruid = Message::Ruid { ruid: 9 };
    assert_eq!(frame(&ruid), Ok(Bytes::from_static(b"\x02\x08\x09")));
    let long = frame(&want(200)).unwrap();
    assert_eq!(&long[..5], b"\xcb\x01\x0a\xc8\x01");
    assert_eq!(long.len(), 2 + 3 + 200);
}

#[test]
fn what_is_behind_a_frame_is_kept() {
    let read = read(Kind::Ruid, b"\x02\x08\x09\x02\x08");
    let ruid = Message::Ruid { ruid: 9 };
    assert_eq!(read, Ok((ruid, b"\x02\x08".to_vec())));
}

/// Rule 1.
#[test]
fn no_byte_is_the_end() {
    for kind in Kind::ALL {
        assert_eq!(read(kind, b""), Err(FrameError::Eof));
    }
}

/// Rules 2 and 4, D9.
#[test]
fn a_cut_within_a_frame_is_no_end() {
    let cases: [&[u8]; 8] = [
        b"\x80",
        b"\xff\xff",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        // Right behind the length.
        b"\x02",
        b"\x80\x01",
        b"\x80\x80\x08",
        b"\x02\x08",
        b"\x03\x08\x80",
    ];
    for raw in cases {
        let held = raw.len();
        assert_eq!(
            read(Kind::Ruid, raw),
            Err(FrameError::UnexpectedEof { held })
        );
    }
}

/// Rule 2.
#[test]
fn a_length_has_64_bits() {
    for raw in [
        &b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"[..],
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    ] {
        assert_eq!(
            read(Kind::Ruid, raw),
            Err(FrameError::Overflow),
            "{raw:02x?}"
        );
    }
    let largest = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    let length = u64::MAX;
    assert_eq!(
        read(Kind::Ruid, largest),
        Err(FrameError::MessageTooLarge { length })
    );
    let zeros = b"\x82\x80\x80\x80\x80\x80\x80\x80\x80\x00\x08\x09";
    let ruid = Message::Ruid { ruid: 9 };
    assert_eq!(read(Kind::Ruid, zeros), Ok((ruid, Vec::new())));
}

/// Rule 3, D10: what is written is read.
#[test]
fn a_body_has_at_most_128_kibibytes() {
    // Tag and length of the bytes take four.
    let largest = want(MAX_MESSAGE - 4);
    let raw = frame(&largest).unwrap();
    assert_eq!(&raw[..3], b"\x80\x80\x08");
    assert_eq!(read(Kind::Want, &raw), Ok((largest, Vec::new())));

    let above = want(MAX_MESSAGE - 3);
    let length = 131_073;
    assert_eq!(frame(&above), Err(FrameError::MessageTooLarge { length }));
    // Its length alone tells.
    assert_eq!(
        read(Kind::Want, b"\x81\x80\x08"),
        Err(FrameError::MessageTooLarge { length })
    );
}

/// Rule 5.
#[test]
fn a_body_that_does_not_decode_is_malformed() {
    let error = read(Kind::Ack, b"\x04\x0a\x01\xff\x01").unwrap_err();
    assert_eq!(error.code(), "malformed");
    // The body ends where its frame ends, whatever is behind it.
    let error = read(Kind::Ruid, b"\x01\x08\x01").unwrap_err();
    assert_eq!(
        error.to_string(),
        "byte 1 of the body: a varint that does not end"
    );
    // Rule 4 comes first.
    assert_eq!(
        read(Kind::Ruid, b"\x02\x0f"),
        Err(FrameError::UnexpectedEof { held: 2 })
    );
}

#[test]
fn errors_have_the_codes_of_the_spec() {
    let malformed = read(Kind::Syn, b"\x01\x00").unwrap_err();
    let errors = [
        (FrameError::Eof, "eof"),
        (FrameError::UnexpectedEof { held: 1 }, "unexpected_eof"),
        (FrameError::Overflow, "overflow"),
        (
            FrameError::MessageTooLarge { length: 131_073 },
            "message_too_large",
        ),
        (malformed, "malformed"),
    ];
    for (error, code) in errors {
        assert_eq!(error.code(), code);
    }
}

/// An announced length costs nothing.
#[test]
fn memory_follows_what_arrived() {
    let mut reader = Reader::default();
    let used = allocation_counter::measure(|| {
        reader.push(b"\x80\x80\x08\x0a");
        assert_eq!(reader.next(Kind::Want), Ok(None));
    });
    assert!(used.bytes_max < 200, "{used:?}");
    assert_eq!(reader.rest(), b"\x80\x80\x08\x0a");
}

fn pieces(raw: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(raw.len() + 1)).collect();
    cuts.extend([0, raw.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|cut| raw[cut[0]..cut[1]].to_vec())
        .collect()
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// Also with other messages right behind (D12).
    #[test]
    fn messages_come_back_however_they_are_cut(
        messages in prop::collection::vec(any_message(), 0..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let frames: Vec<Bytes> = messages.iter().map(|message| frame(message).unwrap()).collect();
        let mut reader = Reader::default();
        let mut read = Vec::new();
        for piece in pieces(&frames.concat(), &cuts) {
            reader.push(&piece);
            while let Some(message) = messages.get(read.len()) {
                let Some(next) = reader.next(message.kind()).unwrap() else { break };
                read.push(next);
            }
        }
        prop_assert_eq!(read, messages);
        prop_assert_eq!(reader.rest(), b"");
        prop_assert_eq!(reader.end(), FrameError::Eof);
    }

    /// A stream that ends within a frame is never taken for one that came to its end (D9).
    #[test]
    fn a_cut_frame_is_unexpected(message in any_message(), cut in any::<prop::sample::Index>()) {
        let raw = frame(&message).unwrap();
        let held = cut.index(raw.len());
        let expected = match held {
            0 => FrameError::Eof,
            held => FrameError::UnexpectedEof { held },
        };
        prop_assert_eq!(read(message.kind(), &raw[..held]), Err(expected));
    }
}
