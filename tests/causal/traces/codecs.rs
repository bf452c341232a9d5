//! What operations without a node answer (11.2).

use serde_json::{Value, json};

use super::{conforms, hex};

/// In both profiles, whose clock values are the same here.
#[track_caller]
fn answers(op: &str, args: &Value, returns: &Value) {
    let step = json!({"op": op, "args": args, "returns": returns}).to_string();
    for profile in ["text", "framed"] {
        conforms(profile, &step);
    }
}

#[track_caller]
fn fails(op: &str, args: &Value, code: &str) {
    let step = json!({"op": op, "args": args, "fails": code}).to_string();
    for profile in ["text", "framed"] {
        conforms(profile, &step);
    }
}

fn raw(bytes: impl AsRef<[u8]>) -> Value {
    json!({"raw": hex(bytes)})
}

#[test]
fn message_lines() {
    let message = json!({"sender": "b", "vclock": {"b": 1, "a": 2}, "payload": hex("x|\u{e4}")});
    answers("format_message", &message, &raw("b|a:2;b:1|x|\u{e4}"));
    answers("parse_message", &raw("b|b:1;a:2|x|\u{e4}\n"), &message);
    let signed = json!({"sender": "b", "vclock": {"": -1, "a": 9}, "payload": hex("\r")});
    answers("parse_message", &raw("b|a:5;:-1:7;a:+09|\r\n"), &signed);
    let empty = json!({"sender": "b", "vclock": {}, "payload": ""});
    fails("format_message", &empty, "unrepresentable_field");
    for (line, code) in [
        (&b"b|a:1|\xff"[..], "invalid_utf8"),
        (b"b|a:1", "invalid_sync_message"),
        (b"|a:1|", "missing_sender"),
        (b"b||", "invalid_vclock_element"),
        (b"b|a:x;b|", "invalid_vclock_number"),
    ] {
        fails("parse_message", &raw(line), code);
    }
}

#[test]
fn operations_of_the_text_format() {
    let pair = json!({"value": "M", "tag": "t"});
    let triple = json!({"value": "m", "tag": "s", "contents": "ff00"});
    let forms = [
        ("create", json!({"add_mailbox": pair}), "TQ==;t"),
        (
            "delete",
            json!({"rmv_mailbox": [pair, pair]}),
            "TQ==;t;TQ==;t",
        ),
        ("append", json!({"add_mail": triple}), "bQ==;s;/wA="),
        ("expunge", json!({"rmv_mail": [pair]}), "TQ==;t"),
        (
            "store",
            json!({"rmv_mail": [pair], "add_mail": triple}),
            "TQ==;t|bQ==;s;/wA=",
        ),
        (
            "rename",
            json!({"rmv_mailbox": [pair], "add_mailbox": pair, "add_mails": [triple, triple]}),
            "TQ==;t|TQ==;t|bQ==;s;/wA=;bQ==;s;/wA=",
        ),
        ("copy", json!({"add_mails": [triple]}), "bQ==;s;/wA="),
    ];
    for (word, mut fields, elements) in forms {
        fields["user"] = json!("u");
        fields["mailbox"] = json!("B");
        let rest = format!("u|Qg==|{elements}");
        let whole = format!("{word}|{rest}");
        answers(&format!("format_{word}"), &fields, &raw(&whole));
        answers(&format!("parse_{word}"), &raw(&rest), &fields);
        answers(
            "parse_op",
            &raw(&whole),
            &json!({"operation": word, "rest": hex(&rest)}),
        );
        fails(&format!("parse_{word}"), &raw(&whole), "pipe_count");
        fields["user"] = json!("u|");
        fails(&format!("format_{word}"), &fields, "unrepresentable_field");
    }
    fails("parse_op", &raw("create"), "not_enough_pipes");
    fails("parse_op", &raw(b"\xff|"), "invalid_utf8");
    let none = json!({"user": "|", "mailbox": "", "rmv_mailbox": []});
    fails("format_delete", &none, "empty_elements");
    fails("parse_delete", &raw("u|Qg==|TQ=="), "too_few_semicolons");
    fails(
        "parse_copy",
        &raw("u|Qg==|TQ==;t"),
        "not_divisible_by_three",
    );
}

