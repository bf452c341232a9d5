//! What the puller answers (12.9).

use serde_json::json;

use super::{MAX, conforms, conforms_to, hex};

/// The key and, as hex, the text of a set.
fn kept(peer: &str, bin: u8, text: Option<&str>) -> String {
    let value = json!(text.map(hex));
    format!(
        r#"n peer_interval peer="${peer}" bin={bin} -> {{"key":"${peer}|{bin}","value":{value}}}"#
    )
}

#[test]
fn sets_are_sealed_and_searched() {
    let steps = [
        r#"node_new node=n overlay="$00" batches=[] -> null"#.to_owned(),
        kept("80", 1, None),
        format!(r#"n live_next peer="$80" bin=1 cursor=5 -> {{"from":6,"to":{MAX}}}"#),
        format!(r#"n live_next peer="$80" bin=1 cursor={MAX} -> null"#),
        kept("80", 1, None),
        r#"n hist_next peer="$80" bin=1 cursor=0 -> null"#.to_owned(),
        kept("80", 1, Some("1")),
        r#"n hist_next peer="$80" bin=1 cursor=5 -> {"from":1,"to":5}"#.to_owned(),
        r#"n seal peer="$80" bin=1 from=3 topmost=2 ! topmost_out_of_range"#.to_owned(),
        format!(r#"n seal peer="$80" bin=1 from=3 topmost={MAX} ! topmost_out_of_range"#),
        format!(
            r#"n seal peer="$80" bin=1 from=3 topmost=4 -> "{}""#,
            hex("1;3,4")
        ),
        format!(
            r#"n seal peer="$40" bin=1 from=0 topmost=0 -> "{}""#,
            hex("1")
        ),
        r#"n hist_next peer="$80" bin=1 cursor=9 -> {"from":1,"to":2}"#.to_owned(),
        r#"n hist_next peer="$80" bin=1 cursor=1 -> {"from":1,"to":1}"#.to_owned(),
        format!(
            r#"n seal peer="$80" bin=1 from=1 topmost=2 -> "{}""#,
            hex("1;1,4")
        ),
        r#"n hist_next peer="$80" bin=1 cursor=4 -> null"#.to_owned(),
        format!(r#"n live_next peer="$80" bin=1 cursor=2 -> {{"from":5,"to":{MAX}}}"#),
        format!(
            r#"n seal peer="$80" bin=31 from=7 topmost=35 -> "{}""#,
            hex("1;7,z")
        ),
        kept("80", 31, Some("1;7,z")),
        kept("40", 1, Some("1")),
        r#"n reset_intervals peer="$20" below_bin=null -> 0"#.to_owned(),
        r#"n reset_intervals peer="$80" below_bin=1 -> 0"#.to_owned(),
        r#"n reset_intervals peer="$80" below_bin=2 -> 1"#.to_owned(),
        kept("80", 1, None),
        r#"n reset_intervals peer=null below_bin=31 -> 1"#.to_owned(),
        r#"n reset_intervals peer=null below_bin=300 -> 1"#.to_owned(),
        r#"n reset_intervals peer=null below_bin=null -> 0"#.to_owned(),
    ];
    conforms(&steps.join("\n"));
}

#[test]
fn peers_come_and_go() {
    let live = |peer: &str, bin: u8, from: u64| {
        format!(r#"{{"peer":"${peer}","bin":{bin},"worker":"live","from":{from},"to":{MAX}}}"#)
    };
    let hist = |peer: &str, bin: u8, from: u64, to: u64| {
        format!(r#"{{"peer":"${peer}","bin":{bin},"worker":"hist","from":{from},"to":{to}}}"#)
    };
    let change = |depth: u64, peers: &str, told: &str| {
        format!("n puller_change depth={depth} peers=[{peers}] -> {told}")
    };
    let two = r#"{"peer":"$80","po":2},{"peer":"$40","po":1}"#;
    let steps = [
        r#"node_new node=n overlay="$00" batches=[] -> null"#.to_owned(),
        format!(
            r#"n seal peer="$40" bin=3 from=9 topmost=9 -> "{}""#,
            hex("1;9,9")
        ),
        format!(
            r#"n seal peer="$40" bin=2 from=2 topmost=3 -> "{}""#,
            hex("1;2,3")
        ),
        change(
            1,
            two,
            r#"{"fetch":["$40","$80"],"start":[],"stop":[],"drop":[]}"#,
        ),
        r#"n peer_cursors peer="$80" cursors=null -> {"reset":[],"start":[]}"#.to_owned(),
        r#"n peer_cursors peer="$20" cursors=[1] -> {"reset":[],"start":[]}"#.to_owned(),
        r#"n peer_cursors peer="$80" cursors=[1,2,3] ! cursors_length_mismatch"#.to_owned(),
        r#"n peer_cursors peer="$80" cursors=[1,2,3,4,5] ! cursors_length_mismatch"#.to_owned(),
        format!(
            r#"n peer_cursors peer="$40" cursors=[7,0,3,8] -> {{"reset":[3],"start":[{},{},{},{},{}]}}"#,
            live("40", 1, 1),
            hist("40", 2, 1, 1),
            live("40", 2, 4),
            hist("40", 3, 1, 8),
            live("40", 3, 9),
        ),
        r#"n peer_cursors peer="$40" cursors=[7,7,7,7] -> {"reset":[],"start":[]}"#.to_owned(),
        r#"n peer_cursors peer="$40" cursors=[] -> {"reset":[],"start":[]}"#.to_owned(),
        kept("40", 3, None),
        change(
            1,
            two,
            r#"{"fetch":["$80"],"start":[],"stop":[],"drop":[]}"#,
        ),
        r#"n worker_done peer="$40" bin=2 worker=hist outcome=finished -> null"#.to_owned(),
        r#"n worker_done peer="$40" bin=2 worker=live outcome=failed -> null"#.to_owned(),
        r#"n worker_done peer="$40" bin=0 worker=live outcome=failed -> null"#.to_owned(),
        r#"n worker_done peer="$20" bin=2 worker=live outcome=failed -> null"#.to_owned(),
        change(
            1,
            two,
            &format!(
                r#"{{"fetch":["$80"],"start":[{}],"stop":[],"drop":[]}}"#,
                live("40", 2, 4)
            ),
        ),
        // The depth rises: a peer is too far, and a bin below it is stopped for the other.
        r#"n peer_cursors peer="$80" cursors=[0,0,0,0] -> {"reset":[],"start":["#.to_owned()
            + &[live("80", 1, 1), live("80", 2, 1), live("80", 3, 1)].join(",")
            + "]}",
        change(
            2,
            two,
            r#"{"fetch":[],"start":[],"stop":[{"peer":"$80","bin":1}],"drop":["$40"]}"#,
        ),
        change(
            0,
            r#"{"peer":"$80","po":0}"#,
            &format!(
                r#"{{"fetch":[],"start":[{}],"stop":[],"drop":[]}}"#,
                live("80", 1, 1)
            ),
        ),
        change(
            300,
            r#"{"peer":"$80","po":299},{"peer":"$40","po":300}"#,
            r#"{"fetch":["$40"],"start":[],"stop":[],"drop":["$80"]}"#,
        ),
        change(0, "", r#"{"fetch":[],"start":[],"stop":[],"drop":["$40"]}"#),
        change(0, "", r#"{"fetch":[],"start":[],"stop":[],"drop":[]}"#),
    ];
    conforms(&steps.join("\n"));
}

#[test]
fn one_bin_is_no_bin() {
    let config = json!({"max_page": 1, "bins": 1, "pending_cancels": 0});
    conforms_to(
        &config,
        r#"
        node_new node=n overlay="$00" batches=[] -> null
        n puller_change depth=0 peers=[{"peer":"$80","po":31}] -> {"fetch":["$80"],"start":[],"stop":[],"drop":[]}
        n peer_cursors peer="$80" cursors=[5] -> {"reset":[],"start":[]}
        n cancel peer="$80" ruid=1 -> {"canceled":null,"pending":false}
        "#,
    );
}
