//! Sets of insertion numbers as disjoint ranges with inclusive ends (4).
//!
//! Most sets are a range or two, in model states by the million: those are one sorted vector. Sets of
//! many ranges are kept in blocks, so that an addition shifts a block and not the set.

mod blocks;
mod faulty;
mod list;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};

use super::strategy::Intervals;
use blocks::{Blocks, CAPACITY, Collector};
use list::Range;

pub use text::ParseError;

/// A set of numbers from a start limit on, as ranges in canonical form: ascending, none inverted, at
/// least one number missing between neighbours, nothing below the limit. Equal, hashed and serialised
/// (text form) by its content, however it is held. n is the number of its ranges.
#[derive(Clone)]
pub struct IntervalSet {
    start: u64,
    form: Form,
}

#[derive(Clone)]
enum Form {
    /// Up to [`CAPACITY`] ranges.
    Flat(Vec<Range>),
    /// At least two blocks.
    Blocked(Box<Blocks>),
}

/// The first missing run of a set (4, `next`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Gap {
    /// None if nothing is missing and there was no ceiling.
    pub start: Option<u64>,
    /// None if unbounded or nothing is missing.
    pub end: Option<u64>,
    /// Whether nothing is missing up to the ceiling.
    pub empty: bool,
}

/// A range whose start is above its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the range {from}..={to} is inverted; the set is unchanged")]
pub struct InvalidRange {
    /// Its start.
    pub from: u64,
    /// Its end.
    pub to: u64,
}

impl IntervalSet {
    /// The empty set of numbers from `start` on. Allocates nothing.
    pub const fn new(start: u64) -> Self {
        Self {
            start,
            form: Form::Flat(Vec::new()),
        }
    }

    /// Adds `from..=to`, as far as it is not below the start limit. O(log n) and a shift within a block,
    /// in place at the end; ranges that it swallows cost what adding them did.
    ///
    /// # Errors
    /// If the range is inverted; the set is unchanged.
    pub fn add(&mut self, from: u64, to: u64) -> Result<(), InvalidRange> {
        if from > to {
            return Err(InvalidRange { from, to });
        }
        self.insert_clamped(from, to);
        Ok(())
    }

    /// As [`Self::add`], as the faulty ancestors do it (D1 to D3) where `how` says so; then O(n).
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_by(&mut self, from: u64, to: u64, how: Intervals) -> Result<(), InvalidRange> {
        if how == Intervals::REFERENCE {
            return self.add(from, to);
        }
        let mut ranges: Vec<Range> = self.ranges().collect();
        faulty::add(&mut ranges, self.start, (from, to), how)?;
        self.form = Form::listed(ranges);
        Ok(())
    }

    /// Adds all ranges of `other`, as far as they are not below the own start limit. O(n + m), or
    /// O(m log n) if the other is small.
    pub fn merge(&mut self, other: &Self) {
        let own = self.count();
        if 8 * other.count() <= own {
            for (from, to) in other.ranges() {
                self.insert_clamped(from, to);
            }
            return;
        }
        // One range at most begins below the limit and ends above it.
        let below = |range: &Range| range.0 < self.start;
        let cut = other.ranges().take_while(below).last();
        if let Some((from, to)) = cut {
            self.insert_clamped(from, to);
        }
        self.form = union(
            self.slices(),
            other.slices().map(|ranges| {
                let below = ranges.partition_point(|range| range.0 < self.start);
                &ranges[below..]
            }),
        );
    }

    /// As [`Self::merge`], as the faulty ancestors do it (D1, D2) where `how` says so; then O(n m).
    pub fn merge_by(&mut self, other: &Self, how: Intervals) {
        if how == Intervals::REFERENCE {
            return self.merge(other);
        }
        let mut ranges: Vec<Range> = self.ranges().collect();
        for range in other.ranges() {
            // Only a set that faulty code made holds inverted ranges.
            let _: Result<(), InvalidRange> = faulty::add(&mut ranges, self.start, range, how);
        }
        self.form = Form::listed(ranges);
    }

    /// The first missing run; a ceiling of 0 is none. O(1).
    pub fn next(&self, ceiling: Option<u64>) -> Gap {
        Gap::below(self.gap_from(self.start), ceiling)
    }

    /// As [`Self::next`], as the faulty ancestors do it (D4, D5) where `how` says so.
    pub fn next_by(&self, ceiling: Option<u64>, how: Intervals) -> Gap {
        if how == Intervals::REFERENCE {
            return self.next(ceiling);
        }
        let mut ranges = self.ranges();
        let gap = faulty::gap(self.start, ranges.next(), ranges.next(), how);
        Gap::below(gap, ceiling)
    }

    /// The first missing run at or above `from` and the start limit, with its end, none if nothing is
    /// missing from there on. The end is `None` if the run never ends. O(log n).
    pub fn gap_from(&self, from: u64) -> Option<(u64, Option<u64>)> {
        let from = from.max(self.start);
        match &self.form {
            Form::Flat(ranges) => list::gap(ranges, from, || None),
            Form::Blocked(blocks) => blocks.gap(from),
        }
    }

    /// Whether `number` is in the set. O(log n).
    pub fn contains(&self, number: u64) -> bool {
        match &self.form {
            Form::Flat(ranges) => list::contains(ranges, number),
            Form::Blocked(blocks) => blocks.contains(number),
        }
    }

    /// End of the last range, 0 for the empty set. O(1).
    pub fn last(&self) -> u64 {
        let last = match &self.form {
            Form::Flat(ranges) => ranges.last(),
            Form::Blocked(blocks) => blocks.last(),
        };
        last.map_or(0, |range| range.1)
    }

