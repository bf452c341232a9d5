//! Keys reduced to numbers of 64 bits.
//!
//! Keys are taken as if zeros without end stood behind them. That keeps their order, but for keys that differ in
//! trailing zeros only: these are equal then.

use std::ops::Range;

use super::arena::Arena;

/// Bytes of a head.
const BYTES: usize = 8;

/// Positions looked at together while a level is built.
const WINDOW: usize = 32;

/// How the keys of one level are reduced: to their bytes at the first positions at which two of them differ.
/// Heads are in the order of their keys, since all keys agree in between.
#[derive(Clone, Debug)]
pub(super) struct Heads {
    /// The positions, ascending, at most as many as a head has bytes.
    positions: Vec<usize>,
    /// The same, those that follow each other together.
    runs: Vec<Run>,
    /// All keys agree before this position.
    agreed: usize,
    /// What the keys have from there to the last position, if they agree anywhere in between.
    common: Vec<Common>,
}

/// Positions that follow each other.
#[derive(Clone, Copy, Debug)]
struct Run {
    at: usize,
    /// Eight times as many as there are positions.
    bits: u32,
}

/// Eight positions of all keys.
#[derive(Clone, Copy, Debug)]
struct Common {
    /// What they have, 0 where they differ.
    bytes: u64,
    /// Ones where they agree.
    mask: u64,
}

/// The head of a key that need not be one of those that the heads were made for.
pub(super) enum Head {
    /// It agrees with the keys where these agree: those with smaller heads are before it, those with larger
    /// ones behind it.
    Of(u64),
    /// It is behind those with heads up to this one, and before the others.
    Above(u64),
    /// It is before those with heads from this one on, and behind the others.
    Below(u64),
}

impl Heads {
    /// For the keys in this range, which agree before position `agreed`.
    pub(super) fn new(keys: &Arena, range: Range<usize>, agreed: usize) -> Self {
        let positions = differing(keys, range.clone(), agreed);
        let decided = positions.last().map_or(agreed, |last| last + 1);
        let first = keys.key_or_empty(range.start);
        let words = (agreed..decided).step_by(BYTES);
        let common = words.map(|from| Common::new(first, from, decided, &positions));
        let common: Vec<Common> = common.collect();
        let agrees_somewhere = common.iter().any(|common| common.mask != 0);
        Self {
            runs: runs(&positions),
            common: if agrees_somewhere { common } else { Vec::new() },
            positions,
            agreed,
        }
    }

    /// Keys of one head agree before this position.
    pub(super) fn decided(&self) -> usize {
        self.positions.last().map_or(self.agreed, |last| last + 1)
    }

    /// The head of one of the keys.
    pub(super) fn of_member(&self, key: &[u8]) -> u64 {
        self.gather(key, &self.positions)
    }

    /// The head of any key that agrees with the keys before those positions that this level is about.
    #[inline]
    pub(super) fn of(&self, key: &[u8]) -> Head {
        match self.departs(key) {
            Some((position, is_above)) => self.departed(key, position, is_above),
            None => Head::Of(self.head(key)),
        }
    }

    #[inline]
    fn head(&self, key: &[u8]) -> u64 {
        let mut head = 0_u64;
        for run in &self.runs {
            let Some(word) = key.get(run.at..).and_then(<[u8]>::first_chunk) else {
                return self.gather(key, &self.positions);
            };
            // A run of all eight is alone.
            head = head.wrapping_shl(run.bits) | u64::from_be_bytes(*word) >> (64 - run.bits);
        }
        head
    }

    #[inline]
    fn gather(&self, key: &[u8], positions: &[usize]) -> u64 {
        let bytes = positions.iter().map(|at| byte(key, *at));
        bytes.fold(0, |head, byte| head << 8 | u64::from(byte))
    }

