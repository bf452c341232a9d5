//! Many ascending ranges in short blocks, under a directory of where each block starts. What changes a
//! block leaves the others where they are.

use std::hint::select_unpredictable;
use std::mem;

use super::list::{self, Range};

/// The most ranges in a block.
pub(super) const CAPACITY: usize = 64;

/// Neighbours that hold no more than this together become one.
const JOINED: usize = CAPACITY / 2;

/// How many ranges a block gets of what is known to be ascending: the rest is room.
const FILL: usize = CAPACITY / 4 * 3;

/// At least one block, none of them empty.
#[derive(Clone)]
pub(super) struct Blocks {
    /// Where the first range of each block starts.
    firsts: Vec<u64>,
    blocks: Vec<Vec<Range>>,
}

impl Blocks {
    /// One vector in two blocks.
    pub(super) fn split(ranges: Vec<Range>) -> Self {
        let mut blocks = Self {
            firsts: vec![ranges[0].0],
            blocks: vec![ranges],
        };
        blocks.split_block(0);
        blocks
    }

    /// A list as it is.
    pub(super) fn cut(ranges: &[Range]) -> Self {
        Self::of(ranges.chunks(FILL).map(<[_]>::to_vec).collect())
    }

    fn of(blocks: Vec<Vec<Range>>) -> Self {
        Self {
            firsts: blocks.iter().map(|block| block[0].0).collect(),
            blocks,
        }
    }

    /// The ranges, block by block.
    pub(super) fn slices(&self) -> &[Vec<Range>] {
        &self.blocks
    }

    /// The last range of all.
    pub(super) fn last(&self) -> Option<&Range> {
        self.blocks.last()?.last()
    }

    /// Whether the blocks are as they should be.
    #[cfg(test)]
    pub(super) fn held(&self) -> Result<(), String> {
        let firsts: Vec<u64> = self.blocks.iter().map(|block| block[0].0).collect();
        let sizes: Vec<usize> = self.blocks.iter().map(Vec::len).collect();
        let is_sparse = sizes.windows(2).any(|pair| pair[0] + pair[1] <= JOINED);
        let is_full = sizes.iter().any(|size| *size > CAPACITY);
        if firsts != self.firsts || sizes.len() < 2 || is_sparse || is_full {
            return Err(format!("{sizes:?} under {:?}", self.firsts));
        }
        Ok(())
    }

    /// The only block, once only one is left.
    pub(super) fn single(&mut self) -> Option<Vec<Range>> {
        match &mut self.blocks[..] {
            [single] => Some(mem::take(single)),
            _ => None,
        }
    }

    /// The block in which `number` belongs. O(log n).
    fn find(&self, number: u64) -> usize {
        let started = self.firsts.partition_point(|first| *first <= number);
        started.saturating_sub(1)
    }

    /// As [`list::contains`].
    pub(super) fn contains(&self, number: u64) -> bool {
        list::contains(&self.blocks[self.find(number)], number)
    }

    /// As [`list::gap`].
    pub(super) fn gap(&self, from: u64) -> Option<(u64, Option<u64>)> {
        let at = self.find(from);
        let next = || self.firsts.get(at + 1).copied();
        list::gap(&self.blocks[at], from, next)
    }

    /// As [`list::add`]. O(log n), a shift within a block, and one of the directory if a block becomes
    /// full or sparse; what is swallowed was added before.
    pub(super) fn add(&mut self, from: u64, mut to: u64) {
        let at = self.find(from);
        let mut shrank = false;
        let touched = to.saturating_add(1);
        if self
            .firsts
            .get(at + 1)
            .is_some_and(|first| *first <= touched)
        {
            to = self.swallow(at + 1, to);
            shrank = true;
        }
        let block = &mut self.blocks[at];
        let before = block.len();
        list::add(block, from, to);
        shrank |= block.len() < before;
        self.firsts[at] = block[0].0;
        if block.len() > CAPACITY {
            self.split_block(at);
        } else if shrank {
            self.join_around(at);
        }
    }

