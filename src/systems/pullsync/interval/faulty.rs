//! What the ancestors make of plain lists of ranges: D1 to D5 and D7, each on its own.

use super::list::Range;
use super::text::{self, ParseError};
use super::{Form, IntervalSet, InvalidRange};
use crate::pullsync::strategy::{Edge, Full, Inside, Intervals, Inverted, Parse, ZeroEnd};

/// Walks the list as it stands, whether or not it is canonical.
pub(super) fn add(
    ranges: &mut Vec<Range>,
    start: u64,
    (from, to): Range,
    how: Intervals,
) -> Result<(), InvalidRange> {
    if from > to && how.inverted == Inverted::Refused {
        return Err(InvalidRange { from, to });
    }
    if to < start {
        return Ok(());
    }
    let added = (from.max(start), to);
    let is_inside = |range: &Range| range.0 < added.0 && added.1.saturating_add(2) <= range.1;
    let around = ranges.iter().position(is_inside);
    match around.filter(|_| how.inside == Inside::Kept) {
        Some(around) => ranges.insert(around + 1, added),
        None => unite(ranges, added, how.edge),
    }
    Ok(())
}

fn unite(ranges: &mut Vec<Range>, mut added: Range, edge: Edge) {
    let behind = |number: u64| match edge {
        Edge::Saturating => number.saturating_add(1),
        Edge::Wrapping => number.wrapping_add(1),
    };
    let mut place = 0;
    let mut is_merged = false;
    let mut is_past = false;
    ranges.retain(|range| {
        if is_past {
            return true;
        }
        let overlaps = range.0 <= added.1 && added.0 <= range.1;
        let touches = overlaps || behind(added.1) == range.0 || behind(range.1) == added.0;
        if touches {
            added = (added.0.min(range.0), added.1.max(range.1));
            is_merged = true;
        }
        is_past = behind(added.1) <= range.0;
        place += usize::from(!is_merged && !is_past);
        !touches
    });
    ranges.insert(place, added);
}

/// The first missing run, judged by the first two ranges alone.
pub(super) fn gap(
    start: u64,
    first: Option<Range>,
    second: Option<Range>,
    how: Intervals,
) -> Option<(u64, Option<u64>)> {
    let (from, next) = match first {
        Some(first) if first.0 <= start => match (first.1.checked_add(1), how.full) {
            (Some(behind), _) => (behind, second),
            (None, Full::FromZero) => (0, None),
            (None, Full::Nothing) => return None,
        },
        first => (start, first),
    };
    let end = next.map(|next| next.0.saturating_sub(1));
    let end = end.filter(|end| *end != 0 || how.zero_end == ZeroEnd::Bound);
    Some((from, end))
}

/// Range by range into what `set` is, unless `how` says that it is replaced as a whole.
pub(super) fn decode_into(
    set: &mut IntervalSet,
    text: &[u8],
    how: Intervals,
) -> Result<(), ParseError> {
    let mut parsed = IntervalSet::new(0);
    let target = match how.parse {
        Parse::Whole => &mut parsed,
        Parse::Piecewise => &mut *set,
    };
    let (start, fields) = text::fields(text)?;
    target.start = start;
    for (field, range) in fields {
        let (from, to) = range?;
        if field == 1 {
            target.form = Form::Flat(Vec::new());
        }
        let added = target.add_by(from, to, how);
        added.map_err(|_| ParseError::Inverted { field })?;
    }
    if how.parse == Parse::Whole {
        *set = parsed;
    }
    Ok(())
}
