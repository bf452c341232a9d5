//! Each error code, and which check decides where two things are wrong.

use concord::systems::causal::text::{
    Action, Error, Line, Operation, Place, check_payload, format_message, parse_message, parse_op,
};

use super::{WORDS, clock, operation, pair, triple};

/// The code, after a look at the message.
fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    let error = result.expect_err("it is refused");
    let message = error.to_string();
    assert!(message.starts_with(error.code()), "{message}");
    assert!(message.contains(error.part()), "{message}");
    assert!(message.ends_with(error.expected()), "{message}");
    error.code()
}

#[test]
fn messages_fail_by_the_first_check() {
    let table: &[(&[u8], &str)] = &[
        (b"a|a:1|\xff", "invalid_utf8"),
        (b"\xff", "invalid_utf8"),
        (b"", "invalid_sync_message"),
        (b"\n", "invalid_sync_message"),
        (b"|", "invalid_sync_message"),
        (b"a|a:1", "invalid_sync_message"),
        (b"||", "missing_sender"),
        (b"|a:1|x", "missing_sender"),
        (b"|bad|x", "missing_sender"),
        (b"a||x", "invalid_vclock_element"),
        (b"a|a|x", "invalid_vclock_element"),
        (b"a|;a:1|x", "invalid_vclock_element"),
        (b"a|a:1;|x", "invalid_vclock_element"),
        (b"a|a:1;;b:1|x", "invalid_vclock_element"),
        (b"a|a:|x", "invalid_vclock_number"),
        (b"a|:|x", "invalid_vclock_number"),
        (b"a|a:+|x", "invalid_vclock_number"),
        (b"a|a:-|x", "invalid_vclock_number"),
        (b"a|a:--1|x", "invalid_vclock_number"),
        (b"a|a:+-1|x", "invalid_vclock_number"),
        (b"a|a: 1|x", "invalid_vclock_number"),
        (b"a|a:1 |x", "invalid_vclock_number"),
        (b"a|a:1_0|x", "invalid_vclock_number"),
        (b"a|a:0x1|x", "invalid_vclock_number"),
        (b"a|a:1.0|x", "invalid_vclock_number"),
        (b"a|a:\xd9\xa1|x", "invalid_vclock_number"),
        (b"a|a:1\n|x", "invalid_vclock_number"),
        (b"a|a:9223372036854775808|x", "invalid_vclock_number"),
        (b"a|a:-9223372036854775809|x", "invalid_vclock_number"),
        // The first bad entry decides.
        (b"a|a:x;b|x", "invalid_vclock_number"),
        (b"a|b;a:x|x", "invalid_vclock_element"),
    ];
    for (raw, expected) in table {
        let shown = raw.escape_ascii();
        assert_eq!(code(parse_message(raw)), *expected, "{shown}");
    }
    assert_eq!(code(parse_op(b"\xff")), "invalid_utf8");
    assert_eq!(code(parse_op(b"create")), "not_enough_pipes");
    assert_eq!(code(parse_op(b"")), "not_enough_pipes");
}

