//! What section 4 says, by example, and texts.

use concord::systems::pullsync::IntervalSet;
use concord::systems::pullsync::interval::{Gap, InvalidRange, ParseError};
use quickcheck::TestResult;

use super::{ranges, set};

const MAX: u64 = u64::MAX;

fn gap(start: u64, end: Option<u64>) -> Gap {
    Gap {
        start: Some(start),
        end,
        empty: false,
    }
}

fn nothing_below(ceiling: u64) -> Gap {
    Gap {
        start: Some(ceiling),
        end: Some(ceiling),
        empty: true,
    }
}

#[test]
fn ranges_that_overlap_or_touch_are_merged() {
    assert_eq!(ranges(&set(1, &[(1, 3), (5, 7)])), [(1, 3), (5, 7)]);
    assert_eq!(ranges(&set(1, &[(1, 3), (4, 7)])), [(1, 7)]);
    assert_eq!(ranges(&set(1, &[(4, 7), (1, 3)])), [(1, 7)]);
    assert_eq!(ranges(&set(1, &[(1, 5), (3, 7)])), [(1, 7)]);
    assert_eq!(ranges(&set(1, &[(1, 3), (7, 9), (4, 6)])), [(1, 9)]);
    let apart = [(1, 1), (3, 3), (5, 5), (9, 9)];
    assert_eq!(
        ranges(&set(1, &[&apart[..], &[(2, 6)]].concat())),
        [(1, 6), (9, 9)]
    );
}

#[test]
fn nothing_is_recorded_below_the_limit() {
    assert_eq!(ranges(&set(5, &[(0, 4)])), []);
    assert_eq!(ranges(&set(5, &[(0, 5), (3, 8)])), [(5, 8)]);
    let mut merged = set(5, &[]);
    merged.merge(&set(0, &[(0, 2), (4, 6), (9, 9)]));
    assert_eq!(ranges(&merged), [(5, 6), (9, 9)]);
    assert_eq!(merged.start(), 5);
}

#[test]
fn the_first_missing_run_ends_at_the_ceiling() {
    let empty = IntervalSet::new(1);
    assert_eq!(empty.next(None), gap(1, None));
    assert_eq!(empty.next(Some(0)), gap(1, None));
    assert_eq!(empty.next(Some(9)), gap(1, Some(9)));
    let some = set(1, &[(1, 3), (7, 9)]);
    assert_eq!(some.next(None), gap(4, Some(6)));
    assert_eq!(some.next(Some(3)), nothing_below(3));
    assert_eq!(some.next(Some(4)), gap(4, Some(4)));
    assert_eq!(some.next(Some(100)), gap(4, Some(6)));
    assert_eq!(some.gap_from(0), Some((4, Some(6))));
    assert_eq!(some.gap_from(5), Some((5, Some(6))));
    assert_eq!(some.gap_from(8), Some((10, None)));
    assert_eq!(set(1, &[(5, MAX)]).gap_from(5), None);
}

#[test]
fn the_last_number_is_the_end_of_the_last_range() {
    assert_eq!(IntervalSet::new(7).last(), 0);
    assert_eq!(set(1, &[(4, 9), (1, 2)]).last(), 9);
}

#[test]
fn texts_are_in_base_36() {
    for (set, text) in [
        (set(1, &[]), "1"),
        (set(1, &[(1, 100)]), "1;1,2s"),
        (
            set(0, &[(0, 0), (35, 36), (MAX, MAX)]),
            "0;0,0;z,10;3w5e11264sgsf,3w5e11264sgsf",
        ),
        (
            set(MAX, &[(MAX, MAX)]),
            "3w5e11264sgsf;3w5e11264sgsf,3w5e11264sgsf",
        ),
    ] {
        assert_eq!(set.encode(), text);
        assert_eq!(IntervalSet::decode(text.as_bytes()), Ok(set));
    }
}

#[test]
fn texts_that_are_not_canonical_are_normalised() {
    let decode = |text: &str| IntervalSet::decode(text.as_bytes()).map(|set| set.encode());
    assert_eq!(
        decode("1;2S,2S;0001,0000000000000001"),
        Ok("1;1,1;2s,2s".into())
    );
    assert_eq!(decode("a;1,9;5,b;c,c;z,z"), Ok("a;a,c;z,z".into()));
    let zeros = "0".repeat(1_000);
    assert_eq!(decode(&format!("{zeros}1")), Ok("1".into()));
}

#[test]
fn the_first_offending_field_is_named() {
    use ParseError::{Inverted, RangeEnd, RangeStart, Start, TooShort};

    let above = "3w5e11264sgsg";
    for (text, error) in [
        ("", Start { field: 0 }),
        (";1,2", Start { field: 0 }),
        ("+1", Start { field: 0 }),
        ("-1;", Start { field: 0 }),
        (" 1", Start { field: 0 }),
        ("1_0", Start { field: 0 }),
        ("\u{661}", Start { field: 0 }),
        (above, Start { field: 0 }),
        ("zzzzzzzzzzzzzzzz;", Start { field: 0 }),
        ("1,2;3,4", Start { field: 0 }),
        ("1;", TooShort { field: 1 }),
        ("1;1,1;5", TooShort { field: 2 }),
        ("1;;5,1", TooShort { field: 1 }),
        ("1;,", RangeStart { field: 1 }),
        ("1;x!,y!", RangeStart { field: 1 }),
        ("1;1,", RangeEnd { field: 1 }),
        ("1;1,2,3", RangeEnd { field: 1 }),
        ("1;1, 2", RangeEnd { field: 1 }),
        ("1;1,3w5e11264sgsg", RangeEnd { field: 1 }),
        ("1;2,1;", Inverted { field: 1 }),
        ("5;2,1", Inverted { field: 1 }),
        ("1;1,2;4,4\n", RangeEnd { field: 2 }),
    ] {
        assert_eq!(IntervalSet::decode(text.as_bytes()), Err(error), "{text}");
    }
    assert_eq!(IntervalSet::decode(&[0xff]), Err(Start { field: 0 }));
}

#[test]
fn errors_say_what_was_expected_and_what_changed() {
    let inverted = InvalidRange { from: 2, to: 1 };
    assert_eq!(
        inverted.to_string(),
        "the range 2..=1 is inverted; the set is unchanged"
    );
    assert_eq!(
        ParseError::TooShort { field: 3 }.to_string(),
        "field 3: no comma, expected two numbers; the set is unchanged"
    );
    assert_eq!(
        ParseError::RangeEnd { field: 1 }.to_string(),
        "field 1: no end of a range in base 36 up to 3w5e11264sgsf; the set is unchanged"
    );
}

quickcheck::quickcheck! {
    fn what_was_encoded_is_decoded(start: u64, added: Vec<(u64, u64)>) -> TestResult {
        let mut set = IntervalSet::new(start % 1_000);
        let refused = added.into_iter().filter(|(from, to)| set.add(*from, *to).is_err()).count();
        let is_same = IntervalSet::decode(set.encode().as_bytes()) == Ok(set.clone());
        if refused > 0 && set.last() == 0 {
            return TestResult::discard();
        }
        TestResult::from_bool(is_same && set.is_canonical())
    }

    fn any_text_is_a_set_or_refused(text: Vec<u8>) -> bool {
        let alphabet = b"019azAZ;;,,,;0";
        let text: Vec<u8> = text.iter().map(|byte| alphabet[usize::from(*byte) % alphabet.len()]).collect();
        match IntervalSet::decode(&text) {
            Ok(set) => set.is_canonical() && IntervalSet::decode(set.encode().as_bytes()) == Ok(set),
            Err(_) => true,
        }
    }
}
