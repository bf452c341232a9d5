//! Counting by name.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::counter::{DataKey, Direction};
use crate::sync::Arc;

use super::cell::PaddedSlot;
use super::live::Live;

/// Counts any data key by name, for one thread: it remembers the slots of the keys it met, so a known
/// one costs a hash, a comparison and an atomic addition, and no lock.
///
/// Only normal forms are remembered (CTR-2). Another spelling counts the same, but is brought to
/// normal form every time.
#[derive(Debug)]
pub struct Writer {
    live: Live,
    /// By direction.
    slots: [HashMap<DataKey, Arc<PaddedSlot>, FixedState>; 2],
}

impl Writer {
    pub(super) fn new(live: Live) -> Self {
        Self {
            live,
            slots: Default::default(),
        }
    }

    /// Counts an increment of `key`.
    #[inline]
    pub fn increment(&mut self, key: &str) {
        self.bump(Direction::Incr, key);
    }

    /// Counts a decrement of `key`.
    #[inline]
    pub fn decrement(&mut self, key: &str) {
        self.bump(Direction::Decr, key);
    }

    #[inline]
    fn bump(&mut self, direction: Direction, key: &str) {
        match self.slots[direction as usize].get(key) {
            Some(slot) => slot.count.add_one(),
            None => self.bump_new(direction, &DataKey::new(key)),
        }
    }

    #[cold]
    fn bump_new(&mut self, direction: Direction, key: &DataKey) {
        let slots = &mut self.slots[direction as usize];
        let slot = slots.entry_ref(key).or_insert_with(|| {
            let cell = self.live.cell(key);
            cell.side(direction).hand_out()
        });
        slot.count.add_one();
    }
}
