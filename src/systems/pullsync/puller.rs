//! What a node pulls from whom: peers, cursors, workers, seals (9).
#![allow(missing_docs, reason = "skeleton")]

use serde::{Deserialize, Serialize};

use crate::map::SortedMap;

use super::error::{SealError, StoreError};
use super::interval::IntervalSet;
use super::space::Space;
use super::store::Storage;
use super::strategy::Strategies;

/// The tracked peers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Puller<S: Space> {
    bins: u8,
    depth: u8,
    tracked: SortedMap<S::Peer, Tracked>,
    how: Strategies,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Tracked {
    /// None until fetched.
    cursors: Option<Vec<u64>>,
    /// The active bins.
    bins: SortedMap<u8, Workers>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Workers {
    hist: WorkerState,
    live: WorkerState,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum WorkerState {
    Running,
    Finished,
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worker {
    Hist,
    Live,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Finished,
    Failed,
}

/// A range to ask for, ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Range {
    pub from: u64,
    pub to: u64,
}

/// A connected peer with its proximity order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Neighbour<S: Space> {
    pub peer: S::Peer,
    pub order: u8,
}

/// A worker to be started.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Start<S: Space> {
    pub peer: S::Peer,
    pub bin: u8,
    pub worker: Worker,
    pub range: Range,
}

/// What a change of the topology led to (12.9).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Changed<S: Space> {
    pub fetch: Vec<S::Peer>,
    /// By peer, bin, hist before live.
    pub start: Vec<Start<S>>,
    /// By peer, bin.
    pub stop: Vec<(S::Peer, u8)>,
    pub drop: Vec<S::Peer>,
}

/// What a cursor list led to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Arrived<S: Space> {
    /// Bins whose set was deleted, ascending.
    pub reset: Vec<u8>,
    pub start: Vec<Start<S>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum CursorsError {
    #[error("{length} cursors, expected {bins}; the list is discarded")]
    LengthMismatch { length: usize, bins: u8 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: Space> Puller<S> {
    pub fn new(_bins: u8, _how: Strategies) -> Self {
        todo!()
    }
    pub fn change(
        &mut self,
        _storage: &mut impl Storage<S>,
        _depth: u8,
        _peers: &[Neighbour<S>],
    ) -> Result<Changed<S>, StoreError> {
        todo!()
    }
    pub fn cursors(
        &mut self,
        _storage: &mut impl Storage<S>,
        _peer: S::Peer,
        _cursors: Option<&[u64]>,
    ) -> Result<Arrived<S>, CursorsError> {
        todo!()
    }
    pub fn worker_done(&mut self, _peer: S::Peer, _bin: u8, _worker: Worker, _outcome: Outcome) {
        todo!()
    }
    /// The next range of the worker after a seal; none if nothing is missing.
    pub fn next(
        &self,
        _storage: &impl Storage<S>,
        _peer: S::Peer,
        _bin: u8,
        _worker: Worker,
    ) -> Result<Option<Range>, StoreError> {
        todo!()
    }
    /// State of a worker, none if its bin is not active.
    pub fn worker(&self, _peer: &S::Peer, _bin: u8, _worker: Worker) -> Option<WorkerState> {
        todo!()
    }
    /// The tracked peers, each with whether its cursors are known.
    pub fn tracked(&self) -> impl Iterator<Item = (&S::Peer, Option<&[u64]>)> {
        std::iter::empty()
    }
    /// The workers of active bins.
    pub fn workers(&self) -> impl Iterator<Item = (S::Peer, u8, Worker, WorkerState)> + '_ {
        std::iter::empty()
    }
    pub const fn depth(&self) -> u8 {
        self.depth
    }
}

/// What a hist worker asks for next (9.3, 12.9); creates and persists the empty set if there is none.
pub fn hist_next<S: Space>(
    _storage: &mut impl Storage<S>,
    _peer: &S::Peer,
    _bin: u8,
    _cursor: u64,
    _how: &Strategies,
) -> Result<Option<Range>, StoreError> {
    todo!()
}

/// What a live worker asks for next; persists nothing.
pub fn live_next<S: Space>(
    _storage: &impl Storage<S>,
    _peer: &S::Peer,
    _bin: u8,
    _cursor: u64,
    _how: &Strategies,
) -> Result<Option<Range>, StoreError> {
    todo!()
}

/// Seals `from..=topmost` (9.4): read, add, write as one step, since nobody else has the storage meanwhile.
pub fn seal<S: Space>(
    _storage: &mut impl Storage<S>,
    _peer: &S::Peer,
    _bin: u8,
    _from: u64,
    _topmost: u64,
    _how: &Strategies,
) -> Result<IntervalSet, SealError> {
    todo!()
}
