//! What nodes answer (11.3).

use concord::systems::causal::framed::{Append, Create, Msg, frame};
use serde_json::{Value, json};

use super::forms::{forms, step};
use super::{conforms, conforms_to, connection, hex, run, trace, verdict};

#[test]
fn unknown_nodes_and_nodes_that_are_down_answer_before_anything_else() {
    for (profile, op, mut args, required) in forms() {
        if !required.contains(&"node") {
            continue;
        }
        let fails =
            |args: &Value, code: &str| json!({"op": op, "args": args, "fails": code}).to_string();
        let down = if op == "recover" {
            ""
        } else {
            &fails(&args, "node_down")
        };
        conforms(
            profile,
            &format!("a shutdown -> {{\"log\":0,\"send_log\":0}}\n{down}"),
        );
        conforms(profile, &format!("a crash point=idle -> null\n{down}"));
        args["node"] = json!("z");
        conforms(profile, &fails(&args, "unknown_node"));
    }
}

#[test]
fn a_node_goes_down_and_comes_up() {
    let nothing = r#"{"clock":{"a":0,"b":0,"c":0},"discarded":0,"log":0,"send_log":0}"#;
    let equal = r#"{"clocks":true,"orset":true,"receive_logs_empty":true,"send_logs_empty":true}"#;
    for profile in ["text", "framed"] {
        conforms(
            profile,
            &format!(
                r#"
                a recover ! node_up
                converged -> {equal}
                b shutdown -> {{"log":0,"send_log":0}}
                b shutdown ! node_down
                b flush peer=z ! node_down
                b crash point=idle ! node_down
                converged ! node_down
                b recover -> {nothing}
                b recover ! node_up
                b crash point=idle during=7 bytes=-1 nth=0 -> null
                b recover -> {nothing}
                converged -> {equal}
                "#
            ),
        );
    }
}

#[test]
fn peers_are_other_members() {
    for profile in ["text", "framed"] {
        conforms(
            profile,
            r#"
            a flush peer=b -> {"upto":0,"wire":[]}
            a flush peer=a ! unknown_peer
            a flush peer=z ! unknown_peer
            a ack peer=a seq=0 ! unknown_peer
            a ack peer=z seq=9 ! unknown_peer
            a ack peer=b seq=0 -> {"send_log":0}
            a ack peer=b seq=1 ! ack_beyond_log
            a send_log -> {"count":0,"entries":[],"acked":{"b":0,"c":0}}
            b send_log -> {"count":0,"entries":[],"acked":{"a":0,"c":0}}
            "#,
        );
    }
}

#[test]
fn initial_clocks_are_where_cursors_start_and_where_entries_end() {
    for (profile, largest) in [("text", i64::MAX as u64), ("framed", u64::from(u32::MAX))] {
        let before = largest - 1;
        let config = json!({
            "profile": profile,
            "nodes": ["b", "a"],
            "clocks": {"a": {"a": before, "b": 3}, "b": {"a": largest}},
        });
        let first = match profile {
            "text" => hex(format!("a|a:{largest};b:3|create|u|TQ==|TQ==;t")),
            _ => hex(frame(&create(&[("a", u32::MAX), ("b", 3)], "t").encode())),
        };
        conforms_to(
            &config,
            &format!(
                r#"
                a clock -> {{"a":{before},"b":3}}
                b clock -> {{"a":{largest},"b":0}}
                a send_log -> {{"count":0,"entries":[],"acked":{{"b":{before}}}}}
                b send_log -> {{"count":0,"entries":[],"acked":{{"a":0}}}}
                a flush peer=b -> {{"upto":{before},"wire":[]}}
                a ack peer=b seq=0 -> {{"send_log":0}}
                a create user=u mailbox=M tag=t -> {{"seq":{largest},"clock":{{"a":{largest},"b":3}},"wire":"{first}"}}
                a create user=u mailbox=M tag=t ! mailbox_exists
                a create user=u mailbox=N tag=t ! clock_overflow
                a send_log -> {{"count":1,"entries":[{largest}],"acked":{{"b":{before}}}}}
                a ack peer=b seq={largest} -> {{"send_log":0}}
                "#
            ),
        );
    }
}

