//! Encodings of messages (4.2): the canonical one, and others that decode.

use bytes::Bytes;
use concord::systems::causal::Name;
use concord::systems::causal::framed::{
    Append, Create, Delete, Expunge, Msg, Operation, Store, frame,
};
use proptest::prelude::*;
use prost::Message;

use super::super::common::cases;
use super::{msg, peer};

fn decoded(raw: &[u8]) -> Msg {
    let raw = Bytes::copy_from_slice(raw);
    Msg::decode(&raw).unwrap_or_else(|error| panic!("{raw:?}: {error}"))
}

fn create(user: &str, mailbox: &str, add_tag: &str) -> Create {
    Create {
        user: user.into(),
        mailbox: mailbox.into(),
        add_tag: add_tag.into(),
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn a_message_comes_back(msg in msg()) {
        let raw = msg.encode();
        prop_assert_eq!(Msg::decode(&raw), Ok(msg));
    }

    /// Prost leaves out what is empty or 0 in map entries; all else is the same to the byte.
    #[test]
    fn prost_reads_and_writes_the_same(msg in msg()) {
        let raw = msg.encode();
        let peer = peer::Msg::from(&msg);
        prop_assert_eq!(&peer::Msg::decode(raw.clone()).unwrap(), &peer);
        prop_assert_eq!(&decoded(&peer.encode_to_vec()), &msg);
        if msg.vclock.iter().all(|(name, value)| !name.is_empty() && *value != 0) {
            prop_assert_eq!(&raw[..], &peer.encode_to_vec()[..]);
        }
    }

    /// What was sent in pieces is merged: two encodings after one another are one message.
    #[test]
    fn messages_after_one_another_merge(first in msg(), second in msg()) {
        let raw = [first.encode(), second.encode()].concat();
        let mut peer = peer::Msg::from(&first);
        peer.merge(second.encode()).unwrap();
        prop_assert_eq!(peer::Msg::from(&decoded(&raw)), peer);
    }

    /// No proper prefix reads past its end; one that decodes ends after a field.
    #[test]
    fn prefixes_are_judged_like_prost_judges_them(msg in msg(), cut in any::<prop::sample::Index>()) {
        let raw = msg.encode();
        let raw = raw.slice(..cut.index(raw.len() + 1));
        match (Msg::decode(&raw), peer::Msg::decode(raw.clone())) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(peer::Msg::from(&ours), theirs),
            (Err(error), Err(_)) => prop_assert_eq!(error.code(), "invalid_protobuf"),
            (ours, theirs) => prop_assert!(false, "{ours:?} but {theirs:?}"),
        }
    }
}

#[test]
fn nothing_encodes_to_nothing() {
    assert_eq!(Msg::default().encode(), Bytes::new());
    assert_eq!(Msg::decode(&Bytes::new()), Ok(Msg::default()));
}

#[test]
fn canonical_bytes_are_these() {
    let clock = |entries: &[(&str, u32)]| {
        let entries = entries.iter();
        entries
            .map(|(name, value)| (Name::new(name), *value))
            .collect()
    };
    let full = Msg {
        replica: "a".into(),
        vclock: clock(&[("b", 0), ("a", 1)]),
        operation: "create".into(),
        create: Some(create("u", "M", "t1")),
        ..Msg::default()
    };
    let empty_entry = Msg {
        vclock: clock(&[("", 0), ("é", u32::MAX)]),
        ..Msg::default()
    };
    let empty_parts = Msg {
        create: Some(Create::default()),
        delete: Some(Delete {
            rmv_tags: vec!["".into(), "t".into()],
            rmv_mails: vec!["".into()],
            ..Delete::default()
        }),
        append: Some(Append::default()),
        expunge: Some(Expunge::default()),
        store: Some(Store {
            add_content: Bytes::from_static(b"\xff"),
            ..Store::default()
        }),
        ..Msg::default()
    };
    let cases: [(&Msg, &[u8]); 3] = [
        (
            &full,
            b"\x0a\x01a\x12\x05\x0a\x01a\x10\x01\x12\x05\x0a\x01b\x10\x00\x1a\x06create\
              \x22\x0a\x0a\x01u\x12\x01M\x1a\x02t1",
        ),
        (
            &empty_entry,
            b"\x12\x04\x0a\x00\x10\x00\x12\x0a\x0a\x02\xc3\xa9\x10\xff\xff\xff\xff\x0f",
        ),
        (
            &empty_parts,
            b"\x22\x00\x2a\x07\x1a\x00\x1a\x01t\x22\x00\x32\x00\x3a\x00\x42\x03\x2a\x01\xff",
        ),
    ];
    for (msg, raw) in cases {
        assert_eq!(msg.encode(), raw, "{msg:?}");
        assert_eq!(&decoded(raw), msg);
    }
}

