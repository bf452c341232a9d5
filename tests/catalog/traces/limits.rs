//! Numbers that the spec fixes, seen from outside.

use super::scenario::{ONE, TWO};

#[test]
fn the_ring_holds_32_tables() {
    let mut lines = String::from("a start default_route=true -> null\n");
    for version in 1..=31 {
        lines +=
            &format!("a apply_snapshot version={version} routes=[<1:..*={version}>] -> null\n");
    }
    lines += r#"
        a history_at version=0 -> {"routes":[(0:..*=1)],"version":0}
        a owner_at version=0 key='k' -> {"group_id":1,"known":true}
        a apply_snapshot version=31 routes=[] -> null
        a history_at version=0 -> {"routes":[(0:..*=1)],"version":0}
        a apply_delta delta={"mutations":[{"op":"upsert","route":<1:..*=7>,"route_id":1}],"previous_version":31,"version":32} -> null
        a history_at version=0 -> null
        a owner_at version=0 key='k' -> {"group_id":null,"known":false}
        a verify_commit group_id=1 observed_version=0 keys=['k'] ! composed1_version_gcd
        a history_at version=1 -> {"routes":[(1:..*=1)],"version":1}
        a apply_snapshot version=99 routes=[] -> null
        a history_at version=1 -> null
        a history_at version=2 -> {"routes":[(1:..*=2)],"version":2}
        a history_current -> {"routes":[],"version":99}
        a owner_at version=99 key='k' -> {"group_id":null,"known":true}
        a crash -> null
        a start default_route=false -> null
        a history_current -> null
        a history_at version=99 -> null
    "#;
    TWO.conforms(&lines);
}

/// Saves of one route, from one version to another, the first one committed at a timestamp.
fn saves(from: u64, to: u64, first_ts: u64) -> String {
    let line = |(version, ts): (u64, u64)| {
        let route = format!("<1:..*={version}>");
        format!(
            "a save expected_version={} routes=[{route}] -> {{\"commit_ts\":{ts},\"routes\":[{route}],\"version\":{version}}}\n",
            version - 1
        )
    };
    (from..=to).zip(first_ts..).map(line).collect()
}

#[test]
fn the_log_retains_1024_deltas() {
    TWO.conforms(&format!(
        r#"
        a start default_route=true -> null
        {first}
        put_at key=~v value=~=1022 commit_ts=2 expire_at=0 -> null
        {then}
        a delta_floor -> 1
        exists_at key=~d1 ts=4 -> true
        {last}
        a delta_floor -> 2
        exists_at key=~d1 ts=4 -> true
        exists_at key=~d1 ts=5 -> false
        a changes_since after_version=0 limit=1 -> {{"deltas":[],"reset":{{"read_ts":5,"routes":[<1:..*=1025>],"version":1025}}}}
        a changes_since after_version=1 limit=1 ! catalog_delta_version_gap
        "#,
        first = saves(1, 1, 1),
        then = saves(1023, 1024, 3),
        last = saves(1025, 1025, 5),
    ));
}

#[test]
fn a_log_begins_with_the_first_delta_that_is_written() {
    TWO.conforms(&format!(
        r#"
        a start default_route=true -> null
        a delta_floor -> 0
        put_at key=~v value=~=1500 commit_ts=1 expire_at=0 -> null
        a changes_since after_version=7 limit=1 -> {{"deltas":[],"reset":{{"read_ts":1,"routes":[],"version":1500}}}}
        {save}
        a delta_floor -> 1501
        put_at key=~f value=~=1502 commit_ts=3 expire_at=0 -> null
        a changes_since after_version=7 limit=1 ! catalog_invalid_delta_record
        a changes_since after_version=1501 limit=1 -> {{"deltas":[],"reset":null}}
        put_at key=~f value=~=0 commit_ts=3 expire_at=0 -> null
        a delta_floor ! catalog_invalid_delta_record
        a save expected_version=1501 routes=[] ! catalog_invalid_delta_record
        a split_range expected_version=1501 route_id=1 split_key='m' ! catalog_invalid_delta_record
        a version -> 1501
        "#,
        save = saves(1501, 1501, 2),
    ));
}

#[test]
fn a_sync_takes_128_deltas_unless_told_otherwise() {
    let saves = saves(1, 260, 1);
    TWO.conforms(&format!(
        r#"
        a start default_route=true -> null
        b start default_route=true -> null
        {saves}
        b sync_once batch=0 -> null
        b engine_version -> 128
        b sync_once batch=3 -> null
        b engine_version -> 131
        b watch ticks=0 batch=-9223372036854775808 -> {{"errors":[],"version":259}}
        b sync_once batch=9223372036854775807 -> null
        b engine_version -> 260
        "#
    ));
}

#[test]
fn pages_of_a_large_table_do_not_show() {
    for config in [ONE, TWO] {
        // Later ids first, so that catalog order is not that of the keys.
        let key = |at: u32| char::from_u32(0x100 + at).expect("a letter");
        let route = |id: u32| format!("<{id}:{}..{}=1>", key(1000 - id), key(1001 - id));
        let given: Vec<String> = (1..=600).map(route).collect();
        let told: Vec<String> = (1..=600).rev().map(route).collect();
        let (given, told) = (given.join(","), told.join(","));
        let threshold = if config.level == 1 {
            " threshold=0"
        } else {
            ""
        };
        config.conforms(&format!(
            r#"
            a start default_route=true{threshold} -> null
            a save expected_version=0 routes=[{given}] -> {{"commit_ts":1,"routes":[{told}],"version":1}}
            a snapshot -> {{"read_ts":1,"routes":[{told}],"version":1}}
            a next_route_id_at ts=1 -> 601
            delete_at key=~n commit_ts=2 -> null
            a next_route_id -> 601
            "#
        ));
    }
}
