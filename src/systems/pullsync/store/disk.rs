//! The storage as one value.
#![allow(missing_docs, reason = "skeleton")]

use serde::Serialize;

use crate::map::SortedMap;
use crate::pullsync::error::StoreError;
use crate::pullsync::interval::IntervalSet;
use crate::pullsync::space::{Chunk, Space};
use crate::pullsync::strategy::Strategies;

use super::{Mode, Placed, Scan, Storage, Write};

/// The storage of one node as a plain value. O(log n) per chunk.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Disk<S: Space> {
    overlay: S::Peer,
    /// Data and stamp, cached included.
    chunks: SortedMap<S::Address, (S::Data, S::Stamp)>,
    /// The pull index.
    index: SortedMap<(u8, u64), S::Address>,
    /// Where a chunk stands in the pull index.
    places: SortedMap<S::Address, (u8, u64)>,
    /// The highest number ever assigned, per bin that has any.
    counters: SortedMap<u8, u64>,
    intervals: SortedMap<(S::Peer, u8), IntervalSet>,
    how: Strategies,
}

impl<S: Space> Disk<S> {
    /// An empty one.
    pub fn new(_overlay: S::Peer, _how: Strategies) -> Self {
        todo!()
    }

    pub fn overlay(&self) -> &S::Peer {
        &self.overlay
    }

    /// Carries out a write.
    pub fn apply(&mut self, _write: &Write<S>) {
        todo!()
    }

    /// Number and address of the entries of a bin, ascending.
    pub fn entries(&self, _bin: u8) -> impl Iterator<Item = (u64, S::Address)> + '_ {
        std::iter::empty()
    }

    /// Addresses of all chunks held, cached included, ascending.
    pub fn held(&self) -> impl Iterator<Item = &S::Address> {
        std::iter::empty()
    }

    /// The interval sets by peer and bin.
    pub fn sets(&self) -> impl Iterator<Item = (&(S::Peer, u8), &IntervalSet)> {
        std::iter::empty()
    }
}

/// What of the storage fails next.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Failing {
    Put,
    Scan,
}

/// A disk that notes its writes, and fails on demand.
#[derive(Debug)]
pub struct Recording<'a, S: Space> {
    pub disk: &'a mut Disk<S>,
    pub writes: &'a mut Vec<Write<S>>,
    /// What fails next; taken when it did.
    pub failing: &'a std::cell::Cell<Option<Failing>>,
}

impl<S: Space> Storage<S> for Disk<S> {
    fn has(&self, _address: &S::Address) -> Result<bool, StoreError> {
        todo!()
    }
    fn chunk(&self, _address: &S::Address) -> Result<Option<Chunk<S>>, StoreError> {
        todo!()
    }
    fn scan(&self, _bin: u8, _from: u64, _to: u64, _limit: usize) -> Result<Scan<S>, StoreError> {
        todo!()
    }
    fn cursors(&self) -> Result<Vec<u64>, StoreError> {
        todo!()
    }
    fn put(&mut self, _mode: Mode, _chunks: &[Chunk<S>]) -> Result<Vec<Placed>, StoreError> {
        todo!()
    }
    fn delete(&mut self, _address: &S::Address) -> Result<bool, StoreError> {
        todo!()
    }
    fn intervals(&self, _peer: &S::Peer, _bin: u8) -> Result<Option<IntervalSet>, StoreError> {
        todo!()
    }
    fn set_intervals(
        &mut self,
        _peer: &S::Peer,
        _bin: u8,
        _set: &IntervalSet,
    ) -> Result<(), StoreError> {
        todo!()
    }
    fn reset_intervals(
        &mut self,
        _peer: Option<&S::Peer>,
        _below: Option<u8>,
    ) -> Result<u64, StoreError> {
        todo!()
    }
    fn remove_intervals(&mut self, _peer: &S::Peer, _bin: u8) -> Result<bool, StoreError> {
        todo!()
    }
}

impl<S: Space> Storage<S> for Recording<'_, S> {
    fn has(&self, _address: &S::Address) -> Result<bool, StoreError> {
        todo!()
    }
    fn chunk(&self, _address: &S::Address) -> Result<Option<Chunk<S>>, StoreError> {
        todo!()
    }
    fn scan(&self, _bin: u8, _from: u64, _to: u64, _limit: usize) -> Result<Scan<S>, StoreError> {
        todo!()
    }
    fn cursors(&self) -> Result<Vec<u64>, StoreError> {
        todo!()
    }
    fn put(&mut self, _mode: Mode, _chunks: &[Chunk<S>]) -> Result<Vec<Placed>, StoreError> {
        todo!()
    }
    fn delete(&mut self, _address: &S::Address) -> Result<bool, StoreError> {
        todo!()
    }
    fn intervals(&self, _peer: &S::Peer, _bin: u8) -> Result<Option<IntervalSet>, StoreError> {
        todo!()
    }
    fn set_intervals(
        &mut self,
        _peer: &S::Peer,
        _bin: u8,
        _set: &IntervalSet,
    ) -> Result<(), StoreError> {
        todo!()
    }
    fn reset_intervals(
        &mut self,
        _peer: Option<&S::Peer>,
        _below: Option<u8>,
    ) -> Result<u64, StoreError> {
        todo!()
    }
    fn remove_intervals(&mut self, _peer: &S::Peer, _bin: u8) -> Result<bool, StoreError> {
        todo!()
    }
}