    /// Takes out what starts up to just behind `to` from the blocks from `start` on, and returns where
    /// all that ends, at least `to`.
    fn swallow(&mut self, start: usize, to: u64) -> u64 {
        let touched = to.saturating_add(1);
        let behind = self.firsts[start..].partition_point(|first| *first <= touched);
        let last = start + behind - 1;
        let block = &mut self.blocks[last];
        let gone = list::started(block, touched);
        let end = block[gone - 1].1;
        block.drain(..gone);
        let kept = match block.first() {
            Some(first) => {
                self.firsts[last] = first.0;
                last
            }
            None => last + 1,
        };
        self.firsts.drain(start..kept);
        self.blocks.drain(start..kept);
        to.max(end)
    }

    /// Halves a block; the last one gives only its last range away, since more will follow there.
    fn split_block(&mut self, at: usize) {
        let is_last = at + 1 == self.blocks.len();
        let block = &mut self.blocks[at];
        let half = if is_last { CAPACITY } else { block.len() / 2 };
        let mut behind = Vec::with_capacity(CAPACITY + 1);
        behind.extend(block.drain(half..));
        self.firsts.insert(at + 1, behind[0].0);
        self.blocks.insert(at + 1, behind);
    }

    /// Joins a block that shrank, and the one behind it, with their neighbours, where both are sparse.
    fn join_around(&mut self, at: usize) {
        for first in [at + 1, at, at.wrapping_sub(1)] {
            let Some([left, right]) = self
                .blocks
                .get_mut(first..)
                .and_then(<[_]>::first_chunk_mut)
            else {
                continue;
            };
            if left.len() + right.len() <= JOINED {
                left.append(right);
                self.blocks.remove(first + 1);
                self.firsts.remove(first + 1);
            }
        }
    }
}

/// Ranges that arrive in ascending order of their starts, joined where they touch.
pub(super) struct Collector {
    full: Vec<Vec<Range>>,
    buffer: [Range; FILL],
    /// How much of the buffer is in use.
    length: usize,
    /// The last one, which may still grow.
    open: Range,
}

impl Collector {
    pub(super) fn new(first: Range) -> Self {
        Self {
            full: Vec::new(),
            buffer: [(0, 0); FILL],
            length: 0,
            open: first,
        }
    }

    /// Takes from two lists what starts first, until one of them is empty, and returns the rest. Which
    /// list is next and what touches is as good as random, so nothing branches on it.
    pub(super) fn take<'a>(&mut self, [left, right]: [&'a [Range]; 2]) -> [&'a [Range]; 2] {
        let (mut i, mut j) = (0, 0);
        while i < left.len() && j < right.len() {
            self.make_room();
            let (mut open, mut length) = (self.open, self.length);
            while i < left.len() && j < right.len() && length < FILL {
                let (one, other) = (left[i], right[j]);
                let is_one = one.0 <= other.0;
                i += usize::from(is_one);
                j += usize::from(!is_one);
                let from = one.0.min(other.0);
                let to = select_unpredictable(is_one, one.1, other.1);
                let is_apart = from > open.1.saturating_add(1);
                self.buffer[length] = open;
                length += usize::from(is_apart);
                open.0 = select_unpredictable(is_apart, from, open.0);
                open.1 = open.1.max(to);
            }
            (self.open, self.length) = (open, length);
        }
        [&left[i..], &right[j..]]
    }

    /// Adds a range that starts nowhere below those before.
    pub(super) fn push(&mut self, range: Range) {
        if range.0 > self.open.1.saturating_add(1) {
            self.make_room();
            self.buffer[self.length] = self.open;
            self.length += 1;
            self.open = range;
        } else {
            self.open.1 = self.open.1.max(range.1);
        }
    }

    fn make_room(&mut self) {
        if self.length == FILL {
            self.full.push(self.block());
            self.length = 0;
        }
    }

    fn block(&self) -> Vec<Range> {
        let mut block = Vec::with_capacity(CAPACITY + 1);
        block.extend_from_slice(&self.buffer[..self.length]);
        block
    }

    /// All of them, in one vector if that is enough.
    pub(super) fn finish(mut self) -> Result<Vec<Range>, Blocks> {
        let mut last = self.block();
        last.push(self.open);
        if self.full.is_empty() {
            return Ok(last);
        }
        self.full.push(last);
        Err(Blocks::of(self.full))
    }
}
