//! Interval sets against sets of other crates, and against the linear scan of one vector, which is what
//! the original does. Answers are compared before anything is timed.
//!
//! Scattered ranges: so many starts anywhere below sixteen times as many numbers, lengths up to 16.
//! Nearly in order, as synchronisation is assumed to add them: eight numbers each, one range behind the
//! other but for groups of sixteen, which are shuffled.

use std::hint::black_box;
use std::ops::RangeInclusive;
use std::time::Duration;

use concord::goals::Bound::AtLeast;
use concord::systems::pullsync::IntervalSet;
use criterion::{BenchmarkId, Throughput};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use range_set_blaze::RangeSetBlaze;
use rangemap::RangeInclusiveSet;
use roaring::RoaringTreemap;

use super::CONCORD;
use super::common::Goals;
use super::common::rounds::{Rounds, timed};
use super::groups::group;

type Criterion = super::Criterion;
type Range = (u64, u64);

const LINEAR: &str = "linear scan of one vector";
const BLAZE: &str = "range-set-blaze 0.8.0";
const RANGEMAP: &str = "rangemap 1.8.0";
const ROARING: &str = "roaring 0.12.0";

const MILLION: usize = 1_000_000;

fn scattered(count: usize, seed: u64) -> Vec<Range> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let starts = 1..=16 * count as u64;
    let mut range = || {
        let from = random.random_range(starts.clone());
        (from, from + random.random_range(0..16))
    };
    (0..count).map(|_| range()).collect()
}

fn nearly_in_order(count: usize) -> Vec<Range> {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut ranges: Vec<Range> = (0..count as u64)
        .map(|at| (8 * at + 1, 8 * at + 8))
        .collect();
    ranges
        .chunks_mut(16)
        .for_each(|group| group.shuffle(&mut random));
    ranges
}

/// What every set here can do.
trait Ranges: Default {
    fn add(&mut self, range: Range);

    /// The first missing run from here on, which ends, if not at the largest number, before a range.
    fn gap(&self, from: u64) -> Range;

    fn listed(&self) -> Vec<Range>;

    fn of(added: &[Range]) -> Self {
        let mut set = Self::default();
        added.iter().for_each(|range| set.add(*range));
        set
    }
}

/// Set of concord.
struct Ours(IntervalSet);

impl Default for Ours {
    fn default() -> Self {
        Self(IntervalSet::new(1))
    }
}

impl Ranges for Ours {
    fn add(&mut self, (from, to): Range) {
        self.0.add(from, to).expect("it is not inverted");
    }

    fn gap(&self, from: u64) -> Range {
        let (from, to) = self
            .0
            .gap_from(from)
            .expect("the largest number is missing");
        (from, to.unwrap_or(u64::MAX))
    }

    fn listed(&self) -> Vec<Range> {
        self.0.ranges().collect()
    }
}

/// One sorted vector, searched from its first range on.
#[derive(Default)]
struct Linear(Vec<Range>);

impl Ranges for Linear {
    fn add(&mut self, (from, to): Range) {
        let ranges = &mut self.0;
        let touches = |range: &Range| range.1 >= from - 1;
        let Some(first) = ranges.iter().position(touches) else {
            return ranges.push((from, to));
        };
        let behind = ranges[first..].iter().position(|range| range.0 > to + 1);
        let last = first + behind.unwrap_or(ranges.len() - first);
        if first == last {
            return ranges.insert(first, (from, to));
        }
        ranges[first] = (ranges[first].0.min(from), ranges[last - 1].1.max(to));
        ranges.drain(first + 1..last);
    }

    fn gap(&self, from: u64) -> Range {
        let behind = self.0.iter().position(|range| range.1 >= from);
        let Some(at) = behind else {
            return (from, u64::MAX);
        };
        let (start, next) = match self.0[at] {
            (first, last) if first <= from => (last + 1, self.0.get(at + 1)),
            _ => (from, self.0.get(at)),
        };
        (start, next.map_or(u64::MAX, |next| next.0 - 1))
    }

    fn listed(&self) -> Vec<Range> {
        self.0.clone()
    }
}

impl Ranges for RangeSetBlaze<u64> {
    fn add(&mut self, (from, to): Range) {
        self.ranges_insert(from..=to);
    }

    fn gap(&self, from: u64) -> Range {
        match self.range_or_gap_at(from) {
            (range, true) => self.range_or_gap_at(range.end() + 1).0.into_inner(),
            (gap, false) => (from, *gap.end()),
        }
    }

    fn listed(&self) -> Vec<Range> {
        self.ranges().map(RangeInclusive::into_inner).collect()
    }
}

impl Ranges for RangeInclusiveSet<u64> {
    fn add(&mut self, (from, to): Range) {
        self.insert(from..=to);
    }