const CREATE: &str = "a|a:1;b:0;c:0|create|u|TQ==|TQ==;t";
const APPEND: &str = "a|a:2;b:0;c:0|append|u|TQ==|bQ==;s;aGk=";

/// The first two messages of a, at a, in the text profile.
fn text_messages() -> String {
    let (create, append) = (hex(CREATE), hex(APPEND));
    format!(
        r#"
        a create user=u mailbox=M tag=t -> {{"seq":1,"clock":{{"a":1,"b":0,"c":0}},"wire":"{create}"}}
        a append user=u mailbox=M value=m tag=s contents="6869" -> {{"seq":2,"clock":{{"a":2,"b":0,"c":0}},"wire":"{append}"}}
        "#
    )
}

#[test]
fn lines_travel_are_acked_and_leave_the_log() {
    let (create, append) = (connection(CREATE), connection(APPEND));
    let ping = hex("> ping <\r\n");
    conforms(
        "text",
        &format!(
            r#"
            {}
            a flush peer=b -> {{"upto":2,"wire":["{create}","{append}"]}}
            b receive wire="{append}" -> {{"log":1,"stored":1}}
            b receive wire="{append}" -> {{"log":2,"stored":1}}
            b receive wire="{ping}" -> {{"log":2,"stored":0}}
            b receive wire= -> {{"log":2,"stored":0}}
            b receive wire="{create}" -> {{"log":3,"stored":1}}
            b receive wire="{create}" -> {{"log":4,"stored":1}}
            a receive wire="{create}" ! from_self
            b log -> {{"count":4,"entries":[["a",2],["a",2],["a",1],["a",1]]}}
            b apply_ready limit=1 -> {{"applied":[["a",1,"ok"]],"purged":0,"log":3,"clock":{{"a":1,"b":0,"c":0}}}}
            b apply_ready -> {{"applied":[["a",2,"ok"]],"purged":2,"log":0,"clock":{{"a":2,"b":0,"c":0}}}}
            converged -> {{"clocks":false,"orset":false,"receive_logs_empty":true,"send_logs_empty":false}}
            a ack peer=b seq=1 -> {{"send_log":2}}
            a flush peer=b -> {{"upto":2,"wire":["{append}"]}}
            a ack peer=c seq=2 -> {{"send_log":1}}
            a flush peer=c -> {{"upto":2,"wire":[]}}
            a ack peer=c seq=1 -> {{"send_log":1}}
            a send_log -> {{"count":1,"entries":[2],"acked":{{"b":1,"c":2}}}}
            c receive wire="{create}" -> {{"log":1,"stored":1}}
            c receive wire="{append}" -> {{"log":2,"stored":1}}
            c shutdown -> {{"log":2,"send_log":0}}
            c recover -> {{"clock":{{"a":0,"b":0,"c":0}},"discarded":0,"log":2,"send_log":0}}
            c apply_ready -> {{"applied":[["a",1,"ok"],["a",2,"ok"]],"purged":0,"log":0,"clock":{{"a":2,"b":0,"c":0}}}}
            a ack peer=b seq=2 -> {{"send_log":0}}
            converged -> {{"clocks":true,"orset":true,"receive_logs_empty":true,"send_logs_empty":true}}
            "#,
            text_messages()
        ),
    );
}

#[test]
fn sets_of_the_text_profile() {
    let wire = |line: &str| hex(line);
    let send = wire("a|a:3;b:0;c:0|append|u|Tg==|bQ==;s;");
    let opaque = wire("a|a:4;b:0;c:0|append");
    conforms(
        "text",
        &format!(
            r#"
            a orset user=u -> {{"structure":[],"mails":{{}}}}
            a values user=u -> []
            a values user=u mailbox=M ! mailbox_not_found
            {}
            a send payload="{}" -> {{"seq":3,"clock":{{"a":3,"b":0,"c":0}},"wire":"{send}"}}
            a send payload="{}" -> {{"seq":4,"clock":{{"a":4,"b":0,"c":0}},"wire":"{opaque}"}}
            a send payload=0a ! unrepresentable_field
            a send payload=ff ! unrepresentable_field
            a orset user=u -> {{"structure":[{{"value":"M","tag":"t","dots":[["a",1]]}}],"mails":{{"M":[{{"value":"m","tag":"s","dots":[["a",2]],"contents":"6869"}}],"N":[{{"value":"m","tag":"s","dots":[["a",3]],"contents":""}}]}}}}
            a orset user=v -> {{"structure":[],"mails":{{}}}}
            a values user=u -> ["M"]
            a values user=u mailbox=null -> ["M"]
            a values user=u mailbox=M -> ["m"]
            a values user=u mailbox=N ! mailbox_not_found
            a values user=v -> []
            "#,
            text_messages(),
            hex("append|u|Tg==|bQ==;s;"),
            hex("append"),
        ),
    );
}

