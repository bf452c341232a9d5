//! The storage as one value.

use serde::Serialize;

use crate::map::SortedMap;
use crate::pullsync::error::StoreError;
use crate::pullsync::interval::IntervalSet;
use crate::pullsync::space::{Chunk, Space};
use crate::pullsync::strategy::{Again, Cursor, KeysOfBins, Numbers, Presence, Strategies};

use super::{Mode, Placed, Scan, Storage, Write};

/// The storage of one node as a plain value; it never fails. O(log n) per chunk.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Disk<S: Space> {
    overlay: S::Peer,
    /// Data and stamp, cached included.
    chunks: SortedMap<S::Address, (S::Data, S::Stamp)>,
    /// The pull index. Each entry has its data in `chunks`, and a number that `counters` reached.
    index: SortedMap<(u8, u64), S::Address>,
    /// Where a chunk stands in the pull index: its inverse.
    places: SortedMap<S::Address, (u8, u64)>,
    /// The highest number ever assigned, per bin that has any; never decreases.
    counters: SortedMap<u8, u64>,
    intervals: SortedMap<(S::Peer, u8), IntervalSet>,
    how: Strategies,
}

impl<S: Space> Disk<S> {
    /// An empty one, of the node with this overlay.
    pub const fn new(overlay: S::Peer, how: Strategies) -> Self {
        Self {
            overlay,
            chunks: SortedMap::new(),
            index: SortedMap::new(),
            places: SortedMap::new(),
            counters: SortedMap::new(),
            intervals: SortedMap::new(),
            how,
        }
    }

    /// The overlay of the node, by which chunks have their bins.
    pub const fn overlay(&self) -> &S::Peer {
        &self.overlay
    }

    /// Carries out a write.
    pub fn apply(&mut self, write: &Write<S>) {
        match write {
            Write::Put { mode, chunks } => {
                self.place_all(*mode, chunks);
            }
            Write::Delete { address } => {
                self.remove(address);
            }
            Write::SetIntervals { peer, bin, set } => {
                self.intervals.insert((*peer, *bin), set.clone());
            }
            Write::RemoveIntervals { peer, bin } => {
                self.intervals.remove(&(*peer, *bin));
            }
        }
    }

    /// Number and address of the entries of a bin in the pull index, ascending.
    pub fn entries(&self, bin: u8) -> impl Iterator<Item = (u64, S::Address)> + '_ {
        self.entries_from(bin, 0)
    }

    /// Addresses of all chunks held, cached included, ascending.
    pub fn held(&self) -> impl Iterator<Item = &S::Address> {
        self.chunks.keys()
    }

    /// The interval sets by peer and bin.
    pub fn sets(&self) -> impl Iterator<Item = (&(S::Peer, u8), &IntervalSet)> {
        self.intervals.iter()
    }

    /// The interval set of a peer's bin.
    pub(super) fn set(&self, peer: &S::Peer, bin: u8) -> Option<&IntervalSet> {
        self.intervals.get(&(*peer, bin))
    }

    pub(super) fn place_all(&mut self, mode: Mode, chunks: &[Chunk<S>]) -> Vec<Placed> {
        chunks.iter().map(|chunk| self.place(mode, chunk)).collect()
    }

    /// Whether there was anything.
    pub(super) fn remove(&mut self, address: &S::Address) -> bool {
        if let Some(place) = self.places.remove(address) {
            self.index.remove(&place);
        }
        self.chunks.remove(address).is_some()
    }

    /// Deletes the set of a bin, and says which sets went.
    pub(super) fn remove_bin(&mut self, peer: &S::Peer, bin: u8) -> Vec<(S::Peer, u8)> {
        let how = self.how.keys_of_bins;
        self.remove_sets(|owner, of| owner == peer && belongs(of, bin, how))
    }

    /// Deletes the sets of bins below `below`, and says which went.
    pub(super) fn remove_below(
        &mut self,
        peer: Option<&S::Peer>,
        below: Option<u8>,
    ) -> Vec<(S::Peer, u8)> {
        let how = self.how.keys_of_bins;
        self.remove_sets(|owner, of| {
            let meant = |below| (0..below).any(|bin| belongs(of, bin, how));
            peer.is_none_or(|peer| owner == peer) && below.is_none_or(meant)
        })
    }

    fn remove_sets(&mut self, gone: impl Fn(&S::Peer, u8) -> bool) -> Vec<(S::Peer, u8)> {
        let mut removed = Vec::new();
        self.intervals.retain(|key, _| {
            let goes = gone(&key.0, key.1);
            if goes {
                removed.push(*key);
            }
            !goes
        });
        removed
    }

    fn entries_from(&self, bin: u8, from: u64) -> impl Iterator<Item = (u64, S::Address)> + '_ {
        self.index
            .iter_from(&(bin, from))
            .take_while(move |((of, _), _)| *of == bin)
            .map(|((_, id), address)| (*id, *address))
    }

    fn is_present(&self, address: &S::Address) -> bool {
        match self.how.presence {
            Presence::Index => self.places.contains(address),
            Presence::Data => self.chunks.contains(address),
        }
    }

    fn cursor(&self, bin: u8) -> u64 {
        match self.how.cursor {
            Cursor::EverAssigned => self.counters.get(&bin).copied().unwrap_or(0),
            Cursor::Surviving => self.entries(bin).last().map_or(0, |(id, _)| id),
        }
    }

    fn place(&mut self, mode: Mode, chunk: &Chunk<S>) -> Placed {
        let bin = S::bin(&self.overlay, &chunk.address);
        let exists = match mode {
            Mode::Upload | Mode::Sync if self.how.again == Again::Numbered => false,
            Mode::Upload | Mode::Sync => self.is_present(&chunk.address),
            Mode::Cache => self.chunks.contains(&chunk.address),
        };
        if !exists {
            let body = (chunk.data.clone(), chunk.stamp.clone());
            self.chunks.insert(chunk.address, body);
            if mode != Mode::Cache {
                self.enter(bin, chunk.address);
            }
        }
        let bin_id = self.places.get(&chunk.address).map(|(_, id)| *id);
        Placed {
            bin,
            bin_id,
            exists,
        }
    }

    /// Enters a chunk into the pull index under the next number of its bin.
    fn enter(&mut self, bin: u8, address: S::Address) {
        let surviving = match self.how.numbers {
            Numbers::AfterHighest => None,
            Numbers::AfterSurviving => Some(self.entries(bin).last().map_or(0, |(id, _)| id)),
        };
        let counter = self.counters.or_default(bin);
        *counter = surviving.unwrap_or(*counter) + 1;
        let place = (bin, *counter);
        self.index.insert(place, address);
        self.places.insert(address, place);
    }
}

