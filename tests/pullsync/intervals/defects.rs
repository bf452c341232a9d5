//! D1 to D7, each as the ancestors and as the reference have it (11).

use concord::systems::pullsync::IntervalSet;
use concord::systems::pullsync::interval::{Gap, InvalidRange, ParseError};
use concord::systems::pullsync::strategy::{
    Edge, Full, Inside, Intervals, Inverted, Parse, ZeroEnd,
};

use super::ranges;

const MAX: u64 = u64::MAX;
const REFERENCE: Intervals = Intervals::REFERENCE;
const UPSTREAM: Intervals = Intervals::UPSTREAM;

/// A set with this limit to which these ranges were added one after the other.
fn set(how: Intervals, start: u64, added: &[(u64, u64)]) -> IntervalSet {
    let mut set = IntervalSet::new(start);
    for (from, to) in added {
        set.add_by(*from, *to, how).expect("it is not refused");
        assert!(how != REFERENCE || set.is_canonical());
    }
    set
}

fn next(set: &IntervalSet, ceiling: u64, how: Intervals) -> (Option<u64>, Option<u64>, bool) {
    let Gap { start, end, empty } = set.next_by(Some(ceiling), how);
    (start, end, empty)
}

/// The defect alone, and all together.
fn with(alone: Intervals) -> [Intervals; 2] {
    [alone, UPSTREAM]
}

#[test]
fn d1_a_range_strictly_inside_another_is_kept() {
    let added = [(1, 150), (51, 100)];
    for how in with(Intervals {
        inside: Inside::Kept,
        ..REFERENCE
    }) {
        let mut kept = set(how, 1, &added);
        assert_eq!(ranges(&kept), added);
        assert!(!kept.is_canonical());
        assert_eq!(kept.last(), 100);
        assert_eq!(next(&kept, 0, how), (Some(151), Some(50), false));
        let short = kept.encode().len();
        kept.add_by(51, 100, how).expect("it is not refused");
        assert!(kept.encode().len() > short);

        // One number to spare below and two above.
        assert_eq!(ranges(&set(how, 1, &[(1, 9), (2, 7)])), [(1, 9), (2, 7)]);
        assert_eq!(ranges(&set(how, 1, &[(1, 9), (1, 7)])), [(1, 9)]);
        assert_eq!(ranges(&set(how, 1, &[(1, 9), (2, 8)])), [(1, 9)]);
    }
    let merged = set(REFERENCE, 1, &added);
    assert_eq!(ranges(&merged), [(1, 150)]);
    assert_eq!(next(&merged, 0, REFERENCE), (Some(151), None, false));
}

#[test]
fn d2_the_number_behind_the_largest_is_zero() {
    let over = [(10, 20), (30, 40), (5, MAX)];
    let behind = [(1, 10), (20, MAX)];
    for how in with(Intervals {
        edge: Edge::Wrapping,
        ..REFERENCE
    }) {
        assert_eq!(ranges(&set(how, 1, &over)), [(5, MAX), (30, 40)]);
        let reversed = set(how, 1, &behind);
        assert_eq!(ranges(&reversed), [(20, MAX), (1, 10)]);
        assert_eq!(next(&reversed, 0, how), (Some(1), Some(19), false));
    }
    assert_eq!(ranges(&set(REFERENCE, 1, &over)), [(5, MAX)]);
    let united = set(REFERENCE, 1, &behind);
    assert_eq!(ranges(&united), behind);
    assert_eq!(next(&united, 0, REFERENCE), (Some(11), Some(19), false));
}

#[test]
fn d3_an_inverted_range_is_stored() {
    for how in with(Intervals {
        inverted: Inverted::Stored,
        ..REFERENCE
    }) {
        assert_eq!(ranges(&set(how, 1, &[(10, 5)])), [(10, 5)]);
        let grown = set(how, 1, &[(6, 3), (6, 3), (6, 3)]);
        assert_eq!(ranges(&grown), [(6, 3); 3]);
        let mut parsed = IntervalSet::new(0);
        assert_eq!(parsed.decode_into(b"1;6,3", how), Ok(()));
        assert_eq!(ranges(&parsed), [(6, 3)]);
    }
    let mut refusing = set(REFERENCE, 1, &[(1, 2)]);
    for start in [6, 1, 100] {
        let mut refusing = IntervalSet::new(start);
        assert_eq!(refusing.add(6, 3), Err(InvalidRange { from: 6, to: 3 }));
    }
    assert_eq!(refusing.add(10, 5), Err(InvalidRange { from: 10, to: 5 }));
    assert_eq!(ranges(&refusing), [(1, 2)]);
}