fn create(clock: &[(&str, u32)], tag: &str) -> Msg {
    Msg {
        replica: "a".into(),
        vclock: clock
            .iter()
            .map(|(name, value)| ((*name).into(), *value))
            .collect(),
        operation: "create".into(),
        create: Some(Create {
            user: "u".into(),
            mailbox: "M".into(),
            add_tag: tag.into(),
        }),
        ..Msg::default()
    }
}

/// The first two messages of a in the framed profile, as frames.
fn frames() -> [Vec<u8>; 2] {
    let append = Msg {
        operation: "append".into(),
        create: None,
        append: Some(Append {
            user: "u".into(),
            mailbox: "M".into(),
            add_tag: "s".into(),
            add_content: "hi".into(),
        }),
        ..create(&[("a", 2), ("b", 0), ("c", 0)], "")
    };
    let create = create(&[("a", 1), ("b", 0), ("c", 0)], "t");
    [create, append].map(|msg| frame(&msg.encode()).to_vec())
}

fn framed_messages() -> String {
    let [create, append] = frames().map(hex);
    format!(
        r#"
        a create user=u mailbox=M tag=t -> {{"seq":1,"clock":{{"a":1,"b":0,"c":0}},"wire":"{create}"}}
        a append user=u mailbox=M tag=s content="6869" -> {{"seq":2,"clock":{{"a":2,"b":0,"c":0}},"wire":"{append}"}}
        "#
    )
}

#[test]
fn bulks_travel_and_sets_of_the_framed_profile_hold_contents() {
    let [create, append] = frames();
    let bulk = hex([create.clone(), append].concat());
    let create = hex(create);
    conforms(
        "framed",
        &format!(
            r#"
            a orset user=u -> {{"structure":[]}}
            {}
            a flush peer=b -> {{"upto":2,"wire":["{bulk}"]}}
            b receive wire="{bulk}" -> {{"log":2,"stored":2}}
            b receive wire= -> {{"log":2,"stored":0}}
            b receive wire="{create}" -> {{"log":3,"stored":1}}
            b receive wire="{create}30" ! truncated_frame
            b apply_ready -> {{"applied":[["a",1,"ok"],["a",2,"ok"]],"purged":1,"log":0,"clock":{{"a":2,"b":0,"c":0}}}}
            b orset user=u -> {{"structure":[{{"value":"M","tag":"s","dots":[["a",2]],"content":"6869"}},{{"value":"M","tag":"t","dots":[["a",1]],"content":null}}]}}
            b values user=u -> ["M"]
            b values user=u mailbox=M -> ["s"]
            b values user=u mailbox=N ! mailbox_not_found
            b values user=v -> []
            a ack peer=b seq=2 -> {{"send_log":2}}
            a flush peer=b -> {{"upto":2,"wire":[]}}
            "#,
            framed_messages()
        ),
    );
}

#[test]
fn a_framed_send_carries_any_sub_messages() {
    let sent = Msg {
        operation: "fly".into(),
        ..create(&[("a", 1), ("b", 0), ("c", 0)], "t")
    };
    let wire = hex(frame(&sent.encode()));
    let steps = format!(
        r#"
        {{"op":"send","args":{{"node":"a","operation":"fly","create":{{"user":"u","mailbox":"M","add_tag":"t"}},"store":null}},"returns":{{"seq":1,"clock":{{"a":1,"b":0,"c":0}},"wire":"{wire}"}}}}
        a values user=u -> []
        b receive wire="{wire}" -> {{"log":1,"stored":1}}
        b apply_ready -> {{"applied":[["a",1,"opaque"]],"purged":0,"log":0,"clock":{{"a":1,"b":0,"c":0}}}}
        "#
    );
    conforms("framed", &steps);
}

