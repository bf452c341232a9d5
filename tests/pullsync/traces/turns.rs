//! What only running shows: names whose creation failed, handlers and sessions out of turn (12).

use super::{trace, verdict};

const BEFORE: &str = r##"
    node_new node=s overlay="$00" batches=["$01"] -> null
    s chunk_put mode=upload chunks=[#0,#1] -> [{"bin":0,"bin_id":1,"exists":false},{"bin":0,"bin_id":2,"exists":false}]
    s client_open session=e peer="$00" bin=0 from=1 to=9 ruid=1 -> {"frames":"0208010410011809"}
    s serve_open peer="$80" ruid=1 handler=h -> {"canceled":false,"replaced":null}
"##;

/// The last step cannot be performed, by this field, unless an earlier one diverges.
#[track_caller]
fn unusable(steps: &str, field: &str) {
    let steps = format!("{BEFORE}{steps}");
    let right = trace(&steps);
    let last = right.lines().count();
    assert_eq!(
        verdict(&right),
        format!("unusable {last} args.{field}"),
        "{steps}"
    );
    let wrong = trace(&format!("interval_new set=unused start=0 -> 0\n{steps}"));
    assert_eq!(verdict(&wrong), "diverges 2 interval_new", "{steps}");
}

#[test]
fn a_name_whose_creation_failed_stands_for_nothing() {
    unusable(
        r#"
        interval_decode set=x data="" ! invalid_start
        interval_last set=x -> 0
        "#,
        "set",
    );
    unusable(
        r#"
        interval_new set=y start=1 -> null
        interval_decode set=x data="" ! invalid_start
        interval_merge set=y other=x -> []
        "#,
        "other",
    );
    unusable(
        r#"
        bitvector_new vec=x len=0 ! invalid_length
        bitvector_from_bytes vec=x bytes="" len=1 ! invalid_length
        bitvector_get vec=x index=0 -> false
        "#,
        "vec",
    );
    unusable(
        r#"
        s client_open session=x peer="$00" bin=32 from=1 to=1 ruid=1 ! bin_out_of_range
        s client_broken session=x reason=eof -> 1
        "#,
        "session",
    );
    unusable(
        r#"
        s node_close -> ["h"]
        s serve_open peer="$80" ruid=2 handler=x ! shutdown
        s serve_poll handler=x idle=true ! shutdown
        "#,
        "handler",
    );
}

#[test]
fn only_a_timeout_creates_the_handler_of_an_exchange() {
    let poll = "s serve_poll handler=auto-4 idle=true -> 1";
    for exchange in [
        r#"s sync_interval server=s bin=0 from=1 to=1 ruid=4 idle=true fault=null -> {"offered":1,"wanted":0,"stored":[],"rejected":[],"topmost":1}"#,
        "s sync_interval server=s bin=32 from=1 to=1 ruid=4 idle=true fault=null ! bin_out_of_range",
        r#"s sync_interval server=s bin=0 from=1 to=1 ruid=4 idle=true fault={"kind":"offer","topmost":2,"hashes":""} ! topmost_out_of_range"#,
        r#"
        s cancel peer="$00" ruid=4 -> {"canceled":null,"pending":true}
        s sync_interval server=s bin=0 from=9 to=9 ruid=4 idle=true fault=null ! reset
        "#,
    ] {
        unusable(&format!("{exchange}\n{poll}"), "handler");
    }
}

#[test]
fn handlers_take_what_their_state_expects() {
    let range = "s serve_range handler=h bin=0 from=1 to=1 idle=true -> 1";
    let poll = "s serve_poll handler=h idle=true -> 1";
    let want = r#"s serve_want handler=h bit_vector="" -> 1"#;
    let waits = r#"s serve_range handler=h bin=0 from=9 to=9 idle=true -> {"state":"waiting","topmost":null,"hashes":null}"#;
    let offers = r#"s serve_range handler=h bin=0 from=1 to=1 idle=true -> {"state":"offered","topmost":1,"hashes":"@0"}"#;
    unusable(poll, "handler");
    unusable(want, "handler");
    unusable(&format!("{waits}\n{range}"), "handler");
    unusable(&format!("{waits}\n{want}"), "handler");
    unusable(&format!("{offers}\n{range}"), "handler");
    unusable(&format!("{offers}\n{poll}"), "handler");
}

#[test]
fn sessions_take_what_their_state_expects() {
    let offer = r#"s client_offer session=e data="" -> 1"#;
    let delivery = r#"s client_delivery session=e data="" -> 1"#;
    let broken = "s client_broken session=e reason=reset -> 1";
    unusable(delivery, "session");
    let offered = r#"s client_offer session=e data="2408011220@2" -> {"want":"030a0101","count":1,"topmost":null}"#;
    unusable(&format!("{offered}\n{offer}"), "session");
    let ends = [
        r#"s client_offer session=e data="" ! eof"#.to_owned(),
        r#"s client_offer session=e data="05080a120100" ! inconsistent_hash_length"#.to_owned(),
        r#"s client_offer session=e data="020800" ! topmost_out_of_range"#.to_owned(),
        r#"s client_offer session=e data="020801" -> {"want":null,"count":0,"topmost":1}"#.to_owned(),
        r#"s client_offer session=e data="2408011220@0" -> {"want":"030a0100","count":0,"topmost":1}"#
            .to_owned(),
        r#"s client_broken session=e reason=eof -> {"stored":[],"cancel":1}"#.to_owned(),
        format!("{offered}\ns client_delivery session=e data=\"\" ! eof"),
        format!("{offered}\ns client_delivery session=e data=\"00\" ! unsolicited_chunk"),
        format!(
            r#"{offered}
            s client_delivery session=e data="^2" -> {{"rejected":false,"remaining":0,"topmost":1}}"#
        ),
        format!(
            r#"{offered}
            s client_broken session=e reason=canceled -> {{"stored":[],"cancel":1}}"#
        ),
    ];
    for end in ends {
        for step in [offer, delivery, broken] {
            unusable(&format!("{end}\n{step}"), "session");
        }
    }
}