#[test]
fn d4_what_is_missing_from_a_full_set_begins_at_zero() {
    let full = set(REFERENCE, 1, &[(1, MAX)]);
    for how in with(Intervals {
        full: Full::FromZero,
        ..REFERENCE
    }) {
        assert_eq!(next(&full, 0, how), (Some(0), None, false));
        assert_eq!(next(&full, 77, how), (Some(0), Some(77), false));
    }
    assert_eq!(next(&full, 0, REFERENCE), (None, None, true));
    assert_eq!(next(&full, 77, REFERENCE), (Some(77), Some(77), true));
    assert_eq!(next(&full, MAX, REFERENCE), (Some(MAX), Some(MAX), true));
}

#[test]
fn d5_a_gap_that_ends_at_zero_is_unbounded() {
    let behind = set(REFERENCE, 0, &[(1, 5)]);
    for how in with(Intervals {
        zero_end: ZeroEnd::Unbounded,
        ..REFERENCE
    }) {
        assert_eq!(next(&behind, 0, how), (Some(0), None, false));
        assert_eq!(next(&behind, 3, how), (Some(0), Some(3), false));
    }
    assert_eq!(next(&behind, 0, REFERENCE), (Some(0), Some(0), false));
    assert_eq!(next(&behind, 3, REFERENCE), (Some(0), Some(0), false));
}

#[test]
fn d6_a_set_can_be_merged_with_itself() {
    let mut set = set(REFERENCE, 1, &[(1, 5), (9, 9)]);
    let same = set.clone();
    set.merge(&same);
    assert_eq!(set, same);
}

#[test]
fn d7_a_parse_leaves_parts_of_the_former_set() {
    let former = set(REFERENCE, 1, &[(1, 5), (9, 9)]);
    for how in with(Intervals {
        parse: Parse::Piecewise,
        ..REFERENCE
    }) {
        let mut failed = former.clone();
        let error = failed.decode_into(b"3;4,6;x", how);
        assert_eq!(error, Err(ParseError::TooShort { field: 2 }));
        assert_eq!(failed.encode(), "3;4,6");
        let mut parsed = former.clone();
        assert_eq!(parsed.decode_into(b"1", how), Ok(()));
        assert_eq!(parsed, former);
        assert_eq!(
            parsed.decode_into(b"!", how),
            Err(ParseError::Start { field: 0 })
        );
        assert_eq!(parsed, former);
    }
    let mut whole = former.clone();
    let error = whole.decode_into(b"3;4,6;x", REFERENCE);
    assert_eq!(error, Err(ParseError::TooShort { field: 2 }));
    assert_eq!(whole, former);
    assert_eq!(whole.decode_into(b"1", REFERENCE), Ok(()));
    assert_eq!(whole, IntervalSet::new(1));
}

/// Faulty code differs from the reference only where its defect is.
#[test]
fn what_touches_no_defect_is_the_same() {
    let added = [
        (7, 9),
        (1, 3),
        (20, 30),
        (4, 5),
        (6, 6),
        (29, 40),
        (50, 50),
        (10, 21),
    ];
    let [mut faulty, mut right] = [UPSTREAM, REFERENCE].map(|how| set(how, 1, &added));
    assert_eq!(ranges(&faulty), [(1, 40), (50, 50)]);
    assert_eq!(faulty, right);
    let other = set(REFERENCE, 0, &[(0, 3), (45, 51), (60, 99)]);
    faulty.merge_by(
        &other,
        Intervals {
            inside: Inside::Merged,
            ..UPSTREAM
        },
    );
    right.merge_by(&other, REFERENCE);
    assert_eq!(faulty, right);
    for ceiling in [0, 1, 41, 100] {
        assert_eq!(
            next(&faulty, ceiling, UPSTREAM),
            next(&right, ceiling, REFERENCE)
        );
    }
    let text = right.encode();
    faulty
        .decode_into(text.as_bytes(), UPSTREAM)
        .expect("it is a set");
    assert_eq!(faulty, right);
}