#[test]
fn lengths_from_128_take_two_bytes() {
    let msg = Msg {
        append: Some(Append {
            add_content: vec![7; 200].into(),
            ..Append::default()
        }),
        ..Msg::default()
    };
    let raw = msg.encode();
    assert_eq!(&raw[..6], b"\x32\xcb\x01\x22\xc8\x01");
    assert_eq!(raw.len(), 6 + 200);
    assert_eq!(decoded(&raw), msg);
}

/// Other encodings with their meaning as the canonical one.
#[test]
fn encodings_that_are_not_canonical_decode() {
    let cases: &[(&str, &[u8], &[u8])] = &[
        (
            "fields out of order",
            b"\x1a\x01x\x12\x05\x10\x01\x0a\x01a\x0a\x01r",
            b"\x0a\x01r\x12\x05\x0a\x01a\x10\x01\x1a\x01x",
        ),
        (
            "map entries out of order",
            b"\x12\x05\x0a\x01b\x10\x01\x12\x05\x0a\x01a\x10\x02",
            b"\x12\x05\x0a\x01a\x10\x02\x12\x05\x0a\x01b\x10\x01",
        ),
        ("an unknown varint", b"\x48\x96\x01\x0a\x01r", b"\x0a\x01r"),
        (
            "unknown 64 bits",
            b"\x490123\xff\xff\xff\xff\x0a\x01r",
            b"\x0a\x01r",
        ),
        ("unknown bytes", b"\x4a\x03abc\x0a\x01r", b"\x0a\x01r"),
        ("unknown 32 bits", b"\x4d0123\x0a\x01r", b"\x0a\x01r"),
        (
            "the largest field number",
            b"\xf8\xff\xff\xff\x0f\x00\x0a\x01r",
            b"\x0a\x01r",
        ),
        (
            "unknown fields in a map entry",
            b"\x12\x0c\x1d0123\x0a\x01a\x18\x01\x10\x05",
            b"\x12\x05\x0a\x01a\x10\x05",
        ),
        (
            "unknown fields in a sub-message",
            b"\x22\x05\x20\x01\x0a\x01u",
            b"\x22\x03\x0a\x01u",
        ),
        ("a string twice", b"\x0a\x01r\x0a\x01s", b"\x0a\x01s"),
        ("a string twice, then empty", b"\x0a\x01r\x0a\x00", b""),
        (
            "a map key twice",
            b"\x12\x05\x0a\x01a\x10\x05\x12\x05\x0a\x01a\x10\x03",
            b"\x12\x05\x0a\x01a\x10\x03",
        ),
        (
            "key and value twice in one entry",
            b"\x12\x0a\x0a\x01a\x10\x01\x0a\x01b\x10\x02",
            b"\x12\x05\x0a\x01b\x10\x02",
        ),
        (
            "an entry without value",
            b"\x12\x03\x0a\x01a",
            b"\x12\x05\x0a\x01a\x10\x00",
        ),
        (
            "an entry without key",
            b"\x12\x02\x10\x07",
            b"\x12\x04\x0a\x00\x10\x07",
        ),
        ("an empty entry", b"\x12\x00", b"\x12\x04\x0a\x00\x10\x00"),
        (
            "a sub-message twice",
            b"\x22\x06\x0a\x01u\x12\x01M\x22\x06\x12\x01N\x1a\x01t",
            b"\x22\x09\x0a\x01u\x12\x01N\x1a\x01t",
        ),
        (
            "a sub-message twice, then empty",
            b"\x22\x03\x0a\x01u\x22\x00",
            b"\x22\x03\x0a\x01u",
        ),
        (
            "repeated strings in two parts, mixed",
            b"\x2a\x06\x22\x01m\x1a\x01t\x2a\x05\x1a\x00\x22\x01n",
            b"\x2a\x0b\x1a\x01t\x1a\x00\x22\x01m\x22\x01n",
        ),
        (
            "a length in ten bytes",
            b"\x0a\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00r",
            b"\x0a\x01r",
        ),
        (
            "a key in five bytes",
            b"\x8a\x80\x80\x80\x00\x01r",
            b"\x0a\x01r",
        ),
        (
            "a key in ten bytes",
            b"\x8a\x80\x80\x80\x80\x80\x80\x80\x80\x00\x01r",
            b"\x0a\x01r",
        ),
        (
            "a value of 64 bits: the low 32 count",
            b"\x12\x0e\x0a\x01a\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x12\x09\x0a\x01a\x10\xff\xff\xff\xff\x0f",
        ),
        (
            "a value of 33 bits",
            b"\x12\x09\x0a\x01a\x10\x85\x80\x80\x80\x10",
            b"\x12\x05\x0a\x01a\x10\x05",
        ),
        (
            "an empty string that is written",
            b"\x0a\x00\x22\x02\x0a\x00",
            b"\x22\x00",
        ),
    ];
    for (what, raw, canonical) in cases {
        let msg = decoded(raw);
        assert_eq!(msg.encode(), canonical, "{what}");
        assert_eq!(decoded(canonical), msg, "{what}");
        let peer = peer::Msg::decode(*raw);
        assert_eq!(peer, Ok(peer::Msg::from(&msg)), "{what}");
    }
}

