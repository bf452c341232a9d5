//! Sets of insertion numbers as disjoint ranges with inclusive ends (4).
#![allow(missing_docs, reason = "skeleton")]

use serde::{Serialize, Serializer};

use super::strategy::Intervals;

/// A set of numbers from a start limit on, as ranges in canonical form. Equal, hashed and serialised
/// (text form) by its content, however it is held.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IntervalSet {
    start: u64,
    ranges: Vec<(u64, u64)>,
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
    pub from: u64,
    pub to: u64,
}

/// Why a text is no set (4, parsing). `field` counts from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseError {
    #[error("field {field}: no start in base 36; the set is unchanged")]
    Start { field: usize },
    #[error("field {field}: no comma; the set is unchanged")]
    TooShort { field: usize },
    #[error("field {field}: no start of a range in base 36; the set is unchanged")]
    RangeStart { field: usize },
    #[error("field {field}: no end of a range in base 36; the set is unchanged")]
    RangeEnd { field: usize },
    #[error("field {field}: an inverted range; the set is unchanged")]
    Inverted { field: usize },
}

impl IntervalSet {
    /// The empty set of numbers from `start` on. Allocates nothing.
    pub const fn new(start: u64) -> Self {
        Self {
            start,
            ranges: Vec::new(),
        }
    }

    pub fn add(&mut self, _from: u64, _to: u64) -> Result<(), InvalidRange> {
        todo!()
    }

    /// As [`Self::add`], as the faulty ancestors do it (D1 to D3).
    pub fn add_by(&mut self, _from: u64, _to: u64, _how: Intervals) -> Result<(), InvalidRange> {
        todo!()
    }

    pub fn merge(&mut self, _other: &Self) {
        todo!()
    }

    /// The first missing run; a ceiling of 0 is none.
    pub fn next(&self, _ceiling: Option<u64>) -> Gap {
        todo!()
    }

    /// As [`Self::next`], as the faulty ancestors do it (D4, D5).
    pub fn next_by(&self, _ceiling: Option<u64>, _how: Intervals) -> Gap {
        todo!()
    }

    /// The first missing run at or above `from`, with its end, none if nothing is missing from there on.
    /// The end is `None` if the run never ends. O(log n).
    pub fn gap_from(&self, _from: u64) -> Option<(u64, Option<u64>)> {
        todo!()
    }

    /// Whether `number` is in the set. O(log n).
    pub fn contains(&self, _number: u64) -> bool {
        todo!()
    }

    /// End of the last range, 0 for the empty set.
    pub fn last(&self) -> u64 {
        todo!()
    }

    /// The start limit.
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.ranges.iter().copied()
    }

    /// Whether the ranges are in canonical form; always so unless faulty code made the set.
    pub fn is_canonical(&self) -> bool {
        todo!()
    }

    /// The binary form, which is ASCII.
    pub fn encode(&self) -> String {
        todo!()
    }

    /// Parses a binary form.
    pub fn decode(_text: &[u8]) -> Result<Self, ParseError> {
        todo!()
    }

    /// Replaces the set by what `text` says; a failure leaves it untouched. As the faulty ancestors do it
    /// (D7) if `how` says so.
    pub fn decode_into(&mut self, _text: &[u8], _how: Intervals) -> Result<(), ParseError> {
        todo!()
    }
}

impl Serialize for IntervalSet {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        todo!()
    }
}