#[test]
fn frames_and_messages() {
    let items = json!({"items": ["", "00ff", hex("hello, frame")]});
    let frames = [b"0;2;\x00\xff".as_slice(), b"12;hello, frame"].concat();
    answers("frame", &items, &raw(&frames));
    answers("unframe", &raw(&frames), &items);
    answers("frame", &json!({"items": []}), &raw(""));
    fails("unframe", &raw("1"), "truncated_frame");
    fails("unframe", &raw("-1;"), "invalid_frame_length");

    let subs = json!({
        "create": {"user": "u", "mailbox": "M", "add_tag": "t"},
        "delete": {"user": "", "mailbox": "M", "rmv_tags": ["", "t"], "rmv_mails": []},
        "append": {"user": "u", "mailbox": "", "add_tag": "t", "add_content": "ff"},
        "expunge": {"user": "u", "mailbox": "M", "rmv_tag": "s", "add_tag": "t"},
        "store": {"user": "u", "mailbox": "M", "rmv_tag": "s", "add_tag": "t", "add_content": ""},
    });
    let encoded: &[(&str, &[u8])] = &[
        ("create", b"\x22\x09\x0a\x01u\x12\x01M\x1a\x01t"),
        ("delete", b"\x2a\x08\x12\x01M\x1a\x00\x1a\x01t"),
        ("append", b"\x32\x09\x0a\x01u\x1a\x01t\x22\x01\xff"),
        ("expunge", b"\x3a\x0c\x0a\x01u\x12\x01M\x1a\x01s\x22\x01t"),
        ("store", b"\x42\x0c\x0a\x01u\x12\x01M\x1a\x01s\x22\x01t"),
    ];
    let mut msg = json!({"replica": "a", "vclock": {"a": 300, "": 0}, "operation": "none"});
    let head = b"\x0a\x01a\x12\x04\x0a\x00\x10\x00\x12\x06\x0a\x01a\x10\xac\x02\x1a\x04none";
    answers("encode_msg", &msg, &raw(head));
    for (name, _) in encoded {
        msg[*name] = Value::Null;
    }
    answers("decode_msg", &raw(head), &msg);
    for (name, bytes) in encoded {
        let mut msg = msg.clone();
        msg[*name] = subs[*name].clone();
        let whole = [head, *bytes].concat();
        answers("encode_msg", &msg, &raw(&whole));
        answers("decode_msg", &raw(&whole), &msg);
    }
    fails("decode_msg", &raw(b"\x0a"), "invalid_protobuf");
}

#[test]
fn files() {
    let clock = json!({"vclock": {"b": 10, "a": 0}});
    answers("format_vclock", &clock, &raw("a:0;b:10"));
    answers("parse_vclock", &raw("b:10;a:0"), &clock);
    answers("parse_vclock", &raw(""), &json!({"vclock": {}}));
    fails(
        "format_vclock",
        &json!({"vclock": {"a:": 1}}),
        "unrepresentable_field",
    );
    fails("parse_vclock", &raw("a"), "invalid_vclock_element");
    let negative = json!({"op": "parse_vclock", "args": raw("a:-1")});
    let with = |name: &str, value: Value| {
        let mut step = negative.clone();
        step[name] = value;
        step.to_string()
    };
    conforms("text", &with("returns", json!({"vclock": {"a": -1}})));
    conforms("framed", &with("fails", json!("invalid_vclock_number")));

    answers(
        "format_areas",
        &json!({"areas": [[0, 3], [3, 5], [7, 7]]}),
        &raw("0-5\n7-7"),
    );
    answers(
        "parse_areas",
        &raw("0-3\n3-5"),
        &json!({"areas": [[0, 3], [3, 5]]}),
    );
    answers("parse_areas", &raw(""), &json!({"areas": []}));
    fails("format_areas", &json!({"areas": [[-1, 3]]}), "invalid_area");
    fails("parse_areas", &raw("5-3"), "invalid_area");

    let set = json!({"elements": {"t1": "M", "t0": "", "": "N"}});
    answers("format_orset", &set, &raw("Tg==;;;t0;TQ==;t1"));
    answers("parse_orset", &raw("TQ==;t1;;t0;Tg==;"), &set);
    answers("parse_orset", &raw(""), &json!({"elements": {}}));
    fails(
        "format_orset",
        &json!({"elements": {"|": ""}}),
        "unrepresentable_field",
    );
    fails("parse_orset", &raw("TQ=="), "odd_element_count");
}

