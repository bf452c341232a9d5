//! What reads must return, recomputed from the whole history at every question.

use std::collections::{BTreeMap, BTreeSet};

use concord::systems::counter::Direction;

/// Direction, key, node, life.
pub(crate) type SubCounter = (Direction, u8, u8, u8);

/// Every bump that was ever stored, in order, and who has seen which.
pub(crate) struct Oracle {
    bumps: Vec<SubCounter>,
    lives: BTreeMap<u8, u8>,
    seen: BTreeMap<u8, BTreeSet<u32>>,
}

impl Oracle {
    pub(crate) fn new() -> Self {
        Self {
            bumps: Vec::new(),
            lives: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    /// A bump was stored.
    pub(crate) fn stored(&mut self, node: u8, direction: Direction, key: u8) {
        let life = self.lives.get(&node).copied().unwrap_or(0);
        self.bumps.push((direction, key, node, life));
    }

    /// A node has come to see these bumps.
    pub(crate) fn sees(&mut self, node: u8, bumps: &BTreeSet<u32>) {
        let stored = self.bumps.len() as u32;
        let invented: Vec<&u32> = bumps.iter().filter(|bump| **bump >= stored).collect();
        assert!(invented.is_empty(), "{invented:?} were never written");
        self.seen.entry(node).or_default().extend(bumps);
    }

    /// A node began a new life.
    pub(crate) fn crashed(&mut self, node: u8) {
        *self.lives.entry(node).or_insert(0) += 1;
    }

    /// A node lost what it had seen.
    pub(crate) fn lost(&mut self, node: u8) {
        self.seen.remove(&node);
    }

    pub(crate) fn seen_by(&self, node: u8) -> BTreeSet<u32> {
        self.seen.get(&node).cloned().unwrap_or_default()
    }

    /// The total of each sub-counter: its latest bump that was seen is the so-many-eth of it.
    pub(crate) fn totals(&self, node: u8) -> BTreeMap<SubCounter, u64> {
        let mut totals = BTreeMap::new();
        for bump in self.seen_by(node) {
            let of = self.bumps[bump as usize];
            let until = &self.bumps[..=bump as usize];
            let nth = until.iter().filter(|bump| **bump == of).count() as u64;
            let total = totals.entry(of).or_insert(0);
            *total = nth.max(*total);
        }
        totals
    }

    /// What a read must return.
    pub(crate) fn value(&self, node: u8, key: u8) -> u64 {
        let mut value = [0_u64; 2];
        for ((direction, of, _, _), total) in self.totals(node) {
            if of == key {
                value[usize::from(direction == Direction::Decr)] += total;
            }
        }
        let [incr, decr] = value;
        incr.saturating_sub(decr)
    }
}
