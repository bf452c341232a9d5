//! What is done with an input of each decoder: it is decoded, and what was decoded is encoded and
//! decoded again.

use std::collections::BTreeMap;

use bytes::Bytes;
use concord::systems::causal::framed::{self, Msg, Reason};
use concord::systems::causal::text::{self, Operation};
use concord::systems::causal::{Name, Profile, areas, base64, clock_file, orset_file};
use prost::Message;

use super::super::decoders::{Outcome, Target};
use super::super::framed::peer;

const OPERATION: &[u8] = b"||;;==ATQgaGk=/+!ut\r\n\xc3\xa9";

/// One per decoder; those of the operations take what follows the operation word.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "line",
        judge: line,
        codes: &["no_line"],
        alphabet: b"> ping <\r\n\r\nab|:1",
        cost: 1,
    },
    Target {
        name: "message",
        judge: message,
        codes: &[
            "invalid_sync_message",
            "invalid_utf8",
            "invalid_vclock_element",
            "invalid_vclock_number",
            "missing_sender",
        ],
        alphabet: b"|||::;ab019+-\r\n\xc3\xa9",
        cost: 1,
    },
    Target {
        name: "payload",
        judge: payload,
        codes: &["invalid_utf8", "not_enough_pipes"],
        alphabet: b"||copyrename;=TQ\xc3\xa9",
        cost: 1,
    },
    Target {
        name: "create",
        judge: |raw| operation("create", raw),
        codes: &[
            "element_semicolons",
            "invalid_utf8",
            "mailbox_base64",
            "pipe_count",
            "value_base64",
        ],
        alphabet: OPERATION,
        cost: 1,
    },
    Target {
        name: "delete",
        judge: |raw| operation("delete", raw),
        codes: PAIRS,
        alphabet: OPERATION,
        cost: 1,
    },
    Target {
        name: "append",
        judge: |raw| operation("append", raw),
        codes: &[
            "contents_base64",
            "element_semicolons",
            "invalid_utf8",
            "mailbox_base64",
            "pipe_count",
            "value_base64",
        ],
        alphabet: OPERATION,
        cost: 1,
    },
    Target {
        name: "expunge",
        judge: |raw| operation("expunge", raw),
        codes: PAIRS,
        alphabet: OPERATION,
        cost: 1,
    },
    Target {
        name: "store",
        judge: |raw| operation("store", raw),
        codes: &[
            "contents_base64",
            "element_semicolons",
            "invalid_utf8",
            "mailbox_base64",
            "odd_element_count",
            "pipe_count",
            "too_few_semicolons",
            "value_base64",
        ],
        alphabet: OPERATION,
        cost: 1,
    },
    Target {
        name: "rename",
        judge: |raw| operation("rename", raw),
        codes: &[
            "contents_base64",
            "element_semicolons",
            "invalid_utf8",
            "mailbox_base64",
            "not_divisible_by_three",
            "odd_element_count",
            "pipe_count",
            "too_few_semicolons",
            "value_base64",
        ],
        alphabet: OPERATION,
        cost: 1,
    },
    Target {
        name: "copy",
        judge: |raw| operation("copy", raw),
        codes: &[
            "contents_base64",
            "invalid_utf8",
            "mailbox_base64",
            "not_divisible_by_three",
            "pipe_count",
            "value_base64",
        ],
        alphabet: OPERATION,
        cost: 1,
    },
    Target {
        name: "msg",
        judge: msg,
        codes: &["invalid_protobuf"],
        alphabet: b"\x0a\x12\x1a\x22\x2a\x32\x3a\x42\x10\x00\x01\x02\x03\x04\x80\xff\x0b\x0c\x4d",
        cost: 1,
    },
    Target {
        name: "frames",
        judge: frames,
        codes: &["invalid_frame_length", "truncated_frame"],
        alphabet: b";;0123459ab",
        cost: 1,
    },
    Target {
        name: "bulk",
        judge: bulk,
        codes: &["invalid_protobuf"],
        alphabet: b"\x0a\x0a\x00\x01\x02\x03\x10\x80\xff\x0b",
        cost: 1,
    },
    Target {
        name: "confirmation",
        judge: confirmation,
        codes: &["invalid_protobuf"],
        alphabet: b"\x08\x08\x00\x01\x0a\x12\x80\xff\x0b",
        cost: 1,
    },
    Target {
        name: "clock_text",
        judge: |raw| clock(Profile::Text, raw),
        codes: CLOCK,
        alphabet: b"::;;ab019+-\xc3\xa9",
        cost: 1,
    },
    Target {
        name: "clock_framed",
        judge: |raw| clock(Profile::Framed, raw),
        codes: CLOCK,
        alphabet: b"::;;ab019+-\xc3\xa9",
        cost: 1,
    },
    Target {
        name: "areas",
        judge: ranges,
        codes: &["invalid_area"],
        alphabet: b"0123459--\n\n\r",
        cost: 1,
    },
    Target {
        name: "orset",
        judge: set,
        codes: &["invalid_utf8", "odd_element_count", "value_base64"],
        alphabet: b";;==TQgtu\r\n\xc3\xa9",
        cost: 1,
    },
    Target {
        name: "base64",
        judge: base64_text,
        codes: &["invalid_utf8", "no_base64"],
        alphabet: b"==aGkTQR/+_\r\n",
        cost: 1,
    },
];

