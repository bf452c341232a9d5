//! Files that cannot be used, by their line and field, and forms that do not matter.

use serde_json::json;

use super::traces::{SAMPLE, trace, unusable, verdict};
use crate::members::backwards;

#[test]
fn each_cut_line_is_unusable() {
    let ends = SAMPLE.match_indices('\n').map(|(at, _)| at);
    let starts: Vec<usize> = [0].into_iter().chain(ends.map(|at| at + 1)).collect();
    for (line, bounds) in (1..).zip(starts.windows(2)) {
        let text = &SAMPLE[bounds[0]..bounds[1] - 1];
        for kept in 0..text.len() {
            let cut = [
                &SAMPLE[..bounds[0]],
                &text[..kept],
                &SAMPLE[bounds[1] - 1..],
            ]
            .concat();
            assert_eq!(
                verdict(&cut),
                format!("unusable {line} "),
                "{}",
                &text[..kept]
            );
        }
    }
}

#[test]
fn form_does_not_matter() {
    let windows = SAMPLE.replace('\n', "\r\n");
    let open_end = SAMPLE.trim_end();
    let surplus = SAMPLE
        .replace(r#""op":"#, r#""at":[1.5],"op":"#)
        .replace(r#""ctx":"#, r#""publish":7,"ctx":"#);
    let last_counts = SAMPLE
        .replace(r#""op":"#, r#""op":"dance","op":"#)
        .replace(r#""data":"#, r#""data":7,"data":"#)
        .replace(r#""ctx":"live""#, r#""ctx":"dead","ctx":"live""#)
        .replace(r#""capacity":2"#, r#""capacity":0,"capacity":2"#);
    let backwards = backwards(SAMPLE);
    let null_choices = SAMPLE.replace(r#""args":{"ctx":"#, r#""args":{"choice":null,"ctx":"#);
    for file in [
        &windows,
        open_end,
        windows.trim_end(),
        &surplus,
        &last_counts,
        &backwards,
        &null_choices,
    ] {
        assert_eq!(verdict(file), "conforms 24", "{file}");
    }
    let blank = format!("{SAMPLE}\n");
    assert_eq!(verdict(&blank), "unusable 26 ");
}

#[test]
fn wrong_headers_are_named() {
    let header = r#"{"trace":"concord/1","system":"broadcast","config":{"capacity":2}}"#;
    assert_eq!(verdict(header), "conforms 0");
    assert_eq!(verdict(""), "unusable 1 trace");
    assert_eq!(verdict("\n"), "unusable 1 ");
    let capacity = [
        "0",
        "-1",
        "-0",
        "1.0",
        "1e2",
        "18446744073709551616",
        "null",
        "\"2\"",
        "[2]",
        "true",
    ];
    let capacity = capacity.map(|wrong| (":2", format!(":{wrong}"), "config.capacity"));
    let others = [
        ("concord/1", "concord/2".into(), "trace"),
        ("\"broadcast\"", "\"counter\"".into(), "system"),
        ("\"system\"", "\"sistem\"".into(), "system"),
        ("{\"capacity\":2}", "[2]".into(), "config"),
        ("\"config\"", "\"conf\"".into(), "config"),
        ("\"capacity\"", "\"size\"".into(), "config.capacity"),
    ];
    for (right, wrong, field) in capacity.into_iter().chain(others) {
        let header = header.replacen(right, &wrong, 1);
        assert_eq!(verdict(&header), format!("unusable 1 {field}"), "{header}");
    }
}

#[test]
fn wrong_steps_are_named_before_any_divergence() {
    let table = [
        ("fly -> null", "op"),
        ("Receive data=01 -> queued", "op"),
        ("receive -> queued", "args.data"),
        ("broadcast publish=ok -> x", "args.data"),
        ("receive_begin id=a -> full", "args.data"),
        ("receive_begin data=01 -> full", "args.id"),
        ("receive_pop -> null", "args.id"),
        ("receive_push -> queued", "args.id"),
        ("receive_pop id=null -> null", "args.id"),
        ("receive_push id=7 -> queued", "args.id"),
        ("receive_begin id=[] data=01 -> full", "args.id"),
        ("next -> null", "args.ctx"),
        ("next ctx=null -> null", "args.ctx"),
        ("next ctx=dead -> null", "args.ctx"),
        ("next ctx=Live -> null", "args.ctx"),
        ("next ctx=deadline_exceeded -> null", "args.ctx"),
        ("next ctx=live choice=queue -> null", "args.choice"),
        ("next ctx=live choice=reject -> null", "args.choice"),
        ("next ctx=live choice= -> null", "args.choice"),
        ("next ctx=live choice=0 -> null", "args.choice"),
        ("receive data=01 choice=data -> queued", "args.choice"),
        ("receive data=01 choice=caller -> queued", "args.choice"),
        ("receive data=01 choice=false -> queued", "args.choice"),
        (
            "receive_begin id=a data=01 choice=parent -> queued",
            "args.choice",
        ),
        ("broadcast data=01 -> x", "args.publish"),
        ("broadcast data=01 publish=null -> x", "args.publish"),
        ("broadcast data=01 publish=fail -> x", "args.publish"),
        ("broadcast data=01 publish=true -> x", "args.publish"),
        (r#"{"op":"cancel","returns":null}"#, "args"),
        (r#"{"op":"cancel","args":null,"returns":null}"#, "args"),
        (r#"{"op":"cancel","args":[],"returns":null}"#, "args"),
        (r#"{"args":{},"returns":null}"#, "op"),
        (r#"{"op":null,"args":{},"returns":null}"#, "op"),
        (r#"{"op":"cancel","args":{}}"#, "returns"),
        (
            r#"{"op":"cancel","args":{},"returns":null,"fails":"x"}"#,
            "fails",
        ),
        (r#"{"op":"cancel","args":{},"fails":null}"#, "fails"),
        (r#"{"op":"cancel","args":{},"fails":1}"#, "fails"),
    ];
    for (step, field) in table {
        unusable("", step, field);
        unusable("cancel ! x", step, field);
    }
    let not_hex = [
        "6", "6d3", "6D", "0x", "0g", " 0", "0 ", "é", "6d 31", "-1", "null", "true", "[]",
    ];
    for text in not_hex {
        let data = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        for op in ["receive", "receive_begin", "broadcast"] {
            let args = json!({"id": "a", "publish": "ok", "data": data});
            let step = json!({"op": op, "args": args, "returns": null});
            unusable("cancel ! x", &step.to_string(), "args.data");
        }
    }
}

#[test]
fn the_first_wrong_form_counts_and_outranks_what_only_running_shows() {
    let wrong = "fly -> null\nnext ctx=dead -> null";
    assert_eq!(verdict(&trace(1, wrong)), "unusable 2 op");
    let impossible = "receive data=01 choice=reject -> queued\nnext ctx=dead -> null";
    assert_eq!(verdict(&trace(1, impossible)), "unusable 3 args.ctx");
    assert_eq!(
        verdict(&trace(1, impossible.split_once('\n').expect("two lines").0)),
        "unusable 2 args.choice"
    );
}