    /// The first position at which the keys agree with each other but not with this one, and whether this one
    /// has more there.
    #[inline]
    fn departs(&self, key: &[u8]) -> Option<(usize, bool)> {
        if self.common.is_empty() {
            return None;
        }
        let (words, rest) = key.get(self.agreed..).unwrap_or_default().as_chunks();
        self.common.iter().enumerate().find_map(|(at, common)| {
            let word = match words.get(at) {
                Some(word) => u64::from_be_bytes(*word),
                None if at == words.len() => padded(rest),
                None => 0,
            };
            let difference = (word & common.mask) ^ common.bytes;
            if difference == 0 {
                return None;
            }
            let position = self.agreed + at * BYTES + difference.leading_zeros() as usize / 8;
            Some((position, word & common.mask > common.bytes))
        })
    }

    /// What decides before the position where it departs is kept, what decides behind it is not asked for.
    #[cold]
    fn departed(&self, key: &[u8], position: usize, is_above: bool) -> Head {
        let before = self.positions.partition_point(|at| *at < position);
        let bits = 8 * (self.positions.len() - before);
        let head = self.gather(key, &self.positions[..before]);
        // All 64 bits may go.
        let head = head.checked_shl(bits as u32).unwrap_or(0);
        match is_above {
            true => Head::Above(head | ones(bits)),
            false => Head::Below(head),
        }
    }
}

impl Common {
    fn new(key: &[u8], from: usize, decided: usize, positions: &[usize]) -> Self {
        let mut common = Self { bytes: 0, mask: 0 };
        for at in from..from + BYTES {
            let agree = at < decided && !positions.contains(&at);
            common.bytes = common.bytes << 8 | if agree { u64::from(byte(key, at)) } else { 0 };
            common.mask = common.mask << 8 | if agree { 0xff } else { 0 };
        }
        common
    }
}

fn runs(positions: &[usize]) -> Vec<Run> {
    let runs = positions.chunk_by(|one, other| one + 1 == *other);
    let run = |run: &[usize]| Run {
        at: run[0],
        bits: 8 * run.len() as u32,
    };
    runs.map(run).collect()
}

/// The first positions, from `agreed` on, at which two of the keys differ.
fn differing(keys: &Arena, range: Range<usize>, agreed: usize) -> Vec<usize> {
    let mut positions = Vec::new();
    let Some(last) = range.end.checked_sub(1).filter(|last| *last > range.start) else {
        return positions;
    };
    // What the outer ones of a sorted list share all share.
    let [first, last] = [range.start, last].map(|at| keys.key(at));
    let longest = range.clone().map(|at| keys.key(at).len()).max();
    let longest = longest.unwrap_or_default();
    let mut from = (agreed..longest).find(|at| byte(first, *at) != byte(last, *at));
    while let Some(start) = from {
        let differs = differing_in_window(keys, range.clone(), first, start);
        let found = (start..).zip(differs).filter(|(_, differs)| *differs != 0);
        positions.extend(found.map(|(at, _)| at));
        let next = start + WINDOW;
        from = (positions.len() < BYTES && next < longest).then_some(next);
    }
    positions.truncate(BYTES);
    positions
}

/// For each position of the window, bits that are not the same in all keys.
fn differing_in_window(
    keys: &Arena,
    range: Range<usize>,
    first: &[u8],
    start: usize,
) -> [u8; WINDOW] {
    let first = window(first, start);
    let mut differs = [0; WINDOW];
    for at in range {
        let key = window(keys.key(at), start);
        for (differs, (one, other)) in differs.iter_mut().zip(first.iter().zip(key)) {
            *differs |= one ^ other;
        }
    }
    differs
}

fn window(key: &[u8], start: usize) -> [u8; WINDOW] {
    let rest = key.get(start..).unwrap_or_default();
    let mut window = [0; WINDOW];
    let length = rest.len().min(WINDOW);
    window[..length].copy_from_slice(&rest[..length]);
    window
}

#[inline]
fn byte(key: &[u8], at: usize) -> u8 {
    key.get(at).copied().unwrap_or(0)
}

/// Fewer than eight bytes, and zeros behind them.
#[inline]
fn padded(rest: &[u8]) -> u64 {
    (0..BYTES).fold(0, |word, at| word << 8 | u64::from(byte(rest, at)))
}

/// So many ones.
fn ones(bits: usize) -> u64 {
    match bits {
        0 => 0,
        _ => u64::MAX >> (64 - bits),
    }
}
