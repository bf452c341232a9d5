//! What is formatted is read back, and whatever bytes come, parsers answer.

use bytes::Bytes;
use concord::systems::causal::text::{
    Line, Operation, format_message, format_message_unchecked, line_of, parse_message, parse_op,
};
use concord::systems::causal::{Profile, areas, base64, clock_file, orset_file};
use proptest::collection::vec;
use proptest::prelude::*;

use super::WORDS;
use super::generated::{any_line, anything, field, line, mutated, noise, operation};
use crate::common::cases;

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn messages_are_read_back(line in line()) {
        let raw = format_message(&line).expect("it is representable");
        prop_assert_eq!(parse_message(&raw), Ok(line.clone()));
        prop_assert_eq!(parse_message(&[&raw[..], b"\n"].concat()), Ok(line.clone()));
        let clock = line.clock.iter().map(|(name, value)| (&**name, value));
        prop_assert_eq!(format_message_unchecked(&line.sender, clock, &line.payload), raw);
    }

    #[test]
    fn messages_are_refused_or_read_back(line in any_line()) {
        let name = |name: &str| !name.is_empty() && !name.contains(['|', ':', ';', '\r', '\n']);
        let legal = name(&line.sender)
            && !line.clock.is_empty()
            && line.clock.keys().all(|it| name(it))
            && std::str::from_utf8(&line.payload).is_ok_and(|it| !it.contains(['\r', '\n']));
        match format_message(&line) {
            Ok(raw) => {
                prop_assert!(legal);
                prop_assert_eq!(parse_message(&raw), Ok(line));
            }
            Err(error) => {
                prop_assert!(!legal);
                prop_assert_eq!(error.code(), "unrepresentable_field");
            }
        }
    }

    #[test]
    fn operations_are_read_back(operation in operation(field, 1)) {
        let payload = operation.format().expect("it is representable");
        prop_assert_eq!(operation.format_unchecked(), &payload);
        let (word, rest) = parse_op(&payload).expect("it has a word");
        prop_assert_eq!(word, operation.word());
        prop_assert_eq!(Operation::parse(word, rest.as_bytes()), Some(Ok(operation)));
    }

    #[test]
    fn operations_are_refused_or_read_back(operation in operation(anything, 0)) {
        match operation.format() {
            Ok(payload) => {
                let (word, rest) = parse_op(&payload).expect("it has a word");
                prop_assert_eq!(Operation::parse(word, rest.as_bytes()), Some(Ok(operation)));
            }
            Err(error) => prop_assert!(
                ["empty_elements", "unrepresentable_field"].contains(&error.code())
            ),
        }
    }

    #[test]
    fn other_ways_to_write_a_message_say_the_same(line in line(), mut noise in noise()) {
        let raw = noise.line(&line);
        let read = parse_message(&raw).expect("it is a message");
        prop_assert_eq!(format_message(&read), format_message(&line));
        prop_assert_eq!(read, line);
    }

    #[test]
    fn other_ways_to_write_an_operation_say_the_same(
        operation in operation(field, 1),
        mut noise in noise(),
    ) {
        let rest = noise.rest(&operation);
        let read = Operation::parse(operation.word(), rest.as_bytes()).expect("it is known");
        prop_assert_eq!(read.as_ref().map_err(ToString::to_string), Ok(&operation), "{:?}", rest);
    }

    #[test]
    fn an_operation_goes_through_a_message(operation in operation(field, 1), line in line()) {
        let payload = operation.format().expect("it is representable");
        let line = Line { payload, ..line };
        let raw = format_message(&line).expect("a payload holds no line end");
        prop_assert_eq!(parse_message(&raw), Ok(line));
    }

    #[test]
    fn any_bytes_are_answered(raw in vec(any::<u8>(), 0..60)) {
        answered(&raw)?;
    }

    #[test]
    fn any_separators_are_answered(raw in "[ab|;:=T0+\r\n-]{0,40}") {
        answered(raw.as_bytes())?;
    }

    #[test]
    fn mutated_messages_are_answered(
        raw in mutated(line().prop_map(|line| formatted(format_message(&line)))),
    ) {
        answered(&raw)?;
    }

    #[test]
    fn mutated_operations_are_answered(
        raw in mutated(operation(field, 1).prop_map(|operation| formatted(operation.format()))),
    ) {
        answered(&raw)?;
        if let Ok((_, rest)) = parse_op(&raw) {
            answered(rest.as_bytes())?;
        }
    }
}

fn formatted(result: Result<Bytes, concord::systems::causal::text::Error>) -> Vec<u8> {
    result.expect("it is representable").into()
}

/// No parser panics, and what one takes can be written and read again unless that is refused.
fn answered(raw: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(line) = parse_message(raw)
        && let Ok(canonical) = format_message(&line)
    {
        prop_assert_eq!(parse_message(&canonical), Ok(line));
    }
    for word in WORDS {
        let parsed = Operation::parse(word, raw).expect("the word is known");
        if let Ok(operation) = parsed
            && let Ok(canonical) = operation.format()
        {
            let (again, rest) = parse_op(&canonical).expect("it has a word");
            prop_assert_eq!(again, word);
            prop_assert_eq!(Operation::parse(word, rest.as_bytes()), Some(Ok(operation)));
        }
    }
    for profile in [Profile::Text, Profile::Framed] {
        if let Ok(clock) = clock_file::parse(raw, profile)
            && let Ok(file) = clock_file::format(&clock)
        {
            prop_assert_eq!(clock_file::parse(file.as_bytes(), profile), Ok(clock));
        }
    }
    if let Ok(set) = orset_file::parse(raw)
        && let Ok(file) = orset_file::format(&set)
    {
        prop_assert_eq!(orset_file::parse(file.as_bytes()), Ok(set));
    }
    if let Ok(ranges) = areas::parse(raw) {
        prop_assert!(areas::format(&ranges).is_ok());
    }
    if let Some(line) = line_of(raw) {
        prop_assert!(!line.contains(&b'\n') && !line.ends_with(b"\r"));
    }
    let decoded = std::str::from_utf8(raw).map_or(None, base64::decode);
    prop_assert!(decoded.is_none_or(|decoded| decoded.len() <= raw.len() / 4 * 3));
    Ok(())
}
