//! Operations without a node: the codecs and the rules on clocks (11.2).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::causal::clock::{Clock, Deliverability, Node};
use crate::causal::framed::{self, Msg};
use crate::causal::group::Profile;
use crate::causal::text::{self, Line, Operation};
use crate::causal::{Name, areas, clock_file, orset_file};
use crate::replay::{Answer, Args, Flaw};

use super::json::{self, Entries, bytes, hex, name};

/// One call of a codec, or of a rule on clocks.
#[derive(Debug)]
pub(super) enum Codec {
    FormatMessage(Line),
    ParseMessage(Bytes),
    ParseOp(Bytes),
    FormatPayload(Operation),
    ParsePayload {
        word: Name,
        rest: Bytes,
    },
    EncodeMsg(Box<Msg>),
    DecodeMsg(Bytes),
    Frame(Vec<Bytes>),
    Unframe(Bytes),
    FormatClock(Entries),
    ParseClock(Bytes, Profile),
    FormatAreas(Vec<(i64, i64)>),
    ParseAreas(Bytes),
    FormatOrset(BTreeMap<Name, Name>),
    ParseOrset(Bytes),
    Deliverable {
        clock: Entries,
        sender: Name,
        stamp: Entries,
    },
    Merge(Entries, Entries),
}

impl Codec {
    /// Reads the call that `op` names, if it names one.
    pub(super) fn read(op: &str, args: &Args<'_>, profile: Profile) -> Result<Option<Self>, Flaw> {
        let raw = || bytes(args, "raw");
        let entries = |field| json::entries(args, field, profile);
        Ok(Some(match op {
            "format_message" => Self::FormatMessage(Line {
                sender: name(args, "sender")?,
                clock: entries("vclock")?,
                payload: bytes(args, "payload")?,
            }),
            "parse_message" => Self::ParseMessage(raw()?),
            "parse_op" => Self::ParseOp(raw()?),
            "encode_msg" => Self::EncodeMsg(Box::new(json::read_msg(args)?)),
            "decode_msg" => Self::DecodeMsg(raw()?),
            "frame" => {
                let items = args.hexes("items")?.into_iter();
                Self::Frame(items.map(Bytes::from).collect())
            }
            "unframe" => Self::Unframe(raw()?),
            "format_vclock" => Self::FormatClock(entries("vclock")?),
            "parse_vclock" => Self::ParseClock(raw()?, profile),
            "format_areas" => Self::FormatAreas(args.integer_pairs("areas")?),
            "parse_areas" => Self::ParseAreas(raw()?),
            "format_orset" => {
                let elements = args.object("elements")?.all_strings()?.into_iter();
                let elements = elements.map(|(tag, value)| (tag.into(), value.into()));
                Self::FormatOrset(elements.collect())
            }
            "parse_orset" => Self::ParseOrset(raw()?),
            "deliverable" => Self::Deliverable {
                clock: entries("clock")?,
                sender: name(args, "sender")?,
                stamp: entries("vclock")?,
            },
            "merge" => Self::Merge(entries("a")?, entries("b")?),
            "parse_create" | "parse_delete" | "parse_append" | "parse_expunge" | "parse_store"
            | "parse_rename" | "parse_copy" => Self::ParsePayload {
                word: op["parse_".len()..].into(),
                rest: raw()?,
            },
            _ => {
                let word = op.strip_prefix("format_").unwrap_or_default();
                return Ok(json::read_operation(word, args)?.map(Self::FormatPayload));
            }
        }))
    }

