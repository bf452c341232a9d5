//! The set of states seen, by fingerprint.

use std::hash::{BuildHasher, Hash};
use std::mem::size_of;

use foldhash::quality::FixedState;
use hashbrown::HashTable;

/// Parent of an initial state.
pub(crate) const ROOT: u32 = u32::MAX;

/// Ids are `u32` with one value to spare.
pub(crate) const MOST_STATES: usize = u32::MAX as usize - 1;

/// 64 bits that stand for a state. Two of n states share one with probability below n²/2⁶⁵: for
/// ten million states, three in a million.
pub(crate) fn fingerprint<S: Hash>(state: &S) -> u64 {
    FixedState::with_seed(0x636f_6e63_6f72_6421).hash_one(state)
}

/// Ids of states in the order in which they were found, each with its fingerprint and the state
/// from which it was first reached. The states themselves are not kept.
#[derive(Default)]
pub(crate) struct Seen {
    ids: HashTable<u32>,
    fingerprints: Vec<u64>,
    parents: Vec<u32>,
}

impl Seen {
    pub(crate) fn len(&self) -> usize {
        self.fingerprints.len()
    }

    pub(crate) fn find(&self, fingerprint: u64) -> Option<u32> {
        let same = |id: &u32| self.fingerprints[*id as usize] == fingerprint;
        self.ids.find(fingerprint, same).copied()
    }

    /// Adds a state that [`Seen::find`] did not find.
    pub(crate) fn insert(&mut self, fingerprint: u64, parent: u32) -> u32 {
        debug_assert!(self.len() < MOST_STATES);
        let id = self.len() as u32;
        self.fingerprints.push(fingerprint);
        self.parents.push(parent);
        let fingerprints = &self.fingerprints;
        self.ids
            .insert_unique(fingerprint, id, |id| fingerprints[*id as usize]);
        id
    }

    pub(crate) fn fingerprint(&self, id: u32) -> u64 {
        self.fingerprints[id as usize]
    }

    pub(crate) fn is_initial(&self, id: u32) -> bool {
        self.parents[id as usize] == ROOT
    }

    /// The ids on a shortest path from an initial state to `id`, both included.
    pub(crate) fn path_to(&self, id: u32) -> Vec<u32> {
        let mut path = vec![id];
        let mut at = self.parents[id as usize];
        while at != ROOT {
            path.push(at);
            at = self.parents[at as usize];
        }
        path.reverse();
        path
    }

    pub(crate) fn bytes(&self) -> usize {
        self.ids.allocation_size()
            + self.fingerprints.capacity() * size_of::<u64>()
            + self.parents.capacity() * size_of::<u32>()
    }
}