#[test]
fn deliverability() {
    let least = i64::MIN;
    let most = i64::MAX;
    for (clock, sender, stamp, decision) in [
        (json!({}), "a", json!({"a": 1}), "apply"),
        (json!({"a": 1}), "a", json!({"a": 1}), "duplicate"),
        (json!({"a": 1}), "a", json!({"a": 3}), "wait"),
        (json!({"a": 1}), "a", json!({"a": 2, "b": 1}), "wait"),
        (
            json!({"a": 1, "b": 1}),
            "a",
            json!({"a": 2, "b": 1}),
            "apply",
        ),
        (json!({"a": 1}), "a", json!({"b": 9}), "duplicate"),
        (json!({"a": 1}), "z", json!({"a": 1}), "duplicate"),
        (json!({}), "", json!({"": 1, "a": 0}), "apply"),
        (
            json!({"m": 4, "z": 2}),
            "m",
            json!({"a": 1, "m": 5, "z": 2}),
            "wait",
        ),
    ] {
        let args = json!({"clock": clock, "sender": sender, "vclock": stamp});
        answers("deliverable", &args, &json!(decision));
    }
    for (clock, sender, stamp, decision) in [
        (json!({}), "a", json!({"a": -1}), "duplicate"),
        (json!({"a": -1}), "a", json!({}), "apply"),
        (json!({"a": -1, "b": -1}), "a", json!({"b": -1}), "apply"),
        // What is absent is 0, also where the clock is below.
        (json!({"b": -1}), "a", json!({"a": 1}), "wait"),
        (json!({}), "a", json!({"a": 1, "b": -1}), "apply"),
        (json!({"a": -2}), "a", json!({}), "wait"),
        (json!({"a": most}), "a", json!({"a": least}), "duplicate"),
        (json!({"a": most}), "a", json!({"a": most}), "duplicate"),
        (json!({"a": most - 1}), "a", json!({"a": most}), "apply"),
        (json!({"a": least}), "a", json!({"a": most}), "wait"),
        (json!({"a": least}), "a", json!({"a": least + 1}), "apply"),
    ] {
        let args = json!({"clock": clock, "sender": sender, "vclock": stamp});
        let step = json!({"op": "deliverable", "args": args, "returns": decision});
        conforms("text", &step.to_string());
    }
}

#[test]
fn merging() {
    for (a, b, merged) in [
        (json!({}), json!({}), json!({})),
        (
            json!({"a": 1, "b": 5}),
            json!({"b": 3, "c": 0}),
            json!({"a": 1, "b": 5, "c": 0}),
        ),
        (
            json!({"": 4_294_967_295_u64}),
            json!({"": 0}),
            json!({"": 4_294_967_295_u64}),
        ),
    ] {
        answers("merge", &json!({"a": a, "b": b}), &merged);
        answers("merge", &json!({"a": b, "b": a}), &merged);
    }
    for (a, b, merged) in [
        (
            json!({"a": -2, "b": i64::MIN}),
            json!({"a": -1, "b": i64::MAX}),
            json!({"a": -1, "b": i64::MAX}),
        ),
        // What is absent is 0.
        (json!({"a": -2}), json!({}), json!({"a": 0})),
    ] {
        for args in [json!({"a": a, "b": b}), json!({"a": b, "b": a})] {
            let step = json!({"op": "merge", "args": args, "returns": merged});
            conforms("text", &step.to_string());
        }
    }
}
