//! Files that cannot be used, by their line and field (12).

use serde_json::{Value, json};

use super::{SAMPLE, expanded, trace, verdict};

/// Gives every name that [`FORMS`] use; the last step would diverge.
const BEFORE: &str = r#"
    interval_new set=s start=1 -> null
    interval_new set=t start=1 -> null
    bitvector_new vec=v len=9 -> "0000"
    node_new node=a overlay="$00" batches=[] -> null
    node_new node=b overlay="$80" batches=["$01"] -> null
    a serve_open peer="$80" ruid=1 handler=h -> {"canceled":false,"replaced":null}
    a client_open session=e peer="$80" bin=0 from=1 to=1 ruid=1 -> {"frames":"0208010410011801"}
    interval_last set=s -> 77
"#;

/// The line after [`BEFORE`].
const LINE: usize = 10;

fn file(op: &str, args: &str) -> String {
    let step = format!(r#"{{"op":"{op}","args":{args},"returns":null}}"#);
    trace(&format!("{BEFORE}{}", expanded(&step)))
}

/// The step is of the wrong form in this field.
#[track_caller]
fn unusable(op: &str, args: &str, field: &str) {
    let expected = format!("unusable {LINE} args.{field}");
    assert_eq!(verdict(&file(op, args)), expected, "{op} {args}");
}

/// The step is of the right form: an earlier one is what diverges.
#[track_caller]
fn usable(op: &str, args: &str) {
    let expected = format!("diverges {} interval_last", LINE - 1);
    assert_eq!(verdict(&file(op, args)), expected, "{op} {args}");
}

/// All operations: arguments with their types.
const FORMS: &str = "
    interval_new set:name start:u64
    interval_add set:set start:u64 end:u64
    interval_merge set:set other:set
    interval_next set:set ceiling:u64?
    interval_last set:set
    interval_ranges set:set
    interval_encode set:set
    interval_decode set:name data:hex
    interval_key peer:hash bin:int32
    bitvector_new vec:name len:len
    bitvector_from_bytes vec:name bytes:hex len:len
    bitvector_get vec:vec index:u64
    bitvector_set vec:vec index:u64
    bitvector_unset vec:vec index:u64
    encode message:message fields:fields
    decode message:message data:hex
    frame_write message:message fields:fields
    frame_read message:message data:hex
    protocol_id stream:stream
    chunk_new payload:hex
    chunk_address data:hex
    chunk_kind address:hex data:hex
    soc_address id:hash owner:hex
    soc_parse data:hex
    proximity one:hash other:hash
    node_new node:newnode overlay:hash batches:hashes
    chunk_put node:node mode:mode chunks:chunks
    chunk_delete node:node address:hash
    chunk_has node:node address:hash
    chunk_get node:node addresses:hashes
    bin_index node:node bin:bin
    cursors node:node
    get_cursors node:node server:node
    interval_chunks node:node bin:int32 from:u64 to:u64 limit:limit idle:bool
    make_offer node:node bin:int32 from:u64 to:u64 idle:bool
    process_want node:node hashes:hex bit_vector:hex
    serve_open node:node peer:hash ruid:u32 handler:newhandler
    serve_range node:node handler:handler bin:int32 from:u64 to:u64 idle:bool
    serve_poll node:node handler:handler idle:bool
    serve_want node:node handler:handler bit_vector:hex
    cancel node:node peer:hash ruid:u32
    handlers node:node
    peer_gone node:node peer:hash
    node_close node:node
    client_open node:node session:newsession peer:hash bin:int32 from:u64 to:u64 ruid:u32
    client_offer node:node session:session data:hex
    client_delivery node:node session:session data:hex
    client_broken node:node session:session reason:reason
    sync_interval node:node server:node bin:int32 from:u64 to:u64 ruid:u32 idle:bool fault:fault
    hist_next node:node peer:hash bin:bin cursor:u64
    live_next node:node peer:hash bin:bin cursor:u64
    seal node:node peer:hash bin:bin from:u64 topmost:u64
    peer_interval node:node peer:hash bin:bin
    reset_intervals node:node peer:hash? below_bin:u64?
    puller_change node:node depth:u64 peers:peers
    peer_cursors node:node peer:hash cursors:numbers?
    worker_done node:node peer:hash bin:bin worker:worker outcome:outcome
";

/// Wrong for every number.
const NO_NUMBER: &str = r#"1.0 1e0 1e3 1.5 -0 -0.0 18446744073709551616 true "1" [] {}"#;
/// Wrong for everything but lists and objects.
const NO_TEXT: &str = "1 true [] {} [[]]";
const NO_HEX: &str = r#""6" "6d3" "6D" "0x" "é" "$AA""#;

/// Values of the right and of the wrong type.
fn values(kind: &str) -> (String, String) {
    if let Some(kind) = kind.strip_suffix('?') {
        let (right, wrong) = values(kind);
        let wrong = wrong.split_whitespace().filter(|wrong| *wrong != "null");
        let wrong: Vec<&str> = wrong.collect();
        return (format!("{right} null"), wrong.join(" "));
    }
    let words = |words: &str| {
        let mut quoted = String::new();
        for word in words.split(' ') {
            quoted += &format!("\"{word}\" ");
        }
        (quoted, format!(r#""" "any" "Sync" "Hist" null {NO_TEXT}"#))
    };
    let number = |right: &str, wrong: &str| (right.to_owned(), format!("{wrong} null {NO_NUMBER}"));
    let text = |right: &str, wrong: &str| (right.to_owned(), format!("{wrong} null {NO_TEXT}"));
    match kind {
        "name" => text(r#""new" "s" "v" """#, ""),
        "set" => text(r#""s" "t""#, r#""v" "a" "" "S""#),
        "vec" => text(r#""v""#, r#""s" "h" "V""#),
        "node" => text(r#""a""#, r#""c" "s" "h" "" "A""#),
        "handler" => text(r#""h""#, r#""e" "a" "auto-1""#),
        "session" => text(r#""e""#, r#""h" "a""#),
        "newnode" => text(r#""c" "s" """#, r#""a" "b""#),
        "newhandler" => text(
            r#""k" "e" "auto" "Auto-1""#,
            r#""h" "auto-1" "auto-" "auto-x""#,
        ),
        "newsession" => text(r#""k" "h" "auto-1""#, r#""e""#),
        "u64" => number("7 0 18446744073709551615", "-1"),
        "u32" => number("7 0 4294967295", "-1 4294967296"),
        "int32" => number(
            "7 0 -1 32 2147483647 -2147483648",
            "2147483648 -2147483649 18446744073709551615",
        ),
        "bin" => number("7 0 31", "-1 32"),
        "len" => number("7 0 1048576", "-1 1048577"),
        "limit" => number("7 1 18446744073709551615", "0 -1"),
        "bool" => ("true false".into(), r#"0 1 "true" null [] {}"#.into()),
        "hex" => text(r#""" "00ff" "$5a""#, NO_HEX),
        "hash" => text(r#""$5a""#, &format!(r#""" "00" "$5a00" {NO_HEX}"#)),
        "hashes" => (
            r#"[] ["$5a"] ["$5a","$5a"]"#.into(),
            r#"null 1 "" {} [1] [null] [[]] ["$5a",""] ["$AA"]"#.into(),
        ),
        "numbers" => (
            "[] [0] [1,18446744073709551615]".into(),
            "null 1 {} \"\" [-1] [1.0] [null] [18446744073709551616] [\"1\"] [[]]".into(),
        ),
        "chunks" => (
            r#"[] [{"address":"$5a","data":"","stamp":"00","more":1}]"#.into(),
            "null 1 {} \"\" [1] [null] [[]]".into(),
        ),
        "peers" => (
            r#"[] [{"peer":"$5a","po":0}] [{"peer":"$5a","po":300},{"peer":"$5b","po":1}]"#.into(),
            r#"null 1 {} "" [1] [{"peer":"$5a","po":0},{"peer":"$5a","po":1}]"#.into(),
        ),
        "fault" => (
            r#"null {"kind":"cut","after":0}"#.into(),
            "1 true [] \"\" 1.5".into(),
        ),
        "fields" => (r#"{} {"more":1}"#.into(), "null 1 true [] \"\" 1.5".into()),
        "message" => words("syn"),
        "stream" => words("pullsync cursors cancel"),
        "mode" => words("upload sync cache"),
        "worker" => words("hist live"),
        "outcome" => words("finished failed"),
        "reason" => words("eof timeout reset canceled"),
        _ => panic!("{kind} is no type"),
    }
}

/// Every operation with its arguments: name, and their types.
fn forms() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let lines = FORMS.lines().map(str::trim).filter(|line| !line.is_empty());
    let form = |line: &'static str| {
        let (op, args) = line.split_once(' ').expect("an operation has arguments");
        let args = args.split(' ');
        let args = args.map(|arg| arg.split_once(':').expect("an argument has a type"));
        (op, args.collect())
    };
    lines.map(form).collect()
}

/// Arguments of the right types but for the field `at`, which has this value, or is left out.
fn with(args: &[(&str, &str)], at: &str, value: Option<&str>) -> String {
    let members = args.iter().filter_map(|(name, kind)| {
        let (right, _) = values(kind);
        let right = right.split_whitespace().next().expect("a right value");
        let value = if *name == at { value? } else { right };
        Some(format!("\"{name}\":{value}"))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

#[test]
fn there_are_57_operations() {
    assert_eq!(forms().len(), 57);
}

#[test]
fn every_argument_has_its_type() {
    for (op, args) in forms() {
        usable(op, &with(&args, "", None));
        for (name, kind) in &args {
            unusable(op, &with(&args, name, None), name);
            let (right, wrong) = values(kind);
            for right in right.split_whitespace() {
                usable(op, &with(&args, name, Some(right)));
            }
            // A blank inside a value would split it.
            for wrong in wrong.split_whitespace() {
                unusable(op, &with(&args, name, Some(wrong)), name);
            }
        }
        for wrong in ["null", "[]", "1", "\"\""] {
            let expected = format!("unusable {LINE} args");
            assert_eq!(verdict(&file(op, wrong)), expected, "{op} {wrong}");
        }
    }
}

/// Members of objects within the arguments: operation, arguments with `%` for the object, its path,
/// its members with their types.
const INNER: &[(&str, &str, &str, &str)] = &[
    (
        "encode",
        r#"{"message":"ack","fields":%}"#,
        "fields",
        "cursors:numbers",
    ),
    (
        "encode",
        r#"{"message":"ruid","fields":%}"#,
        "fields",
        "ruid:u32",
    ),
    (
        "frame_write",
        r#"{"message":"cancel","fields":%}"#,
        "fields",
        "ruid:u32",
    ),
    (
        "encode",
        r#"{"message":"get_range","fields":%}"#,
        "fields",
        "bin:int32 from:u64 to:u64",
    ),
    (
        "frame_write",
        r#"{"message":"offer","fields":%}"#,
        "fields",
        "topmost:u64 hashes:hex",
    ),
    (
        "encode",
        r#"{"message":"want","fields":%}"#,
        "fields",
        "bit_vector:hex",
    ),
    (
        "encode",
        r#"{"message":"delivery","fields":%}"#,
        "fields",
        "address:hex data:hex stamp:hex",
    ),
    (
        "chunk_put",
        r#"{"node":"a","mode":"sync","chunks":[{"address":"$5a","data":"","stamp":""},%]}"#,
        "chunks[1]",
        "address:hash data:hex stamp:hex",
    ),
    (
        "puller_change",
        r#"{"node":"a","depth":0,"peers":[%]}"#,
        "peers[0]",
        "peer:hash po:u64",
    ),
    (SYNC.0, SYNC.1, "fault", "kind:cut after:u64"),
    (SYNC.0, SYNC.1, "fault", "kind:skip index:u64"),
    (SYNC.0, SYNC.1, "fault", "kind:duplicate index:u64"),
    (
        SYNC.0,
        SYNC.1,
        "fault",
        "kind:replace index:u64 delivery:delivery",
    ),
    (SYNC.0, SYNC.1, "fault", "kind:offer topmost:u64 hashes:hex"),
    (
        "sync_interval",
        r#"{"node":"a","server":"b","bin":0,"from":1,"to":1,"ruid":1,"idle":true,"fault":{"kind":"replace","index":0,"delivery":%}}"#,
        "fault.delivery",
        "address:hex data:hex stamp:hex",
    ),
];

const SYNC: (&str, &str) = (
    "sync_interval",
    r#"{"node":"a","server":"b","bin":0,"from":1,"to":1,"ruid":1,"idle":true,"fault":%}"#,
);

/// As [`values`], for kinds of faults and what they hold.
fn inner_values(kind: &str) -> (String, String) {
    match kind {
        "cut" | "skip" | "duplicate" | "replace" | "offer" => {
            (format!("\"{kind}\""), "\"\" \"Cut\" null 1 {}".into())
        }
        "delivery" => (
            r#"{"address":"","data":"","stamp":""}"#.into(),
            "null 1 [] \"\"".into(),
        ),
        _ => values(kind),
    }
}

#[test]
fn members_of_objects_have_their_types() {
    for (op, args, path, members) in INNER {
        let members = members.split(' ').map(|member| member.split_once(':'));
        let members: Vec<_> = members.map(|member| member.expect("a type")).collect();
        let with = |at: &str, value: Option<&str>| {
            let members = members.iter().filter_map(|(name, kind)| {
                let (right, _) = inner_values(kind);
                let right = right.split_whitespace().next().expect("a right value");
                let value = if *name == at { value? } else { right };
                Some(format!("\"{name}\":{value}"))
            });
            let object = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
            args.replace('%', &object)
        };
        usable(op, &with("", None));
        for (name, kind) in &members {
            let field = format!("{path}.{name}");
            unusable(op, &with(name, None), &field);
            let (right, wrong) = inner_values(kind);
            for right in right.split_whitespace() {
                usable(op, &with(name, Some(right)));
            }
            for wrong in wrong.split_whitespace() {
                unusable(op, &with(name, Some(wrong)), &field);
            }
        }
    }
}

#[test]
fn unknown_operations_are_named() {
    for op in ["", "interval", "Cursors", "node_new ", "sync", "bitvector"] {
        let expected = format!("unusable {LINE} op");
        assert_eq!(verdict(&file(op, "{}")), expected, "{op}");
    }
}

#[test]
fn wrong_headers_are_named() {
    let header =
        |config: &str| format!(r#"{{"trace":"concord/1","system":"pullsync","config":{config}}}"#);
    assert_eq!(verdict(""), "unusable 1 trace");
    assert_eq!(verdict("\n"), "unusable 1 ");
    for (right, wrong, field) in [
        ("concord/1", "concord/2", "trace"),
        ("\"pullsync\"", "\"pullsink\"", "system"),
        ("\"config\"", "\"conf\"", "config"),
    ] {
        let header = SAMPLE.replacen(right, wrong, 1);
        assert_eq!(verdict(&header), format!("unusable 1 {field}"), "{wrong}");
    }
    let members = [
        ("max_page", "1 50 18446744073709551615", "0 -1"),
        ("bins", "1 32", "0 33 -1"),
        ("pending_cancels", "0 128 18446744073709551615", "-1"),
    ];
    for (name, right, wrong) in members {
        let with = |value: Option<&str>| {
            let others = members.iter().filter(|(other, _, _)| *other != name);
            let others = others.map(|(other, _, _)| format!("\"{other}\":7"));
            let value = value.map(|value| format!("\"{name}\":{value}"));
            header(&format!(
                "{{{}}}",
                others.chain(value).collect::<Vec<_>>().join(",")
            ))
        };
        for right in right.split(' ') {
            assert_eq!(verdict(&with(Some(right))), "conforms 0", "{name} {right}");
        }
        let field = format!("unusable 1 config.{name}");
        assert_eq!(verdict(&with(None)), field);
        for wrong in wrong.split(' ').chain(NO_NUMBER.split(' ')).chain(["null"]) {
            assert_eq!(verdict(&with(Some(wrong))), field, "{name} {wrong}");
        }
    }
}

#[test]
fn results_are_present_once() {
    for (step, field) in [
        (
            r#"{"op":"interval_new","args":{"set":"s","start":1}}"#,
            "returns",
        ),
        (
            r#"{"op":"interval_new","args":{"set":"s","start":1},"returns":1,"fails":"x"}"#,
            "fails",
        ),
        (
            r#"{"op":"interval_new","args":{"set":"s","start":1},"fails":null}"#,
            "fails",
        ),
        (r#"{"op":1,"args":{},"returns":1}"#, "op"),
        (r#"{"args":{},"returns":1}"#, "op"),
        ("[]", ""),
        ("{", ""),
    ] {
        let file = format!("{}\n{step}", trace(""));
        assert_eq!(verdict(&file), format!("unusable 2 {field}"), "{step}");
    }
}

#[test]
fn names_belong_to_their_node_and_their_kind() {
    let line = |steps: &str| verdict(&trace(&format!("{BEFORE}{steps}")));
    for (step, field) in [
        (r#"b serve_poll handler=h idle=true -> 1"#, "handler"),
        (r#"b client_offer session=e data="" -> 1"#, "session"),
        (r#"a client_offer session=h data="" -> 1"#, "session"),
        (r#"a serve_poll handler=e idle=true -> 1"#, "handler"),
        (r#"interval_last set=v -> 1"#, "set"),
        (r#"bitvector_get vec=s index=0 -> 1"#, "vec"),
    ] {
        assert_eq!(
            line(step),
            format!("unusable {LINE} args.{field}"),
            "{step}"
        );
    }
    for step in [
        r#"b serve_open peer="$80" ruid=1 handler=h -> 1"#,
        r#"b client_open session=e peer="$80" bin=0 from=1 to=1 ruid=1 -> 1"#,
        r#"interval_decode set=v data="" -> 1"#,
        r#"bitvector_new vec=s len=0 -> 1"#,
    ] {
        let told = line(step);
        assert!(told.starts_with("diverges"), "{told}: {step}");
    }
}

#[test]
fn a_name_is_created_once_whatever_came_of_it() {
    for (steps, field) in [
        (
            r#"
            a client_open session=x peer="$80" bin=32 from=1 to=1 ruid=1 ! bin_out_of_range
            a client_open session=x peer="$80" bin=0 from=1 to=1 ruid=1 -> 1
            "#,
            "session",
        ),
        (
            r#"
            a node_close -> []
            a serve_open peer="$80" ruid=9 handler=x ! shutdown
            a serve_open peer="$80" ruid=9 handler=x ! shutdown
            "#,
            "handler",
        ),
    ] {
        let trace = trace(&format!("{BEFORE}{steps}"));
        let last = trace.lines().count();
        assert_eq!(verdict(&trace), format!("unusable {last} args.{field}"));
    }
}

#[test]
fn an_exchange_names_the_handler_of_its_server() {
    let sync = |bin: i32, ruid: u32| {
        json!({"op": "sync_interval", "returns": 1, "args": {
            "node": "a", "server": "b", "bin": bin, "from": 1, "to": 1, "ruid": ruid, "idle": true,
            "fault": null,
        }})
    };
    let poll = |node: &str, name: &str| {
        json!({"op": "serve_poll", "returns": 1, "args": {
            "node": node, "handler": name, "idle": true,
        }})
    };
    let told =
        |first: &Value, second: &Value| verdict(&trace(&format!("{BEFORE}{first}\n{second}")));
    let unusable = |line: usize| format!("unusable {line} args.handler");
    // It counts whatever its outcome, and as often as it likes.
    for bin in [0, -1] {
        let told = told(&sync(bin, 4), &poll("b", "auto-4"));
        assert!(told.starts_with("diverges"), "{told}");
    }
    assert!(told(&sync(0, 4), &sync(0, 4)).starts_with("diverges"));
    assert_eq!(told(&sync(0, 4), &poll("a", "auto-4")), unusable(LINE + 1));
    assert_eq!(told(&sync(0, 4), &poll("b", "auto-04")), unusable(LINE + 1));
    assert_eq!(told(&sync(0, 4), &poll("b", "auto-5")), unusable(LINE + 1));
    assert_eq!(told(&poll("b", "auto-4"), &sync(0, 4)), unusable(LINE));
}

#[test]
fn a_form_error_outranks_what_only_running_shows() {
    let steps = r#"
        interval_decode set=x data="" ! invalid_start
        interval_last set=x -> 0
        interval_last set=x -> null
        interval_last set=y -> 0
    "#;
    assert_eq!(verdict(&trace(steps)), "unusable 5 args.set");
}
