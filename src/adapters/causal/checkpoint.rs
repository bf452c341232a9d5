//! The checkpoint: the state record (6.1) as one file, and which logs and journal belong to it.
//!
//! Layout: magic, body, CRC-32 of both (4 bytes). Body: generation; number of members (2 bytes), their
//! names, place of the own one (2 bytes), the clock that the group started with; clock; cursors; number
//! of users, and for each its name and its pairs with their dots.

use std::sync::Arc;

use bytes::Bytes;
use concord_systems::causal::{Contents, Dot, Node, Pair, Record, Set, Settings, UserSets};

use super::encoding::{Flaw, Reader, listed, put, put_clock};

const MAGIC: &[u8] = b"concord causal checkpoint 1\n";

/// What a checkpoint says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Checkpoint {
    /// Which logs and journal go on from here.
    pub(super) generation: u64,
    pub(super) record: Record,
}

/// Why a checkpoint cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    Damaged(Flaw),
    /// It is of another node: of which, and which was expected.
    Other(String, String),
}

impl From<Flaw> for Unusable {
    fn from(flaw: Flaw) -> Self {
        Self::Damaged(flaw)
    }
}

/// The file. O(size of the state).
pub(super) fn encode(generation: u64, record: &Record, settings: &Settings) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(generation.to_be_bytes());
    out.extend(settings.me.0.to_be_bytes());
    let members = u16::try_from(settings.group.size());
    let members = members.expect("a group has at most 65535 members");
    out.extend(members.to_be_bytes());
    for name in settings.group.names() {
        put(name.as_bytes(), &mut out);
    }
    put_clock(&settings.initial, &mut out);
    put_clock(&record.clock, &mut out);
    put_clock(&record.cursors, &mut out);
    out.extend((record.payload.users().count() as u64).to_be_bytes());
    for (user, sets) in record.payload.users() {
        put(user.as_bytes(), &mut out);
        put_set(&sets.structure, &mut out);
    }
    let sum = crc32fast::hash(&out);
    out.extend(sum.to_be_bytes());
    out
}

fn put_set(set: &Set, out: &mut Vec<u8>) {
    out.extend((set.len() as u64).to_be_bytes());
    for (pair, dots) in set.iter() {
        put(pair.value.as_bytes(), out);
        put(pair.tag.as_bytes(), out);
        out.extend((dots.len() as u64).to_be_bytes());
        for (dot, contents) in dots.iter() {
            out.extend(dot.node.0.to_be_bytes());
            out.extend(dot.seq.to_be_bytes());
            match contents {
                None => out.push(0),
                Some(contents) => {
                    out.push(1);
                    put(contents, out);
                }
            }
        }
    }
}

/// Reads the file. Never allocates more than a small multiple of its length.
pub(super) fn decode(file: &[u8], settings: &Settings) -> Result<Checkpoint, Unusable> {
    let body = checked(file)?;
    let mut reader = Reader::new(body);
    reader.take(MAGIC.len() as u64, "a checkpoint of this version")?;
    let generation = reader.u64("a generation")?;
    check_node(&mut reader, settings)?;
    let members = settings.group.size();
    let clock = reader.clock(members, "a clock")?;
    let cursors = reader.clock(members, "cursors")?;
    let mut users = Vec::new();
    for _ in 0..reader.u64("a number of users")? {
        let user = reader.string("the name of a user")?.into();
        let structure = set(&mut reader, members)?;
        let sets = UserSets {
            structure,
            ..UserSets::default()
        };
        users.push((user, sets));
    }
    if !reader.is_empty() {
        return Err(reader.flaw("more bytes", "the checksum").into());
    }
    let record = Record {
        clock,
        payload: Arc::new(users.into_iter().collect()),
        cursors,
    };
    Ok(Checkpoint { generation, record })
}

/// The file without its checksum, which fits.
fn checked(file: &[u8]) -> Result<&[u8], Flaw> {
    let flaw = |offset, found: String, expected| Flaw {
        offset,
        found,
        expected,
    };
    if !file.starts_with(MAGIC) {
        let found = String::from("another format or version");
        return Err(flaw(0, found, "a checkpoint of version 1"));
    }
    let Some((body, sum)) = file.split_last_chunk() else {
        return Err(flaw(file.len(), String::from("the end"), "a checksum"));
    };
    let (stored, counted) = (u32::from_be_bytes(*sum), crc32fast::hash(body));
    if stored != counted {
        let found = format!("the checksum {stored:08x} of other bytes");
        return Err(flaw(
            body.len(),
            found,
            "the checksum of what stands before it",
        ));
    }
    Ok(body)
}

