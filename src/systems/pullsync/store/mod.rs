//! What a node keeps (3): chunks, the pull index, counters and interval sets.
#![allow(missing_docs, reason = "skeleton")]

mod disk;
mod page;

pub use disk::{Disk, Failing, Recording};
pub use page::{Page, check, collect};

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::interval::IntervalSet;
use super::space::{Chunk, Space};

/// For what a chunk is put.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Upload,
    Sync,
    Cache,
}

/// What one put made of one chunk (12.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Placed {
    pub bin: u8,
    /// None if it is not indexed.
    pub bin_id: Option<u64>,
    /// Mode cache: its data were there in any form; else: it was in the pull index.
    pub exists: bool,
}

/// Surviving entries of a bin in ascending order, and its counter, read at one instant.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Scan<S: Space> {
    pub entries: Vec<(u64, S::Address)>,
    pub counter: u64,
}

/// The storage contract (3). Every call is one atomic step. A failed call changed nothing.
pub trait Storage<S: Space> {
    /// Whether a chunk is in the pull index.
    fn has(&self, address: &S::Address) -> Result<bool, StoreError>;
    /// A chunk by its data, cached included.
    fn chunk(&self, address: &S::Address) -> Result<Option<Chunk<S>>, StoreError>;
    /// Up to `limit` surviving entries of `bin` with `from <= id <= to`.
    fn scan(&self, bin: u8, from: u64, to: u64, limit: usize) -> Result<Scan<S>, StoreError>;
    /// The highest number ever assigned, for each of the 32 bins.
    fn cursors(&self) -> Result<Vec<u64>, StoreError>;
    fn put(&mut self, mode: Mode, chunks: &[Chunk<S>]) -> Result<Vec<Placed>, StoreError>;
    /// Whether there was anything under the address.
    fn delete(&mut self, address: &S::Address) -> Result<bool, StoreError>;
    /// The interval set of a peer's bin, none if there is none.
    fn intervals(&self, peer: &S::Peer, bin: u8) -> Result<Option<IntervalSet>, StoreError>;
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
    Put {
        mode: Mode,
        chunks: Vec<Chunk<S>>,
    },
    Delete {
        address: S::Address,
    },
    SetIntervals {
        peer: S::Peer,
        bin: u8,
        set: IntervalSet,
    },
    RemoveIntervals {
        peer: S::Peer,
        bin: u8,
    },
}

/// The key under which an interval set is kept (4): 64 lower-case hex digits, `|`, the bin.
pub fn interval_key(peer: &super::Address, bin: i32) -> String {
    let _ = (peer, bin);
    todo!()
}
