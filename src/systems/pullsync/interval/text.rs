//! The binary form of a set, which is ASCII: its limit and its ranges in base 36 (4).

use super::IntervalSet;

/// Why a text is no set (4, parsing). `field` counts from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseError {
    /// The limit is no number.
    #[error("field {field}: no start in base 36 up to 3w5e11264sgsf; the set is unchanged")]
    Start {
        /// Always 0.
        field: usize,
    },
    /// A range is one word.
    #[error("field {field}: no comma, expected two numbers; the set is unchanged")]
    TooShort {
        /// The range's.
        field: usize,
    },
    /// What stands before the comma is no number.
    #[error(
        "field {field}: no start of a range in base 36 up to 3w5e11264sgsf; the set is unchanged"
    )]
    RangeStart {
        /// The range's.
        field: usize,
    },
    /// What stands behind the comma is no number.
    #[error(
        "field {field}: no end of a range in base 36 up to 3w5e11264sgsf; the set is unchanged"
    )]
    RangeEnd {
        /// The range's.
        field: usize,
    },
    /// The start of a range is above its end.
    #[error("field {field}: an inverted range; the set is unchanged")]
    Inverted {
        /// The range's.
        field: usize,
    },
}

pub(super) fn encode(set: &IntervalSet) -> String {
    let mut text = String::new();
    push(&mut text, set.start());
    for (from, to) in set.ranges() {
        text.push(';');
        push(&mut text, from);
        text.push(',');
        push(&mut text, to);
    }
    text
}

pub(super) fn decode(text: &[u8]) -> Result<IntervalSet, ParseError> {
    let (start, ranges) = fields(text)?;
    let mut set = IntervalSet::new(start);
    for (field, range) in ranges {
        let (from, to) = range?;
        set.add(from, to)
            .map_err(|_| ParseError::Inverted { field })?;
    }
    Ok(set)
}

/// A range and its place among the fields.
pub(super) type Field = (usize, Result<(u64, u64), ParseError>);

/// The limit, and each range with its place, as far as the numbers are some.
pub(super) fn fields(text: &[u8]) -> Result<(u64, impl Iterator<Item = Field>), ParseError> {
    let mut fields = text.split(|byte| *byte == b';').enumerate();
    let start = fields.next().and_then(|(_, start)| number(start));
    let start = start.ok_or(ParseError::Start { field: 0 })?;
    let ranges = fields.map(|(field, range)| (field, parse_range(field, range)));
    Ok((start, ranges))
}

fn parse_range(field: usize, text: &[u8]) -> Result<(u64, u64), ParseError> {
    let comma = text.iter().position(|byte| *byte == b',');
    let comma = comma.ok_or(ParseError::TooShort { field })?;
    let from = number(&text[..comma]).ok_or(ParseError::RangeStart { field })?;
    let to = number(&text[comma + 1..]).ok_or(ParseError::RangeEnd { field })?;
    Ok((from, to))
}

const BASE: u64 = 36;
/// Digits of the largest number.
const LONGEST: usize = 13;
const DIGITS: &[u8; BASE as usize] = b"0123456789abcdefghijklmnopqrstuvwxyz";

fn push(text: &mut String, mut number: u64) {
    let mut reversed = [0; LONGEST];
    let mut length = 0;
    loop {
        reversed[length] = DIGITS[(number % BASE) as usize];
        length += 1;
        number /= BASE;
        if number == 0 {
            break;
        }
    }
    let digits = reversed[..length].iter().rev();
    text.extend(digits.map(|digit| char::from(*digit)));
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = char::from(*digit).to_digit(BASE as u32)?;
        number.checked_mul(BASE)?.checked_add(digit.into())
    })
}
