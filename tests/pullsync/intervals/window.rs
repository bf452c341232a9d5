//! Random sequences against bits: numbers around 0, the middle and the largest one stand for one bit
//! each, and what lies between these windows for one bit as well.

use concord::systems::pullsync::IntervalSet;
use concord::systems::pullsync::interval::Gap;
use proptest::prelude::*;

use super::ranges;
use crate::common::cases;

const WIDTH: u64 = 12;
const SPANS: usize = 3 * WIDTH as usize + 2;

/// The numbers that a bit stands for, from the first to the last.
fn span(bit: usize) -> (u64, u64) {
    let windows = [0, (1 << 63) - WIDTH / 2, u64::MAX - WIDTH + 1];
    let (window, place) = (
        bit / (WIDTH as usize + 1),
        (bit % (WIDTH as usize + 1)) as u64,
    );
    let from = windows[window] + place;
    let to = match place {
        WIDTH => windows[window + 1] - 1,
        _ => from,
    };
    (from, to)
}

/// A set of spans, none below the first.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Bits {
    first: usize,
    bits: [bool; SPANS],
}

impl Bits {
    fn new(first: usize) -> Self {
        Self {
            first,
            bits: [false; SPANS],
        }
    }

    fn add(&mut self, from: usize, to: usize) {
        (from.max(self.first)..=to).for_each(|bit| self.bits[bit] = true);
    }

    /// Runs of bits that are `set`, from the first one on.
    fn runs(&self, first: usize, set: bool) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for bit in (first..SPANS).filter(|bit| self.bits[*bit] == set) {
            match runs.last_mut() {
                Some(run) if run.1 + 1 == bit => run.1 = bit,
                _ => runs.push((bit, bit)),
            }
        }
        runs
    }

    fn ranges(&self) -> Vec<(u64, u64)> {
        let runs = self.runs(0, true).into_iter();
        runs.map(|(from, to)| (span(from).0, span(to).1)).collect()
    }

    fn gap(&self, from: usize) -> Option<(u64, Option<u64>)> {
        let run = self.runs(from.max(self.first), false).into_iter().next();
        run.map(|(from, to)| (span(from).0, (to + 1 < SPANS).then(|| span(to).1)))
    }

    fn next(&self, ceiling: Option<u64>) -> Gap {
        let missing = self.gap(self.first);
        let (start, end, empty) = match (missing, ceiling) {
            (None, None | Some(0)) => (None, None, true),
            (Some((start, end)), None | Some(0)) => (Some(start), end, false),
            (Some((start, None)), Some(c)) if start <= c => (Some(start), Some(c), false),
            (Some((start, Some(end))), Some(c)) if start <= c => {
                (Some(start), Some(end.min(c)), false)
            }
            (_, Some(c)) => (Some(c), Some(c), true),
        };
        Gap { start, end, empty }
    }

    fn text(&self) -> String {
        let mut text = base_36(span(self.first).0);
        for (from, to) in self.ranges() {
            text += &format!(";{},{}", base_36(from), base_36(to));
        }
        text
    }
}

fn base_36(number: u64) -> String {
    let digit = |power: u32| (u128::from(number) / 36_u128.pow(power) % 36) as u32;
    let digits = (0..13)
        .rev()
        .map(|power| char::from_digit(digit(power), 36).expect("below 36"));
    let digits: String = digits.collect();
    match digits.trim_start_matches('0') {
        "" => "0".into(),
        digits => digits.into(),
    }
}

/// How a number is written where there is a choice.
fn written(number: u64, style: usize) -> String {
    match style % 3 {
        0 => base_36(number),
        1 => base_36(number).to_uppercase(),
        _ => format!("{}{}", "0".repeat(style), base_36(number)),
    }
}

#[derive(Clone, Debug)]
enum Op {
    Add(usize, usize),
    /// The other set into this one.
    Merge,
    /// A text with these ranges, not in canonical form; the last one may be inverted.
    Decode(usize, Vec<(usize, usize)>),
    /// A text in which this byte stands at this place.
    Spoil(usize, u8),
}