#[test]
fn contents_are_slices_of_the_input() {
    let msg = Msg {
        append: Some(Append {
            add_content: vec![1; 100].into(),
            ..Append::default()
        }),
        store: Some(Store {
            add_content: vec![2; 100].into(),
            ..Store::default()
        }),
        ..Msg::default()
    };
    let raw = msg.encode();
    let back = Msg::decode(&raw).unwrap();
    let contents = [
        back.append.unwrap().add_content,
        back.store.unwrap().add_content,
    ];
    for part in contents {
        assert!(raw.as_ptr_range().contains(&part.as_ptr()));
        assert_eq!(raw.slice_ref(&part), part);
    }
}

/// The recorded encoding of another implementation.
#[test]
fn the_sample_has_the_same_bytes() {
    let sample = include_str!("../traces/causal-sample.jsonl");
    let line = sample.lines().find(|line| line.contains("encode_msg"));
    let line: serde_json::Value = serde_json::from_str(line.unwrap()).unwrap();
    let raw = line["returns"]["raw"].as_str().unwrap();
    let args = &line["args"];
    let text = |value: &serde_json::Value| Name::new(value.as_str().unwrap());
    let clock = args["vclock"].as_object().unwrap().iter();
    let part = &args["create"];
    let msg = Msg {
        replica: text(&args["replica"]),
        vclock: clock
            .map(|(name, value)| (Name::new(name), value.as_u64().unwrap() as u32))
            .collect(),
        operation: text(&args["operation"]),
        create: Some(Create {
            user: text(&part["user"]),
            mailbox: text(&part["mailbox"]),
            add_tag: text(&part["add_tag"]),
        }),
        ..Msg::default()
    };
    let hex: String = msg
        .encode()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, raw);
    assert_eq!(frame(&msg.encode()).len(), raw.len() / 2 + 3);
}

#[test]
fn the_operation_names_the_part_that_counts() {
    let all = Msg {
        create: Some(create("u", "M", "t")),
        delete: Some(Delete::default()),
        append: Some(Append::default()),
        expunge: Some(Expunge::default()),
        store: Some(Store::default()),
        ..Msg::default()
    };
    let named = |word: &str| {
        let msg = Msg {
            operation: word.into(),
            ..all.clone()
        };
        msg.operation()
    };
    assert_eq!(
        named("create"),
        Some(Operation::Create(create("u", "M", "t")))
    );
    assert_eq!(named("delete"), Some(Operation::Delete(Delete::default())));
    assert_eq!(named("append"), Some(Operation::Append(Append::default())));
    assert_eq!(
        named("expunge"),
        Some(Operation::Expunge(Expunge::default()))
    );
    assert_eq!(named("store"), Some(Operation::Store(Store::default())));
    for word in ["", "Create", "create ", "rename", "copy"] {
        assert_eq!(named(word), None, "{word:?}");
    }
    for word in ["create", "delete", "append", "expunge", "store"] {
        let msg = Msg {
            operation: word.into(),
            ..Msg::default()
        };
        assert_eq!(msg.operation(), None, "{word} without its part");
    }
}
