//! A disk that tells what was written to it.

use std::cell::Cell;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::pullsync::error::StoreError;
use crate::pullsync::interval::IntervalSet;
use crate::pullsync::space::{Chunk, Space};

use super::{Disk, Mode, Placed, Scan, Storage, Write};

/// What of the storage fails next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failing {
    /// The next put.
    Put,
    /// The next iteration of the pull index.
    Scan,
}

/// A disk that notes its writes, and fails on demand. What changes nothing is not noted: a copy of the
/// disk on which the writes are [applied](Disk::apply) in order is equal to the disk.
#[derive(Debug)]
pub struct Recording<'a, S: Space> {
    /// Where it is written.
    pub disk: &'a mut Disk<S>,
    /// The writes so far; new ones are appended.
    pub writes: &'a mut Vec<Write<S>>,
    /// What fails next; taken when it did.
    pub failing: &'a Cell<Option<Failing>>,
}

impl<S: Space> Recording<'_, S> {
    fn fail_if(&self, failing: Failing) -> Result<(), StoreError> {
        if self.failing.get() != Some(failing) {
            return Ok(());
        }
        self.failing.set(None);
        Err(StoreError(SmolStr::new_static(match failing {
            Failing::Put => "a put fails on demand",
            Failing::Scan => "a scan fails on demand",
        })))
    }

    fn note_removed(&mut self, removed: Vec<(S::Peer, u8)>) {
        let removed = removed.into_iter();
        self.writes
            .extend(removed.map(|(peer, bin)| Write::RemoveIntervals { peer, bin }));
    }
}

impl<S: Space> Storage<S> for Recording<'_, S> {
    fn has(&self, address: &S::Address) -> Result<bool, StoreError> {
        self.disk.has(address)
    }

    fn chunk(&self, address: &S::Address) -> Result<Option<Chunk<S>>, StoreError> {
        self.disk.chunk(address)
    }

    fn scan(&self, bin: u8, from: u64, to: u64, limit: usize) -> Result<Scan<S>, StoreError> {
        self.fail_if(Failing::Scan)?;
        self.disk.scan(bin, from, to, limit)
    }

    fn cursors(&self) -> Result<Vec<u64>, StoreError> {
        self.disk.cursors()
    }

    fn put(&mut self, mode: Mode, chunks: &[Chunk<S>]) -> Result<Vec<Placed>, StoreError> {
        self.fail_if(Failing::Put)?;
        let placed = self.disk.place_all(mode, chunks);
        let new = chunks.iter().zip(&placed);
        let new = new.filter(|(_, placed)| !placed.exists);
        let chunks: Vec<_> = new.map(|(chunk, _)| chunk.clone()).collect();
        if !chunks.is_empty() {
            self.writes.push(Write::Put { mode, chunks });
        }
        Ok(placed)
    }

    fn delete(&mut self, address: &S::Address) -> Result<bool, StoreError> {
        let existed = self.disk.remove(address);
        if existed {
            self.writes.push(Write::Delete { address: *address });
        }
        Ok(existed)
    }

    fn intervals(&self, peer: &S::Peer, bin: u8) -> Result<Option<IntervalSet>, StoreError> {
        self.disk.intervals(peer, bin)
    }

    fn set_intervals(
        &mut self,
        peer: &S::Peer,
        bin: u8,
        set: &IntervalSet,
    ) -> Result<(), StoreError> {
        if self.disk.set(peer, bin) == Some(set) {
            return Ok(());
        }
        self.writes.push(Write::SetIntervals {
            peer: *peer,
            bin,
            set: set.clone(),
        });
        self.disk.set_intervals(peer, bin, set)
    }

    fn reset_intervals(
        &mut self,
        peer: Option<&S::Peer>,
        below: Option<u8>,
    ) -> Result<u64, StoreError> {
        let removed = self.disk.remove_below(peer, below);
        let count = removed.len() as u64;
        self.note_removed(removed);
        Ok(count)
    }

    fn remove_intervals(&mut self, peer: &S::Peer, bin: u8) -> Result<bool, StoreError> {
        let removed = self.disk.remove_bin(peer, bin);
        let any = !removed.is_empty();
        self.note_removed(removed);
        Ok(any)
    }
}
