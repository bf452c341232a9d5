//! Ascending ranges in one vector.

use std::hint::select_unpredictable;

/// Inclusive ends.
pub(super) type Range = (u64, u64);

/// How many ranges start at or below `number`. O(log n).
pub(super) fn started(ranges: &[Range], number: u64) -> usize {
    ranges.partition_point(|range| range.0 <= number)
}

/// Adds `from..=to`. O(log n) and a shift of what stands behind.
pub(super) fn add(ranges: &mut Vec<Range>, mut from: u64, mut to: u64) {
    let mut first = started(ranges, from);
    if let Some(before) = first.checked_sub(1)
        && ranges[before].1 >= from.saturating_sub(1)
    {
        if to <= ranges[before].1 {
            return;
        }
        first = before;
        from = ranges[before].0;
    }
    let touched = to.saturating_add(1);
    let behind = &ranges[first..];
    let swallowed = behind.iter().take_while(|range| range.0 <= touched).count();
    if swallowed == 0 {
        ranges.insert(first, (from, to));
        return;
    }
    to = to.max(behind[swallowed - 1].1);
    ranges[first] = (from, to);
    ranges.drain(first + 1..first + swallowed);
}

/// The first missing run at or above `from`, where `next` is the range behind these.
pub(super) fn gap(
    ranges: &[Range],
    from: u64,
    next: impl FnOnce() -> Option<u64>,
) -> Option<(u64, Option<u64>)> {
    let behind = started(ranges, from);
    let mut start = from;
    if let Some(before) = behind.checked_sub(1) {
        // Whether a point lies in a range is as good as random, so nothing branches on it.
        let end = ranges[before].1;
        let is_inside = end >= from;
        if is_inside & (end == u64::MAX) {
            return None;
        }
        start = select_unpredictable(is_inside, end.wrapping_add(1), from);
    }
    let next = ranges.get(behind).map(|range| range.0).or_else(next);
    Some((start, next.map(|next| next.saturating_sub(1))))
}

/// Whether one of them has `number`.
pub(super) fn contains(ranges: &[Range], number: u64) -> bool {
    let before = started(ranges, number).checked_sub(1);
    before.is_some_and(|before| number <= ranges[before].1)
}
