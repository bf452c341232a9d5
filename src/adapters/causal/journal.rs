//! The journal: what changed since the last checkpoint.
//!
//! An entry is its length (8 bytes), the CRC-32 of its body (4 bytes) and the body: one or more items,
//! all of them or none. A change of the state record is the last item of an entry, and the removals
//! before it are in the same entry, so a crash leaves a state of 6.5: an entry of the receive log
//! that was delivered is still there, or it and the duplicates behind it are gone and the next
//! message is delivered, too.

use bytes::Bytes;
use concord_systems::causal::framed;
use concord_systems::causal::{Change, Group, areas};

use super::encoding::{Flaw, Reader, frame_of, message_in, put};

/// Bytes before the body of an entry.
const HEAD: usize = 12;

/// A part of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Item {
    /// These ranges of the receive log are removed.
    Purged(Vec<(i64, i64)>),
    /// The send log begins at this byte.
    Truncated(u64),
    /// The state record changes.
    Change(Change),
}

const PURGED: u8 = 1;
const TRUNCATED: u8 = 2;
const DELIVERED: u8 = 3;
const CURSOR: u8 = 4;

/// Appends an item to the body of an entry; says what it is if there is no form for it.
pub(super) fn encode(item: &Item, group: &Group, body: &mut Vec<u8>) -> Result<(), &'static str> {
    match item {
        Item::Purged(ranges) => {
            let text = areas::format(ranges).map_err(|_| "overlapping removals")?;
            body.push(PURGED);
            put(text.as_bytes(), body);
        }
        Item::Truncated(start) => {
            body.push(TRUNCATED);
            body.extend(start.to_be_bytes());
        }
        Item::Change(Change::Delivered(message)) => {
            body.push(DELIVERED);
            put(&frame_of(message, group), body);
        }
        Item::Change(Change::Cursor { peer, seq }) => {
            body.push(CURSOR);
            put(group.name(*peer).as_bytes(), body);
            body.extend(seq.to_be_bytes());
        }
        Item::Change(Change::Effect(_)) => return Err("an effect without its clock"),
        Item::Change(Change::Clock { .. }) => return Err("a clock entry without its effect"),
    }
    Ok(())
}

/// The entry with this body, which is not empty.
pub(super) fn seal(body: &[u8]) -> Vec<u8> {
    let mut entry = Vec::with_capacity(HEAD + body.len());
    entry.extend((body.len() as u64).to_be_bytes());
    entry.extend(crc32fast::hash(body).to_be_bytes());
    entry.extend(body);
    entry
}

/// The first whole entry: its body, and its length with everything. None if `bytes` begin with no
/// whole one: that is a torn tail. An entry is never empty, as zeros would look like one.
pub(super) fn first(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut reader = Reader::new(bytes);
    let len = reader.u64("a length").ok().filter(|len| *len > 0)?;
    let sum = reader.u32("a checksum").ok()?;
    let body = reader.take(len, "a body").ok()?;
    (crc32fast::hash(body) == sum).then_some((body, HEAD + body.len()))
}

/// The items of an entry. Offsets of flaws are counted in the body.
pub(super) fn decode(body: &[u8], group: &Group) -> Result<Vec<Item>, Flaw> {
    let mut reader = Reader::new(body);
    let mut items = Vec::new();
    while !reader.is_empty() {
        items.push(item(&mut reader, group)?);
    }
    Ok(items)
}

fn item(reader: &mut Reader<'_>, group: &Group) -> Result<Item, Flaw> {
    match reader.u8("a kind of item")? {
        PURGED => {
            let text = reader.part("ranges of bytes")?;
            let ranges = areas::parse(text);
            let flaw = |error| reader.flaw(format!("{error} before here"), "ranges of bytes");
            ranges.map(Item::Purged).map_err(flaw)
        }
        TRUNCATED => reader.u64("an offset").map(Item::Truncated),
        DELIVERED => delivered(reader, group).map(Item::Change),
        CURSOR => cursor(reader, group).map(Item::Change),
        other => Err(reader.flaw(format!("{other} before here"), "a kind of item")),
    }
}

fn delivered(reader: &mut Reader<'_>, group: &Group) -> Result<Change, Flaw> {
    const EXPECTED: &str = "the frame of a message of this group";
    // Copied, since contents are kept as parts of what they were decoded from.
    let frame = Bytes::copy_from_slice(reader.part(EXPECTED)?);
    let message = match framed::first_frame(&frame) {
        Ok((body, len)) if len == frame.len() => message_in(&frame.slice(body), group),
        _ => None,
    };
    let message = message.ok_or_else(|| reader.flaw("none before here", EXPECTED))?;
    Ok(Change::Delivered(message))
}

fn cursor(reader: &mut Reader<'_>, group: &Group) -> Result<Change, Flaw> {
    const EXPECTED: &str = "the name of a member";
    let name = reader.string(EXPECTED)?;
    let peer = group.node(name);
    let peer = peer.ok_or_else(|| reader.flaw(format!("{name:?} before here"), EXPECTED))?;
    let seq = reader.u64("a cursor")?;
    Ok(Change::Cursor { peer, seq })
}

#[cfg(test)]
mod tests {
    use concord_systems::causal::{Clock, Message, Name, Node, Operation, framed::Create};
    use proptest::prelude::*;

    use super::*;

    fn group() -> Group {
        Group::new(["a", "b"].map(Name::new)).expect("a group")
    }

    fn items() -> impl Strategy<Value = Item> {
        let range = (0_i64..100, 1_i64..100, 1_i64..100);
        let create = (".*", ".*", ".*").prop_map(|(user, mailbox, add_tag)| {
            Operation::Framed(framed::Operation::Create(Create {
                user: user.into(),
                mailbox: mailbox.into(),
                add_tag: add_tag.into(),
            }))
        });
        let operation = prop::option::of(create);
        let entries = (0..=u32::MAX, 1..=u32::MAX);
        let message = (operation, entries).prop_map(|(operation, (a, b))| Message {
            sender: Node(1),
            stamp: Clock::from_entries([a.into(), b.into()]),
            operation,
        });
        prop_oneof![
            range.prop_map(|(start, len, gap)| {
                let end = start + len;
                Item::Purged(vec![(start, end), (end + gap, end + gap + len)])
            }),
            any::<u64>().prop_map(Item::Truncated),
            any::<u64>().prop_map(|seq| Item::Change(Change::Cursor { peer: Node(0), seq })),
            message.prop_map(|message| Item::Change(Change::Delivered(message.into()))),
        ]
    }

    proptest! {
        #[test]
        fn an_entry_comes_back_and_no_part_of_it_is_one(
            items in prop::collection::vec(items(), 1..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut body = Vec::new();
            for item in &items {
                encode(item, &group(), &mut body).expect("the reference makes these");
            }
            let entry = seal(&body);
            let (found, len) = first(&entry).expect("it is whole");
            prop_assert_eq!(len, entry.len());
            prop_assert_eq!(decode(found, &group()).expect("it was written"), items);
            prop_assert_eq!(first(&entry[..cut.index(entry.len())]), None);
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..60), kind in 0_u8..6) {
            let _ = first(&bytes);
            let mut body = vec![kind];
            body.extend(bytes);
            let _ = decode(&body, &group());
        }
    }

    #[test]
    fn zeros_are_no_entry() {
        assert_eq!(first(&[0; 64]), None);
    }
}
