//! Received messages that are not delivered, indexed by what they wait for (6.4).

use super::clock::{Clock, Node};
use super::strategy::{Dependencies, Duplicates};

/// In which order the scan of the receive log acts (6.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub enum Scan {
    /// After each action again from the oldest entry: text.
    Restart,
    /// Passes from the oldest to the newest until one does nothing: framed.
    Sweep,
}

/// What [`Pending::next`] found; the entry is out of the index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found<T> {
    /// Deliver it: then the clock's entry of its sender must be raised before `next` is called again.
    Apply {
        /// Number of the entry.
        id: u64,
        /// What was put in.
        item: T,
    },
    /// Delivered before: purge it.
    Duplicate {
        /// Number of the entry.
        id: u64,
        /// What was put in.
        item: T,
    },
}

/// Entries in order of arrival, each waiting for one message that it misses.
///
/// Equality and hash are those of the sequence of items, not of the index.
#[derive(Clone, Debug)]
pub struct Pending<T> {
    _items: Vec<T>,
}

impl<T: AsRef<super::Message>> Pending<T> {
    /// Empty, for a group of `members`.
    pub fn new(
        _members: usize,
        _scan: Scan,
        _duplicates: Duplicates,
        _dependencies: Dependencies,
    ) -> Self {
        todo!()
    }
    /// Appends entry `id`, which is above all before it, `clock` being that of the node. O(1) amortised but for the clock test.
    pub fn push(&mut self, _id: u64, _item: T, _clock: &Clock) {
        todo!()
    }
    /// Number of entries.
    pub fn len(&self) -> usize {
        todo!()
    }
    /// Begins a run at the oldest entry (sweep: a new pass).
    pub fn rewind(&mut self) {
        todo!()
    }
    /// The next entry that the scan acts on, given the node's clock; none if all wait.
    pub fn next(&mut self, _clock: &Clock) -> Option<Found<T>> {
        todo!()
    }
    /// Tells that the clock's entry of `sender` was raised to `seq` by delivering the entry found last (or locally): wakes who waited.
    pub fn delivered(&mut self, _sender: Node, _seq: u64) {
        todo!()
    }
    /// Whether an entry that waits stands, in order of the scan, before the one that `next` would give (D16).
    pub fn blocked(&self, _clock: &Clock) -> bool {
        todo!()
    }
    /// The entries in order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        std::iter::empty()
    }
}
