//! Predecessor search over many keys, in a layout made for it (`benches/catalog.rs`).
//!
//! A key is reduced to a *head*: its bytes at the first eight positions at which the keys differ at all. Heads
//! are in the order of their keys, so all but ties is decided by searching numbers, in a static tree of nodes
//! of one cache line. Where all keys agree, only what is asked for can differ: that is compared once, before
//! the search. Many keys with one head have heads of their own, taken from the positions behind.

mod arena;
mod heads;
mod tree;

use std::ops::Range;

use arena::Arena;
use heads::{Head, Heads};
use tree::Tree;

/// Ties of so few keys are broken by comparing whole keys.
const FEW: usize = 8;

/// Levels of heads. Keys that agree beyond are compared whole, so that no choice of keys makes building
/// quadratic.
const LEVELS: usize = 4;

/// Keys in ascending order, equal ones allowed.
#[derive(Clone, Debug)]
pub struct Index {
    keys: Arena,
    root: Level,
}

/// Keys by their heads.
#[derive(Clone, Debug)]
struct Level {
    heads: Heads,
    /// The heads of the keys: of each key, or, if some heads have many keys, each head once.
    tree: Tree,
    /// Place of the first key of this level.
    from: usize,
    /// Where the keys of each head end; empty if each key has a place in the tree.
    ends: Vec<usize>,
    /// Of heads that many keys have, by number of the head.
    below: Vec<(usize, Level)>,
}

impl Index {
    /// Copies the keys. O(bytes of all keys).
    ///
    /// # Panics
    ///
    /// If they are not in ascending order.
    pub fn new<'a>(keys: impl Iterator<Item = &'a [u8]>) -> Self {
        let keys = Arena::new(keys);
        let is_sorted = (1..keys.len()).all(|at| keys.key(at - 1) <= keys.key(at));
        assert!(is_sorted, "keys are in ascending order");
        // Empty keys are before all others. A catalog begins with one, and from it all others differ at every
        // position.
        let empty = keys.behind(0..keys.len(), &[]);
        let root = Level::new(&keys, empty..keys.len(), 0, LEVELS);
        Self { keys, root }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Place of the last key at or before `key`; of equal ones that of the last. O(log n), and allocates nothing.
    #[inline]
    pub fn predecessor(&self, key: &[u8]) -> Option<usize> {
        let mut level = &self.root;
        loop {
            level = match level.search(&self.keys, key) {
                Step::Behind(behind) => return behind.checked_sub(1),
                Step::Below(below) => below,
            };
        }
    }
}

/// What a level knows of a key.
enum Step<'a> {
    /// So many keys are at or before it.
    Behind(usize),
    /// One of those of this level decides.
    Below(&'a Level),
}

impl Level {
    /// Of the keys in this range, which agree before position `agreed`.
    fn new(keys: &Arena, range: Range<usize>, agreed: usize, levels: usize) -> Self {
        let heads = Heads::new(keys, range.clone(), agreed);
        let all: Vec<u64> = range
            .clone()
            .map(|at| heads.of_member(keys.key(at)))
            .collect();
        let groups = || all.chunk_by(|one, other| one == other);
        if groups().all(|tied| tied.len() <= FEW) {
            return Self {
                tree: Tree::new(&all),
                heads,
                from: range.start,
                ends: Vec::new(),
                below: Vec::new(),
            };
        }
        let different: Vec<u64> = groups().map(|tied| tied[0]).collect();
        let ends = groups().scan(range.start, |end, tied| {
            *end += tied.len();
            Some(*end)
        });
        let mut level = Self {
            tree: Tree::new(&different),
            heads,
            from: range.start,
            ends: ends.collect(),
            below: Vec::new(),
        };
        if levels > 1 {
            level.add_levels_below(keys, different.len(), levels - 1);
        }
        level
    }

    fn add_levels_below(&mut self, keys: &Arena, heads: usize, levels: usize) {
        for head in 0..heads {
            let tied = self.tied(head);
            if tied.len() > FEW {
                let level = Self::new(keys, tied, self.heads.decided(), levels);
                self.below.push((head, level));
            }
        }
    }

    /// Places of the keys with this head; of the last of them, if each has a place in the tree.
    fn tied(&self, head: usize) -> Range<usize> {
        if self.ends.is_empty() {
            let value = self.tree.head(head);
            let before = (0..head)
                .rev()
                .take_while(|at| self.tree.head(*at) == value);
            return self.from + head - before.count()..self.from + head + 1;
        }
        let start = match head.checked_sub(1) {
            Some(before) => self.ends[before],
            None => self.from,
        };
        start..self.ends[head]
    }

    /// Where the keys of the first so many heads end.
    #[inline]
    fn end_of(&self, heads: usize) -> usize {
        match heads.checked_sub(1) {
            Some(last) if !self.ends.is_empty() => self.ends[last],
            _ => self.from + heads,
        }
    }

    #[inline]
    fn search(&self, keys: &Arena, key: &[u8]) -> Step<'_> {
        let head = match self.heads.of(key) {
            Head::Of(head) => head,
            Head::Above(head) => {
                return Step::Behind(self.end_of(self.tree.at_or_below(head)));
            }
            Head::Below(head) => {
                let heads = head
                    .checked_sub(1)
                    .map_or(0, |below| self.tree.at_or_below(below));
                return Step::Behind(self.end_of(heads));
            }
        };
        let heads = self.tree.at_or_below(head);
        match heads.checked_sub(1) {
            Some(last) if self.tree.head(last) == head => self.tie(keys, key, last),
            _ => Step::Behind(self.end_of(heads)),
        }
    }

    /// `key` has this head.
    fn tie(&self, keys: &Arena, key: &[u8], head: usize) -> Step<'_> {
        let tied = self.tied(head);
        if tied.len() > FEW
            && let Ok(at) = self.below.binary_search_by_key(&head, |(head, _)| *head)
        {
            return Step::Below(&self.below[at].1);
        }
        Step::Behind(keys.behind(tied, key))
    }
}
