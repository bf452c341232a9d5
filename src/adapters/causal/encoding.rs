//! Bytes of what journal and checkpoint hold: big-endian numbers, strings after their length, and
//! messages as frames.

use std::sync::Arc;

use bytes::Bytes;
use concord_systems::causal::framed::{self, Msg};
use concord_systems::causal::{Clock, Group, Message, Name, Operation};

/// Why bytes are not what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Flaw {
    /// Where, counted from the start of what was read.
    pub(super) offset: usize,
    pub(super) found: String,
    pub(super) expected: &'static str,
}

/// Takes bytes from the front of a slice.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.offset == self.bytes.len()
    }

    pub(super) fn flaw(&self, found: impl Into<String>, expected: &'static str) -> Flaw {
        Flaw {
            offset: self.offset,
            found: found.into(),
            expected,
        }
    }

    pub(super) fn take(&mut self, len: u64, expected: &'static str) -> Result<&'a [u8], Flaw> {
        let rest = &self.bytes[self.offset..];
        let taken = usize::try_from(len).ok().and_then(|len| rest.get(..len));
        let taken = taken.ok_or_else(|| {
            let found = format!("{} bytes of {len}", rest.len());
            self.flaw(found, expected)
        })?;
        self.offset += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N], Flaw> {
        let taken = self.take(N as u64, expected)?;
        Ok(taken.try_into().expect("exactly so many bytes were taken"))
    }

    pub(super) fn u8(&mut self, expected: &'static str) -> Result<u8, Flaw> {
        self.array(expected).map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self, expected: &'static str) -> Result<u16, Flaw> {
        self.array(expected).map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self, expected: &'static str) -> Result<u32, Flaw> {
        self.array(expected).map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self, expected: &'static str) -> Result<u64, Flaw> {
        self.array(expected).map(u64::from_be_bytes)
    }

    /// What [`put`] wrote.
    pub(super) fn part(&mut self, expected: &'static str) -> Result<&'a [u8], Flaw> {
        let len = self.u64(expected)?;
        self.take(len, expected)
    }

    /// What [`put`] wrote of a string.
    pub(super) fn string(&mut self, expected: &'static str) -> Result<&'a str, Flaw> {
        let part = self.part(expected)?;
        str::from_utf8(part).map_err(|_| self.flaw("no UTF-8 before here", expected))
    }

    /// What [`put_clock`] wrote, for a group of `members`.
    pub(super) fn clock(&mut self, members: usize, expected: &'static str) -> Result<Clock, Flaw> {
        let entries: Result<Vec<u64>, Flaw> = (0..members).map(|_| self.u64(expected)).collect();
        entries.map(Clock::from_entries)
    }
}

/// Length, 8 bytes, and content.
pub(super) fn put(part: &[u8], out: &mut Vec<u8>) {
    out.extend((part.len() as u64).to_be_bytes());
    out.extend(part);
}

/// The entries, 8 bytes each.
pub(super) fn put_clock(clock: &Clock, out: &mut Vec<u8>) {
    clock
        .entries()
        .iter()
        .for_each(|entry| out.extend(entry.to_be_bytes()));
}

/// A message as its frame. Of a payload that is no operation nothing but the stamp is kept, since it
/// has no other effect (6.4).
pub(super) fn frame_of(message: &Message, group: &Group) -> Bytes {
    let mut msg = Msg {
        replica: group.name(message.sender).clone(),
        ..Msg::default()
    };
    for (name, entry) in group.names().iter().zip(message.stamp.entries()) {
        let entry = u32::try_from(*entry).expect("clock entries of this profile have 32 bits");
        msg.vclock.insert(name.clone(), entry);
    }
    if let Some(Operation::Framed(operation)) = &message.operation {
        put_operation(operation.clone(), &mut msg);
    }
    framed::frame(&msg.encode())
}

fn put_operation(operation: framed::Operation, msg: &mut Msg) {
    use framed::Operation as O;
    match operation {
        O::Create(create) => (msg.operation, msg.create) = ("create".into(), Some(create)),
        O::Delete(delete) => (msg.operation, msg.delete) = ("delete".into(), Some(delete)),
        O::Append(append) => (msg.operation, msg.append) = ("append".into(), Some(append)),
        O::Expunge(expunge) => (msg.operation, msg.expunge) = ("expunge".into(), Some(expunge)),
        O::Store(store) => (msg.operation, msg.store) = ("store".into(), Some(store)),
    }
}

/// The message in the body of a frame; none if it is no message of this group.
pub(super) fn message_in(body: &Bytes, group: &Group) -> Option<Arc<Message>> {
    let msg = Msg::decode(body).ok()?;
    let sender = group.node(&msg.replica)?;
    let mut stamp = Clock::zero(group.size());
    for (name, entry) in &msg.vclock {
        stamp.set(group.node(name)?, u64::from(*entry));
    }
    let operation = msg.operation().map(Operation::Framed);
    let message = Message {
        sender,
        stamp,
        operation,
    };
    (message.seq() > 0).then(|| Arc::new(message))
}

/// Names of a group for messages.
pub(super) fn listed(names: &[Name]) -> String {
    names.join(", ")
}
