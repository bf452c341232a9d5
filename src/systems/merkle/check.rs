//! Whole-replica invariants of the store.

use super::block::{Disk, Ids};
use super::state::Store;
use crate::map::SortedSet;

impl<I: Ids> Disk<I> {
    /// CTR-S12: every processed block is a head or an ancestor of a head. O(blocks).
    pub fn heads_cover_processed(&self) -> bool {
        let mut covered = SortedSet::new();
        let mut todo: Vec<I::Address> = self.heads.keys().copied().collect();
        while let Some(address) = todo.pop() {
            if covered.insert(address, ()).is_none()
                && let Some(block) = self.blocks.get(&address)
            {
                todo.extend(&block.parents);
            }
        }
        self.processed.keys().all(|block| covered.contains(block))
    }

    /// Whether every parent of a processed block is processed. O(blocks).
    pub fn processed_is_closed(&self) -> bool {
        self.processed.keys().all(|address| {
            let block = self.blocks.get(address);
            block.is_some_and(|block| {
                let mut parents = block.parents.iter();
                parents.all(|parent| self.processed.contains(parent))
            })
        })
    }
}

impl<I: Ids> Store<I> {
    /// CTR-S13: every parent of a processed block is processed, or dirty is set, or a walk is
    /// running.
    pub fn holes_are_known(&self) -> bool {
        self.disk.dirty || self.exchange.is_some() || self.disk.processed_is_closed()
    }
}
