//! Vector clocks over a fixed group (section 2).

use std::cmp::Ordering;

use multiversion::multiversion;
use smallvec::SmallVec;

use crate::lanes::raise;

/// A member of a group: its place in the byte order of the names.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Node(pub u16);

impl Node {
    /// Its place.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One counter per member of a group, all of the same length within a group.
///
/// `PartialOrd` is happened-before: pointwise; concurrent clocks are not comparable, nor are those
/// of different lengths. Up to four entries are held in place.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[serde(transparent)]
pub struct Clock(SmallVec<[u64; 4]>);

/// What a node may do with a message (rule 4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Deliverability {
    /// Next from its sender, and everything it depends on is delivered.
    Apply,
    /// Delivered before.
    Duplicate,
    /// Something it depends on is not delivered: entry `node` of the stamp is not reached yet.
    Wait {
        /// A member of whom a message is missing.
        node: Node,
        /// Up to which of its messages (for the sender itself: the one before).
        seq: u64,
    },
}

impl Clock {
    /// All entries 0.
    pub fn zero(members: usize) -> Self {
        Self(SmallVec::from_elem(0, members))
    }

    /// From entries in the order of the members.
    pub fn from_entries(entries: impl IntoIterator<Item = u64>) -> Self {
        Self(entries.into_iter().collect())
    }

    /// Entries in the order of the members.
    #[inline]
    pub fn entries(&self) -> &[u64] {
        &self.0
    }

    /// The entry of `node`; an absent one is 0 (rule 2).
    #[inline]
    pub fn get(&self, node: Node) -> u64 {
        self.0.get(node.index()).copied().unwrap_or(0)
    }

    /// Makes the entry of `node` `value`.
    ///
    /// # Panics
    /// If `node` is no member of the group.
    #[inline]
    pub fn set(&mut self, node: Node, value: u64) {
        self.0[node.index()] = value;
    }

    /// The pairwise maximum (rule 5). O(n).
    #[inline]
    pub fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let (mine, theirs) = (self.0.as_mut_slice(), other.0.as_slice());
        if theirs.len() <= FEW {
            let both = mine.iter_mut().zip(theirs);
            both.for_each(|(mine, theirs)| *mine = (*mine).max(*theirs));
        } else {
            raise(mine, theirs);
        }
    }

    /// Rule 4, `self` being the clock of the node. O(n).
    #[inline]
    pub fn deliverability(&self, sender: Node, stamp: &Self) -> Deliverability {
        let (mine, seq) = (self.get(sender), stamp.get(sender));
        if seq <= mine {
            return Deliverability::Duplicate;
        }
        if seq - mine > 1 {
            return Deliverability::Wait {
                node: sender,
                seq: seq - 1,
            };
        }
        match self.unreached(sender, stamp, 0) {
            Some(node) => Deliverability::Wait {
                node,
                seq: stamp.get(node),
            },
            None => Deliverability::Apply,
        }
    }

    /// The first member from place `from` on, other than `sender`, whose entry is below that of the
    /// stamp.
    #[inline]
    pub(super) fn unreached(&self, sender: Node, stamp: &Self, from: usize) -> Option<Node> {
        let (mine, theirs) = (self.0.as_slice(), stamp.0.as_slice());
        let at = if mine.len() != theirs.len() {
            let is_below = |at: &usize| *at != sender.index() && self.get(place(*at)) < theirs[*at];
            (from..theirs.len()).find(is_below)
        } else if mine.len() <= FEW {
            first_below_of_few(mine, theirs, sender.index(), from)
        } else {
            first_below(mine, theirs, sender.index(), from)
        };
        at.map(place)
    }
}

/// Groups have at most 65,535 members.
const fn place(at: usize) -> Node {
    Node(at as u16)
}

impl PartialOrd for Clock {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let (mine, theirs) = (self.0.as_slice(), other.0.as_slice());
        if mine.len() != theirs.len() {
            return None;
        }
        let sides = if mine.len() <= FEW {
            sides(mine, theirs)
        } else {
            sides_of_many(mine, theirs)
        };
        match sides {
            (false, false) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Less),
            (false, true) => Some(Ordering::Greater),
            (true, true) => None,
        }
    }
}

/// Up to so many entries, choosing what suits the processor takes longer than going through them.
const FEW: usize = 16;

/// Entries that are compared before anything branches on it.
const CHUNK: usize = 16;

/// Whether some entry of `mine` is below, and whether some entry is above the other one.
#[inline(always)]
fn sides(mine: &[u64], theirs: &[u64]) -> (bool, bool) {
    let (mut below, mut above) = (0_u64, 0_u64);
    for (mine, theirs) in mine.iter().zip(theirs) {
        below |= u64::from(mine < theirs);
        above |= u64::from(mine > theirs);
    }
    (below != 0, above != 0)
}

#[multiversion(targets("x86_64+avx2"))]
fn sides_of_many(mine: &[u64], theirs: &[u64]) -> (bool, bool) {
    sides(mine, theirs)
}

/// The first place from `from` on, other than `but`, at which `mine` is below `theirs`, both being of
/// the same length.
#[inline(always)]
fn first_below_of_few(mine: &[u64], theirs: &[u64], but: usize, from: usize) -> Option<usize> {
    let at = from.min(mine.len());
    search(&mine[at..], &theirs[at..], but.wrapping_sub(at)).map(|found| at + found)
}

/// Likewise.
#[multiversion(targets("x86_64+avx2"))]
fn first_below(mine: &[u64], theirs: &[u64], but: usize, from: usize) -> Option<usize> {
    let mut at = from.min(mine.len());
    while at < mine.len() {
        let end = mine.len().min(at + CHUNK);
        let found = search(&mine[at..end], &theirs[at..end], but.wrapping_sub(at));
        if let Some(found) = found {
            return Some(at + found);
        }
        at = end;
    }
    None
}

/// Which member sent a message cannot be foreseen, so nothing branches on it before something else
/// is found.
#[inline(always)]
fn search(mine: &[u64], theirs: &[u64], but: usize) -> Option<usize> {
    let pairs = || mine.iter().zip(theirs).map(|(mine, theirs)| mine < theirs);
    let below: u64 = pairs().map(u64::from).sum();
    let excepted = match (mine.get(but), theirs.get(but)) {
        (Some(mine), Some(theirs)) => u64::from(mine < theirs),
        _ => 0,
    };
    if below == excepted {
        return None;
    }
    pairs()
        .enumerate()
        .position(|(at, is_below)| is_below && at != but)
}