    fn gap(&self, from: u64) -> Range {
        let gap = self.gaps(&(from..=u64::MAX)).next();
        gap.expect("the largest number is missing").into_inner()
    }

    fn listed(&self) -> Vec<Range> {
        self.iter()
            .cloned()
            .map(RangeInclusive::into_inner)
            .collect()
    }
}

/// It has no ranges and no gaps of its own.
impl Ranges for RoaringTreemap {
    fn add(&mut self, (from, to): Range) {
        self.insert_range(from..=to);
    }

    fn gap(&self, _: u64) -> Range {
        unreachable!("it is not asked")
    }

    fn listed(&self) -> Vec<Range> {
        let mut ranges: Vec<Range> = Vec::new();
        for number in self {
            match ranges.last_mut() {
                Some(range) if range.1 + 1 == number => range.1 = number,
                _ => ranges.push((number, number)),
            }
        }
        ranges
    }
}

pub(super) fn goals(goals: &mut Goals) {
    for count in [1_000, 20_000, MILLION] {
        additions(goals, count);
        gaps(goals, count);
    }
    for count in [1_000, MILLION] {
        additions_in_order(goals, count);
    }
    for count in [1_400, 131_000] {
        merges(goals, count);
    }
}

/// A set from nothing.
fn built<'a, S: Ranges + 'a>(rounds: &mut Rounds<'a>, name: &'static str, added: &'a [Range]) {
    rounds.add(name, || S::of(black_box(added)));
}

fn rounds<'a>(count: usize) -> Rounds<'a> {
    match count {
        MILLION => Rounds::few(),
        _ => Rounds::default(),
    }
}

fn additions(goals: &mut Goals, count: usize) {
    let added = &scattered(count, 1);
    let ranges = Ours::of(added).listed();
    assert_eq!(ranges, RangeSetBlaze::of(added).listed());
    assert_eq!(ranges, RangeInclusiveSet::of(added).listed());
    assert_eq!(ranges, RoaringTreemap::of(added).listed());

    let mut rounds = rounds(count);
    built::<Ours>(&mut rounds, CONCORD, added);
    built::<RangeSetBlaze<u64>>(&mut rounds, BLAZE, added);
    built::<RangeInclusiveSet<u64>>(&mut rounds, RANGEMAP, added);
    built::<RoaringTreemap>(&mut rounds, ROARING, added);
    if count < MILLION {
        assert_eq!(ranges, Linear::of(added).listed());
        built::<Linear>(&mut rounds, LINEAR, added);
    }
    let group = rounds.measure();
    let what = format!("{count} additions, scattered");
    let mut record = |id, least, peer| {
        goals.record(id, &what, AtLeast(least), [CONCORD, peer], &group);
    };
    match count {
        1_000 => record("I1", 2.0, BLAZE),
        MILLION => {
            record("I2", 1.15, BLAZE);
            record("I2", 1.4, RANGEMAP);
            record("I3", 0.6, ROARING);
        }
        _ => {
            record("I1", 2.0, ROARING);
            record("I5", 15.0, LINEAR);
        }
    }
}

fn additions_in_order(goals: &mut Goals, count: usize) {
    let added = &nearly_in_order(count);
    assert_eq!(Ours::of(added).listed(), [(1, 8 * count as u64)]);
    assert_eq!(Linear::of(added).listed(), [(1, 8 * count as u64)]);
    assert_eq!(RangeSetBlaze::of(added).listed(), [(1, 8 * count as u64)]);

    let mut rounds = rounds(count);
    built::<Ours>(&mut rounds, CONCORD, added);
    built::<Linear>(&mut rounds, LINEAR, added);
    built::<RangeSetBlaze<u64>>(&mut rounds, BLAZE, added);
    let group = rounds.measure();
    let what = format!("{count} additions, nearly in order");
    let mut record = |least, peer| {
        goals.record("I4", &what, AtLeast(least), [CONCORD, peer], &group);
    };
    record(0.5, LINEAR);
    record(1.8, BLAZE);
}

/// From where gaps are looked for.
const POINTS: usize = 4_096;

fn points(count: usize) -> Vec<u64> {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let points = 1..=16 * count as u64;
    (0..POINTS)
        .map(|_| random.random_range(points.clone()))
        .collect()
}

fn found<S: Ranges>(set: &S, points: &[u64]) -> Vec<Range> {
    points.iter().map(|point| set.gap(*point)).collect()
}

/// A gap from each point, and something that depends on all.
fn look<S: Ranges>(set: &S, points: &[u64]) -> u64 {
    let gaps = points.iter().map(|point| set.gap(*point));
    gaps.fold(0, |sum, (from, to)| sum ^ from ^ to)
}