const PAIRS: &[&str] = &[
    "invalid_utf8",
    "mailbox_base64",
    "odd_element_count",
    "pipe_count",
    "too_few_semicolons",
    "value_base64",
];

const CLOCK: &[&str] = &[
    "invalid_utf8",
    "invalid_vclock_element",
    "invalid_vclock_number",
];

/// What comes out of an input is no longer than it.
fn within<'a>(raw: &[u8], parts: impl IntoIterator<Item = &'a [u8]>) {
    let total: usize = parts.into_iter().map(<[u8]>::len).sum();
    assert!(total <= raw.len(), "{total} of {} bytes", raw.len());
}

fn line(raw: &[u8]) -> Outcome {
    let line = text::line_of(raw).ok_or("no_line")?;
    within(raw, [line]);
    assert!(!line.contains(&b'\n') && !line.ends_with(b"\r"));
    assert_eq!(text::line_of(&text::connection_of(line)), Some(line));
    Ok(())
}

fn message(raw: &[u8]) -> Outcome {
    let line = text::parse_message(raw).map_err(|error| error.code())?;
    let names = line.clock.keys().map(|name| name.as_bytes());
    within(raw, names.chain([line.sender.as_bytes(), &line.payload]));
    match text::format_message(&line) {
        Ok(again) => assert_eq!(text::parse_message(&again), Ok(line)),
        Err(error) => assert_eq!(error.code(), "unrepresentable_field"),
    }
    Ok(())
}

fn payload(raw: &[u8]) -> Outcome {
    let (word, rest) = text::parse_op(raw).map_err(|error| error.code())?;
    assert_eq!([word, rest].join("|").as_bytes(), raw);
    assert!(!word.contains('|'));
    if Operation::parse(word, rest.as_bytes()).is_some() {
        // Its error is an outcome of the target of that operation.
        let _ = operation(word, rest.as_bytes());
    }
    Ok(())
}

fn operation(word: &str, rest: &[u8]) -> Outcome {
    let parsed = Operation::parse(word, rest).expect("the word is known");
    let operation = parsed.map_err(|error| error.code())?;
    within(
        rest,
        [operation.user.as_bytes(), operation.mailbox.as_bytes()],
    );
    assert_eq!(operation.word(), word);
    match operation.format() {
        Ok(again) => {
            let (again, rest) = text::parse_op(&again).expect("it has a word");
            assert_eq!(
                Operation::parse(again, rest.as_bytes()),
                Some(Ok(operation))
            );
        }
        Err(error) => assert_eq!(error.code(), "unrepresentable_field"),
    }
    Ok(())
}

fn msg(raw: &[u8]) -> Outcome {
    let theirs = peer::Msg::decode(raw);
    let msg = match Msg::decode(&Bytes::copy_from_slice(raw)) {
        Ok(msg) => msg,
        Err(error) => return refused(raw, &error, theirs.is_err()),
    };
    assert_eq!(Ok(peer::Msg::from(&msg)), theirs);
    let again = msg.encode();
    assert_eq!(peer::Msg::decode(again.clone()), theirs);
    assert_eq!(Msg::decode(&again).as_ref(), Ok(&msg));
    within(raw, parts(&msg));
    Ok(())
}

fn parts(msg: &Msg) -> Vec<&[u8]> {
    let mut names: Vec<&Name> = vec![&msg.replica, &msg.operation];
    let mut parts: Vec<&[u8]> = Vec::new();
    names.extend(msg.vclock.keys());
    if let Some(create) = &msg.create {
        names.extend([&create.user, &create.mailbox, &create.add_tag]);
    }
    if let Some(delete) = &msg.delete {
        names.extend([&delete.user, &delete.mailbox]);
        names.extend(delete.rmv_tags.iter().chain(&delete.rmv_mails));
    }
    if let Some(append) = &msg.append {
        names.extend([&append.user, &append.mailbox, &append.add_tag]);
        parts.push(&append.add_content);
    }
    if let Some(expunge) = &msg.expunge {
        names.extend([&expunge.user, &expunge.mailbox]);
        names.extend([&expunge.rmv_tag, &expunge.add_tag]);
    }
    if let Some(store) = &msg.store {
        names.extend([&store.user, &store.mailbox]);
        names.extend([&store.rmv_tag, &store.add_tag]);
        parts.push(&store.add_content);
    }
    parts.extend(names.into_iter().map(|name| name.as_bytes()));
    parts
}

