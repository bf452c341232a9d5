//! Forms of names, bytes, clocks, operations and messages in traces (11.1, 11.2).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use crate::causal::Name;
use crate::causal::clock::Clock;
use crate::causal::framed::{self, Msg};
use crate::causal::group::{Group, Profile};
use crate::causal::orset::Pair;
use crate::causal::text::{Action, Operation, Triple};
use crate::replay::{Args, Flaw};

/// Entries of a clock by name, as codec ops take them.
pub(super) type Entries = BTreeMap<Name, i64>;

/// From `least` to the largest clock value of a profile.
pub(super) fn clock_range(profile: Profile, least: i64) -> RangeInclusive<i64> {
    let largest = i64::try_from(profile.largest());
    least..=largest.expect("clock values of both profiles have at most 63 bits")
}

pub(super) fn name(args: &Args<'_>, field: &str) -> Result<Name, Flaw> {
    args.string(field).map(Name::new)
}

pub(super) fn names(args: &Args<'_>, field: &str) -> Result<Vec<Name>, Flaw> {
    let names = args.strings(field)?;
    Ok(names.into_iter().map(Name::new).collect())
}

pub(super) fn bytes(args: &Args<'_>, field: &str) -> Result<Bytes, Flaw> {
    args.hex(field).map(Bytes::from)
}

pub(super) fn hex(bytes: &[u8]) -> Value {
    HEXLOWER.encode(bytes).into()
}

/// The clock of a codec op: negative, too, in the text profile.
pub(super) fn entries(args: &Args<'_>, field: &str, profile: Profile) -> Result<Entries, Flaw> {
    let least = match profile {
        Profile::Text => i64::MIN,
        Profile::Framed => 0,
    };
    let entries = args.object(field)?;
    let entries = entries.all_integers(clock_range(profile, least))?;
    let entries = entries.into_iter();
    Ok(entries.map(|(name, value)| (name.into(), value)).collect())
}

/// The clock of a node.
pub(super) fn clock(group: &Group, clock: &Clock) -> Value {
    let entries = group.names().iter().zip(clock.entries());
    let entries = entries.map(|(name, value)| (name.to_string(), json!(value)));
    Value::Object(entries.collect())
}

fn pair(args: &Args<'_>) -> Result<Pair, Flaw> {
    Ok(Pair {
        value: name(args, "value")?,
        tag: name(args, "tag")?,
    })
}

fn triple(args: &Args<'_>) -> Result<Triple, Flaw> {
    let Pair { value, tag } = pair(args)?;
    let contents = bytes(args, "contents")?;
    Ok(Triple {
        value,
        tag,
        contents,
    })
}

