//! The files of section 5.

use std::collections::BTreeMap;

use concord::systems::causal::text::Error;
use concord::systems::causal::{Name, Profile, areas, clock_file, orset_file};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::clock;
use super::generated::{anything, field, name};
use crate::common::cases;

const BOTH: [Profile; 2] = [Profile::Text, Profile::Framed];

fn code<T>(result: Result<T, Error>) -> Result<T, &'static str> {
    result.map_err(|error| error.code())
}

#[test]
fn clock_files_read_numbers_of_their_profile() {
    let number = Err("invalid_vclock_number");
    let element = Err("invalid_vclock_element");
    let a = |value| Ok(clock([("a", value)]));
    let largest = i64::from(u32::MAX);
    let table = [
        ("", Ok(clock([])), Ok(clock([]))),
        ("a:1", a(1), a(1)),
        ("a:007", a(7), a(7)),
        ("a:1:x", a(1), a(1)),
        ("a:1;a:2", a(2), a(2)),
        (":1", Ok(clock([("", 1)])), Ok(clock([("", 1)]))),
        ("a:+1", a(1), number.clone()),
        ("a:-1", a(-1), number.clone()),
        ("a:-0", a(0), number.clone()),
        ("a:4294967295", a(largest), a(largest)),
        ("a:4294967296", a(largest + 1), number.clone()),
        ("a:9223372036854775807", a(i64::MAX), number.clone()),
        ("a:9223372036854775808", number.clone(), number.clone()),
        ("a:", number.clone(), number.clone()),
        ("a:1\n", number.clone(), number.clone()),
        ("a:x;b", number.clone(), number),
        ("a", element.clone(), element.clone()),
        ("a:12;stor", element.clone(), element.clone()),
        ("a:1;", element.clone(), element.clone()),
        ("\n", element.clone(), element),
    ];
    for (file, text, framed) in table {
        let parse = |profile| code(clock_file::parse(file.as_bytes(), profile));
        assert_eq!(parse(Profile::Text), text, "{file:?}");
        assert_eq!(parse(Profile::Framed), framed, "{file:?}");
    }
    for profile in BOTH {
        let found = code(clock_file::parse(b"a:x;\xff", profile));
        assert_eq!(found, Err("invalid_utf8"));
    }
}

#[test]
fn clock_files_are_written_in_order_of_the_names() {
    let written = clock_file::format(&clock([("b", 0), ("a", 12), ("B", -1)]));
    assert_eq!(written.as_deref(), Ok("B:-1;a:12;b:0"));
    assert_eq!(clock_file::format(&clock([])).as_deref(), Ok(""));
    for name in ["", ":", ";", "|", "a\r", "\n"] {
        let found = code(clock_file::format(&clock([("a", 1), (name, 1)])));
        assert_eq!(found, Err("unrepresentable_field"), "{name:?}");
    }
}

#[test]
fn area_files_hold_ranges_in_order() {
    type Row<'a> = (&'a [u8], &'a [(i64, i64)]);
    let table: &[Row<'_>] = &[
        (b"", &[]),
        (b"0-0", &[(0, 0)]),
        (b"0-5\n5-9", &[(0, 5), (5, 9)]),
        (b"00-05\n7-7\n7-7", &[(0, 5), (7, 7), (7, 7)]),
        (b"3-9223372036854775807", &[(3, i64::MAX)]),
    ];
    for (file, expected) in table {
        let shown = file.escape_ascii();
        assert_eq!(areas::parse(file).as_deref(), Ok(*expected), "{shown}");
    }
    let wrong: &[&[u8]] = &[
        b"\n",
        b"0-5\n",
        b"\n0-5",
        b"0-5\r\n6-7",
        b"0-5\n\n6-7",
        b"5",
        b"-",
        b"0-",
        b"-5",
        b"-1-5",
        b"+0-5",
        b"0-+5",
        b"0--5",
        b"0-5-7",
        b"0 -5",
        b"0-5 ",
        b"0x0-5",
        b"5-0",
        b"0-5\n4-9",
        b"5-9\n0-3",
        b"0-9223372036854775808",
        b"0-5\xff",
        b"0-\xd9\xa1",
        b"\xff",
    ];
    for file in wrong {
        let shown = file.escape_ascii();
        assert_eq!(code(areas::parse(file)), Err("invalid_area"), "{shown}");
    }
}

