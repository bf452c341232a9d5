//! What a set must hold and answer, by a bit for each span of numbers.

use serde::Serialize;

/// Spans that together are all numbers, ascending. A set of the model holds each wholly or not at all.
pub(super) type Spans = &'static [(u64, u64)];

/// Which spans a set holds: its lowest bit stands for the first span.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub(super) struct Held(u16);

impl Held {
    /// Whether it holds this one.
    pub(super) fn has(self, span: usize) -> bool {
        self.0 & (1 << span) != 0
    }

    /// Whether it holds none.
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These and the spans from one to another, none below the limit.
    pub(super) fn with(mut self, from: usize, to: usize, limit: usize) -> Self {
        for span in from.max(limit)..=to {
            self.0 |= 1 << span;
        }
        self
    }

    /// These and those of another set, none below the limit.
    pub(super) fn and(mut self, other: Self, limit: usize) -> Self {
        self.0 |= other.0 >> limit << limit;
        self
    }

    /// The first missing numbers from a span on, and their end unless there is none.
    pub(super) fn missing(self, spans: Spans, from: usize) -> Option<(u64, Option<u64>)> {
        let first = (from..spans.len()).find(|span| !self.has(*span))?;
        let behind = (first..spans.len()).find(|span| self.has(*span));
        Some((spans[first].0, behind.map(|behind| spans[behind - 1].1)))
    }

    /// Whether it holds one of the numbers from here to there.
    pub(super) fn has_some(self, spans: Spans, from: u64, to: u64) -> bool {
        let mut spans = spans.iter().enumerate();
        spans.any(|(at, span)| self.has(at) && from <= span.1 && span.0 <= to)
    }

    /// The end of the last span that it holds, 0 if there is none.
    pub(super) fn last(self, spans: Spans) -> u64 {
        let last = (0..spans.len()).rev().find(|span| self.has(*span));
        last.map_or(0, |last| spans[last].1)
    }
}
