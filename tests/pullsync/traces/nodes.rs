//! What operations on stores, sessions and whole exchanges answer (12.5, 12.7, 12.8).

use super::{MAX, conforms};

/// A server with chunks 0, 1, 2 as numbers 1, 2, 3 of bin 0, and a puller with nothing.
const PAIR: &str = r##"
    node_new node=s overlay="$00" batches=["$01"] -> null
    node_new node=c overlay="$40" batches=["$01","$03"] -> null
    s chunk_put mode=upload chunks=[#0,#1,#2] -> [{"bin":0,"bin_id":1,"exists":false},{"bin":0,"bin_id":2,"exists":false},{"bin":0,"bin_id":3,"exists":false}]
"##;

#[track_caller]
fn pair(steps: &str) {
    conforms(&format!("{PAIR}{steps}"));
}

#[test]
fn stores_number_what_they_index() {
    pair(
        r##"
        s chunk_has address="@0" -> true
        s bin_index bin=0 -> [[1,"@0"],[2,"@1"],[3,"@2"]]
        s bin_index bin=31 -> []
        s chunk_put mode=sync chunks=[#0,#3,#3] -> [{"bin":0,"bin_id":1,"exists":true},{"bin":0,"bin_id":4,"exists":false},{"bin":0,"bin_id":4,"exists":true}]
        s chunk_put mode=cache chunks=[#1,~4,#4] -> [{"bin":0,"bin_id":2,"exists":true},{"bin":0,"bin_id":null,"exists":false},{"bin":0,"bin_id":null,"exists":true}]
        s chunk_has address="@4" -> false
        s chunk_get addresses=["@4","@0","@4"] -> [~4,#0,~4]
        s chunk_put mode=upload chunks=[#4] -> [{"bin":0,"bin_id":5,"exists":false}]
        s chunk_put mode=upload chunks=[~4] -> [{"bin":0,"bin_id":5,"exists":true}]
        s chunk_get addresses=["@4"] -> [#4]
        s chunk_get addresses=["@4","@5"] ! not_found
        s chunk_get addresses=[] -> []
        s chunk_delete address="@4" -> {"existed":true}
        s chunk_delete address="@4" -> {"existed":false}
        s chunk_put mode=cache chunks=[#5] -> [{"bin":0,"bin_id":null,"exists":false}]
        s chunk_delete address="@5" -> {"existed":true}
        s chunk_put mode=sync chunks=[] -> []
        s cursors -> [5,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]
        c get_cursors server=s -> [5,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]
        c get_cursors server=c -> [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]
        s chunk_put mode=sync chunks=[#4] -> [{"bin":0,"bin_id":6,"exists":false}]
        s chunk_put mode=upload chunks=[{"address":"$ff","data":"","stamp":""},{"address":"$00","data":"00","stamp":"11"}] -> [{"bin":0,"bin_id":7,"exists":false},{"bin":31,"bin_id":1,"exists":false}]
        "##,
    );
}

#[test]
fn pages_are_complete_or_wait() {
    pair(&format!(
        r#"
        s interval_chunks bin=0 from=1 to=3 limit=3 idle=false -> {{"addresses":["@0","@1","@2"],"topmost":3}}
        s interval_chunks bin=0 from=0 to=2 limit=3 idle=false -> {{"addresses":["@0","@1"],"topmost":2}}
        s interval_chunks bin=0 from=1 to={MAX} limit=1 idle=false -> {{"addresses":["@0"],"topmost":1}}
        s interval_chunks bin=0 from=1 to={MAX} limit={MAX} idle=false -> null
        s interval_chunks bin=0 from=1 to={MAX} limit={MAX} idle=true -> {{"addresses":["@0","@1","@2"],"topmost":3}}
        s interval_chunks bin=0 from=4 to=9 limit=1 idle=true -> null
        s interval_chunks bin=32 from=1 to=0 limit=1 idle=true ! bin_out_of_range
        s interval_chunks bin=-1 from=1 to=1 limit=1 idle=true ! bin_out_of_range
        s interval_chunks bin=0 from=0 to=0 limit=1 idle=true ! invalid_range
        s interval_chunks bin=0 from=3 to=2 limit=1 idle=true ! invalid_range
        s make_offer bin=0 from=1 to={MAX} idle=false -> {{"topmost":2,"hashes":"@0@1"}}
        s make_offer bin=0 from=2 to={MAX} idle=true -> {{"topmost":3,"hashes":"@1@2"}}
        s make_offer bin=0 from=3 to={MAX} idle=false -> null
        s make_offer bin=32 from=3 to=3 idle=false ! bin_out_of_range
        s make_offer bin=0 from=4 to=3 idle=false ! invalid_range
        s chunk_delete address="@2" -> {{"existed":true}}
        s make_offer bin=0 from=3 to=3 idle=false -> {{"topmost":3,"hashes":""}}
        s interval_chunks bin=0 from=2 to=3 limit=9 idle=false -> {{"addresses":["@1"],"topmost":3}}
        "#
    ));
}

#[test]
fn wants_are_answered_from_the_data() {
    pair(
        r##"
        s process_want hashes="@0@1@3" bit_vector="07" -> {"deliveries":[#0,#1],"missing":["@3"]}
        s process_want hashes="@0@1@3" bit_vector="faff" -> {"deliveries":[#1],"missing":[]}
        s process_want hashes="@0@0" bit_vector="03" -> {"deliveries":[#0,#0],"missing":[]}
        s process_want hashes="@0" bit_vector="00" -> {"deliveries":[],"missing":[]}
        s process_want hashes="00" bit_vector="" ! inconsistent_hash_length
        s process_want hashes="@0" bit_vector="" ! invalid_length
        s process_want hashes="" bit_vector="ff" ! invalid_length
        s chunk_put mode=cache chunks=[#3] -> [{"bin":0,"bin_id":null,"exists":false}]
        s process_want hashes="@3" bit_vector="01" -> {"deliveries":[#3],"missing":[]}
        "##,
    );
}

/// Opens session `e` for numbers 1 to 9 of bin 0.
const OPEN: &str = r#"
    c client_open session=e peer="$00" bin=0 from=1 to=9 ruid=300 -> {"frames":"0308ac020410011809"}
"#;

#[track_caller]
fn session(steps: &str) {
    pair(&format!("{OPEN}{steps}"));
}

#[test]
fn sessions_go_frame_by_frame() {
    session(
        r##"
        c client_offer session=e data="85010809128001@0@1@2@1" -> {"want":"030a0107","count":3,"topmost":null}
        c client_delivery session=e data="^1" -> {"rejected":false,"remaining":2,"topmost":null}
        c client_delivery session=e data="&0ff" -> {"rejected":true,"remaining":1,"topmost":null}
        c chunk_put mode=upload chunks=[#1] -> [{"bin":0,"bin_id":1,"exists":false}]
        c client_delivery session=e data="^2" -> {"rejected":false,"remaining":0,"topmost":9}
        c bin_index bin=0 -> [[1,"@1"],[2,"@2"]]
        "##,
    );
    // Nothing is offered, or nothing wanted.
    session(r#"c client_offer session=e data="020809" -> {"want":null,"count":0,"topmost":9}"#);
    session(
        r##"
        c chunk_put mode=sync chunks=[#1] -> [{"bin":0,"bin_id":1,"exists":false}]
        c chunk_put mode=cache chunks=[#0] -> [{"bin":0,"bin_id":null,"exists":false}]
        c client_open session=f peer="$00" bin=0 from=1 to=9 ruid=0 -> {"frames":"000410011809"}
        c client_offer session=e data="2408031220@1" -> {"want":"030a0100","count":0,"topmost":3}
        "##,
    );
    conforms(
        r#"
        node_new node=c overlay="$40" batches=[] -> null
        c client_open session=a peer="$00" bin=32 from=2 to=1 ruid=1 ! invalid_range
        c client_open session=b peer="$00" bin=32 from=0 to=0 ruid=1 ! invalid_range
        c client_open session=d peer="$00" bin=32 from=1 to=1 ruid=1 ! bin_out_of_range
        c client_open session=e peer="$00" bin=31 from=0 to=1 ruid=0 -> {"frames":"0004081f1801"}
        "#,
    );
}

#[test]
fn offers_are_refused_whole() {
    for (data, code) in [
        ("", "eof"),
        ("80", "unexpected_eof"),
        ("ffffffffffffffffff02", "overflow"),
        ("818008", "message_too_large"),
        ("0108", "malformed"),
        // Its length comes before its topmost, and that before its hashes.
        ("05080a120100", "inconsistent_hash_length"),
        ("02080a", "topmost_out_of_range"),
        ("00", "topmost_out_of_range"),
        ("24080a1220$00", "topmost_out_of_range"),
        ("4408091240@0$00", "zero_address"),
    ] {
        session(&format!(
            r#"
            c client_offer session=e data="{data}" ! {code}
            c bin_index bin=0 -> []
            "#
        ));
    }
}

#[test]
fn a_bad_delivery_spoils_the_page() {
    for (data, code) in [
        ("^3", "unsolicited_chunk"),
        ("^0", "unsolicited_chunk"),
        ("00", "unsolicited_chunk"),
        // The address of chunk 1 before the data of chunk 0.
        ("invalid", "invalid_chunk"),
    ] {
        let data = data.replace(
            "invalid",
            &format!("90010a20@112090100000000000000001a61$01{}", "0".repeat(130)),
        );
        session(&format!(
            r#"
            c client_offer session=e data="4408091240@0@1" -> {{"want":"030a0103","count":2,"topmost":null}}
            c client_delivery session=e data="^0" -> {{"rejected":false,"remaining":1,"topmost":null}}
            c client_delivery session=e data="{data}" ! {code}
            c bin_index bin=0 -> []
            "#
        ));
    }
}

#[test]
fn a_broken_session_keeps_what_came() {
    let begun = r#"
        c client_offer session=e data="6408091260@0@1@2" -> {"want":"030a0107","count":3,"topmost":null}
        c client_delivery session=e data="^2" -> {"rejected":false,"remaining":2,"topmost":null}
        c client_delivery session=e data="&0" -> {"rejected":true,"remaining":1,"topmost":null}
    "#;
    for reason in ["eof", "timeout", "reset", "canceled"] {
        session(&format!(
            r#"
            {begun}
            c client_broken session=e reason={reason} -> {{"stored":["@2"],"cancel":300}}
            c bin_index bin=0 -> [[1,"@2"]]
            "#
        ));
        session(&format!(
            r#"c client_broken session=e reason={reason} -> {{"stored":[],"cancel":300}}"#
        ));
    }
    for (data, code) in [
        ("", "eof"),
        ("05", "unexpected_eof"),
        ("ffffffffffffffffffff", "overflow"),
        ("818008", "message_too_large"),
        ("0108", "malformed"),
    ] {
        session(&format!(
            r#"
            {begun}
            c client_delivery session=e data="{data}" ! {code}
            c bin_index bin=0 -> [[1,"@2"]]
            "#
        ));
    }
}

/// A `sync_interval` of the pair for bin 0, and its result.
fn sync(range: &str, ruid: u32, idle: bool, fault: &str, result: &str) -> String {
    let (from, to) = range.split_once("..").expect("a range");
    format!(
        "c sync_interval server=s bin=0 from={from} to={to} ruid={ruid} idle={idle} fault={fault} {result}\n"
    )
}

fn returns(offered: u8, wanted: u8, stored: &str, rejected: &str, topmost: u64) -> String {
    format!(
        r#"-> {{"offered":{offered},"wanted":{wanted},"stored":[{stored}],"rejected":[{rejected}],"topmost":{topmost}}}"#
    )
}

#[test]
fn exchanges_go_from_end_to_end() {
    let steps = [
        sync("1..9", 1, false, "null", &returns(2, 2, r#""@0","@1""#, "", 2)),
        sync("1..3", 2, false, "null", &returns(2, 0, "", "", 2)),
        sync("2..3", 3, false, "null", &returns(2, 1, r#""@2""#, "", 3)),
        "s chunk_delete address=\"@2\" -> {\"existed\":true}\n".into(),
        sync("3..3", 4, false, "null", &returns(0, 0, "", "", 3)),
        sync("2..9", 5, false, "null", "! timeout"),
        sync("2..9", 6, true, "null", &returns(1, 0, "", "", 2)),
        "s cancel peer=\"$40\" ruid=5 -> {\"canceled\":\"auto-5\",\"pending\":false}\n".into(),
        "s cancel peer=\"$40\" ruid=7 -> {\"canceled\":null,\"pending\":true}\n".into(),
        sync("1..1", 7, true, "null", "! reset"),
        sync("1..1", 7, true, "null", &returns(1, 0, "", "", 1)),
        sync("2..1", 7, true, "null", "! invalid_range"),
        "s handlers -> []\n".into(),
        "s node_close -> []\n".into(),
        sync("1..1", 8, true, "null", "! reset"),
        sync("0..0", 8, true, "null", "! invalid_range"),
        "c sync_interval server=s bin=32 from=1 to=1 ruid=8 idle=true fault=null ! bin_out_of_range".into(),
    ];
    pair(&steps.concat());
}

#[test]
fn faults_strike_what_the_server_sends() {
    let index = |index: &str| format!("c bin_index bin=0 -> {index}\ns handlers -> []");
    let both = returns(2, 2, r#""@0","@1""#, "", 2);
    let nothing = "[]".to_owned();
    let first = r#"[[1,"@0"]]"#.to_owned();
    let all = r#"[[1,"@0"],[2,"@1"]]"#.to_owned();
    for (fault, result, left) in [
        (r#"{"kind":"cut","after":0}"#, "! eof", &nothing),
        (r#"{"kind":"cut","after":1}"#, "! eof", &first),
        (r#"{"kind":"cut","after":2}"#, &both, &all),
        (r#"{"kind":"skip","index":1}"#, "! eof", &first),
        (r#"{"kind":"skip","index":2}"#, &both, &all),
        (
            r#"{"kind":"duplicate","index":0}"#,
            "! unsolicited_chunk",
            &nothing,
        ),
        (r#"{"kind":"duplicate","index":1}"#, &both, &all),
        (
            r#"{"kind":"replace","index":0,"delivery":#3}"#,
            "! unsolicited_chunk",
            &nothing,
        ),
        (
            r#"{"kind":"replace","index":1,"delivery":~1}"#,
            &returns(2, 2, r#""@0""#, r#""@1""#, 2),
            &first,
        ),
        (
            r#"{"kind":"replace","index":1,"delivery":{"address":"@1","data":"00","stamp":""}}"#,
            &returns(2, 2, r#""@0""#, r#""@1""#, 2),
            &first,
        ),
        (r#"{"kind":"replace","index":9,"delivery":#3}"#, &both, &all),
        (
            r#"{"kind":"offer","topmost":2,"hashes":"00"}"#,
            "! inconsistent_hash_length",
            &nothing,
        ),
        (
            r#"{"kind":"offer","topmost":3,"hashes":"@0"}"#,
            "! topmost_out_of_range",
            &nothing,
        ),
        (
            r#"{"kind":"offer","topmost":0,"hashes":""}"#,
            "! topmost_out_of_range",
            &nothing,
        ),
        (
            r#"{"kind":"offer","topmost":2,"hashes":"$00"}"#,
            "! zero_address",
            &nothing,
        ),
        (
            r#"{"kind":"offer","topmost":1,"hashes":""}"#,
            &returns(0, 0, "", "", 1),
            &nothing,
        ),
        (
            r#"{"kind":"offer","topmost":2,"hashes":"@0@0@1"}"#,
            &returns(3, 2, r#""@0","@1""#, "", 2),
            &all,
        ),
        (
            r#"{"kind":"offer","topmost":2,"hashes":"@0@3"}"#,
            "! eof",
            &first,
        ),
    ] {
        pair(&format!(
            "{}{}",
            sync("1..2", 1, true, fault, result),
            index(left)
        ));
    }
    // A live offer may not claim all there will ever be.
    let most = format!(r#"{{"kind":"offer","topmost":{MAX},"hashes":"@0"}}"#);
    let live = format!("1..{MAX}");
    pair(&sync(&live, 1, true, &most, "! topmost_out_of_range"));
    // A fault does not strike before the page is there.
    pair(&sync(
        "9..9",
        1,
        true,
        r#"{"kind":"cut","after":0}"#,
        "! timeout",
    ));
}

#[test]
fn a_node_can_exchange_with_itself() {
    pair(
        r##"
        s sync_interval server=s bin=0 from=1 to=2 ruid=1 idle=true fault=null -> {"offered":2,"wanted":0,"stored":[],"rejected":[],"topmost":2}
        s sync_interval server=s bin=0 from=9 to=9 ruid=1 idle=true fault=null ! timeout
        s handlers -> [{"handler":"auto-1","peer":"$00","ruid":1,"state":"waiting"}]
        "##,
    );
}
