//! What operations on sets, vectors, messages and frames answer (12.1 to 12.3).

use serde_json::{Value, json};

use super::{MAX, conforms, hex};

#[test]
fn sets_add_up() {
    conforms(
        r#"
        interval_new set=s start=3 -> null
        interval_ranges set=s -> {"start":3,"ranges":[]}
        interval_last set=s -> 0
        interval_add set=s start=0 end=2 -> []
        interval_add set=s start=0 end=4 -> [[3,4]]
        interval_add set=s start=6 end=6 -> [[3,4],[6,6]]
        interval_add set=s start=9 end=8 ! invalid_range
        interval_last set=s -> 6
        interval_next set=s ceiling=null -> {"start":5,"end":5,"empty":false}
        interval_next set=s ceiling=0 -> {"start":5,"end":5,"empty":false}
        interval_next set=s ceiling=4 -> {"start":4,"end":4,"empty":true}
        interval_add set=s start=5 end=5 -> [[3,6]]
        interval_next set=s ceiling=null -> {"start":7,"end":null,"empty":false}
        interval_next set=s ceiling=9 -> {"start":7,"end":9,"empty":false}
        interval_encode set=s -> "333b332c36"
        "#,
    );
    conforms(&format!(
        r#"
        interval_new set=full start=0 -> null
        interval_add set=full start=1 end={MAX} -> [[1,{MAX}]]
        interval_next set=full ceiling=null -> {{"start":0,"end":0,"empty":false}}
        interval_add set=full start=0 end=0 -> [[0,{MAX}]]
        interval_next set=full ceiling=null -> {{"start":null,"end":null,"empty":true}}
        interval_next set=full ceiling=7 -> {{"start":7,"end":7,"empty":true}}
        interval_encode set=full -> "{}"
        interval_last set=full -> {MAX}
        "#,
        hex("0;0,3w5e11264sgsf")
    ));
}

#[test]
fn sets_merge_into_the_receiver_only() {
    conforms(
        r#"
        interval_new set=a start=5 -> null
        interval_new set=b start=1 -> null
        interval_add set=b start=1 end=6 -> [[1,6]]
        interval_add set=b start=9 end=9 -> [[1,6],[9,9]]
        interval_merge set=a other=b -> [[5,6],[9,9]]
        interval_ranges set=b -> {"start":1,"ranges":[[1,6],[9,9]]}
        interval_merge set=a other=a -> [[5,6],[9,9]]
        interval_new set=a start=2 -> null
        interval_ranges set=a -> {"start":2,"ranges":[]}
        "#,
    );
}

