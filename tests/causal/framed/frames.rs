//! Frames (4.1).

use bytes::Bytes;
use concord::systems::causal::framed::{Reason, first_frame, frame, unframe};
use proptest::prelude::*;

use super::super::common::cases;

fn read(raw: &[u8]) -> Result<Vec<Bytes>, (Reason, usize)> {
    let bodies = unframe(&Bytes::copy_from_slice(raw));
    bodies.map_err(|error| {
        assert_eq!(error.field, None);
        (error.reason, error.offset)
    })
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn bodies_come_back(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..5)) {
        let raw: Vec<u8> = bodies.iter().flat_map(|body| frame(body)).collect();
        prop_assert_eq!(read(&raw).unwrap(), bodies);
    }

    /// A torn frame is told from a wrong one.
    #[test]
    fn what_is_cut_within_a_frame_is_truncated(
        first in prop::collection::vec(any::<u8>(), 0..20),
        second in prop::collection::vec(any::<u8>(), 0..200),
        cut in any::<prop::sample::Index>(),
    ) {
        let torn = frame(&second);
        let torn = &torn[..cut.index(torn.len())];
        prop_assert_eq!(first_frame(torn).unwrap_err().code(), "truncated_frame");
        let raw = [&frame(&first), torn].concat();
        match read(&raw) {
            Ok(bodies) => {
                prop_assert!(torn.is_empty());
                prop_assert_eq!(bodies, vec![first]);
            }
            Err((reason, offset)) => {
                prop_assert_eq!(reason.code(), "truncated_frame");
                prop_assert_eq!(offset, frame(&first).len());
            }
        }
    }

    #[test]
    fn leading_zeros_are_accepted(zeros in 0..5_000_usize, body in prop::collection::vec(any::<u8>(), 0..20)) {
        let raw = [&vec![b'0'; zeros][..], &frame(&body)].concat();
        prop_assert_eq!(read(&raw).unwrap(), vec![body.clone()]);
        let (range, length) = first_frame(&raw).unwrap();
        prop_assert_eq!((&raw[range], length), (&body[..], raw.len()));
    }
}

#[test]
fn the_length_is_written_without_zeros() {
    assert_eq!(frame(b""), &b"0;"[..]);
    assert_eq!(frame(b"hello"), &b"5;hello"[..]);
    assert_eq!(frame(&[7; 100])[..4], b"100;"[..]);
}

#[test]
fn bodies_are_slices_of_the_input() {
    let raw = Bytes::from_static(b"5;hello0;2;;1");
    let bodies = unframe(&raw).unwrap();
    assert_eq!(bodies, [&b"hello"[..], b"", b";1"]);
    for body in bodies.iter().filter(|body| !body.is_empty()) {
        assert_eq!(raw.slice_ref(body), body);
    }
}

#[test]
fn each_broken_rule_is_named_with_its_place() {
    use Reason::*;
    let short = |expected, left| UnfinishedBody { expected, left };
    let largest = i64::MAX as u64;
    let cases: &[(&[u8], Reason, usize)] = &[
        (b";", NoLength, 0),
        (b"x", NoLength, 0),
        (b"5", UnfinishedLength, 0),
        (b"5x", NoLength, 0),
        (b"5 ;hello", NoLength, 0),
        (b" 5;hello", NoLength, 0),
        (b"+5;hello", NoLength, 0),
        (b"-5;hello", NoLength, 0),
        (b"5;hello;", NoLength, 7),
        (b"5;hello\n", NoLength, 7),
        (b"5;hello3", UnfinishedLength, 7),
        (b"5;hello3;ab", short(3, 2), 7),
        (b"5;", short(5, 0), 0),
        (b"9223372036854775807;abc", short(largest, 3), 0),
        (b"000009223372036854775807;", short(largest, 0), 0),
        (b"9223372036854775808;", LengthTooLarge, 0),
        (b"18446744073709551617;a", LengthTooLarge, 0),
        (b"99999999999999999999999999999999999;", LengthTooLarge, 0),
        // The end of the input is seen before the number is.
        (b"99999999999999999999999999999999999", UnfinishedLength, 0),
        // So is a byte that is not ';'.
        (b"99999999999999999999999999999999999x", NoLength, 0),
    ];
    for &(raw, reason, offset) in cases {
        assert_eq!(read(raw), Err((reason, offset)), "{}", raw.escape_ascii());
        let code = match reason {
            NoLength | LengthTooLarge => "invalid_frame_length",
            _ => "truncated_frame",
        };
        assert_eq!(reason.code(), code);
    }
    assert_eq!(read(b"").unwrap(), Vec::<Bytes>::new());
}

#[test]
fn digits_of_other_scripts_are_none() {
    assert_eq!(read("٥;hello".as_bytes()), Err((Reason::NoLength, 0)));
}
