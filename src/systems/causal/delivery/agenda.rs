//! Entries to look at, the oldest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem;

/// A priority queue that mostly holds one entry or none, and then no heap is touched.
#[derive(Clone, Debug)]
pub(super) struct Agenda {
    /// Below all others; [`NONE`] if there is nothing.
    first: Item,
    others: BinaryHeap<Reverse<Item>>,
}

/// Number of an entry, which is never the largest one, and its slot.
type Item = (u64, u32);

const NONE: Item = (u64::MAX, 0);

impl Agenda {
    pub(super) const fn new() -> Self {
        Self {
            first: NONE,
            others: BinaryHeap::new(),
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.0 == NONE.0
    }

    /// O(log n).
    #[inline]
    pub(super) fn push(&mut self, mut item: Item) {
        if item.0 < self.first.0 {
            mem::swap(&mut item, &mut self.first);
        }
        if item.0 != NONE.0 {
            self.others.push(Reverse(item));
        }
    }

    /// O(log n).
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Item> {
        let first = self.first;
        self.first = if self.others.is_empty() {
            NONE
        } else {
            self.others.pop().map_or(NONE, |Reverse(item)| item)
        };
        (first.0 != NONE.0).then_some(first)
    }

    /// Takes over everything of another.
    pub(super) fn append(&mut self, other: &mut Self) {
        self.push(mem::replace(&mut other.first, NONE));
        self.others.append(&mut other.others);
    }
}