fn ops() -> impl Strategy<Value = Vec<(usize, Op)>> {
    let bit = || 0..SPANS;
    let op = prop_oneof![
        6 => (bit(), bit()).prop_map(|(from, to)| Op::Add(from, to)),
        4 => (bit(), 0..3_usize).prop_map(|(from, more)| Op::Add(from, (from + more).min(SPANS - 1))),
        2 => Just(Op::Merge),
        1 => (bit(), prop::collection::vec((bit(), bit()), 0..6)).prop_map(|(first, ranges)| Op::Decode(first, ranges)),
        1 => (any::<usize>(), any::<u8>()).prop_map(|(place, byte)| Op::Spoil(place, byte)),
    ];
    prop::collection::vec((0..2_usize, op), 1..40)
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_set_is_its_numbers(firsts in [0..SPANS, 0..3_usize], ops in ops()) {
        let mut oracles = firsts.map(Bits::new);
        let mut sets = firsts.map(|first| IntervalSet::new(span(first).0));
        for (at, op) in ops {
            let before = sets[at].clone();
            match op {
                Op::Add(from, to) => {
                    let added = sets[at].add(span(from).0, span(to).1);
                    prop_assert_eq!(added.is_ok(), from <= to);
                    if from <= to {
                        oracles[at].add(from, to);
                        let same = sets[at].clone();
                        sets[at].merge(&same);
                        prop_assert_eq!(&sets[at], &same);
                    }
                }
                Op::Merge => {
                    let other = sets[1 - at].clone();
                    sets[at].merge(&other);
                    for (from, to) in oracles[1 - at].runs(0, true) {
                        oracles[at].add(from, to);
                    }
                }
                Op::Decode(first, ranges) => {
                    let mut text = written(span(first).0, first);
                    let mut oracle = Bits::new(first);
                    for (from, to) in &ranges {
                        let (from, to) = match ranges.len() % 2 {
                            0 => (*from.min(to), *from.max(to)),
                            _ => (*from, *to),
                        };
                        text += &format!(";{},{}", written(span(from).0, to), written(span(to).1, from));
                        oracle.add(from, to);
                    }
                    let is_inverted = ranges.len() % 2 == 1 && ranges.iter().any(|(from, to)| from > to);
                    match IntervalSet::decode(text.as_bytes()) {
                        Ok(set) => (sets[at], oracles[at]) = (set, oracle),
                        Err(_) => prop_assert!(is_inverted),
                    }
                    prop_assert!(!is_inverted || sets[at] == before);
                }
                Op::Spoil(place, byte) => {
                    let mut text = before.encode().into_bytes();
                    let place = place % text.len();
                    text[place] = byte;
                    match IntervalSet::decode(&text) {
                        Ok(set) => prop_assert!(set.is_canonical()),
                        Err(_) => prop_assert_eq!(&sets[at], &before),
                    }
                }
            }
            agree(&sets[at], &oracles[at])?;
        }
    }
}

/// Everything that can be asked.
fn agree(set: &IntervalSet, oracle: &Bits) -> Result<(), TestCaseError> {
    prop_assert_eq!(ranges(set), oracle.ranges());
    prop_assert!(set.is_canonical());
    prop_assert_eq!(set.start(), span(oracle.first).0);
    prop_assert_eq!(
        set.last(),
        oracle.ranges().last().map_or(0, |range| range.1)
    );
    prop_assert_eq!(set.encode(), oracle.text());
    let decoded = IntervalSet::decode(oracle.text().as_bytes());
    prop_assert_eq!(decoded.as_ref(), Ok(set));
    prop_assert_eq!(set.next(None), oracle.next(None));
    prop_assert_eq!(set.next(Some(0)), oracle.next(Some(0)));
    for bit in 0..SPANS {
        let (from, to) = span(bit);
        prop_assert_eq!(set.next(Some(to)), oracle.next(Some(to)), "below {}", to);
        prop_assert_eq!(set.gap_from(from), oracle.gap(bit), "from {}", from);
        for number in [from, to] {
            prop_assert_eq!(set.contains(number), oracle.bits[bit], "{}", number);
        }
    }
    Ok(())
}
