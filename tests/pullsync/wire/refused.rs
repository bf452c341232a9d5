//! Bodies that are malformed, and where.

use bytes::Bytes;
use concord::systems::pullsync::wire::{Kind, Malformed, Message};

#[track_caller]
fn refused(kind: Kind, body: &'static [u8], at: usize, what: &'static str) {
    let decoded = Message::decode(kind, Bytes::from_static(body));
    assert_eq!(decoded, Err(Malformed { at, what }), "{body:02x?}");
}

/// D11: upstream reads 255.
#[test]
fn a_packed_number_may_not_cross_the_end_of_its_block() {
    refused(
        Kind::Ack,
        b"\x0a\x01\xff\x01",
        2,
        "a varint that does not end",
    );
    refused(
        Kind::Ack,
        b"\x0a\x02\x01\xff\x08\x01",
        3,
        "a varint that does not end",
    );
    let long = b"\x0a\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    refused(Kind::Ack, long, 2, "a varint of more than ten bytes");
}

#[test]
fn a_truncated_value_is_refused() {
    for (body, at) in [
        (&b"\x08"[..], 1),
        (b"\x08\xff", 1),
        (b"\x80", 0),
        (b"\x20", 1),
        (b"\x22", 1),
        (b"\x22\x80", 1),
        (b"\x23\x08", 2),
    ] {
        refused(Kind::Ruid, body, at, "a varint that does not end");
    }
}

#[test]
fn a_length_beyond_the_message_is_refused() {
    for (kind, body, at) in [
        (Kind::Want, &b"\x0a\x01"[..], 2),
        (Kind::Want, b"\x0a\x03ab", 2),
        (
            Kind::Want,
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            11,
        ),
        (Kind::Want, b"\x110123456", 1),
        (Kind::Want, b"\x15012", 1),
        (Kind::Want, b"\x12\x01", 2),
        (Kind::Ack, b"\x0a\x02\x01", 2),
        (Kind::Ruid, b"\x13\x1a\x05\x14", 3),
    ] {
        refused(kind, body, at, "a value longer than what is left");
    }
}

#[test]
fn an_eleventh_byte_is_refused() {
    const WHAT: &str = "a varint of more than ten bytes";
    let number = b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00";
    refused(Kind::Ruid, number, 1, WHAT);
    let tag = b"\x88\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\x01";
    refused(Kind::Ruid, tag, 0, WHAT);
    let length = b"\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00";
    refused(Kind::Ruid, length, 1, WHAT);
    let in_group = b"\x13\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x14";
    refused(Kind::Ruid, in_group, 2, WHAT);
}

#[test]
fn another_wire_type_of_a_known_field_is_refused() {
    let number = "another wire type, expected a varint";
    let bytes = "another wire type, expected bytes";
    let numbers = "another wire type, expected a varint or a block of them";
    for (kind, body, what) in [
        (Kind::Ruid, &b"\x0901234567"[..], number),
        (Kind::Ruid, b"\x0a\x01a", number),
        (Kind::Ruid, b"\x0b\x0c", number),
        (Kind::Ruid, b"\x0d0123", number),
        (Kind::Cancel, b"\x0a\x00", number),
        (Kind::GetRange, b"\x0a\x00", number),
        (Kind::GetRange, b"\x12\x00", number),
        (Kind::GetRange, b"\x1d0123", number),
        (Kind::Offer, b"\x0a\x00", number),
        (Kind::Offer, b"\x10\x01", bytes),
        (Kind::Want, b"\x08\x01", bytes),
        (Kind::Want, b"\x0901234567", bytes),
        (Kind::Want, b"\x0b\x0c", bytes),
        (Kind::Delivery, b"\x08\x01", bytes),
        (Kind::Delivery, b"\x10\x01", bytes),
        (Kind::Delivery, b"\x1d0123", bytes),
        (Kind::Ack, b"\x0901234567", numbers),
        (Kind::Ack, b"\x0b\x0c", numbers),
        (Kind::Ack, b"\x0d0123", numbers),
    ] {
        refused(kind, body, 1, what);
    }
}

#[test]
fn field_0_is_refused() {
    const WHAT: &str = "field number 0, expected at least 1";
    for body in [
        &b"\x00\x01"[..],
        b"\x02\x00",
        b"\x03\x04",
        b"\x04",
        b"\x80\x00\x01",
    ] {
        refused(Kind::Syn, body, 0, WHAT);
    }
    // What is left of it once bits are dropped counts.
    let dropped = b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02\x01";
    refused(Kind::Syn, dropped, 0, WHAT);
    refused(Kind::Syn, b"\x0b\x00\x01\x0c", 1, WHAT);
    refused(Kind::Syn, b"\x0b\x04", 1, WHAT);
}

#[test]
fn wire_types_6_and_7_are_refused() {
    for body in [&b"\x0e\x00"[..], b"\x0f\x00", b"\x16", b"\x17"] {
        refused(Kind::Ruid, body, 0, "a wire type above 5, expected 0 to 5");
    }
    refused(
        Kind::Ruid,
        b"\x13\x1e\x14",
        1,
        "a wire type above 5, expected 0 to 5",
    );
}

#[test]
fn groups_begin_and_end() {
    const ALONE: &str = "the end of a group that has no start";
    refused(Kind::Syn, b"\x0c", 0, ALONE);
    refused(Kind::Ruid, b"\x08\x01\x0c", 2, ALONE);
    refused(Kind::Syn, b"\x0b\x0c\x0c", 2, ALONE);
    refused(Kind::Syn, b"\x0b", 1, "a varint that does not end");
    refused(Kind::Syn, b"\x0b\x0b\x0c", 3, "a varint that does not end");
}

#[test]
fn the_text_says_what_and_where() {
    let decoded = Message::decode(Kind::Ack, Bytes::from_static(b"\x0a\x01\xff\x01"));
    let error = decoded.unwrap_err();
    assert_eq!(error.code(), "malformed");
    assert_eq!(
        error.to_string(),
        "byte 2 of the body: a varint that does not end"
    );
}
