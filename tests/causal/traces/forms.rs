//! Files that cannot be used, by their line and field (11.1).

use serde_json::{Value, json};

use super::{SAMPLE, trace, verdict};

/// After a step that would diverge, the file is unusable at its last line, by this field.
#[track_caller]
fn unusable(profile: &str, step: &str, field: &str) {
    let trace = trace(profile, &format!("converged -> 1\n{step}"));
    assert_eq!(
        verdict(&trace),
        format!("unusable 3 {field}"),
        "{profile}: {step}"
    );
}

/// The last step is of the right form: the first one is what diverges.
#[track_caller]
fn usable(profile: &str, step: &str) {
    let trace = trace(profile, &format!("converged -> 1\n{step}"));
    assert_eq!(verdict(&trace), "diverges 2 converged", "{profile}: {step}");
}

fn header(config: &Value) -> String {
    json!({"trace": "concord/1", "system": "causal", "config": config}).to_string()
}

#[test]
fn wrong_headers_are_named() {
    let right = json!({"profile": "text", "nodes": ["b", "a"]});
    assert_eq!(verdict(&header(&right)), "conforms 0");
    assert_eq!(verdict(""), "unusable 1 trace");
    assert_eq!(verdict("\n"), "unusable 1 ");
    for (right, wrong, field) in [
        ("concord/1", "concord/2", "trace"),
        ("\"causal\"", "\"stats\"", "system"),
        ("\"config\"", "\"conf\"", "config"),
    ] {
        let header = SAMPLE.replacen(right, wrong, 1);
        assert_eq!(verdict(&header), format!("unusable 1 {field}"), "{wrong}");
    }
    let table = [
        (json!({"nodes": ["a", "b"]}), "profile"),
        (json!({"profile": null, "nodes": ["a", "b"]}), "profile"),
        (json!({"profile": "Text", "nodes": ["a", "b"]}), "profile"),
        (json!({"profile": 1, "nodes": ["a", "b"]}), "profile"),
        (json!({"profile": "text"}), "nodes"),
        (json!({"profile": "text", "nodes": null}), "nodes"),
        (json!({"profile": "text", "nodes": "ab"}), "nodes"),
        (json!({"profile": "text", "nodes": []}), "nodes"),
        (json!({"profile": "text", "nodes": ["a"]}), "nodes"),
        (json!({"profile": "text", "nodes": ["a", 1]}), "nodes"),
        (json!({"profile": "text", "nodes": ["a", null]}), "nodes"),
        (
            json!({"profile": "text", "nodes": ["a", "b", "a"]}),
            "nodes",
        ),
    ];
    for (config, field) in table {
        assert_eq!(
            verdict(&header(&config)),
            format!("unusable 1 config.{field}"),
            "{config}"
        );
    }
    for profile in ["text", "framed"] {
        for name in ["", "|", "a:b", "a;b", "a\r", "\na"] {
            let config = json!({"profile": profile, "nodes": ["a", name]});
            assert_eq!(
                verdict(&header(&config)),
                "unusable 1 config.nodes",
                "{config}"
            );
        }
        for name in [" ", "a b", "ä", "a.b/c", "\u{0}", "B,\"\\"] {
            let config = json!({"profile": profile, "nodes": ["a", name]});
            assert_eq!(verdict(&header(&config)), "conforms 0", "{config}");
        }
    }
}

