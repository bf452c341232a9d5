//! What the reference does like the original (14.2), as traces.

use super::scenario::{Config, ONE, TWO};

/// Level 1 with this threshold; at level 2 there is none.
fn started(config: Config, threshold: u64, lines: &str) -> String {
    let threshold = match config.level {
        1 => format!(" threshold={threshold}"),
        _ => String::new(),
    };
    let start = |node: &str| format!("{node} start default_route=true{threshold} -> null\n");
    start("a") + &start("b") + lines
}

/// One saved route of group 1 under version 1 at timestamp 1, which both engines have.
const SEEDED: &str = r#"
    a bootstrap -> {"routes":[<1:..*=1>],"version":1}
    b bootstrap -> {"routes":[<1:..*=1>],"version":1}
"#;

#[track_caller]
fn both(lines: &str) {
    for config in [ONE, TWO] {
        config.conforms(&started(config, 0, lines));
    }
}

#[track_caller]
fn at_level_2(lines: &str) {
    TWO.conforms(&started(TWO, 0, &format!("{SEEDED}{lines}")));
}

#[test]
fn h1_update_route_never_updates() {
    both(
        r#"
        a apply_snapshot version=1 routes=[] -> null
        a update_route start='a' end='z' group_id=1 -> null
        a update_route start='b' end='c' group_id=2 -> null
        a get_route key='d' -> null
        a get_route key='b' -> (0:b..c=2)
        a intersecting_routes start='d' end='e' -> [(0:a..z=1)]
        a update_route start='a' end='z' group_id=3 -> null
        a get_route key='a' -> (0:a..z=3)
        a stats -> [(0:a..z=1),(0:a..z=3),(0:b..c=2)]
        "#,
    );
}

#[test]
fn h2_hotspot_splits_are_ephemeral() {
    let lines = r#"
        a apply_snapshot version=1 routes=[<1:a..c=1>] -> null
        a record_access key='b' -> null
        a stats -> [(0:a..a0=1),(0:a0..c=1)]
        b stats -> [(0:..*=1)]
        a apply_snapshot version=2 routes=[<1:a..c=1>] -> null
        a stats -> [(1:a..c=1)]
    "#;
    ONE.conforms(&started(ONE, 1, lines));
}

#[test]
fn h3_hotspot_splits_cut_off_one_key() {
    let lines = r#"
        a apply_snapshot version=1 routes=[<1:a..z=1>] -> null
        a record_access key='b' -> null
        a record_access key='b' -> null
        a record_access key='b' -> null
        a stats -> [(0:a..a0=1),(0:a0..a00=1),(0:a00..a000=1),(0:a000..z=1)]
    "#;
    ONE.conforms(&started(ONE, 1, lines));
}

#[test]
fn h4_loads_are_lossy() {
    let lines = r#"
        a apply_snapshot version=1 routes=[<1:a..c=1>] -> null
        a access_begin plan=p key='b' -> {"hot":false,"load":1}
        a access_begin plan=q key='b' -> {"hot":true,"load":2}
        a access_begin plan=r key='b' -> {"hot":true,"load":3}
        a access_finish plan=p ! unknown_plan
        a access_finish plan=q -> null
        a access_finish plan=r -> null
        a stats -> [(0:a..a0=1),(0:a0..c=1)]
        a access_begin plan=p key='z' -> null
    "#;
    ONE.conforms(&started(ONE, 2, lines));
}

#[test]
fn a_refused_split_discards_the_load() {
    let lines = r#"
        a record_access key='b' -> null
        a stats -> [(0:..*=1+1)]
        a record_access key='b' -> null
        a stats -> [(0:..*=1)]
        a apply_snapshot version=1 routes=[<1:a..a0=1>] -> null
        a record_access key='a' -> null
        a record_access key='a' -> null
        a stats -> [(1:a..a0=1)]
    "#;
    ONE.conforms(&started(ONE, 2, lines));
}

#[test]
fn h5_an_empty_node_wipes_the_table() {
    for config in [ONE, TWO] {
        let lines = started(
            config,
            0,
            r#"
            a bootstrap -> {"routes":[],"version":1}
            b bootstrap -> {"routes":[],"version":1}
            b get_route key='x' -> null
            b next_route_id -> 1
            "#,
        );
        config.conforms(&lines.replacen("default_route=true", "default_route=false", 1));
    }
}