#[test]
fn neighbouring_areas_are_merged_when_written() {
    let table: &[(&[(i64, i64)], &str)] = &[
        (&[], ""),
        (&[(0, 0)], "0-0"),
        (&[(0, 5), (5, 9), (10, 11)], "0-9\n10-11"),
        (&[(0, 5), (5, 5), (5, 6)], "0-6"),
        (&[(3, 3), (3, 3)], "3-3"),
        (
            &[(0, 1), (2, 2), (3, i64::MAX)],
            "0-1\n2-2\n3-9223372036854775807",
        ),
    ];
    for (ranges, expected) in table {
        assert_eq!(areas::format(ranges).as_deref(), Ok(*expected));
    }
    let wrong: &[&[(i64, i64)]] = &[
        &[(-1, 5)],
        &[(-5, -1)],
        &[(i64::MIN, i64::MAX)],
        &[(0, -1)],
        &[(5, 4)],
        &[(0, 5), (4, 9)],
        &[(0, 5), (0, 5)],
        &[(5, 9), (0, 3)],
        &[(0, 5), (5, 4)],
    ];
    for ranges in wrong {
        assert_eq!(
            code(areas::format(ranges)),
            Err("invalid_area"),
            "{ranges:?}"
        );
    }
}

#[test]
fn orset_files_hold_values_by_tag() {
    let set = |pairs: &[(&str, &str)]| -> BTreeMap<Name, Name> {
        let pairs = pairs.iter().copied();
        pairs
            .map(|(tag, value)| (tag.into(), value.into()))
            .collect()
    };
    type Pairs<'a> = &'a [(&'a str, &'a str)];
    type Row<'a> = (&'a [u8], Result<Pairs<'a>, &'a str>);
    let table: &[Row<'_>] = &[
        (b"", Ok(&[])),
        (b";", Ok(&[("", "")])),
        (b"TQ==;t1", Ok(&[("t1", "M")])),
        (b"TQ==;t2;Tg==;t1", Ok(&[("t2", "M"), ("t1", "N")])),
        (b"TQ==;t;Tg==;t", Ok(&[("t", "N")])),
        (b"TQ==;t\n", Ok(&[("t\n", "M")])),
        (b"TQ==", Err("odd_element_count")),
        (b"\n", Err("odd_element_count")),
        (b"!;t;!", Err("odd_element_count")),
        (b"!;t", Err("value_base64")),
        (b"///4;t;!;t", Err("value_base64")),
        (b"///4;t;TQ==;t", Err("invalid_utf8")),
        (b"!;\xff;x", Err("invalid_utf8")),
    ];
    for (file, expected) in table {
        let shown = file.escape_ascii();
        assert_eq!(code(orset_file::parse(file)), expected.map(set), "{shown}");
    }
    let written = orset_file::format(&set(&[("t2", "M"), ("t1", "N")]));
    assert_eq!(written.as_deref(), Ok("Tg==;t1;TQ==;t2"));
    for tag in ["|", ";", "t\r", "\n"] {
        let found = code(orset_file::format(&set(&[("t", "x"), (tag, "x")])));
        assert_eq!(found, Err("unrepresentable_field"), "{tag:?}");
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn clock_files_are_read_back(entries in btree_map(name(), any::<i64>(), 0..6)) {
        let written = clock_file::format(&entries).expect("the names are legal");
        prop_assert_eq!(clock_file::parse(written.as_bytes(), Profile::Text), Ok(entries.clone()));
        let small: BTreeMap<Name, i64> =
            entries.into_iter().map(|(name, value)| (name, value & i64::from(u32::MAX))).collect();
        let written = clock_file::format(&small).expect("the names are legal");
        for profile in BOTH {
            prop_assert_eq!(clock_file::parse(written.as_bytes(), profile), Ok(small.clone()));
        }
    }

    #[test]
    fn orset_files_are_read_back(elements in btree_map(field(), anything(), 0..6)) {
        let written = orset_file::format(&elements).expect("the tags are representable");
        prop_assert_eq!(orset_file::parse(written.as_bytes()), Ok(elements));
    }

    #[test]
    fn area_files_are_read_back_merged(steps in vec((0..3_i64, 0..4_i64), 0..8)) {
        let mut end = 0;
        let ranges: Vec<(i64, i64)> = steps
            .iter()
            .map(|(gap, length)| {
                let start = end + gap;
                end = start + length;
                (start, end)
            })
            .collect();
        let written = areas::format(&ranges).expect("they are in order");
        let read = areas::parse(written.as_bytes()).expect("it was written");
        prop_assert!(read.iter().zip(read.iter().skip(1)).all(|(a, b)| a.1 < b.0), "{}", written);
        let covers = |ranges: &[(i64, i64)], at| ranges.iter().any(|(start, end)| (*start..*end).contains(&at));
        for at in 0..end {
            prop_assert_eq!(covers(&read, at), covers(&ranges, at));
        }
        for (start, end) in &ranges {
            prop_assert!(read.iter().any(|(low, high)| low <= start && end <= high));
        }
        prop_assert_eq!(areas::format(&read), Ok(written));
    }
}
