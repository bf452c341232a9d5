//! Logs as their bytes say: complete records, and perhaps a torn tail (5, 6.1).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::framed;
use super::group::Profile;
use crate::map::SortedMap;

/// Which log.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum LogName {
    /// Own messages not confirmed by all.
    Send,
    /// Received messages not delivered.
    Receive,
}

/// The content of a log file, cut into records by the profile's framing.
///
/// Records are numbered in the order in which they were completed, from 0 at the open; a number is
/// never given twice. Equality, hash and serialization are those of the bytes (records in order,
/// then the tail), not of the numbers.
#[derive(Clone, Debug)]
pub struct Log {
    profile: Profile,
    records: SortedMap<u64, Framed>,
    next: u64,
    /// Bytes after the last complete record.
    tail: Bytes,
}

/// A record as it stands in the file.
#[derive(Clone, Debug)]
struct Framed {
    raw: Bytes,
    /// Where the record without its framing begins in `raw`.
    start: usize,
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send => "send log",
            Self::Receive => "receive log",
        })
    }
}

impl Log {
    /// A log without any byte.
    pub const fn new(profile: Profile) -> Self {
        Self {
            profile,
            records: SortedMap::new(),
            next: 0,
            tail: Bytes::new(),
        }
    }

    /// The content of a file. O(bytes); records are slices of `bytes`.
    pub fn read(profile: Profile, bytes: Bytes) -> Self {
        let mut log = Self::new(profile);
        log.append(&bytes);
        log
    }

    /// Appends bytes: to the tail if there is one, whatever they then say together (D7, D8). Gives
    /// the numbers of the records that are complete now. O(bytes and tail).
    pub fn append(&mut self, bytes: &Bytes) -> Range<u64> {
        let first = self.next;
        let buffer = self.with_tail(bytes);
        let mut at = 0;
        while let Some((start, length)) = first_record(self.profile, &buffer[at..]) {
            let raw = buffer.slice(at..at + length);
            self.records.insert(self.next, Framed { raw, start });
            self.next += 1;
            at += length;
        }
        self.tail = if at == buffer.len() {
            Bytes::new()
        } else {
            buffer.slice(at..)
        };
        first..self.next
    }

    /// Number of complete records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no complete record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The records, without framing, with their numbers, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Bytes)> + '_ {
        let records = self.records.iter();
        records.map(|(id, record)| (*id, self.unframed(record)))
    }

    /// The record of this number, without framing, unless it was removed. O(log n).
    pub fn get(&self, id: u64) -> Option<Bytes> {
        self.records.get(&id).map(|record| self.unframed(record))
    }

    /// Removes a record, if it is there. O(log n).
    pub fn remove(&mut self, id: u64) {
        self.records.remove(&id);
    }

    /// Removes the `count` oldest records, or all if there are fewer. O(log n) each.
    pub fn truncate_front(&mut self, count: usize) {
        let oldest: Vec<u64> = self.records.keys().copied().take(count).collect();
        for id in oldest {
            self.records.remove(&id);
        }
    }

    /// The torn tail: what follows the last complete record.
    pub const fn tail(&self) -> &Bytes {
        &self.tail
    }

    /// Cuts the torn tail and says how many bytes that were.
    pub fn cut(&mut self) -> usize {
        std::mem::take(&mut self.tail).len()
    }

    /// The file. O(bytes).
    pub fn bytes(&self) -> Bytes {
        let records = self.records.values().map(|record| &record.raw);
        let parts: Vec<&[u8]> = records.chain([&self.tail]).map(AsRef::as_ref).collect();
        parts.concat().into()
    }

    fn with_tail(&self, bytes: &Bytes) -> Bytes {
        if self.tail.is_empty() {
            return bytes.clone();
        }
        [self.tail.as_ref(), bytes.as_ref()].concat().into()
    }

    fn unframed(&self, record: &Framed) -> Bytes {
        let end = record.raw.len() - terminator(self.profile);
        record.raw.slice(record.start..end)
    }
}

/// A record with its framing: text: the line and LF; framed: its frame.
pub(super) fn framed_record(profile: Profile, record: &[u8]) -> Bytes {
    match profile {
        Profile::Text => [record, b"\n"].concat().into(),
        Profile::Framed => framed::frame(record),
    }
}

/// Where the first record begins without its framing, and its length with it; none if it is not
/// complete.
fn first_record(profile: Profile, raw: &[u8]) -> Option<(usize, usize)> {
    match profile {
        Profile::Text => {
            let end = raw.iter().position(|byte| *byte == b'\n')?;
            Some((0, end + terminator(profile)))
        }
        Profile::Framed => {
            let (body, length) = framed::first_frame(raw).ok()?;
            Some((body.start, length))
        }
    }
}

/// Length of what ends a record.
const fn terminator(profile: Profile) -> usize {
    match profile {
        Profile::Text => 1,
        Profile::Framed => 0,
    }
}

impl PartialEq for Log {
    fn eq(&self, other: &Self) -> bool {
        self.tail == other.tail && self.records.values().eq(other.records.values())
    }
}

impl Eq for Log {}

impl Hash for Log {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.records.len().hash(state);
        for record in self.records.values() {
            record.raw.hash(state);
        }
        self.tail.hash(state);
    }
}

impl Serialize for Log {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let records = self.records.values().map(|record| &record.raw);
        serializer.collect_seq(records.chain([&self.tail]))
    }
}

impl PartialEq for Framed {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}