/// Prost refuses it as well, but for what it does not check.
fn refused(raw: &[u8], error: &framed::Error, by_prost: bool) -> Outcome {
    placed(raw, error);
    let unchecked = match error.reason {
        Reason::WireType(3 | 4) => true,
        Reason::OtherWireType { expected: 2, .. } => error.field == Some(2),
        _ => false,
    };
    assert!(by_prost || unchecked, "{error}");
    Err(error.code())
}

fn placed(raw: &[u8], error: &framed::Error) {
    assert!(error.offset <= raw.len(), "{error} of {} bytes", raw.len());
}

fn frames(raw: &[u8]) -> Outcome {
    let first = framed::first_frame(raw);
    if let Ok((body, length)) = &first {
        assert!(body.start <= body.end && body.end == *length && *length <= raw.len());
    }
    let bodies = match framed::unframe(&Bytes::copy_from_slice(raw)) {
        Ok(bodies) => bodies,
        Err(error) => {
            placed(raw, &error);
            assert_eq!(first.is_err(), error.offset == 0);
            return Err(error.code());
        }
    };
    within(raw, bodies.iter().map(|body| &body[..]));
    assert_eq!(first.is_err(), raw.is_empty());
    let again: Vec<u8> = bodies.iter().flat_map(|body| framed::frame(body)).collect();
    assert!(again.len() <= raw.len());
    assert_eq!(framed::unframe(&again.into()), Ok(bodies));
    Ok(())
}

fn bulk(raw: &[u8]) -> Outcome {
    let theirs = peer::Bulk::decode(raw);
    let data = match framed::decode_bulk(&Bytes::copy_from_slice(raw)) {
        Ok(data) => data,
        Err(error) => return refused(raw, &error, theirs.is_err()),
    };
    within(raw, [&data[..]]);
    let again = framed::encode_bulk(&data);
    assert_eq!(framed::decode_bulk(&again).as_ref(), Ok(&data));
    assert_eq!(Ok(peer::Bulk { data }), theirs);
    Ok(())
}

fn confirmation(raw: &[u8]) -> Outcome {
    let theirs = peer::Confirmation::decode(raw);
    let status = match framed::decode_confirmation(&Bytes::copy_from_slice(raw)) {
        Ok(status) => status,
        Err(error) => return refused(raw, &error, theirs.is_err()),
    };
    let again = framed::encode_confirmation(status);
    assert_eq!(framed::decode_confirmation(&again), Ok(status));
    assert_eq!(Ok(peer::Confirmation { status }), theirs);
    Ok(())
}

fn clock(profile: Profile, raw: &[u8]) -> Outcome {
    let clock: BTreeMap<Name, i64> =
        clock_file::parse(raw, profile).map_err(|error| error.code())?;
    within(raw, clock.keys().map(|name| name.as_bytes()));
    if profile == Profile::Framed {
        assert!(clock.values().all(|value| u32::try_from(*value).is_ok()));
    }
    match clock_file::format(&clock) {
        Ok(again) => assert_eq!(clock_file::parse(again.as_bytes(), profile), Ok(clock)),
        Err(error) => assert_eq!(error.code(), "unrepresentable_field"),
    }
    Ok(())
}

/// Formatting merges neighbours, so the bytes come back, not the ranges.
fn ranges(raw: &[u8]) -> Outcome {
    let ranges = areas::parse(raw).map_err(|error| error.code())?;
    assert!(2 * ranges.len() <= raw.len() + 1);
    let length = |ranges: &[(i64, i64)]| -> i128 {
        let lengths = ranges.iter();
        lengths
            .map(|(start, end)| i128::from(*end) - i128::from(*start))
            .sum()
    };
    let again = areas::format(&ranges).expect("what was read can be written");
    let merged = areas::parse(again.as_bytes()).expect("what was written can be read");
    assert_eq!(length(&merged), length(&ranges));
    assert_eq!(areas::format(&merged), Ok(again));
    assert!(merged.windows(2).all(|two| two[0].1 < two[1].0));
    Ok(())
}

fn set(raw: &[u8]) -> Outcome {
    let set = orset_file::parse(raw).map_err(|error| error.code())?;
    let parts = set.iter().flat_map(|(tag, value)| [tag, value]);
    within(raw, parts.map(|part| part.as_bytes()));
    match orset_file::format(&set) {
        Ok(again) => assert_eq!(orset_file::parse(again.as_bytes()), Ok(set)),
        Err(error) => assert_eq!(error.code(), "unrepresentable_field"),
    }
    Ok(())
}

fn base64_text(raw: &[u8]) -> Outcome {
    let text = std::str::from_utf8(raw).map_err(|_| "invalid_utf8")?;
    let decoded = base64::decode(text).ok_or("no_base64")?;
    within(raw, [&decoded[..]]);
    let mut again = String::new();
    base64::encode(&decoded, &mut again);
    assert_eq!(base64::decode(&again), Some(decoded));
    Ok(())
}