#[test]
fn decoding_replaces_a_set_or_leaves_it() {
    let step = |data: &str, result: &str| {
        format!("interval_decode set=s data=\"{}\" {result}\n", hex(data))
    };
    let mut steps = String::new();
    for (data, code) in [
        ("", "invalid_start"),
        ("-1", "invalid_start"),
        ("1;", "range_too_short"),
        ("1;1", "range_too_short"),
        ("1;,1", "invalid_range_start"),
        ("1;1,", "invalid_range_end"),
        ("1;1,2,3", "invalid_range_end"),
        ("1;2,1", "invalid_range"),
        ("1;1,3w5e11264sgsg", "invalid_range_end"),
    ] {
        steps += &step(data, &format!("! {code}"));
    }
    steps += &step(
        "01;A,b;1,2;3,5",
        r#"-> {"start":1,"ranges":[[1,5],[10,11]]}"#,
    );
    steps += &step("1;2,1", "! invalid_range");
    steps += "interval_ranges set=s -> {\"start\":1,\"ranges\":[[1,5],[10,11]]}\n";
    steps += &step("4", r#"-> {"start":4,"ranges":[]}"#);
    steps += "interval_last set=s -> 0";
    conforms(&steps);
}

#[test]
fn keys_have_bins_in_decimal() {
    let peer = format!("5a{}", "0".repeat(62));
    for bin in ["0", "31", "32", "-1", "2147483647", "-2147483648"] {
        conforms(&format!(
            "interval_key peer=\"$5a\" bin={bin} -> \"{peer}|{bin}\""
        ));
    }
}

#[test]
fn vectors_know_their_length() {
    conforms(&format!(
        r#"
        bitvector_new vec=v len=0 ! invalid_length
        bitvector_new vec=v len=8 -> "0000"
        bitvector_set vec=v index=7 -> "8000"
        bitvector_set vec=v index=0 -> "8100"
        bitvector_get vec=v index=7 -> true
        bitvector_get vec=v index=1 -> false
        bitvector_unset vec=v index=7 -> "0100"
        bitvector_get vec=v index=8 ! index_out_of_range
        bitvector_set vec=v index=8 ! index_out_of_range
        bitvector_unset vec=v index={MAX} ! index_out_of_range
        bitvector_new vec=v len=0 ! invalid_length
        bitvector_get vec=v index=0 -> true
        bitvector_new vec=v len=1 -> "00"
        bitvector_from_bytes vec=v bytes="ff" len=9 ! invalid_length
        bitvector_from_bytes vec=v bytes="" len=0 ! invalid_length
        bitvector_from_bytes vec=v bytes="ff0001" len=3 -> "ff0001"
        bitvector_unset vec=v index=2 -> "fb0001"
        bitvector_set vec=v index=3 ! index_out_of_range
        bitvector_new vec=w len=1048576 -> "{}"
        "#,
        "00".repeat(131_073)
    ));
}

/// In each row: message, fields, body.
const MESSAGES: &[(&str, &str, &str)] = &[
    ("syn", "{}", ""),
    ("ack", r#"{"cursors":[]}"#, ""),
    ("ack", r#"{"cursors":[0,300]}"#, "0a0300ac02"),
    ("ruid", r#"{"ruid":0}"#, ""),
    ("ruid", r#"{"ruid":4294967295}"#, "08ffffffff0f"),
    ("cancel", r#"{"ruid":7}"#, "0807"),
    (
        "get_range",
        r#"{"bin":-1,"from":0,"to":18446744073709551615}"#,
        "08ffffffffffffffffff0118ffffffffffffffffff01",
    ),
    ("offer", r#"{"topmost":3,"hashes":"0102"}"#, "080312020102"),
    ("want", r#"{"bit_vector":"03"}"#, "0a0103"),
    (
        "delivery",
        r#"{"address":"aa","data":"","stamp":"bb"}"#,
        "0a01aa1a01bb",
    ),
];

#[test]
fn messages_have_one_body_each() {
    for (message, fields, body) in MESSAGES {
        let length = format!("{:02x}", body.len() / 2);
        conforms(&format!(
            r#"
            encode message={message} fields={fields} -> "{body}"
            decode message={message} data="{body}" -> {fields}
            frame_write message={message} fields={fields} -> "{length}{body}"
            frame_read message={message} data="{length}{body}" -> {{"fields":{fields},"rest":""}}
            frame_read message={message} data="{length}{body}ff01" -> {{"fields":{fields},"rest":"ff01"}}
            "#
        ));
    }
}

#[test]
fn frames_that_cannot_be_read_are_told_apart() {
    for (data, code) in [
        ("", "eof"),
        ("80", "unexpected_eof"),
        ("01", "unexpected_eof"),
        ("ffffffffffffffffff", "unexpected_eof"),
        ("ffffffffffffffffffff", "overflow"),
        ("ffffffffffffffffff02", "overflow"),
        ("818008", "message_too_large"),
        ("0108", "malformed"),
        ("020a00", "malformed"),
    ] {
        conforms(&format!("frame_read message=ruid data=\"{data}\" ! {code}"));
    }
    conforms("decode message=ack data=\"0a01ff01\" ! malformed");
    let bytes = |length: usize| json!({"bit_vector": "00".repeat(length)});
    // Three bytes of length and one of tag.
    let fields = bytes(131_072 - 4);
    let written = format!("8080080afcff07{}", "00".repeat(131_068));
    conforms(&format!(
        "frame_write message=want fields={fields} -> \"{written}\""
    ));
    let fields = bytes(131_072 - 3);
    conforms(&format!(
        "frame_write message=want fields={fields} ! message_too_large"
    ));
}

#[test]
fn streams_have_ids() {
    for stream in ["pullsync", "cursors", "cancel"] {
        let id = Value::from(format!("/penguin/pullsync/1.0.0/{stream}"));
        conforms(&format!("protocol_id stream={stream} -> {id}"));
    }
}