#[test]
fn wrong_initial_clocks_are_named() {
    let verdict_of = |profile: &str, clocks: &str| {
        let config = format!(r#"{{"profile":"{profile}","nodes":["a","b"],"clocks":{clocks}}}"#);
        verdict(&format!(
            r#"{{"trace":"concord/1","system":"causal","config":{config}}}"#
        ))
    };
    let right = [
        "null",
        "{}",
        r#"{"a":{}}"#,
        r#"{"a":{"a":0,"b":4294967295},"b":{"a":1}}"#,
    ];
    let wrong = [
        "[]",
        "1",
        r#"{"c":{}}"#,
        r#"{"a":null}"#,
        r#"{"a":1}"#,
        r#"{"a":{"c":0}}"#,
        r#"{"a":{"":0}}"#,
        r#"{"a":{"a":-1}}"#,
        r#"{"a":{"a":-0}}"#,
        r#"{"a":{"a":1.0}}"#,
        r#"{"a":{"a":1e3}}"#,
        r#"{"a":{"a":null}}"#,
        r#"{"a":{"a":"1"}}"#,
        r#"{"a":{"a":9223372036854775808}}"#,
        r#"{"a":{"a":18446744073709551616}}"#,
    ];
    for profile in ["text", "framed"] {
        for clocks in right {
            assert_eq!(verdict_of(profile, clocks), "conforms 0", "{clocks}");
        }
        for clocks in wrong {
            let expected = "unusable 1 config.clocks";
            assert_eq!(verdict_of(profile, clocks), expected, "{clocks}");
        }
    }
    for (clocks, framed) in [
        (r#"{"b":{"a":4294967296}}"#, "unusable 1 config.clocks"),
        (
            r#"{"b":{"a":9223372036854775807}}"#,
            "unusable 1 config.clocks",
        ),
    ] {
        assert_eq!(verdict_of("text", clocks), "conforms 0");
        assert_eq!(verdict_of("framed", clocks), framed);
    }
}

#[test]
fn operations_of_the_other_profile_are_unknown() {
    let rename = r#"a rename user=u mailbox=M new_mailbox=N tag=t mail_tags=["x"] -> 1"#;
    let copy = r#"a copy user=u from=M to=N values=["x"] tags=["t"] -> 1"#;
    for step in [rename, copy] {
        usable("text", step);
        unusable("framed", step, "op");
    }
    for profile in ["text", "framed"] {
        for op in [
            "fly",
            "Clock",
            "",
            "parse_",
            "parse_move",
            "format_",
            "format_send",
            "create_",
            "areas",
        ] {
            let step = json!({"op": op, "args": {"node": "a", "raw": ""}, "returns": null});
            unusable(profile, &step.to_string(), "op");
        }
    }
    // Each profile has its own arguments.
    let append = "a append user=u mailbox=M value=v tag=t contents=00 -> 1";
    usable("text", append);
    unusable("framed", append, "args.content");
    let append = "a append user=u mailbox=M tag=t content=00 -> 1";
    usable("framed", append);
    unusable("text", append, "args.value");
}

/// A right step with the names of its required arguments.
type Form = (&'static str, &'static str, &'static str);

const BOTH: &[&str] = &["text", "framed"];

/// Every operation with one right step, and its required arguments.
const FORMS: &[(&[&str], &[Form])] = &[
    (
        BOTH,
        &[
            (
                "format_message",
                r#"{"sender":"a","vclock":{"a":1},"payload":"00"}"#,
                "sender vclock payload",
            ),
            ("parse_message", r#"{"raw":"00"}"#, "raw"),
            ("parse_op", r#"{"raw":"00"}"#, "raw"),
            ("parse_create", r#"{"raw":"00"}"#, "raw"),
            ("parse_delete", r#"{"raw":"00"}"#, "raw"),
            ("parse_append", r#"{"raw":"00"}"#, "raw"),
            ("parse_expunge", r#"{"raw":"00"}"#, "raw"),
            ("parse_store", r#"{"raw":"00"}"#, "raw"),
            ("parse_rename", r#"{"raw":"00"}"#, "raw"),
            ("parse_copy", r#"{"raw":"00"}"#, "raw"),
            (
                "format_create",
                r#"{"user":"","mailbox":"","add_mailbox":{"value":"","tag":""}}"#,
                "user mailbox add_mailbox",
            ),
            (
                "format_delete",
                r#"{"user":"","mailbox":"","rmv_mailbox":[]}"#,
                "user mailbox rmv_mailbox",
            ),
            (
                "format_append",
                r#"{"user":"","mailbox":"","add_mail":{"value":"","tag":"","contents":""}}"#,
                "user mailbox add_mail",
            ),
            (
                "format_expunge",
                r#"{"user":"","mailbox":"","rmv_mail":[]}"#,
                "user mailbox rmv_mail",
            ),
            (
                "format_store",
                r#"{"user":"","mailbox":"","rmv_mail":[],"add_mail":{"value":"","tag":"","contents":""}}"#,
                "user mailbox rmv_mail add_mail",
            ),
            (
                "format_rename",
                r#"{"user":"","mailbox":"","rmv_mailbox":[],"add_mailbox":{"value":"","tag":""},"add_mails":[]}"#,
                "user mailbox rmv_mailbox add_mailbox add_mails",
            ),
            (
                "format_copy",
                r#"{"user":"","mailbox":"","add_mails":[]}"#,
                "user mailbox add_mails",
            ),
            (
                "encode_msg",
                r#"{"replica":"","vclock":{},"operation":""}"#,
                "replica vclock operation",
            ),
            ("decode_msg", r#"{"raw":"00"}"#, "raw"),
            ("frame", r#"{"items":[]}"#, "items"),
            ("unframe", r#"{"raw":"00"}"#, "raw"),
            ("format_vclock", r#"{"vclock":{}}"#, "vclock"),
            ("parse_vclock", r#"{"raw":"00"}"#, "raw"),
            ("format_areas", r#"{"areas":[[0,1]]}"#, "areas"),
            ("parse_areas", r#"{"raw":"00"}"#, "raw"),
            ("format_orset", r#"{"elements":{"t":"v"}}"#, "elements"),
            ("parse_orset", r#"{"raw":"00"}"#, "raw"),
            (
                "deliverable",
                r#"{"clock":{},"sender":"a","vclock":{}}"#,
                "clock sender vclock",
            ),
            ("merge", r#"{"a":{},"b":{}}"#, "a b"),
            (
                "create",
                r#"{"node":"a","user":"u","mailbox":"M","tag":"t"}"#,
                "node user mailbox tag",
            ),
            (
                "delete",
                r#"{"node":"a","user":"u","mailbox":"M"}"#,
                "node user mailbox",
            ),
            ("flush", r#"{"node":"a","peer":"b"}"#, "node peer"),
            ("ack", r#"{"node":"a","peer":"b","seq":0}"#, "node peer seq"),
            ("receive", r#"{"node":"a","wire":""}"#, "node wire"),
            ("apply_ready", r#"{"node":"a"}"#, "node"),
            ("clock", r#"{"node":"a"}"#, "node"),
            ("log", r#"{"node":"a"}"#, "node"),
            ("send_log", r#"{"node":"a"}"#, "node"),
            ("orset", r#"{"node":"a","user":""}"#, "node user"),
            ("values", r#"{"node":"a","user":""}"#, "node user"),
            ("crash", r#"{"node":"a","point":"idle"}"#, "node point"),
            ("recover", r#"{"node":"a"}"#, "node"),
            ("shutdown", r#"{"node":"a"}"#, "node"),
            ("converged", "{}", ""),
        ],
    ),
    (
        &["text"],
        &[
            ("send", r#"{"node":"a","payload":""}"#, "node payload"),
            (
                "append",
                r#"{"node":"a","user":"u","mailbox":"M","value":"v","tag":"t","contents":""}"#,
                "node user mailbox value tag contents",
            ),
            (
                "expunge",
                r#"{"node":"a","user":"u","mailbox":"M","value":"v"}"#,
                "node user mailbox value",
            ),
            (
                "store",
                r#"{"node":"a","user":"u","mailbox":"M","value":"v","new_value":"w","tag":"t","contents":""}"#,
                "node user mailbox value new_value tag contents",
            ),
            (
                "rename",
                r#"{"node":"a","user":"u","mailbox":"M","new_mailbox":"N","tag":"t","mail_tags":[]}"#,
                "node user mailbox new_mailbox tag mail_tags",
            ),
            (
                "copy",
                r#"{"node":"a","user":"u","from":"M","to":"N","values":[],"tags":[]}"#,
                "node user from to values tags",
            ),
        ],
    ),
    (
        &["framed"],
        &[
            ("send", r#"{"node":"a","operation":""}"#, "node operation"),
            (
                "append",
                r#"{"node":"a","user":"u","mailbox":"M","tag":"t","content":""}"#,
                "node user mailbox tag content",
            ),
            (
                "expunge",
                r#"{"node":"a","user":"u","mailbox":"M","rmv_tag":"s","add_tag":"t"}"#,
                "node user mailbox rmv_tag add_tag",
            ),
            (
                "store",
                r#"{"node":"a","user":"u","mailbox":"M","rmv_tag":"s","add_tag":"t","content":""}"#,
                "node user mailbox rmv_tag add_tag content",
            ),
        ],
    ),
];

pub(super) fn step(op: &str, args: &Value) -> String {
    json!({"op": op, "args": args, "returns": null}).to_string()
}

/// Every operation of each profile with right arguments, and the names of the required ones.
pub(super) fn forms() -> impl Iterator<Item = (&'static str, &'static str, Value, Vec<&'static str>)>
{
    FORMS.iter().flat_map(|(profiles, forms)| {
        profiles.iter().flat_map(|profile| {
            forms.iter().map(|(op, args, required)| {
                let args: Value = serde_json::from_str(args).expect("a form is JSON");
                (*profile, *op, args, required.split_whitespace().collect())
            })
        })
    })
}

#[test]
fn required_arguments_are_missed_and_wrong_types_are_named() {
    for (profile, op, args, required) in forms() {
        usable(profile, &step(op, &args));
        for name in required {
            let field = format!("args.{name}");
            let mut without = args.clone();
            without.as_object_mut().expect("an object").remove(name);
            unusable(profile, &step(op, &without), &field);
            for wrong in [json!(null), json!(true), json!(1.5), json!([[]])] {
                let mut args = args.clone();
                args[name] = wrong;
                unusable(profile, &step(op, &args), &field);
            }
        }
        for wrong in ["null", "[]", "1", "\"\""] {
            let step = format!(r#"{{"op":"{op}","args":{wrong},"returns":null}}"#);
            unusable(profile, &step, "args");
        }
    }
}

#[test]
fn the_node_is_named_before_other_arguments() {
    for (profile, op, _, required) in forms() {
        if required.contains(&"node") {
            unusable(profile, &step(op, &json!({})), "args.node");
        }
    }
}

#[test]
fn hex_is_even_and_lower_case() {
    for (profile, op, args, required) in forms() {
        for name in required {
            let is_hex = ["raw", "payload", "wire", "contents", "content"].contains(&name);
            for wrong in ["6", "6d3", "6D", "0x", " 0", "6d 31", "é"] {
                let mut args = args.clone();
                if is_hex {
                    args[name] = json!(wrong);
                } else if name == "items" {
                    args[name] = json!(["00", wrong]);
                } else {
                    continue;
                }
                unusable(profile, &step(op, &args), &format!("args.{name}"));
            }
        }
    }
}

#[test]
fn results_are_present_once() {
    let wrong = [
        (r#"{"op":"converged","args":{}}"#, "returns"),
        (
            r#"{"op":"converged","args":{},"returns":1,"fails":"x"}"#,
            "fails",
        ),
        (
            r#"{"op":"converged","args":{},"returns":null,"fails":null}"#,
            "fails",
        ),
        (r#"{"op":"converged","args":{},"fails":null}"#, "fails"),
        (r#"{"op":"converged","args":{},"fails":["x"]}"#, "fails"),
        (r#"{"op":1,"args":{},"returns":1}"#, "op"),
        (r#"{"args":{},"returns":1}"#, "op"),
        ("[]", ""),
        ("1", ""),
        ("{", ""),
    ];
    for (step, field) in wrong {
        let file = format!(
            "{}\n{step}",
            header(&json!({"profile": "text", "nodes": ["a", "b"]}))
        );
        assert_eq!(verdict(&file), format!("unusable 2 {field}"), "{step}");
    }
}

/// `in` what the values stand, and its field.
#[track_caller]
fn numbers(op: &str, place: impl Fn(&str) -> String, field: &str, rows: &[(&str, &str)]) {
    for (profiles, values) in rows {
        for value in values.split_whitespace() {
            let step = format!(r#"{{"op":"{op}","args":{},"returns":null}}"#, place(value));
            for profile in BOTH {
                match profiles.contains(profile) {
                    true => usable(profile, &step),
                    false => unusable(profile, &step, field),
                }
            }
        }
    }
}

/// Wrong for every number.
const NEVER: &str =
    r#"1.0 1e3 1.5 -0 -9223372036854775809 18446744073709551616 null true "1" [] {}"#;

#[test]
fn clock_values_of_codecs_have_the_range_of_the_profile() {
    let rows = [
        ("text framed", "0 1 4294967295"),
        (
            "text",
            "-1 4294967296 -9223372036854775808 9223372036854775807",
        ),
        ("", "9223372036854775808 18446744073709551615"),
        ("", NEVER),
    ];
    let message =
        |value: &str| format!(r#"{{"sender":"a","vclock":{{"a":0,"b":{value}}},"payload":""}}"#);
    numbers("format_message", message, "args.vclock", &rows);
    numbers(
        "format_vclock",
        |value| format!(r#"{{"vclock":{{"":{value}}}}}"#),
        "args.vclock",
        &rows,
    );
    let clock = |value: &str| format!(r#"{{"sender":"a","vclock":{{}},"clock":{{"x":{value}}}}}"#);
    numbers("deliverable", clock, "args.clock", &rows);
    let stamp = |value: &str| format!(r#"{{"sender":"a","clock":{{}},"vclock":{{"x":{value}}}}}"#);
    numbers("deliverable", stamp, "args.vclock", &rows);
    numbers(
        "merge",
        |value| format!(r#"{{"a":{{"a":{value}}},"b":{{}}}}"#),
        "args.a",
        &rows,
    );
    numbers(
        "merge",
        |value| format!(r#"{{"b":{{"a":{value}}},"a":{{}}}}"#),
        "args.b",
        &rows,
    );
    let rows = [
        ("text framed", "0 1 4294967295"),
        ("", "-1 4294967296 9223372036854775807"),
        ("", NEVER),
    ];
    let message =
        |value: &str| format!(r#"{{"replica":"a","vclock":{{"a":{value}}},"operation":""}}"#);
    numbers("encode_msg", message, "args.vclock", &rows);
}

#[test]
fn other_numbers_have_their_ranges() {
    let signed = [
        (
            "text framed",
            "0 -1 -9223372036854775808 9223372036854775807",
        ),
        ("", "9223372036854775808"),
        ("", NEVER),
    ];
    numbers(
        "format_areas",
        |value| format!(r#"{{"areas":[[0,1],[{value},0]]}}"#),
        "args.areas",
        &signed,
    );
    numbers(
        "format_areas",
        |value| format!(r#"{{"areas":[[0,{value}]]}}"#),
        "args.areas",
        &signed,
    );
    let shapes = [
        ("text framed", "[] [[0,0]]"),
        ("", "[[]] [[0]] [[0,1,2]] [0,1] {} [{}]"),
    ];
    numbers(
        "format_areas",
        |value| format!(r#"{{"areas":{value}}}"#),
        "args.areas",
        &shapes,
    );
    let unsigned = [
        ("text framed", "0 1 18446744073709551615"),
        ("", "-1"),
        ("", NEVER),
    ];
    numbers(
        "ack",
        |value| format!(r#"{{"node":"a","peer":"b","seq":{value}}}"#),
        "args.seq",
        &unsigned,
    );
    let never_but_null = NEVER.replace(" null", "");
    let positive = [
        ("text framed", "1 18446744073709551615 null"),
        ("", "0 -1"),
        ("", &never_but_null),
    ];
    numbers(
        "apply_ready",
        |value| format!(r#"{{"node":"a","limit":{value}}}"#),
        "args.limit",
        &positive,
    );
    for point in ["apply_before_state", "apply_after_state"] {
        let during = r#"{"op":"apply_ready","args":{"node":"a"}}"#;
        let crash = |value: &str| {
            format!(r#"{{"node":"a","point":"{point}","during":{during},"nth":{value}}}"#)
        };
        numbers("crash", crash, "args.nth", &positive);
    }
    for (point, during) in [
        (
            "send_torn",
            r#"{"op":"delete","args":{"node":"a","user":"u","mailbox":"M"}}"#,
        ),
        (
            "receive_torn",
            r#"{"op":"receive","args":{"node":"a","wire":""}}"#,
        ),
    ] {
        let crash = |value: &str| {
            format!(r#"{{"node":"a","point":"{point}","during":{during},"bytes":{value}}}"#)
        };
        numbers("crash", crash, "args.bytes", &unsigned);
        unusable(
            "text",
            &step(
                "crash",
                &json!({
                    "node": "a",
                    "point": point,
                    "during": serde_json::from_str::<Value>(during).expect("JSON"),
                }),
            ),
            "args.bytes",
        );
    }
}

#[test]
fn nested_arguments_are_named_by_their_path() {
    let both = |op: &str, args: Value, field: &str| {
        for profile in BOTH {
            unusable(profile, &step(op, &args), field);
        }
    };
    let pair = json!({"value": "v", "tag": "t"});
    let wrong = [
        (json!({"tag": "t"}), ".value"),
        (json!({"value": "v"}), ".tag"),
        (json!({"value": 1, "tag": "t"}), ".value"),
        (json!({"value": "v", "tag": null}), ".tag"),
    ];
    for (element, place) in wrong {
        let args = json!({"user": "", "mailbox": "", "add_mailbox": element});
        both("format_create", args, &format!("args.add_mailbox{place}"));
        let args = json!({"user": "", "mailbox": "", "rmv_mailbox": [pair, element]});
        both(
            "format_delete",
            args,
            &format!("args.rmv_mailbox[1]{place}"),
        );
        let args = json!({"user": "", "mailbox": "", "rmv_mail": [element]});
        both("format_expunge", args, &format!("args.rmv_mail[0]{place}"));
    }
    for contents in [json!(null), json!("0"), json!("AA")] {
        let triple = json!({"value": "", "tag": "", "contents": contents});
        let args = json!({"user": "", "mailbox": "", "add_mail": triple});
        both("format_append", args, "args.add_mail.contents");
        let args = json!({"user": "", "mailbox": "", "add_mails": [triple]});
        both("format_copy", args, "args.add_mails[0].contents");
        let args = json!({"user": "", "mailbox": "", "rmv_mail": [], "add_mail": triple});
        both("format_store", args, "args.add_mail.contents");
        let args = json!({
            "user": "", "mailbox": "", "rmv_mailbox": [], "add_mailbox": pair, "add_mails": [triple],
        });
        both("format_rename", args, "args.add_mails[0].contents");
    }
    both(
        "format_copy",
        json!({"user": "", "mailbox": "", "add_mails": [1]}),
        "args.add_mails",
    );
    both(
        "format_orset",
        json!({"elements": {"t": 1}}),
        "args.elements",
    );
    both("frame", json!({"items": ["", null]}), "args.items");
}

#[test]
fn sub_messages_are_null_absent_or_whole() {
    let subs = [
        ("create", json!({"user": "", "mailbox": "", "add_tag": ""})),
        (
            "delete",
            json!({"user": "", "mailbox": "", "rmv_tags": [], "rmv_mails": [""]}),
        ),
        (
            "append",
            json!({"user": "", "mailbox": "", "add_tag": "", "add_content": ""}),
        ),
        (
            "expunge",
            json!({"user": "", "mailbox": "", "rmv_tag": "", "add_tag": ""}),
        ),
        (
            "store",
            json!({"user": "", "mailbox": "", "rmv_tag": "", "add_tag": "", "add_content": "00"}),
        ),
    ];
    let msg = json!({"node": "a", "replica": "a", "vclock": {}, "operation": "x"});
    for (name, sub) in subs {
        for (profile, op) in [
            ("text", "encode_msg"),
            ("framed", "encode_msg"),
            ("framed", "send"),
        ] {
            let with = |sub: &Value| {
                let mut args = msg.clone();
                args[name] = sub.clone();
                step(op, &args)
            };
            usable(profile, &with(&sub));
            usable(profile, &with(&Value::Null));
            for wrong in [json!(1), json!([]), json!("")] {
                unusable(profile, &with(&wrong), &format!("args.{name}"));
            }
            for field in sub.as_object().expect("an object").keys() {
                let path = format!("args.{name}.{field}");
                let mut wrong = sub.clone();
                wrong[field] = json!(true);
                unusable(profile, &with(&wrong), &path);
                wrong.as_object_mut().expect("an object").remove(field);
                unusable(profile, &with(&wrong), &path);
            }
        }
    }
}

/// The crash points with what they interrupt.
const POINTS: &[(&str, &str)] = &[
    ("send_torn", "submit"),
    ("send_after_log", "submit"),
    ("send_after_state", "submit"),
    ("receive_torn", "receive"),
    ("receive_after_log", "receive"),
    ("apply_before_state", "apply_ready"),
    ("apply_after_state", "apply_ready"),
    ("ack_before_truncate", "ack"),
];

#[test]
fn crashes_interrupt_what_their_point_names() {
    let submits = [
        "send", "create", "delete", "append", "expunge", "store", "rename", "copy",
    ];
    for (point, interrupted) in POINTS {
        for (profile, op, args, _) in forms() {
            let during = json!({"op": op, "args": args});
            let crash = json!({"node": "a", "point": point, "bytes": 1, "during": during});
            let right = op == *interrupted || *interrupted == "submit" && submits.contains(&op);
            match right {
                true => usable(profile, &step("crash", &crash)),
                false => unusable(profile, &step("crash", &crash), "args.during.op"),
            }
        }
        let during = json!({"op": "fly", "args": {"node": "a"}});
        let crash = json!({"node": "a", "point": point, "bytes": 1, "during": during});
        unusable("text", &step("crash", &crash), "args.during.op");
    }
    for op in ["rename", "copy"] {
        let during = json!({"op": op, "args": {"node": "a"}});
        let crash = json!({"node": "a", "point": "send_after_log", "during": during});
        unusable("framed", &step("crash", &crash), "args.during.op");
    }
}

#[test]
fn what_a_crash_interrupts_has_the_form_of_a_step_of_the_same_node() {
    let submits = [
        "send", "create", "delete", "append", "expunge", "store", "rename", "copy",
    ];
    for (point, interrupted) in POINTS {
        for (profile, op, args, required) in forms() {
            if op != *interrupted && !(*interrupted == "submit" && submits.contains(&op)) {
                continue;
            }
            let crash = |args: &Value| {
                let during = json!({"op": op, "args": args});
                step(
                    "crash",
                    &json!({"node": "a", "point": point, "bytes": 1, "during": during}),
                )
            };
            for name in required {
                let path = format!("args.during.args.{name}");
                let mut wrong = args.clone();
                wrong[name] = json!(true);
                unusable(profile, &crash(&wrong), &path);
                wrong.as_object_mut().expect("an object").remove(name);
                unusable(profile, &crash(&wrong), &path);
            }
            let mut other = args.clone();
            other["node"] = json!("b");
            unusable(profile, &crash(&other), "args.during.args.node");
        }
        let crash = |during: Value| {
            step(
                "crash",
                &json!({"node": "a", "point": point, "bytes": 1, "during": during}),
            )
        };
        for wrong in [json!(null), json!([]), json!("send")] {
            unusable("text", &crash(wrong), "args.during");
        }
        unusable("text", &crash(json!({"args": {}})), "args.during.op");
        let op = if *interrupted == "submit" {
            "delete"
        } else {
            interrupted
        };
        unusable("text", &crash(json!({"op": op})), "args.during.args");
        let without = json!({"node": "a", "point": point, "bytes": 1});
        unusable("text", &step("crash", &without), "args.during");
    }
    for point in ["", "Idle", "send", "apply_after_states"] {
        unusable(
            "text",
            &step("crash", &json!({"node": "a", "point": point})),
            "args.point",
        );
    }
    // An unknown node is no question of form, here neither.
    let during = json!({"op": "apply_ready", "args": {"node": "z"}});
    let crash = json!({"node": "z", "point": "apply_after_state", "during": during});
    usable("text", &step("crash", &crash));
}