    /// The start limit.
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.slices().flatten().copied()
    }

    /// Whether the ranges are in canonical form; always so unless faulty code made the set. O(n).
    pub fn is_canonical(&self) -> bool {
        let mut least = Some(self.start);
        self.ranges().all(|(from, to)| {
            let is_apart = least.is_some_and(|least| least <= from);
            // The number behind a range is missing.
            least = to.checked_add(2);
            is_apart && from <= to
        })
    }

    /// The binary form, which is ASCII. O(n).
    pub fn encode(&self) -> String {
        text::encode(self)
    }

    /// Parses a binary form. O(k log k) for k ranges, O(k) if they are ascending.
    ///
    /// # Errors
    /// What is wrong with the first field that is.
    pub fn decode(text: &[u8]) -> Result<Self, ParseError> {
        text::decode(text)
    }

    /// Replaces the set by what `text` says; a failure leaves it untouched. As the faulty ancestors do it
    /// (D1 to D3, D7) where `how` says so.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_into(&mut self, text: &[u8], how: Intervals) -> Result<(), ParseError> {
        if how == Intervals::REFERENCE {
            *self = Self::decode(text)?;
            return Ok(());
        }
        faulty::decode_into(self, text, how)
    }

    /// Adds what is not inverted, as far as it is not below the limit.
    fn insert_clamped(&mut self, from: u64, to: u64) {
        if to >= self.start {
            self.insert(from.max(self.start), to);
        }
    }

    /// Adds what is not inverted and not below the limit.
    fn insert(&mut self, from: u64, to: u64) {
        match &mut self.form {
            Form::Flat(ranges) => {
                list::add(ranges, from, to);
                if ranges.len() > CAPACITY {
                    let ranges = std::mem::take(ranges);
                    self.form = Form::Blocked(Box::new(Blocks::split(ranges)));
                }
            }
            Form::Blocked(blocks) => {
                blocks.add(from, to);
                if let Some(ranges) = blocks.single() {
                    self.form = Form::Flat(ranges);
                }
            }
        }
    }

    /// The ranges in as many pieces as they are held.
    fn slices(&self) -> impl Iterator<Item = &[Range]> {
        let (flat, blocks) = match &self.form {
            Form::Flat(ranges) => (Some(&ranges[..]), &[][..]),
            Form::Blocked(blocks) => (None, blocks.slices()),
        };
        flat.into_iter().chain(blocks.iter().map(Vec::as_slice))
    }

    /// The number of ranges.
    fn count(&self) -> usize {
        self.slices().map(<[_]>::len).sum()
    }
}

impl Form {
    /// A list as it is; only faulty code has one that is not canonical.
    fn listed(ranges: Vec<Range>) -> Self {
        if ranges.len() <= CAPACITY {
            Self::Flat(ranges)
        } else {
            Self::Blocked(Box::new(Blocks::cut(&ranges)))
        }
    }
}

/// All ranges of two lists, each in pieces, in canonical form.
fn union<'a>(
    left: impl Iterator<Item = &'a [Range]>,
    right: impl Iterator<Item = &'a [Range]>,
) -> Form {
    let mut left = left.filter(|ranges| !ranges.is_empty());
    let mut right = right.filter(|ranges| !ranges.is_empty());
    let mut next = [
        left.next().unwrap_or_default(),
        right.next().unwrap_or_default(),
    ];
    let Some(first) = next.into_iter().filter_map(<[_]>::first).min() else {
        return Form::Flat(Vec::new());
    };
    let mut collector = Collector::new(*first);
    loop {
        next = collector.take(next);
        match next {
            [[], _] => match left.next() {
                Some(more) => next[0] = more,
                None => break,
            },
            _ => match right.next() {
                Some(more) => next[1] = more,
                None => break,
            },
        }
    }
    let rest = next.into_iter().chain(left).chain(right);
    rest.flatten().for_each(|range| collector.push(*range));
    match collector.finish() {
        Ok(ranges) => Form::Flat(ranges),
        Err(blocks) => Form::Blocked(Box::new(blocks)),
    }
}

impl Gap {
    /// What of a missing run is left below a ceiling.
    fn below(gap: Option<(u64, Option<u64>)>, ceiling: Option<u64>) -> Self {
        match (gap, ceiling.filter(|ceiling| *ceiling != 0)) {
            (None, None) => Self {
                start: None,
                end: None,
                empty: true,
            },
            (Some((start, end)), None) => Self {
                start: Some(start),
                end,
                empty: false,
            },
            (Some((start, end)), Some(ceiling)) if start <= ceiling => Self {
                start: Some(start),
                end: Some(end.map_or(ceiling, |end| end.min(ceiling))),
                empty: false,
            },
            (_, Some(ceiling)) => Self {
                start: Some(ceiling),
                end: Some(ceiling),
                empty: true,
            },
        }
    }
}

impl PartialEq for IntervalSet {
    fn eq(&self, other: &Self) -> bool {
        self.start == other.start && self.ranges().eq(other.ranges())
    }
}

impl Eq for IntervalSet {}

impl Hash for IntervalSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.start.hash(state);
        self.count().hash(state);
        self.ranges().for_each(|range| range.hash(state));
    }
}

impl fmt::Debug for IntervalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} ", self.start)?;
        let ranges = self.ranges().map(|(from, to)| from..=to);
        f.debug_set().entries(ranges).finish()
    }
}

/// As its text.
impl Serialize for IntervalSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.encode())
    }
}