#[test]
fn h6_routes_without_version_are_invisible() {
    both(
        r#"
        put_at key=~r1 value=%1:..*=4% commit_ts=3 expire_at=0 -> null
        a bootstrap_read plan=p -> {"read_ts":3,"routes":[<1:..*=4>],"version":0,"will_seed":false}
        a bootstrap_apply plan=p -> {"routes":[<1:..*=4>],"version":0}
        a bootstrap -> {"routes":[<1:..*=4>],"version":0}
        a stats -> [(0:..*=1)]
        last_commit_ts -> 3
        "#,
    );
}

#[test]
fn h7_bootstrap_writes_before_it_is_stale() {
    both(
        r#"
        store_checkpoint name=empty -> null
        a apply_snapshot version=5 routes=[<9:..*=2@1>] -> null
        store_rollback name=empty -> null
        a bootstrap ! engine_snapshot_version_stale
        a snapshot -> {"read_ts":1,"routes":[<1:..*=2@1>],"version":1}
        a engine_version -> 5
        "#,
    );
}

#[test]
fn h8_one_version_two_tables() {
    for config in [ONE, TWO] {
        let batch = if config.level == 2 { " batch=0" } else { "" };
        let lines = r#"
            a bootstrap -> {"routes":[<1:..*=1>],"version":1}
            store_checkpoint name=x -> null
            a save expected_version=1 routes=[<1:..*=2>] -> {"commit_ts":2,"routes":[<1:..*=2>],"version":2}
            a sync_onceBATCH -> null
            store_rollback name=x -> null
            a save expected_version=1 routes=[<1:..*=3>] -> {"commit_ts":2,"routes":[<1:..*=3>],"version":2}
            a watch ticks=2BATCH -> {"errors":[],"version":2}
            a get_route key='k' -> (1:..*=2)
            a snapshot -> {"read_ts":2,"routes":[<1:..*=3>],"version":2}
        "#;
        config.conforms(&started(config, 0, &lines.replace("BATCH", batch)));
    }
}

#[test]
fn h9_timestamps_restart() {
    for config in [ONE, TWO] {
        let threshold = if config.level == 1 {
            " threshold=0"
        } else {
            ""
        };
        let lines = format!(
            "
            a next_timestamp -> 1
            a next_timestamp -> 2
            b next_timestamp -> 1
            a crash -> null
            a start default_route=true{threshold} -> null
            a next_timestamp -> 1
            "
        );
        config.conforms(&started(config, 0, &lines));
    }
}

#[test]
fn h10_the_next_id_may_lag() {
    for config in [ONE, TWO] {
        let hlc = if config.level == 2 { "#3" } else { "" };
        let lines = r#"
            a save expected_version=0 routes=[<5:..*=1>] -> {"commit_ts":1,"routes":[<5:..*=1>],"version":1}
            a next_route_id -> 6
            put_at key=~n value=~=2 commit_ts=2 expire_at=0 -> null
            a next_route_id -> 2
            a next_route_id_at ts=1 -> 6
            a split_range expected_version=1 route_id=5 split_key='m' -> {"commit_ts":3,"left":<6:..m=1^5HLC>,"right":<7:m..*=1^5HLC>,"version":2}
            a next_route_id -> 8
        "#;
        config.conforms(&started(config, 0, &lines.replace("HLC", hlc)));
    }
}