/// `///4` is base64 of bytes that are not UTF-8.
#[test]
fn operations_fail_by_the_first_check() {
    let table = [
        ("create delete append expunge copy", "", "pipe_count"),
        ("create delete append expunge copy", "u|!", "pipe_count"),
        (
            "create delete append expunge copy",
            "u|TQ==|!|",
            "pipe_count",
        ),
        ("store", "u|TQ==|TQ==;t", "pipe_count"),
        ("store", "u|!|x|x|x", "pipe_count"),
        ("rename", "u|TQ==|TQ==;t|TQ==;t", "pipe_count"),
        ("rename", "u|!|x|x|x|x", "pipe_count"),
        (
            "create delete append expunge copy",
            "u|!|!",
            "mailbox_base64",
        ),
        (
            "create delete append expunge copy",
            "u|TQ|;;;;",
            "mailbox_base64",
        ),
        ("store", "u|TQ|!|!", "mailbox_base64"),
        ("rename", "u|TQ|!|!|!", "mailbox_base64"),
        ("delete expunge", "u|TQ==|", "too_few_semicolons"),
        ("delete expunge", "u|TQ==|!", "too_few_semicolons"),
        ("store", "u|TQ==||!", "too_few_semicolons"),
        ("rename", "u|TQ==||!|!", "too_few_semicolons"),
        ("delete expunge", "u|TQ==|TQ==;t;", "odd_element_count"),
        ("delete expunge", "u|TQ==|!;t;!", "odd_element_count"),
        ("store", "u|TQ==|!;t;!|!", "odd_element_count"),
        ("rename", "u|TQ==|!;t;!|!|!", "odd_element_count"),
        ("delete expunge", "u|TQ==|TQ==;t;!;t", "value_base64"),
        ("delete expunge", "u|///4|///4;t;TQ;t", "value_base64"),
        ("store", "u|TQ==|!;t|!", "value_base64"),
        ("rename", "u|TQ==|!;t|!|!", "value_base64"),
        ("create append", "u|TQ==|", "element_semicolons"),
        ("create append", "u|TQ==|!", "element_semicolons"),
        ("create", "u|TQ==|!;t;!", "element_semicolons"),
        ("append", "u|TQ==|!;t", "element_semicolons"),
        ("append", "u|TQ==|!;t;!;", "element_semicolons"),
        ("store", "u|TQ==|TQ==;t|!;t", "element_semicolons"),
        ("rename", "u|TQ==|TQ==;t|!;t;!|!", "element_semicolons"),
        ("create", "u|TQ==|!;t", "value_base64"),
        ("append", "u|TQ==|!;t;!", "value_base64"),
        ("store", "u|TQ==|TQ==;t|!;t;!", "value_base64"),
        ("rename", "u|TQ==|TQ==;t|!;t|!", "value_base64"),
        ("append", "u|TQ==|TQ==;t;!", "contents_base64"),
        ("append", "u|///4|///4;t;TQ", "contents_base64"),
        ("store", "u|TQ==|TQ==;t|TQ==;t;!", "contents_base64"),
        ("copy", "u|TQ==|", "not_divisible_by_three"),
        ("copy", "u|TQ==|!;t", "not_divisible_by_three"),
        ("copy", "u|TQ==|!;t;!;!", "not_divisible_by_three"),
        (
            "rename",
            "u|TQ==|TQ==;t|TQ==;t|!;t",
            "not_divisible_by_three",
        ),
        ("copy", "u|TQ==|;;;!;t;!", "value_base64"),
        ("copy", "u|TQ==|;;!;!;t;", "contents_base64"),
        ("rename", "u|TQ==|TQ==;t|TQ==;t|;;!", "contents_base64"),
        ("rename", "u|TQ==|TQ==;t|TQ==;t|!;;!", "value_base64"),
        // Decoded texts are looked at last.
        ("create", "u|///4|TQ==;t", "invalid_utf8"),
        ("create", "u|TQ==|///4;t", "invalid_utf8"),
        ("delete expunge", "u|TQ==|TQ==;t;///4;t", "invalid_utf8"),
        ("append", "u|TQ==|///4;t;", "invalid_utf8"),
        ("store", "u|TQ==|///4;t|;;", "invalid_utf8"),
        ("store", "u|TQ==|TQ==;t|///4;;", "invalid_utf8"),
        ("rename", "u|TQ==|;t|;|///4;;", "invalid_utf8"),
        ("rename", "u|TQ==|;t|///4;|;;", "invalid_utf8"),
        ("copy", "u|TQ==|///4;;", "invalid_utf8"),
        ("copy", "u|///4|;;", "invalid_utf8"),
    ];
    for (words, rest, expected) in table {
        for word in words.split(' ') {
            assert_eq!(parse_code(word, rest.as_bytes()), expected, "{word}|{rest}");
        }
    }
    for word in WORDS {
        assert_eq!(parse_code(word, b"\xff"), "invalid_utf8", "{word}");
        assert_eq!(parse_code(word, b"u|!|\xff;"), "invalid_utf8", "{word}");
    }
}

#[test]
fn contents_need_not_be_utf8() {
    let parsed = Operation::parse("append", b"u|TQ==|TQ==;t;///4").expect("it is known");
    let add = triple("M", "t", b"\xff\xff\xf8");
    assert_eq!(parsed, Ok(operation("u", "M", Action::Append { add })));
}

#[test]
fn errors_say_where() {
    let error = Operation::parse("delete", b"u|TQ==|TQ==;t;!;t").expect("it is known");
    let error = error.expect_err("a value is no base64");
    assert_eq!(error.place(), Place::Piece(2));
    assert_eq!(
        error.to_string(),
        "value_base64: pairs to remove, piece 2: expected base64 with padding and nothing behind it"
    );
    let error = parse_message(b"a|a:1;b:x|").expect_err("x is no number");
    assert_eq!(
        error.to_string(),
        "invalid_vclock_number: clock, piece 1: expected a decimal integer in signed 64 bits"
    );
    let error = Operation::parse("store", b"u|x").expect("it is known");
    assert_eq!(
        error.expect_err("parts are missing").to_string(),
        "pipe_count: operation of 2 pieces: expected 4 parts between bars"
    );
    let error = parse_message(b"a|a:1|x\xff").expect_err("it is not UTF-8");
    assert_eq!(
        error.to_string(),
        "invalid_utf8: message at byte 7: expected UTF-8"
    );
}