/// That the checkpoint is of this node of this group.
fn check_node(reader: &mut Reader<'_>, settings: &Settings) -> Result<(), Unusable> {
    let me = reader.u16("the place of the node")?;
    let members = reader.u16("a number of members")?;
    let mut names = Vec::new();
    for _ in 0..members {
        names.push(reader.string("the name of a member")?.into());
    }
    let initial = reader.clock(names.len(), "the clock of the start")?;
    if me == settings.me.0 && names == settings.group.names() && initial == settings.initial {
        return Ok(());
    }
    let describe = |names: &[_], me: u16, initial: &[u64]| {
        format!(
            "member {me} of the group {}, started with the clock {initial:?}",
            listed(names)
        )
    };
    let expected = describe(
        settings.group.names(),
        settings.me.0,
        settings.initial.entries(),
    );
    let found = describe(&names, me, initial.entries());
    Err(Unusable::Other(found, expected))
}

fn set(reader: &mut Reader<'_>, members: usize) -> Result<Set, Flaw> {
    let mut set = Set::default();
    for _ in 0..reader.u64("a number of pairs")? {
        let pair = Pair {
            value: reader.string("a value")?.into(),
            tag: reader.string("a tag")?.into(),
        };
        for _ in 0..reader.u64("a number of dots")? {
            let dot = dot(reader, members)?;
            let contents = contents(reader)?;
            set.add(pair.clone(), dot, contents);
        }
    }
    Ok(set)
}

fn dot(reader: &mut Reader<'_>, members: usize) -> Result<Dot, Flaw> {
    let node = Node(reader.u16("a member")?);
    if node.index() >= members {
        return Err(reader.flaw(format!("member {} before here", node.0), "a member"));
    }
    let seq = reader.u64("a number of a message")?;
    Ok(Dot { node, seq })
}

fn contents(reader: &mut Reader<'_>) -> Result<Contents, Flaw> {
    match reader.u8("whether there are contents")? {
        0 => Ok(None),
        // Copied, so that one content does not keep the whole file in memory.
        1 => reader
            .part("contents")
            .map(|part| Some(Bytes::copy_from_slice(part))),
        other => Err(reader.flaw(format!("{other} before here"), "0 or 1")),
    }
}

#[cfg(test)]
mod tests {
    use concord_systems::causal::{Clock, Group, Name, Profile, Sets, Strategies};
    use proptest::prelude::*;

    use super::*;

    fn settings() -> Settings {
        let group = Group::new(["a", "b"].map(Name::new)).expect("a group");
        Settings {
            profile: Profile::Framed,
            me: Node(0),
            initial: Clock::zero(2),
            group,
            strategies: Strategies::REFERENCE,
        }
    }

    fn records() -> impl Strategy<Value = Record> {
        let dot = (0_u16..2, any::<u64>()).prop_map(|(node, seq)| Dot {
            node: Node(node),
            seq,
        });
        let contents = prop::option::of(prop::collection::vec(any::<u8>(), 0..20));
        let add = (".{0,3}", ".{0,3}", ".{0,3}", dot, contents);
        let clock = || (any::<u64>(), any::<u64>());
        let adds = prop::collection::vec(add, 0..20);
        (clock(), clock(), adds).prop_map(|(clock, cursors, adds)| {
            let mut users = std::collections::BTreeMap::<Name, UserSets>::new();
            for (user, value, tag, dot, contents) in adds {
                let pair = Pair {
                    value: value.into(),
                    tag: tag.into(),
                };
                let sets = users.entry(user.into()).or_default();
                sets.structure.add(pair, dot, contents.map(Bytes::from));
            }
            Record {
                clock: Clock::from_entries([clock.0, clock.1]),
                payload: Arc::new(users.into_iter().collect::<Sets>()),
                cursors: Clock::from_entries([cursors.0, cursors.1]),
            }
        })
    }

    proptest! {
        #[test]
        fn a_checkpoint_comes_back_and_no_other_bytes_are_it(
            record in records(),
            generation in any::<u64>(),
            at in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let mut file = encode(generation, &record, &settings());
            let found = decode(&file, &settings()).expect("it was written");
            prop_assert_eq!(found, Checkpoint { generation, record });
            let at = at.index(file.len());
            prop_assert!(decode(&file[..at], &settings()).is_err());
            file[at] ^= 1 << bit;
            prop_assert!(decode(&file, &settings()).is_err());
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut file = encode(1, &Record::new(Clock::zero(2), Node(0)), &settings());
            file.truncate(file.len() - 12);
            file.extend(bytes);
            let sum = crc32fast::hash(&file);
            file.extend(sum.to_be_bytes());
            let _ = decode(&file, &settings());
        }
    }
}