/// A crash of `node` at `point` during `op`.
fn crash(node: &str, point: &Value, op: &str, mut args: Value) -> String {
    args["node"] = json!(node);
    let mut crash = point.clone();
    crash["node"] = json!(node);
    crash["during"] = json!({"op": op, "args": args});
    step("crash", &crash)
}

fn recovers(node: &str, clock_of_a: u64, discarded: usize, log: usize, send_log: usize) -> String {
    format!(
        r#"{node} recover -> {{"clock":{{"a":{clock_of_a},"b":0,"c":0}},"discarded":{discarded},"log":{log},"send_log":{send_log}}}"#
    )
}

#[test]
fn a_torn_submit_never_happened() {
    let text = format!("{CREATE}\n").into_bytes();
    for (profile, record) in [("text", text), ("framed", frames()[0].clone())] {
        let args = json!({"user": "u", "mailbox": "M", "tag": "t"});
        let wire = hex(record.strip_suffix(b"\n").unwrap_or(&record));
        for kept in 0..record.len() + 2 {
            let torn = kept < record.len();
            let point = json!({"point": "send_torn", "bytes": kept});
            let crash = crash("a", &point, "create", args.clone());
            let recover = match torn {
                true => recovers("a", 0, kept, 0, 0),
                false => recovers("a", 1, 0, 0, 1),
            };
            let again = match torn {
                true => format!(r#"-> {{"seq":1,"clock":{{"a":1,"b":0,"c":0}},"wire":"{wire}"}}"#),
                false => "! mailbox_exists".into(),
            };
            let again = format!("a create user=u mailbox=M tag=t {again}");
            conforms(profile, &format!("{crash}\n{recover}\n{again}"));
        }
        for point in ["send_after_log", "send_after_state"] {
            let crash = crash("a", &json!({ "point": point }), "create", args.clone());
            let recover = recovers("a", 1, 0, 0, 1);
            conforms(
                profile,
                &format!("{crash}\n{recover}\na values user=u -> [\"M\"]"),
            );
        }
    }
}

#[test]
fn a_torn_receive_keeps_whole_records() {
    let [create, append] = frames();
    let bulk = [create.clone(), append].concat();
    let lines = format!("{CREATE}\n").into_bytes();
    for (profile, wire, appended, first) in [
        ("text", connection(CREATE), lines.clone(), lines.len()),
        ("framed", hex(&bulk), bulk, create.len()),
    ] {
        let records = 1 + usize::from(first < appended.len());
        let args = json!({ "wire": wire });
        for kept in 0..appended.len() + 2 {
            let (discarded, log) = match kept {
                kept if kept >= appended.len() => (0, records),
                kept if kept >= first => (kept - first, 1),
                kept => (kept, 0),
            };
            let point = json!({"point": "receive_torn", "bytes": kept});
            let crash = crash("b", &point, "receive", args.clone());
            let recover = recovers("b", 0, discarded, log, 0);
            let again = format!(
                r#"b receive wire="{wire}" -> {{"log":{},"stored":{records}}}"#,
                log + records
            );
            conforms(profile, &format!("{crash}\n{recover}\n{again}"));
        }
        let crash = crash("b", &json!({"point": "receive_after_log"}), "receive", args);
        let recover = recovers("b", 0, 0, records, 0);
        conforms(profile, &format!("{crash}\n{recover}"));
    }
}

#[test]
fn a_run_of_apply_is_interrupted_at_each_delivery() {
    let text: Vec<String> = [CREATE, CREATE, APPEND].map(connection).into();
    let [create, append] = frames();
    let framed = [create.clone(), create, append].map(hex).into();
    for (profile, wires) in [("text", text), ("framed", framed)] {
        let receive = |(at, wire): (usize, &String)| {
            let log = at + 1;
            format!("b receive wire=\"{wire}\" -> {{\"log\":{log},\"stored\":1}}\n")
        };
        let received: String = wires.iter().enumerate().map(receive).collect();
        // The point, its number, the limit of the run; then a's entry and the log after recovery.
        for (point, nth, limit, clock, log) in [
            ("apply_before_state", Some(1), None, 0, 3),
            ("apply_before_state", None, None, 0, 3),
            ("apply_before_state", Some(2), None, 1, 1),
            ("apply_before_state", Some(3), None, 2, 0),
            ("apply_before_state", Some(2), Some(1), 1, 2),
            ("apply_after_state", None, None, 1, 3),
            ("apply_after_state", Some(1), Some(1), 1, 3),
            ("apply_after_state", Some(2), None, 2, 1),
            ("apply_after_state", Some(2), Some(1), 1, 2),
            ("apply_after_state", Some(u64::MAX), None, 2, 0),
        ] {
            let point = json!({"point": point, "nth": nth});
            let crash = crash("b", &point, "apply_ready", json!({ "limit": limit }));
            let recover = recovers("b", clock, 0, log, 0);
            let applied: Vec<Value> = (clock + 1..3).map(|seq| json!(["a", seq, "ok"])).collect();
            let again = format!(
                r#"b apply_ready -> {{"applied":{},"purged":{},"log":0,"clock":{{"a":2,"b":0,"c":0}}}}"#,
                json!(applied),
                log - applied.len()
            );
            conforms(profile, &format!("{received}{crash}\n{recover}\n{again}"));
        }
    }
}

#[test]
fn an_ack_is_interrupted_before_the_log_is_shortened() {
    for (profile, messages) in [("text", text_messages()), ("framed", framed_messages())] {
        let crash = |seq: u64| {
            let args = json!({"peer": "c", "seq": seq});
            crash("a", &json!({"point": "ack_before_truncate"}), "ack", args)
        };
        for (seq, left, entries) in [(1, 1, "[2]"), (2, 0, "[]"), (3, 2, "[1,2]")] {
            let acked = if seq == 3 { 0 } else { seq };
            let steps = format!(
                r#"
                {messages}
                a ack peer=b seq=2 -> {{"send_log":2}}
                {}
                {}
                a send_log -> {{"count":{left},"entries":{entries},"acked":{{"b":2,"c":{acked}}}}}
                "#,
                crash(seq),
                recovers("a", 2, 0, 0, left),
            );
            conforms(profile, &steps);
        }
    }
}

#[test]
fn a_crash_during_an_operation_that_fails_follows_it() {
    let missing = json!({"user": "u", "mailbox": "M"});
    let junk = json!({"wire": hex("0;\r\n")});
    let nobody = json!({"peer": "z", "seq": 1});
    for profile in ["text", "framed"] {
        for (point, op, args) in [
            (
                json!({"point": "send_torn", "bytes": 3}),
                "delete",
                &missing,
            ),
            (json!({"point": "send_after_state"}), "delete", &missing),
            (
                json!({"point": "receive_torn", "bytes": 3}),
                "receive",
                &junk,
            ),
            (json!({"point": "receive_after_log"}), "receive", &junk),
            (json!({"point": "ack_before_truncate"}), "ack", &nobody),
        ] {
            let crash = crash("a", &point, op, args.clone());
            let recover = recovers("a", 0, 0, 0, 0);
            conforms(profile, &format!("{crash}\na clock ! node_down\n{recover}"));
        }
    }
}

#[test]
fn nodes_are_told_by_their_names_in_any_order_of_the_header() {
    for nodes in [["c", "a", "b"], ["b", "c", "a"]] {
        let config = json!({"profile": "text", "nodes": nodes});
        conforms_to(&config, &text_messages());
    }
    let odd = json!({"profile": "text", "nodes": ["\u{e4} b", "\u{1f600}", "."]});
    let step = json!({
        "op": "clock",
        "args": {"node": "\u{1f600}"},
        "returns": {"\u{e4} b": 0, "\u{1f600}": 0, ".": 0},
    });
    conforms_to(&odd, &step.to_string());
}

#[test]
fn a_divergence_is_told_with_both_results() {
    let steps = trace("text", "a ack peer=b seq=1 -> {\"send_log\":0}");
    assert_eq!(verdict(&steps), "diverges 2 ack");
    let document = run(&steps).to_json("causal", "x")["divergence"].to_string();
    let expected = r#"{"actual":{"fails":"ack_beyond_log"},"expected":{"returns":{"send_log":0}},"line":2,"op":"ack"}"#;
    assert_eq!(document, expected);
}
