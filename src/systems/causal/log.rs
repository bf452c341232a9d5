//! Logs as their bytes say: complete records, and perhaps a torn tail (5, 6.1).

use bytes::Bytes;

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

/// The content of a log file, cut into records by the profile's framing. Equality, hash and
/// serialization are those of the bytes (records in order, tail), not of the numbers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Log {
    profile: Profile,
    /// By number, counted from the open.
    records: SortedMap<u64, Bytes>,
    next: u64,
    /// Bytes after the last complete record.
    tail: Bytes,
}

impl Log {
    /// Empty.
    pub fn new(_profile: Profile) -> Self {
        todo!()
    }
    /// The content of a file.
    pub fn read(_profile: Profile, _bytes: Bytes) -> Self {
        todo!()
    }
    /// Appends bytes: to the tail if there is one. Gives the numbers of the records completed.
    pub fn append(&mut self, _bytes: &Bytes) -> std::ops::Range<u64> {
        todo!()
    }
    /// Number of complete records.
    pub fn len(&self) -> usize {
        todo!()
    }
    /// Whether there is no complete record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The records, without framing, with their numbers, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        std::iter::empty()
    }
    /// The record of this number.
    pub fn get(&self, _id: u64) -> Option<&Bytes> {
        todo!()
    }
    /// Removes a record.
    pub fn remove(&mut self, _id: u64) {
        todo!()
    }
    /// Removes the `count` oldest.
    pub fn truncate_front(&mut self, _count: usize) {
        todo!()
    }
    /// The torn tail.
    pub fn tail(&self) -> &Bytes {
        &self.tail
    }
    /// Cuts the torn tail and says how many bytes that were.
    pub fn cut(&mut self) -> usize {
        todo!()
    }
    /// The file.
    pub fn bytes(&self) -> Bytes {
        todo!()
    }
}

/// A record with its framing: text: the line and LF; framed: its frame.
pub fn framed_record(_profile: Profile, _record: &[u8]) -> Bytes {
    todo!()
}
