//! What a node keeps (3): chunks, the pull index, counters and interval sets.

mod disk;
mod page;
mod recording;

pub use disk::Disk;
pub use page::{Page, check, collect};
pub use recording::{Failing, Recording};

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::interval::IntervalSet;
use super::space::{Chunk, Space};

/// For what a chunk is put (3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It was uploaded here: it is indexed, so that neighbours pull it.
    Upload,
    /// It was pulled from a neighbour: it is indexed, so that other neighbours pull it.
    Sync,
    /// Its data may be of use: they are kept, and not indexed.
    Cache,
}

/// What one put made of one chunk (12.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Placed {
    /// The bin to which it belongs on this node, below [`super::limits::BINS`].
    pub bin: u8,
    /// Its number in the pull index, at least 1; none if it is not indexed.
    pub bin_id: Option<u64>,
    /// Whether the put changed nothing: in mode cache because its data were there in any form, else
    /// because it was in the pull index.
    pub exists: bool,
}

/// Surviving entries of a bin, and its counter, read at one instant.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Scan<S: Space> {
    /// Number and address, ascending.
    pub entries: Vec<(u64, S::Address)>,
    /// The highest number ever assigned in the bin, 0 if none.
    pub counter: u64,
}

/// The storage contract (3). Every call is one atomic step. A failed call changed nothing.
pub trait Storage<S: Space> {
    /// Whether a chunk is in the pull index.
    fn has(&self, address: &S::Address) -> Result<bool, StoreError>;

    /// A chunk by its data, cached included.
    fn chunk(&self, address: &S::Address) -> Result<Option<Chunk<S>>, StoreError>;

    /// The first `limit` surviving entries of `bin` with `from <= id <= to`, and the counter of the bin.
    fn scan(&self, bin: u8, from: u64, to: u64, limit: usize) -> Result<Scan<S>, StoreError>;

    /// The highest number ever assigned, for each of the [`Space::BINS`] bins.
    fn cursors(&self) -> Result<Vec<u64>, StoreError>;

    /// Puts chunks, and says of each, in order, what became of it. Each that is not indexed yet gets the
    /// next number of its bin, unless the mode is cache.
    fn put(&mut self, mode: Mode, chunks: &[Chunk<S>]) -> Result<Vec<Placed>, StoreError>;

    /// Removes data and index entry; its number is not given again. Whether there was anything.
    fn delete(&mut self, address: &S::Address) -> Result<bool, StoreError>;

    /// The interval set of a peer's bin, none if there is none.
    fn intervals(&self, peer: &S::Peer, bin: u8) -> Result<Option<IntervalSet>, StoreError>;

    /// Replaces the interval set of a peer's bin.
    fn set_intervals(
        &mut self,
        peer: &S::Peer,
        bin: u8,
        set: &IntervalSet,
    ) -> Result<(), StoreError>;

    /// Deletes the sets of a peer, or of all, in bins below `below`, or in all, and says how many.
    fn reset_intervals(
        &mut self,
        peer: Option<&S::Peer>,
        below: Option<u8>,
    ) -> Result<u64, StoreError>;

    /// Deletes the set of one bin of a peer; whether there was one.
    fn remove_intervals(&mut self, peer: &S::Peer, bin: u8) -> Result<bool, StoreError>;
}

/// One atomic write.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Write<S: Space> {
    /// Chunks are put.
    Put {
        /// For what.
        mode: Mode,
        /// Those that change anything, in the order in which they get their numbers.
        chunks: Vec<Chunk<S>>,
    },
    /// A chunk is deleted.
    Delete {
        /// Its address.
        address: S::Address,
    },
    /// An interval set is replaced.
    SetIntervals {
        /// Whose numbers they are.
        peer: S::Peer,
        /// The bin of that peer.
        bin: u8,
        /// The new set.
        set: IntervalSet,
    },
    /// An interval set is deleted.
    RemoveIntervals {
        /// Whose numbers they are.
        peer: S::Peer,
        /// The bin of that peer.
        bin: u8,
    },
}

/// The key under which an interval set is kept (4): 64 lower-case hex digits, `|`, the bin.
pub fn interval_key(peer: &super::Address, bin: i32) -> String {
    format!("{peer:?}|{bin}")
}