#[test]
fn lines_that_no_peer_could_parse_are_not_formatted() {
    let line = || Line {
        sender: "a".into(),
        clock: clock([("a", 1)]),
        payload: "x|y".into(),
    };
    assert!(format_message(&line()).is_ok());
    for sender in ["", "a|", ":", "a;b", "\r", "a\n"] {
        let sender = sender.into();
        let wrong = Line { sender, ..line() };
        assert_eq!(
            code(format_message(&wrong)),
            "unrepresentable_field",
            "{wrong:?}"
        );
    }
    for name in ["", "a|", ":", "a;b", "\r", "a\n"] {
        let clock = clock([("a", 1), (name, 1)]);
        let wrong = Line { clock, ..line() };
        assert_eq!(
            code(format_message(&wrong)),
            "unrepresentable_field",
            "{wrong:?}"
        );
    }
    let clock = clock([]);
    let wrong = Line { clock, ..line() };
    assert_eq!(code(format_message(&wrong)), "unrepresentable_field");
    for payload in [&b"\n"[..], b"x\r", b"\r\n", b"\xff", b"x\xc3"] {
        assert_eq!(code(check_payload(payload)), "unrepresentable_field");
        let payload = payload.into();
        let wrong = Line { payload, ..line() };
        assert_eq!(
            code(format_message(&wrong)),
            "unrepresentable_field",
            "{wrong:?}"
        );
    }
}

#[test]
fn empty_lists_are_refused_before_bad_fields() {
    let remove = || vec![pair("m", "t")];
    let empty = [
        Action::Delete { remove: vec![] },
        Action::Expunge { remove: vec![] },
        Action::Store {
            remove: vec![],
            add: triple("m", ";", b""),
        },
        Action::Rename {
            remove: vec![],
            add: pair("m", ";"),
            mails: vec![triple("m", ";", b"")],
        },
        Action::Rename {
            remove: vec![pair("m", ";")],
            add: pair("m", ";"),
            mails: vec![],
        },
        Action::Copy { mails: vec![] },
    ];
    for action in empty {
        let wrong = operation(";", "M", action);
        assert_eq!(code(wrong.format()), "empty_elements", "{wrong:?}");
    }
    for bad in ["|", ";", "\r", "\n", "tag|"] {
        let add = || pair("m", bad);
        let mail = || triple("m", bad, b"");
        let wrong = [
            Action::Create { add: add() },
            Action::Delete {
                remove: vec![pair("m", "t"), add()],
            },
            Action::Append { add: mail() },
            Action::Expunge {
                remove: vec![add()],
            },
            Action::Store {
                remove: vec![add()],
                add: triple("m", "t", b""),
            },
            Action::Store {
                remove: remove(),
                add: mail(),
            },
            Action::Rename {
                remove: vec![add()],
                add: pair("m", "t"),
                mails: vec![triple("m", "t", b"")],
            },
            Action::Rename {
                remove: remove(),
                add: add(),
                mails: vec![triple("m", "t", b"")],
            },
            Action::Rename {
                remove: remove(),
                add: pair("m", "t"),
                mails: vec![mail()],
            },
            Action::Copy {
                mails: vec![triple("m", "t", b""), mail()],
            },
        ];
        for action in wrong {
            let wrong = operation("u", "M", action);
            assert_eq!(code(wrong.format()), "unrepresentable_field", "{wrong:?}");
        }
        let wrong = operation(bad, "M", Action::Delete { remove: remove() });
        assert_eq!(code(wrong.format()), "unrepresentable_field", "{wrong:?}");
    }
}

#[test]
fn what_is_formatted_unchecked_may_say_something_else() {
    let meant = operation(
        "u",
        "M",
        Action::Delete {
            remove: vec![pair("m", "t;bQ==;x")],
        },
    );
    let payload = meant.format_unchecked();
    assert_eq!(payload, "delete|u|TQ==|bQ==;t;bQ==;x");
    let said = Operation::parse("delete", &payload["delete|".len()..]).expect("it is known");
    let remove = vec![pair("m", "t"), pair("m", "x")];
    assert_eq!(said, Ok(operation("u", "M", Action::Delete { remove })));
}

fn parse_code(word: &str, rest: &[u8]) -> &'static str {
    code(Operation::parse(word, rest).expect("the word is known"))
}