fn list<T>(
    args: &Args<'_>,
    field: &str,
    read: fn(&Args<'_>) -> Result<T, Flaw>,
) -> Result<Vec<T>, Flaw> {
    args.objects(field)?.iter().map(read).collect()
}

/// The operation of the text profile that `word` names, if it names one (3.3).
pub(super) fn read_operation(word: &str, args: &Args<'_>) -> Result<Option<Operation>, Flaw> {
    let read: fn(&Args<'_>) -> Result<Action, Flaw> = match word {
        "create" => |args| {
            let add = pair(&args.object("add_mailbox")?)?;
            Ok(Action::Create { add })
        },
        "delete" => |args| {
            let remove = list(args, "rmv_mailbox", pair)?;
            Ok(Action::Delete { remove })
        },
        "append" => |args| {
            let add = triple(&args.object("add_mail")?)?;
            Ok(Action::Append { add })
        },
        "expunge" => |args| {
            let remove = list(args, "rmv_mail", pair)?;
            Ok(Action::Expunge { remove })
        },
        "store" => |args| {
            Ok(Action::Store {
                remove: list(args, "rmv_mail", pair)?,
                add: triple(&args.object("add_mail")?)?,
            })
        },
        "rename" => |args| {
            Ok(Action::Rename {
                remove: list(args, "rmv_mailbox", pair)?,
                add: pair(&args.object("add_mailbox")?)?,
                mails: list(args, "add_mails", triple)?,
            })
        },
        "copy" => |args| {
            let mails = list(args, "add_mails", triple)?;
            Ok(Action::Copy { mails })
        },
        _ => return Ok(None),
    };
    Ok(Some(Operation {
        user: name(args, "user")?,
        mailbox: name(args, "mailbox")?,
        action: read(args)?,
    }))
}

/// The same fields that [`read_operation`] reads.
pub(super) fn operation(operation: &Operation) -> Value {
    let pair = |pair: &Pair| json!({"value": *pair.value, "tag": *pair.tag});
    let triple = |triple: &Triple| {
        let contents = hex(&triple.contents);
        json!({"value": *triple.value, "tag": *triple.tag, "contents": contents})
    };
    let pairs = |pairs: &[Pair]| Value::Array(pairs.iter().map(pair).collect());
    let triples = |triples: &[Triple]| Value::Array(triples.iter().map(triple).collect());
    let elements = match &operation.action {
        Action::Create { add } => vec![("add_mailbox", pair(add))],
        Action::Delete { remove } => vec![("rmv_mailbox", pairs(remove))],
        Action::Append { add } => vec![("add_mail", triple(add))],
        Action::Expunge { remove } => vec![("rmv_mail", pairs(remove))],
        Action::Store { remove, add } => {
            vec![("rmv_mail", pairs(remove)), ("add_mail", triple(add))]
        }
        Action::Rename { remove, add, mails } => vec![
            ("rmv_mailbox", pairs(remove)),
            ("add_mailbox", pair(add)),
            ("add_mails", triples(mails)),
        ],
        Action::Copy { mails } => vec![("add_mails", triples(mails))],
    };
    let text = [("user", &operation.user), ("mailbox", &operation.mailbox)];
    let text = text.map(|(field, name)| (field, json!(name)));
    let members = text.into_iter().chain(elements);
    let members = members.map(|(field, value)| (field.to_owned(), value));
    Value::Object(members.collect::<Map<_, _>>())
}

/// A message but for its sender and clock: `operation` and the sub-messages that are there (11.2).
pub(super) fn read_payload(args: &Args<'_>) -> Result<Msg, Flaw> {
    Ok(Msg {
        replica: Name::default(),
        vclock: BTreeMap::new(),
        operation: name(args, "operation")?,
        create: sub(args, "create", |args| {
            Ok(framed::Create {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                add_tag: name(args, "add_tag")?,
            })
        })?,
        delete: sub(args, "delete", |args| {
            Ok(framed::Delete {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                rmv_tags: names(args, "rmv_tags")?,
                rmv_mails: names(args, "rmv_mails")?,
            })
        })?,
        append: sub(args, "append", |args| {
            Ok(framed::Append {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                add_tag: name(args, "add_tag")?,
                add_content: bytes(args, "add_content")?,
            })
        })?,
        expunge: sub(args, "expunge", |args| {
            Ok(framed::Expunge {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                rmv_tag: name(args, "rmv_tag")?,
                add_tag: name(args, "add_tag")?,
            })
        })?,
        store: sub(args, "store", |args| {
            Ok(framed::Store {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                rmv_tag: name(args, "rmv_tag")?,
                add_tag: name(args, "add_tag")?,
                add_content: bytes(args, "add_content")?,
            })
        })?,
    })
}

/// All eight fields of a message.
pub(super) fn read_msg(args: &Args<'_>) -> Result<Msg, Flaw> {
    let replica = name(args, "replica")?;
    let entries = args.object("vclock")?;
    let entries = entries.all_integers(clock_range(Profile::Framed, 0))?;
    let entries = entries.into_iter();
    let vclock = entries.map(|(name, value)| {
        let value = u32::try_from(value);
        (name.into(), value.expect("the range of the profile"))
    });
    Ok(Msg {
        replica,
        vclock: vclock.collect(),
        ..read_payload(args)?
    })
}

fn sub<T>(
    args: &Args<'_>,
    field: &str,
    read: fn(&Args<'_>) -> Result<T, Flaw>,
) -> Result<Option<T>, Flaw> {
    let args = args.optional_object(field)?;
    args.as_ref().map(read).transpose()
}

/// The same eight fields that [`read_msg`] reads; absent sub-messages are null.
pub(super) fn msg(msg: &Msg) -> Value {
    json!({
        "replica": msg.replica,
        "vclock": msg.vclock,
        "operation": msg.operation,
        "create": msg.create.as_ref().map(|sub| json!({
            "user": sub.user,
            "mailbox": sub.mailbox,
            "add_tag": sub.add_tag,
        })),
        "delete": msg.delete.as_ref().map(|sub| json!({
            "user": sub.user,
            "mailbox": sub.mailbox,
            "rmv_tags": sub.rmv_tags,
            "rmv_mails": sub.rmv_mails,
        })),
        "append": msg.append.as_ref().map(|sub| json!({
            "user": sub.user,
            "mailbox": sub.mailbox,
            "add_tag": sub.add_tag,
            "add_content": hex(&sub.add_content),
        })),
        "expunge": msg.expunge.as_ref().map(|sub| json!({
            "user": sub.user,
            "mailbox": sub.mailbox,
            "rmv_tag": sub.rmv_tag,
            "add_tag": sub.add_tag,
        })),
        "store": msg.store.as_ref().map(|sub| json!({
            "user": sub.user,
            "mailbox": sub.mailbox,
            "rmv_tag": sub.rmv_tag,
            "add_tag": sub.add_tag,
            "add_content": hex(&sub.add_content),
        })),
    })
}