    pub(super) fn perform(self) -> Answer {
        match self {
            Self::FormatMessage(line) => text(text::format_message(&line), raw),
            Self::ParseMessage(raw) => text(text::parse_message(&raw), |line| {
                let payload = hex(&line.payload);
                json!({"sender": line.sender, "vclock": line.clock, "payload": payload})
            }),
            Self::ParseOp(raw) => text(
                text::parse_op(&raw),
                |(word, rest)| json!({"operation": word, "rest": hex(rest.as_bytes())}),
            ),
            Self::FormatPayload(operation) => text(operation.format(), raw),
            Self::ParsePayload { word, rest } => {
                let parsed = Operation::parse(&word, &rest);
                let parsed = parsed.expect("only words of operations are read");
                text(parsed, |operation| json::operation(&operation))
            }
            Self::EncodeMsg(msg) => Answer::Returns(raw(msg.encode())),
            Self::DecodeMsg(raw) => framed(Msg::decode(&raw), |msg| json::msg(&msg)),
            Self::Frame(items) => {
                let frames: Vec<Bytes> = items.iter().map(|item| framed::frame(item)).collect();
                Answer::Returns(raw(frames.concat()))
            }
            Self::Unframe(raw) => framed(framed::unframe(&raw), |items| {
                let items: Vec<Value> = items.iter().map(|item| hex(item)).collect();
                json!({ "items": items })
            }),
            Self::FormatClock(entries) => text(clock_file::format(&entries), raw),
            Self::ParseClock(raw, profile) => text(
                clock_file::parse(&raw, profile),
                |entries| json!({ "vclock": entries }),
            ),
            Self::FormatAreas(ranges) => text(areas::format(&ranges), raw),
            Self::ParseAreas(raw) => text(areas::parse(&raw), |areas| json!({ "areas": areas })),
            Self::FormatOrset(elements) => text(orset_file::format(&elements), raw),
            Self::ParseOrset(raw) => text(
                orset_file::parse(&raw),
                |elements| json!({ "elements": elements }),
            ),
            Self::Deliverable {
                clock,
                sender,
                stamp,
            } => Answer::Returns(json!(deliverable(&clock, &sender, &stamp))),
            Self::Merge(a, b) => Answer::Returns(json!(merge(&a, &b))),
        }
    }
}

fn text<T>(result: Result<T, text::Error>, form: impl FnOnce(T) -> Value) -> Answer {
    match result {
        Ok(value) => Answer::Returns(form(value)),
        Err(error) => Answer::Fails(error.code()),
    }
}

fn framed<T>(result: Result<T, framed::Error>, form: impl FnOnce(T) -> Value) -> Answer {
    match result {
        Ok(value) => Answer::Returns(form(value)),
        Err(error) => Answer::Fails(error.code()),
    }
}

fn raw(bytes: impl AsRef<[u8]>) -> Value {
    json!({"raw": hex(bytes.as_ref())})
}

/// Rule 4 on clocks of any names.
fn deliverable(clock: &Entries, sender: &Name, stamp: &Entries) -> &'static str {
    let others: BTreeSet<&Name> = clock.keys().chain(stamp.keys()).collect();
    let others = others.into_iter().filter(|name| *name != sender);
    let names: Vec<&Name> = [sender].into_iter().chain(others).collect();
    match dense(clock, &names).deliverability(Node(0), &dense(stamp, &names)) {
        Deliverability::Apply => "apply",
        Deliverability::Duplicate => "duplicate",
        Deliverability::Wait { .. } => "wait",
    }
}

/// Rule 5 on clocks of any names.
fn merge(a: &Entries, b: &Entries) -> Entries {
    let names: BTreeSet<&Name> = a.keys().chain(b.keys()).collect();
    let names: Vec<&Name> = names.into_iter().collect();
    let mut merged = dense(a, &names);
    merged.merge(&dense(b, &names));
    let values = merged.entries().iter().map(|value| below(*value));
    names.into_iter().cloned().zip(values).collect()
}

/// The entries of `names` in this order, absent ones being 0, all moved up by 2^63. Rules 4 and 5
/// know only order and successors, which that keeps.
fn dense(entries: &Entries, names: &[&Name]) -> Clock {
    let values = names.iter().map(|name| entries.get(*name).copied());
    Clock::from_entries(values.map(|value| above(value.unwrap_or(0))))
}

fn above(value: i64) -> u64 {
    value.cast_unsigned() ^ (1 << 63)
}

fn below(value: u64) -> i64 {
    (value ^ (1 << 63)).cast_signed()
}
