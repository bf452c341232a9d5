//! Worked examples: those of 11.4, of the sample, and one of each form.

use concord::systems::causal::text::{
    Action, Line, Operation, format_message, parse_message, parse_op,
};

use super::{clock, operation, pair, triple};

const SAMPLE: &str = include_str!("../traces/causal-sample.jsonl");

#[test]
fn message_lines_of_the_sample_and_their_parts() {
    let append = "append|u|TQ==|bTE=;t2;aGk=";
    let table = [
        ("a|a:1;b:0|x|y", "a", clock([("a", 1), ("b", 0)]), "x|y"),
        (
            "a|a:1;b:0;c:0|create|u|TQ==|TQ==;t1",
            "a",
            clock([("a", 1), ("b", 0), ("c", 0)]),
            "create|u|TQ==|TQ==;t1",
        ),
        (
            "b|a:1;b:1;c:0|append|u|TQ==|bTE=;t2;aGk=",
            "b",
            clock([("a", 1), ("b", 1), ("c", 0)]),
            append,
        ),
    ];
    for (raw, sender, clock, payload) in table {
        assert!(SAMPLE.contains(&hex(raw)), "{raw}");
        let line = Line {
            sender: sender.into(),
            clock,
            payload: payload.into(),
        };
        assert_eq!(format_message(&line).as_deref(), Ok(raw.as_bytes()));
        assert_eq!(parse_message(raw.as_bytes()), Ok(line));
    }

    // In another order than that of the names.
    let raw = "worker-1|worker-1:3;storage:10|hello";
    assert!(SAMPLE.contains(&hex(raw)));
    let line = parse_message(raw.as_bytes()).expect("it is a message");
    assert_eq!(line.clock, clock([("storage", 10), ("worker-1", 3)]));
    let canonical = "worker-1|storage:10;worker-1:3|hello";
    assert_eq!(format_message(&line).as_deref(), Ok(canonical.as_bytes()));
}

#[test]
fn operations_of_the_sample_and_one_of_each_kind() {
    let m = || pair("M", "t1");
    let mail = || triple("m1", "t2", b"hi");
    let table = [
        ("create|u|TQ==|TQ==;t1", Action::Create { add: m() }),
        (
            "delete|u|TQ==|TQ==;t1",
            Action::Delete { remove: vec![m()] },
        ),
        (
            "delete|u|TQ==|TQ==;t1;TQ==;t9",
            Action::Delete {
                remove: vec![m(), pair("M", "t9")],
            },
        ),
        ("append|u|TQ==|bTE=;t2;aGk=", Action::Append { add: mail() }),
        (
            "expunge|u|TQ==|bTE=;t2",
            Action::Expunge {
                remove: vec![pair("m1", "t2")],
            },
        ),
        (
            "store|u|TQ==|bTE=;t2;bTE=;t3|bTI=;t4;",
            Action::Store {
                remove: vec![pair("m1", "t2"), pair("m1", "t3")],
                add: triple("m2", "t4", b""),
            },
        ),
        (
            "rename|u|TQ==|TQ==;t1|Tg==;t5|bTE=;t6;aGk=",
            Action::Rename {
                remove: vec![m()],
                add: pair("N", "t5"),
                mails: vec![triple("m1", "t6", b"hi")],
            },
        ),
        (
            "copy|u|TQ==|bTE=;t2;aGk=;;;",
            Action::Copy {
                mails: vec![mail(), triple("", "", b"")],
            },
        ),
    ];
    for (payload, action) in table {
        let expected = operation("u", "M", action);
        assert_eq!(parse(payload), expected, "{payload}");
        assert_eq!(expected.format().as_deref(), Ok(payload.as_bytes()));
    }
    for in_sample in [
        "append|u|TQ==|bTE=;t2;aGk=",
        "u|TQ==|TQ==;t1|Tg==;t5|bTE=;t6;aGk=",
    ] {
        assert!(SAMPLE.contains(&hex(in_sample)), "{in_sample}");
    }
}

#[test]
fn empty_fields_are_fine() {
    let nothing = operation(
        "",
        "",
        Action::Append {
            add: triple("", "", b""),
        },
    );
    assert_eq!(parse("append|||;;"), nothing);
    assert_eq!(nothing.format().as_deref(), Ok(&b"append|||;;"[..]));
    assert_eq!(parse_op(b"|"), Ok(("", "")));
    assert_eq!(parse_op(b"word|"), Ok(("word", "")));
    assert_eq!(parse_op(b"|a|b"), Ok(("", "a|b")));
}

#[test]
fn a_word_that_is_no_operation_is_not_parsed() {
    for word in ["", "Create", "create ", "move"] {
        assert_eq!(Operation::parse(word, b"\xff"), None, "{word:?}");
    }
}

#[test]
fn of_a_message_only_one_final_line_feed_goes() {
    let table = [
        ("a|a:1|x", "x"),
        ("a|a:1|x\n", "x"),
        ("a|a:1|x\r\n", "x\r"),
        ("a|a:1|x\n\n", "x\n"),
        ("a|a:1|\n", ""),
        ("a|a:1|", ""),
        ("a|a:1||", "|"),
    ];
    for (raw, payload) in table {
        let line = parse_message(raw.as_bytes()).expect("it is a message");
        assert_eq!(line.payload, payload, "{raw:?}");
    }
}

#[test]
fn clock_entries_are_read_leniently() {
    const MAX: i64 = i64::MAX;
    let table = [
        ("a:+1", clock([("a", 1)])),
        ("a:-1", clock([("a", -1)])),
        ("a:-0", clock([("a", 0)])),
        ("a:0000000000000000000000000007", clock([("a", 7)])),
        ("a:9223372036854775807", clock([("a", MAX)])),
        ("a:-9223372036854775808", clock([("a", i64::MIN)])),
        ("a:1:2:x", clock([("a", 1)])),
        ("a:1:", clock([("a", 1)])),
        (":1", clock([("", 1)])),
        ("a:1;b:2;a:3", clock([("a", 3), ("b", 2)])),
        (" a :1", clock([(" a ", 1)])),
    ];
    for (text, expected) in table {
        let line = parse_message(format!("s|{text}|").as_bytes()).expect("it is a message");
        assert_eq!(line.clock, expected, "{text}");
    }
}

fn parse(payload: &str) -> Operation {
    let (word, rest) = parse_op(payload.as_bytes()).expect("it has a word");
    let operation = Operation::parse(word, rest.as_bytes()).expect("the word is known");
    operation.expect("it is well formed")
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