#[test]
fn h11_one_bad_record_disables_the_catalog() {
    for config in [ONE, TWO] {
        let batch = if config.level == 2 { " batch=0" } else { "" };
        for (key, value, code) in [
            ("'!dist|route|'", "\"\"", "catalog_invalid_route_key"),
            (
                "'!dist|route|123456789'",
                "\"\"",
                "catalog_invalid_route_key",
            ),
            ("~r9", "\"\"", "catalog_invalid_route_record"),
            ("~r9", "%8:x..y=1%", "catalog_route_key_id_mismatch"),
        ] {
            // A sync reads deltas and no route.
            let sync = match config.level {
                1 => format!("b sync_once ! {code}"),
                _ => "b sync_once batch=0 -> null".into(),
            };
            let lines = format!(
                "
                a bootstrap -> {{\"routes\":[<1:..*=1>],\"version\":1}}
                put_at key={key} value={value} commit_ts=2 expire_at=0 -> null
                a snapshot ! {code}
                a save expected_version=1 routes=[<1:..*=2>] ! {code}
                a split_range expected_version=1 route_id=1 split_key='m' ! {code}
                a bootstrap ! {code}
                a next_route_id -> 2
                a snapshot_at ts=1 -> {{\"read_ts\":1,\"routes\":[<1:..*=1>],\"version\":1}}
                {sync}
                "
            );
            config.conforms(&started(config, 0, &lines));
        }
        let lines = r#"
            put_at key=~r18446744073709551615 value=%18446744073709551615:..*=1% commit_ts=1 expire_at=0 -> null
            put_at key=~v value=~=1 commit_ts=1 expire_at=0 -> null
            a next_route_id ! catalog_route_id_overflow
            a save expected_version=1 routes=[] ! catalog_route_id_overflow
            a split_range expected_version=1 route_id=18446744073709551615 split_key='m' ! distribution_route_id_overflow
            a snapshot -> {"read_ts":1,"routes":[<18446744073709551615:..*=1>],"version":1}
            a sync_onceBATCH -> null
            a stats -> [(18446744073709551615:..*=1)]
        "#;
        config.conforms(&started(config, 0, &lines.replace("BATCH", batch)));
    }
}

#[test]
fn h12_compaction_past_the_newest_commit() {
    both(
        r#"
        a bootstrap -> {"routes":[<1:..*=1>],"version":1}
        compact min_ts=6 -> null
        a snapshot ! read_ts_compacted
        a version ! read_ts_compacted
        a next_route_id ! read_ts_compacted
        a save expected_version=1 routes=[] ! read_ts_compacted
        a split_range expected_version=1 route_id=1 split_key='m' ! read_ts_compacted
        scan_at start=null end=null limit=0 ts=5 ! read_ts_compacted
        put_at key='user' value="" commit_ts=6 expire_at=0 -> null
        a snapshot -> {"read_ts":6,"routes":[<1:..*=1>],"version":1}
        a snapshot_at ts=18446744073709551615 -> {"read_ts":18446744073709551615,"routes":[<1:..*=1>],"version":1}
        a snapshot_at ts=0 -> {"read_ts":0,"routes":[],"version":0}
        "#,
    );
}

#[test]
fn h13_splits_ignore_the_state() {
    for config in [ONE, TWO] {
        let hlc = if config.level == 2 { "#2" } else { "" };
        let lines = r#"
            a save expected_version=0 routes=[<1:..*=1@2>] -> {"commit_ts":1,"routes":[<1:..*=1@2>],"version":1}
            a split_range expected_version=1 route_id=1 split_key='m' -> {"commit_ts":2,"left":<2:..m=1@2^1HLC>,"right":<3:m..*=1@2^1HLC>,"version":2}
            a stats -> [(2:..m=1@2),(3:m..*=1@2)]
        "#;
        config.conforms(&started(config, 0, &lines.replace("HLC", hlc)));
    }
}

#[test]
fn h14_identity_and_lineage_are_unchecked() {
    both(
        r#"
        a bootstrap -> {"routes":[<1:..*=1>],"version":1}
        a save expected_version=1 routes=[<1:x..y=9@3^999>] -> {"commit_ts":2,"routes":[<1:x..y=9@3^999>],"version":2}
        a snapshot -> {"read_ts":2,"routes":[<1:x..y=9@3^999>],"version":2}
        "#,
    );
}

#[test]
fn h15_a_split_of_an_overlapping_table_is_durable_and_fails() {
    for config in [ONE.permissive(), TWO.permissive()] {
        let hlc = if config.level == 2 { "#2" } else { "" };
        let lines = r#"
            a save expected_version=0 routes=[<1:..n=1>,<2:m..*=2>] -> {"commit_ts":1,"routes":[<1:..n=1>,<2:m..*=2>],"version":1}
            a split_range expected_version=1 route_id=2 split_key='x' ! engine_snapshot_route_overlap
            a snapshot -> {"read_ts":2,"routes":[<1:..n=1>,<3:m..x=2^2HLC>,<4:x..*=2^2HLC>],"version":2}
            a engine_version -> 0
        "#;
        config.conforms(&started(config, 0, &lines.replace("HLC", hlc)));
    }
}

#[test]
fn h15_a_split_that_cannot_be_read_is_durable_and_fails() {
    both(
        r#"
        put_at key=~r1 value=%1:..*=1% commit_ts=0 expire_at=0 -> null
        set_min_retained_ts ts=5 -> null
        a split_range expected_version=0 route_id=1 split_key='m' ! read_ts_compacted
        last_commit_ts -> 1
        get_at key=~v ts=18446744073709551615 -> ~=1
        get_at key=~n ts=18446744073709551615 -> ~=4
        "#,
    );
}

#[test]
fn h16_permanent_errors_are_retried() {
    for config in [ONE, TWO] {
        let batch = if config.level == 2 { " batch=0" } else { "" };
        let lines = r#"
            put_at key=~v value="02" commit_ts=1 expire_at=0 -> null
            a watch ticks=2BATCH -> {"errors":["catalog_invalid_version_record","catalog_invalid_version_record","catalog_invalid_version_record"],"version":0}
            delete_at key=~v commit_ts=2 -> null
            a watch ticks=0BATCH -> {"errors":[],"version":0}
        "#;
        config.conforms(&started(config, 0, &lines.replace("BATCH", batch)));
    }
}

/// The record of `1:[,∞)→1` with codec byte 2.
const LATER: &str =
    "\"02000000000000000100000000000000010000000000000000000000000000000000000000000000000007\"";

#[test]
fn h18_a_seed_reader_rejects_later_records() {
    let lines = format!(
        "
        put_at key=~r1 value={LATER} commit_ts=1 expire_at=0 -> null
        decode_route raw={LATER} RESULT
        a snapshot SNAPSHOT
        "
    );
    let of_1 = lines
        .replace("RESULT", "! catalog_invalid_route_record")
        .replace("SNAPSHOT", "! catalog_invalid_route_record");
    ONE.conforms(&started(ONE, 0, &of_1));
    let told = r#"-> {"read_ts":1,"routes":[<1:..*=1#7>],"version":0}"#;
    let of_2 = lines
        .replace("RESULT", "-> <1:..*=1#7>")
        .replace("SNAPSHOT", told);
    TWO.conforms(&started(TWO, 0, &of_2));
}

#[test]
fn h19_drift_never_heals() {
    let lines = r#"
        a update_route start='m' end='z' group_id=9 -> null
        b save expected_version=1 routes=[<1:..*=2>] -> {"commit_ts":2,"routes":[<1:..*=2>],"version":2}
        a watch ticks=1BATCH -> RESULT
        a stats -> STATS
    "#;
    at_level_2(
        &lines
            .replace("BATCH", " batch=0")
            .replace("RESULT", r#"{"errors":["engine_snapshot_route_order","engine_snapshot_route_order"],"version":1}"#)
            .replace("STATS", "[(1:..*=1),(0:m..z=9)]"),
    );
    let healed = lines
        .replace("BATCH", "")
        .replace("RESULT", r#"{"errors":[],"version":2}"#)
        .replace("STATS", "[(1:..*=2)]");
    ONE.conforms(&started(ONE, 0, &format!("{SEEDED}{healed}")));
}

#[test]
fn h20_an_engine_ahead_of_the_catalog() {
    let lines = r#"
        a apply_snapshot version=7 routes=[<1:..*=7>] -> null
        a sync_onceBATCH RESULT
        a get_route key='a' -> (1:..*=7)
    "#;
    at_level_2(
        &lines
            .replace("BATCH", " batch=0")
            .replace("RESULT", "! catalog_delta_version_future"),
    );
    let silent = lines.replace("BATCH", "").replace("RESULT", "-> null");
    ONE.conforms(&started(ONE, 0, &format!("{SEEDED}{silent}")));
}

#[test]
fn h21_a_hole_in_the_delta_log() {
    at_level_2(
        r#"
        put_at key=~v value=~=2 commit_ts=2 expire_at=0 -> null
        a sync_once batch=0 ! catalog_delta_version_gap
        b save expected_version=2 routes=[<1:..*=3>] -> {"commit_ts":3,"routes":[<1:..*=3>],"version":3}
        a watch ticks=1 batch=0 -> {"errors":["catalog_delta_version_gap","catalog_delta_version_gap"],"version":1}
        a changes_since after_version=1 limit=5 ! catalog_delta_version_gap
        a changes_since after_version=2 limit=5 -> {"deltas":[{"mutations":[{"op":"upsert","route":<1:..*=3>,"route_id":1}],"previous_version":2,"version":3}],"reset":null}
        "#,
    );
}

#[test]
fn h22_the_ring_and_the_live_table_differ() {
    at_level_2(
        r#"
        a update_route start='m' end=null group_id=9 -> null
        a get_route key='x' -> (0:m..*=9)
        a owner_at version=1 key='x' -> {"group_id":1,"known":true}
        a history_current -> {"routes":[(1:..*=1)],"version":1}
        a verify_commit group_id=1 observed_version=1 keys=['x'] -> null
        a verify_commit group_id=9 observed_version=1 keys=['x'] ! composed1_violation
        "#,
    );
}
