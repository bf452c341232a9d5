//! Bytes that are no message (4.2).

use bytes::Bytes;
use concord::systems::causal::framed::{Error, Msg, Reason};

/// What is wrong, the bytes, and how the error names it: rule, field and offset.
type Case = (&'static str, &'static [u8], Reason, Option<u32>, usize);

/// Every rule, with bytes that break it, the field that was being read and where.
#[test]
fn each_broken_rule_is_named_with_its_place() {
    use Reason::*;
    let other = |expected, found| OtherWireType { expected, found };
    let short = |expected, left| UnfinishedValue { expected, left };
    let cases: &[Case] = &[
        ("a key that does not end", b"\x0a\x01r\x80", Varint, None, 3),
        ("no length", b"\x0a", Varint, Some(1), 1),
        (
            "a length that does not end",
            b"\x0a\xff",
            Varint,
            Some(1),
            1,
        ),
        (
            "a varint that does not end",
            b"\x48\x80",
            Varint,
            Some(9),
            1,
        ),
        (
            "a varint of eleven bytes",
            b"\x48\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
            Varint,
            Some(9),
            1,
        ),
        (
            "a varint of 65 bits",
            b"\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
            Varint,
            Some(9),
            1,
        ),
        (
            "a key of 65 bits",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x03",
            Varint,
            None,
            0,
        ),
        (
            "a key of 33 bits",
            b"\x80\x80\x80\x80\x10\x00",
            KeyTooLarge(1 << 32),
            None,
            0,
        ),
        ("field 0", b"\x00\x00", FieldZero, None, 0),
        (
            "field 0 in a sub-message",
            b"\x22\x02\x02\x00",
            FieldZero,
            None,
            2,
        ),
        ("a string as varint", b"\x08\x01", other(2, 0), Some(1), 1),
        (
            "a string as 64 bits",
            b"\x0901234567",
            other(2, 1),
            Some(1),
            1,
        ),
        ("a string as 32 bits", b"\x0d0123", other(2, 5), Some(1), 1),
        (
            "a sub-message as varint",
            b"\x20\x01",
            other(2, 0),
            Some(4),
            1,
        ),
        ("a map as varint", b"\x10\x01", other(2, 0), Some(2), 1),
        (
            "a value of the map as bytes",
            b"\x12\x02\x12\x00",
            other(0, 2),
            Some(2),
            3,
        ),
        (
            "a value of the map as 32 bits",
            b"\x12\x05\x150123",
            other(0, 5),
            Some(2),
            3,
        ),
        (
            "contents as varint",
            b"\x32\x02\x20\x01",
            other(2, 0),
            Some(4),
            3,
        ),
        ("a known group", b"\x0b\x0c", WireType(3), Some(1), 1),
        ("the end of a known group", b"\x0c", WireType(4), Some(1), 1),
        ("an unknown group", b"\x4b\x4c", WireType(3), Some(9), 1),
        (
            "the end of an unknown group",
            b"\x4c",
            WireType(4),
            Some(9),
            1,
        ),
        (
            "an unknown group in a map entry",
            b"\x12\x02\x1b\x1c",
            WireType(3),
            Some(3),
            3,
        ),
        (
            "an unknown group in a sub-message",
            b"\x22\x02\x4b\x4c",
            WireType(3),
            Some(9),
            3,
        ),
        ("wire type 6", b"\x4e\x00", WireType(6), None, 0),
        ("wire type 7", b"\x4f\x00", WireType(7), None, 0),
        ("a truncated string", b"\x0a\x02r", short(2, 1), Some(1), 1),
        (
            "a length of 64 bits",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            short(u64::MAX, 0),
            Some(1),
            1,
        ),
        ("truncated 64 bits", b"\x490123456", short(8, 7), Some(9), 1),
        ("truncated 32 bits", b"\x4d012", short(4, 3), Some(9), 1),
        (
            "a truncated sub-message",
            b"\x22\x04\x0a\x01u",
            short(4, 3),
            Some(4),
            1,
        ),
        (
            "a field longer than its sub-message",
            b"\x22\x03\x0a\x02uv",
            short(2, 1),
            Some(1),
            3,
        ),
        (
            "a key longer than its map entry",
            b"\x12\x03\x0a\x02ab\x10\x01",
            short(2, 1),
            Some(1),
            3,
        ),
        (
            "a map entry that ends within a key",
            b"\x12\x01\x8a\x00\x00",
            Varint,
            None,
            2,
        ),
        (
            "a map entry that ends within its value",
            b"\x12\x05\x0a\x01a\x10\x80\x01",
            Varint,
            Some(2),
            6,
        ),
        (
            "a map entry that ends before its value",
            b"\x12\x04\x0a\x01a\x10\x01",
            Varint,
            Some(2),
            6,
        ),
        ("replica is not UTF-8", b"\x0a\x01\xff", Utf8, Some(1), 1),
        (
            "operation is not UTF-8",
            b"\x1a\x02\xc3\x28",
            Utf8,
            Some(3),
            1,
        ),
        (
            "a key of the map is not UTF-8",
            b"\x12\x03\x0a\x01\xff",
            Utf8,
            Some(1),
            3,
        ),
        (
            "a tag is not UTF-8",
            b"\x2a\x03\x1a\x01\xff",
            Utf8,
            Some(3),
            3,
        ),
        ("a surrogate", b"\x0a\x03\xed\xa0\x80", Utf8, Some(1), 1),
        (
            "a string that another value replaces is not UTF-8",
            b"\x0a\x01\xff\x0a\x01r",
            Utf8,
            Some(1),
            1,
        ),
    ];
    for &(what, raw, reason, field, offset) in cases {
        let error = Error {
            reason,
            field,
            offset,
        };
        let found = Msg::decode(&Bytes::copy_from_slice(raw));
        assert_eq!(found, Err(error), "{what}");
        assert_eq!(found.unwrap_err().code(), "invalid_protobuf", "{what}");
    }
}

#[test]
fn an_error_says_what_where_and_what_was_expected() {
    let error = Msg::decode(&Bytes::from_static(b"\x22\x03\x0a\x02u")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid_protobuf at byte 3 (field 1): expected a value of 2 bytes, but 1 are left of the \
         message around it"
    );
    let error = Msg::decode(&Bytes::from_static(b"\x00")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid_protobuf at byte 0: expected a field number from 1, found 0"
    );
}

/// Contents are bytes: they are not looked into.
#[test]
fn contents_may_be_anything() {
    let raw = Bytes::from_static(b"\x32\x04\x22\x02\xff\x00");
    let msg = Msg::decode(&raw).unwrap();
    assert_eq!(msg.append.unwrap().add_content, &b"\xff\x00"[..]);
}
