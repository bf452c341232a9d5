//! Sets of many ranges against a vector with a place for each number.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use concord::systems::pullsync::IntervalSet;
use proptest::prelude::*;

use super::ranges;
use crate::common::cases;

const SIZE: usize = 12_000;

/// Numbers from `base` on, none below the place of the limit.
struct Places {
    base: u64,
    limit: usize,
    taken: Vec<bool>,
}

impl Places {
    fn new(base: u64, limit: usize) -> Self {
        Self {
            base,
            limit,
            taken: vec![false; SIZE],
        }
    }

    fn number(&self, place: usize) -> u64 {
        self.base + place as u64
    }

    fn ranges(&self) -> Vec<(u64, u64)> {
        let mut ranges = Vec::new();
        let mut open = None;
        for place in 0..=SIZE {
            let is_taken = self.taken.get(place).is_some_and(|taken| *taken);
            match (open, is_taken) {
                (None, true) => open = Some(place),
                (Some(from), false) => {
                    ranges.push((self.number(from), self.number(place - 1)));
                    open = None;
                }
                _ => {}
            }
        }
        ranges
    }

    /// The first missing place from here on, and the last one of its run.
    fn gap(&self, from: usize) -> Option<(u64, u64)> {
        let from = from.max(self.limit);
        let from = (from..SIZE).find(|place| !self.taken[*place])?;
        let behind = (from..SIZE)
            .find(|place| self.taken[*place])
            .unwrap_or(SIZE);
        Some((self.number(from), self.number(behind - 1)))
    }
}

fn add(set: &mut IntervalSet, places: &mut Places, from: usize, length: usize) {
    let to = (from + length).min(SIZE - 1);
    set.add(places.number(from), places.number(to))
        .expect("it is not inverted");
    let from = from.max(places.limit);
    if from <= to {
        places.taken[from..=to].fill(true);
    }
}

/// Ranges of one shape: scattered, at the end of what came before, or wide.
fn stretch() -> impl Strategy<Value = Vec<(usize, usize)>> {
    let scattered = prop::collection::vec((0..SIZE, 0..3_usize), 1..900);
    let ascending = (0..SIZE, 2..9_usize, 1..400_usize).prop_map(|(from, step, count)| {
        let places = (0..count).map(|at| (from + at * step, 0));
        places.filter(|(place, _)| *place < SIZE).collect()
    });
    let wide = prop::collection::vec((0..SIZE, 100..8_000_usize), 1..2);
    prop_oneof![4 => scattered, 2 => ascending, 1 => wide]
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn large_sets_are_their_numbers(
        is_low in any::<bool>(),
        limits in [0..SIZE, 0..3_usize],
        stretches in prop::collection::vec((0..2_usize, stretch()), 1..10),
    ) {
        let base = if is_low { 0 } else { u64::MAX - SIZE as u64 + 1 };
        let mut places = limits.map(|limit| Places::new(base, limit));
        let mut sets = limits.map(|limit| IntervalSet::new(base + limit as u64));
        for (at, stretch) in stretches {
            for (from, length) in stretch {
                add(&mut sets[at], &mut places[at], from, length);
            }
            prop_assert_eq!(ranges(&sets[at]), places[at].ranges());
            prop_assert!(sets[at].is_canonical());
            questions(&sets[at], &places[at])?;
            same_in_another_form(&sets[at])?;
        }
        let [mut one, mut other] = sets;
        let [mine, mut theirs] = places;
        let same = other.clone();
        other.merge(&one);
        one.merge(&same);
        let mut merged = Places::new(base, mine.limit);
        for place in 0..SIZE {
            merged.taken[place] = place >= mine.limit && (mine.taken[place] || theirs.taken[place]);
            theirs.taken[place] |= place >= theirs.limit && mine.taken[place];
        }
        prop_assert_eq!(ranges(&one), merged.ranges());
        prop_assert_eq!(ranges(&other), theirs.ranges());
    }
}

fn questions(set: &IntervalSet, places: &Places) -> Result<(), TestCaseError> {
    let last = places.number(SIZE - 1);
    for place in (0..SIZE).step_by(37).chain([SIZE - 1]) {
        let number = places.number(place);
        prop_assert_eq!(set.contains(number), places.taken[place]);
        let expected = match places.gap(place) {
            Some((from, to)) if to == last => Some((from, None)),
            Some((from, to)) => Some((from, Some(to))),
            None if last == u64::MAX => None,
            None => Some((last + 1, None)),
        };
        prop_assert_eq!(set.gap_from(number), expected);
    }
    Ok(())
}

/// Sets that came about otherwise may be held otherwise.
fn same_in_another_form(set: &IntervalSet) -> Result<(), TestCaseError> {
    let decoded = IntervalSet::decode(set.encode().as_bytes());
    prop_assert_eq!(decoded.as_ref(), Ok(set));
    let mut backwards = IntervalSet::new(set.start());
    let reversed: Vec<_> = set.ranges().collect();
    for (from, to) in reversed.into_iter().rev() {
        backwards.add(from, to).expect("it is not inverted");
    }
    let mut merged = IntervalSet::new(set.start());
    merged.merge(set);
    let hash = |set: &IntervalSet| BuildHasherDefault::<DefaultHasher>::default().hash_one(set);
    for other in [backwards, merged] {
        prop_assert_eq!(&other, set);
        prop_assert_eq!(hash(&other), hash(set));
    }
    Ok(())
}

#[test]
fn sets_that_differ_in_one_number_are_not_equal() {
    let mut set = IntervalSet::new(1);
    for number in 0..1_000 {
        set.add(3 * number, 3 * number).expect("it is not inverted");
    }
    let mut more = set.clone();
    more.add(1_000, 1_000).expect("it is not inverted");
    assert_ne!(set, more);
    assert_ne!(set, IntervalSet::new(1));
    let mut limited = IntervalSet::new(0);
    limited.merge(&set);
    assert_ne!(set, limited);
}
