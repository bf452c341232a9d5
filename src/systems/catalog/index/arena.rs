//! Keys one behind the other.

use std::ops::Range;

/// Keys in ascending order.
#[derive(Clone, Debug)]
pub(super) struct Arena {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Arena {
    pub(super) fn new<'a>(keys: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut arena = Self {
            bytes: Vec::new(),
            ends: Vec::with_capacity(keys.size_hint().0),
        };
        for key in keys {
            arena.bytes.extend_from_slice(key);
            arena.ends.push(arena.bytes.len());
        }
        arena
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn key(&self, at: usize) -> &[u8] {
        let start = match at.checked_sub(1) {
            Some(before) => self.ends[before],
            None => 0,
        };
        &self.bytes[start..self.ends[at]]
    }

    /// The empty key if there is none there.
    pub(super) fn key_or_empty(&self, at: usize) -> &[u8] {
        match at < self.len() {
            true => self.key(at),
            false => &[],
        }
    }

    /// Where the keys at or before `key` end, within this range, by comparing whole keys.
    pub(super) fn behind(&self, range: Range<usize>, key: &[u8]) -> usize {
        let Range { mut start, mut end } = range;
        while start < end {
            let middle = start + (end - start) / 2;
            if self.key(middle) <= key {
                start = middle + 1;
            } else {
                end = middle;
            }
        }
        start
    }
}