impl<S: Space> Storage<S> for Disk<S> {
    fn has(&self, address: &S::Address) -> Result<bool, StoreError> {
        Ok(self.is_present(address))
    }

    fn chunk(&self, address: &S::Address) -> Result<Option<Chunk<S>>, StoreError> {
        let body = self.chunks.get(address);
        Ok(body.map(|(data, stamp)| Chunk {
            address: *address,
            data: data.clone(),
            stamp: stamp.clone(),
        }))
    }

    fn scan(&self, bin: u8, from: u64, to: u64, limit: usize) -> Result<Scan<S>, StoreError> {
        let inside = self
            .entries_from(bin, from)
            .take_while(|(id, _)| *id <= to)
            .take(limit);
        Ok(Scan {
            entries: inside.collect(),
            counter: self.cursor(bin),
        })
    }

    fn cursors(&self) -> Result<Vec<u64>, StoreError> {
        Ok((0..S::BINS).map(|bin| self.cursor(bin)).collect())
    }

    fn put(&mut self, mode: Mode, chunks: &[Chunk<S>]) -> Result<Vec<Placed>, StoreError> {
        Ok(self.place_all(mode, chunks))
    }

    fn delete(&mut self, address: &S::Address) -> Result<bool, StoreError> {
        Ok(self.remove(address))
    }

    fn intervals(&self, peer: &S::Peer, bin: u8) -> Result<Option<IntervalSet>, StoreError> {
        Ok(self.set(peer, bin).cloned())
    }

    fn set_intervals(
        &mut self,
        peer: &S::Peer,
        bin: u8,
        set: &IntervalSet,
    ) -> Result<(), StoreError> {
        self.intervals.insert((*peer, bin), set.clone());
        Ok(())
    }

    fn reset_intervals(
        &mut self,
        peer: Option<&S::Peer>,
        below: Option<u8>,
    ) -> Result<u64, StoreError> {
        Ok(self.remove_below(peer, below).len() as u64)
    }

    fn remove_intervals(&mut self, peer: &S::Peer, bin: u8) -> Result<bool, StoreError> {
        Ok(!self.remove_bin(peer, bin).is_empty())
    }
}

/// Whether the set of bin `of` is one of those of `bin`.
fn belongs(of: u8, bin: u8, how: KeysOfBins) -> bool {
    match how {
        KeysOfBins::Whole => of == bin,
        KeysOfBins::Prefix => of.to_string().starts_with(&bin.to_string()),
    }
}
