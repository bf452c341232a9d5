//! The area file (section 5): half-open ranges of bytes in order, one `start-end` in a line, lines
//! joined by LF; empty for no range.

use std::fmt::Write;

use super::text::{Error, Kind, Place};

/// Ranges, neighbours merged. They must be in order already.
///
/// # Errors
/// `invalid_area` for a range that is negative, reversed, or starts before the end of the one before.
pub fn format(areas: &[(i64, i64)]) -> Result<String, Error> {
    let mut end_before = 0;
    for (at, area) in areas.iter().enumerate() {
        end_before = check(*area, end_before, at)?;
    }
    let mut out = String::new();
    for run in areas.chunk_by(|before, after| before.1 == after.0) {
        if !out.is_empty() {
            out.push('\n');
        }
        let (start, end) = (run[0].0, run[run.len() - 1].1);
        write!(out, "{start}-{end}").expect("a string takes everything");
    }
    Ok(out)
}

/// Ranges as they stand: neighbours are not merged.
///
/// # Errors
/// `invalid_area` for a line that is not two numbers of digits around one hyphen, both within signed
/// 64 bits, and for a range that is reversed or starts before the end of the one before.
pub fn parse(raw: &[u8]) -> Result<Vec<(i64, i64)>, Error> {
    if raw.is_empty() {
        return Ok(Vec::new());
    }
    let mut areas = Vec::new();
    let mut end_before = 0;
    for (at, line) in raw.split(|byte| *byte == b'\n').enumerate() {
        let area = range(line).ok_or(invalid(at, "two numbers of digits around one hyphen"))?;
        end_before = check(area, end_before, at)?;
        areas.push(area);
    }
    Ok(areas)
}

/// The end of a range that may follow one that ends at `end_before`.
fn check((start, end): (i64, i64), end_before: i64, at: usize) -> Result<i64, Error> {
    if start < end_before {
        return Err(invalid(at, "a start at or after 0 and the end before"));
    }
    if end < start {
        return Err(invalid(at, "an end at or after the start"));
    }
    Ok(end)
}

fn range(line: &[u8]) -> Option<(i64, i64)> {
    let (start, end) = std::str::from_utf8(line).ok()?.split_once('-')?;
    Some((digits(start)?, digits(end)?))
}

fn digits(text: &str) -> Option<i64> {
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().ok(),
        false => None,
    }
}

const fn invalid(at: usize, expected: &'static str) -> Error {
    Error::new(Kind::InvalidArea, "area file", Place::Piece(at)).expecting(expected)
}