fn gaps(goals: &mut Goals, count: usize) {
    let (added, points) = (&scattered(count, 1), &points(count)[..]);
    let ours = &Ours::of(added);
    let blaze = &RangeSetBlaze::of(added);
    let rangemap = &RangeInclusiveSet::of(added);
    let expected = found(ours, points);
    assert_eq!(expected, found(blaze, points));
    assert_eq!(expected, found(rangemap, points));
    if count < MILLION {
        assert_eq!(expected, found(&Linear::of(added), points));
    }

    let mut rounds = Rounds::default();
    rounds.add(CONCORD, || look(black_box(ours), points));
    rounds.add(BLAZE, || look(black_box(blaze), points));
    rounds.add(RANGEMAP, || look(black_box(rangemap), points));
    let group = rounds.measure();
    let what = format!("{POINTS} gaps, {count} additions");
    let least = match count {
        1_000 => 1.6,
        MILLION => 1.0,
        _ => 1.5,
    };
    for peer in [BLAZE, RANGEMAP] {
        goals.record("I6", &what, AtLeast(least), [CONCORD, peer], &group);
    }
}

/// How many sets are merged between two looks at the clock.
const BATCH: u64 = 16;

/// Merging into sets that were copied before, which is not timed: the others make new ones.
fn merge(one: &IntervalSet, other: &IntervalSet, calls: u64) -> Duration {
    let mut time = Duration::ZERO;
    let mut left = calls;
    while left > 0 {
        let count = left.min(BATCH);
        let mut sets = vec![one.clone(); count as usize];
        time += timed(|| {
            for set in &mut sets {
                set.merge(black_box(other));
            }
        });
        left -= count;
    }
    time
}

/// Sets of which a little more than half of the ranges are left.
fn merges(goals: &mut Goals, count: usize) {
    let [one, other] = [4, 5].map(|seed| scattered(count, seed));
    let [ours, others] = [&one, &other].map(|added| Ours::of(added).0);
    let [blaze, blazes] = [&one, &other].map(|added| RangeSetBlaze::of(added));
    let [roaring, roarings] = [&one, &other].map(|added| RoaringTreemap::of(added));
    let mut merged = ours.clone();
    merged.merge(&others);
    let merged = Ours(merged).listed();
    assert_eq!(merged, (&blaze | &blazes).listed());
    assert_eq!(merged, (&roaring | &roarings).listed());

    let size = ours.ranges().count();
    let mut rounds = Rounds::default();
    rounds.add_timed(CONCORD, |calls| merge(&ours, &others, calls));
    rounds.add(BLAZE, || black_box(&blaze) | &blazes);
    rounds.add(ROARING, || black_box(&roaring) | &roarings);
    let group = rounds.measure();
    let what = format!("merge of two sets of {size} ranges");
    let least = if count < 100_000 { 4.0 } else { 2.5 };
    for peer in [ROARING, BLAZE] {
        goals.record("I7", &what, AtLeast(least), [CONCORD, peer], &group);
    }
}

/// Sets from nothing, by name of the shape.
pub(super) fn added(criterion: &mut Criterion) {
    let mut group = group(criterion, "pullsync/intervals/add");
    for (shape, added) in [
        ("1 000 scattered", scattered(1_000, 1)),
        ("20 000 scattered", scattered(20_000, 1)),
        ("1 000 nearly in order", nearly_in_order(1_000)),
    ] {
        let added = &added[..];
        group.throughput(Throughput::Elements(added.len() as u64));
        let id = |name| BenchmarkId::new(name, shape);
        group.bench_function(id(CONCORD), |b| b.iter(|| Ours::of(added)));
        group.bench_function(id(LINEAR), |b| b.iter(|| Linear::of(added)));
        group.bench_function(id(BLAZE), |b| b.iter(|| RangeSetBlaze::of(added)));
        group.bench_function(id(RANGEMAP), |b| b.iter(|| RangeInclusiveSet::of(added)));
        group.bench_function(id(ROARING), |b| b.iter(|| RoaringTreemap::of(added)));
    }
    group.finish();
}

/// The form in which sets are stored.
pub(super) fn coded(criterion: &mut Criterion) {
    let mut group = group(criterion, "pullsync/intervals/text");
    for count in [2, 1_000] {
        let Ours(set) = Ours::of(&scattered(count, 1));
        let text = set.encode();
        assert_eq!(IntervalSet::decode(text.as_bytes()).as_ref(), Ok(&set));
        group.throughput(Throughput::Bytes(text.len() as u64));
        let id = |name| BenchmarkId::new(name, set.ranges().count());
        group.bench_function(id("encode"), |b| b.iter(|| black_box(&set).encode()));
        group.bench_function(id("decode"), |b| {
            b.iter(|| IntervalSet::decode(black_box(text.as_bytes())));
        });
    }
    group.finish();
}
