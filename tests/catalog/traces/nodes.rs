//! Nodes, plans and injected faults (15.3 to 15.6).

use super::scenario::{Config, ONE, TWO};

#[track_caller]
fn both(lines: &str) {
    ONE.conforms(lines);
    TWO.conforms(&of_level_2(lines));
}

/// Steps of level 1 as level 2 writes them.
fn of_level_2(lines: &str) -> String {
    let lines = lines.replace(" threshold=0", "");
    let lines = lines.replace("sync_once ", "sync_once batch=0 ");
    lines.replace("watch ticks", "watch batch=0 ticks")
}

const STARTED: &str = "
    a start default_route=true threshold=0 -> null
    b start default_route=false threshold=0 -> null
";

const SEEDED: &str = r#"
    a start default_route=true threshold=0 -> null
    b start default_route=false threshold=0 -> null
    a bootstrap -> {"routes":[<1:..*=1>],"version":1}
"#;

#[test]
fn a_node_that_is_down_does_nothing() {
    let common = r#"
        a version ! node_down
        a next_route_id ! node_down
        a next_route_id_at ts=0 ! node_down
        a snapshot ! node_down
        a snapshot_at ts=0 ! node_down
        a save expected_version=0 routes=[] ! node_down
        a save_prepare plan=p expected_version=0 routes=[<0:..*=0>] ! node_down
        a save_pick_ts plan=p ! node_down
        a save_apply plan=p ! node_down
        a split_range expected_version=0 route_id=1 split_key="" ! node_down
        a bootstrap ! node_down
        a bootstrap_read plan=p ! node_down
        a bootstrap_apply plan=p ! node_down
        a update_route start="" end=null group_id=1 ! node_down
        a get_route key="" ! node_down
        a intersecting_routes start="" end=null ! node_down
        a stats ! node_down
        a next_timestamp ! node_down
        a engine_version ! node_down
        a apply_snapshot version=1 routes=[<0:..*=0>] ! node_down
        a sync_once ! node_down
        a watch ticks=9223372036854775807 ! node_down
        a crash ! node_down
    "#;
    let of_1 = r#"
        a split_prepare plan=p expected_version=0 route_id=1 split_key="" ! node_down
        a split_apply plan=p ! node_down
        a record_access key="" ! node_down
        a access_begin plan=p key="" ! node_down
        a access_finish plan=p ! node_down
        a watch_read plan=p ! node_down
        a watch_apply plan=p ! node_down
    "#;
    let of_2 = r#"
        a delta_floor ! node_down
        a changes_since after_version=0 limit=0 ! node_down
        a build_delta_mutations read_ts=0 delta={"mutations":[],"previous_version":9,"version":0} ! node_down
        a apply_delta delta={"mutations":[],"previous_version":9,"version":0} ! node_down
        a history_at version=0 ! node_down
        a history_current ! node_down
        a owner_at version=0 key="" ! node_down
        a verify_commit group_id=0 observed_version=null keys=[] ! node_down
    "#;
    ONE.conforms(&format!("{common}{of_1}"));
    TWO.conforms(&format!("{}{of_2}", of_level_2(common)));
    // A fault is not used up by a node that is down.
    both(&format!(
        r#"
        fail_version_reads count=1 -> null
        {common}
        a start default_route=true threshold=0 -> null
        a version ! injected_fault
        a version -> 0
        "#
    ));
}

#[test]
fn a_node_starts_once_and_keeps_nothing() {
    both(
        r#"
        a start default_route=true threshold=0 -> null
        a start default_route=false threshold=0 ! node_running
        a stats -> [(0:..*=1)]
        a update_route start='m' end=null group_id=2 -> null
        a bootstrap_read plan=p -> {"read_ts":0,"routes":[],"version":0,"will_seed":true}
        a crash -> null
        a crash ! node_down
        a start default_route=false threshold=0 -> null
        a stats -> []
        a bootstrap_apply plan=p ! unknown_plan
        a crash -> null
        a start default_route=true threshold=0 -> null
        a stats -> [(0:..*=1)]
        a engine_version -> 0
        "#,
    );
}

/// What `bootstrap_read` tells of the empty store.
const EMPTY: &str = r#"{"read_ts":0,"routes":[],"version":0,"will_seed":true}"#;

#[test]
fn plans_belong_to_a_node_and_are_used_once() {
    both(&format!(
        r#"
        {STARTED}
        a bootstrap_apply plan=p ! unknown_plan
        a bootstrap_read plan=p -> {EMPTY}
        a bootstrap_read plan="" -> {EMPTY}
        b bootstrap_apply plan=p ! unknown_plan
        a bootstrap_apply plan=P ! unknown_plan
        a bootstrap_apply plan=p -> {{"routes":[<1:..*=1>],"version":1}}
        a bootstrap_apply plan=p ! unknown_plan
        a bootstrap_apply plan="" -> {{"routes":[<1:..*=1>],"version":1}}
        "#
    ));
}

#[test]
fn a_plan_of_another_kind_stays() {
    ONE.conforms(&format!(
        r#"
        {SEEDED}
        b watch_read plan=w -> {{"newer":true,"version":1}}
        b save_apply plan=w ! unknown_plan
        b save_pick_ts plan=w ! unknown_plan
        b split_apply plan=w ! unknown_plan
        b bootstrap_apply plan=w ! unknown_plan
        b access_finish plan=w ! unknown_plan
        b watch_apply plan=w -> null
        b watch_apply plan=w ! unknown_plan
        b engine_version -> 1
        b bootstrap_read plan=p -> {{"read_ts":1,"routes":[<1:..*=1>],"version":1,"will_seed":false}}
        b watch_apply plan=p ! unknown_plan
        b save_apply plan=p ! unknown_plan
        b save_pick_ts plan=p ! unknown_plan
        b bootstrap_apply plan=p -> {{"routes":[<1:..*=1>],"version":1}}
        "#
    ));
}

#[test]
fn preparing_replaces_whatever_kind_there_was() {
    ONE.conforms(&format!(
        r#"
        {SEEDED}
        a bootstrap_read plan=p -> {{"read_ts":1,"routes":[<1:..*=1>],"version":1,"will_seed":false}}
        a watch_read plan=p -> {{"newer":false,"version":1}}
        a bootstrap_apply plan=p ! unknown_plan
        a watch_apply plan=p -> null
        a split_prepare plan=p expected_version=1 route_id=1 split_key='b' -> {SPLIT}
        a save_prepare plan=p expected_version=1 routes=[<1:..*=1>] -> {SAVE}
        a split_apply plan=p ! unknown_plan
        a save_apply plan=p -> {{"commit_ts":2,"routes":[<1:..*=1>],"version":2}}
        "#
    ));
}

const SAVE: &str = r#"{"min_commit_ts":2,"mutations":[{"key":~v,"op":"put","value":~=2},{"key":~n,"op":"put","value":~=2}],"next_version":2,"read_ts":1}"#;
const SPLIT: &str = r#"{"left":<2:..b=1^1>,"mutations":[{"key":~r1,"op":"delete"},{"key":~r2,"op":"put","value":%2:..b=1^1%},{"key":~r3,"op":"put","value":%3:b..*=1^1%},{"key":~v,"op":"put","value":~=2},{"key":~n,"op":"put","value":~=4}],"next_version":2,"read_ts":1,"right":<3:b..*=1^1>}"#;

#[test]
fn a_failed_prepare_leaves_the_older_plan() {
    ONE.conforms(&format!(
        r#"
        {SEEDED}
        a save_prepare plan=p expected_version=1 routes=[<1:..*=1>] -> {SAVE}
        a save_prepare plan=p expected_version=7 routes=[] ! catalog_version_mismatch
        a split_prepare plan=p expected_version=1 route_id=9 split_key='b' ! distribution_unknown_route
        fail_version_reads count=1 -> null
        a watch_read plan=p ! injected_fault
        a access_begin plan=p key='b' -> {{"hot":false,"load":1}}
        a save_apply plan=p -> {{"commit_ts":2,"routes":[<1:..*=1>],"version":2}}
        "#
    ));
}

#[test]
fn an_apply_consumes_its_plan_even_if_it_fails() {
    ONE.conforms(&format!(
        r#"
        {SEEDED}
        a save_prepare plan=p expected_version=1 routes=[<1:..*=1>] -> {SAVE}
        a split_prepare plan=q expected_version=1 route_id=1 split_key='b' -> {SPLIT}
        a save_prepare plan=r expected_version=1 routes=[<1:..*=1>] -> {SAVE}
        a save_apply plan=r -> {{"commit_ts":2,"routes":[<1:..*=1>],"version":2}}
        a save_apply plan=p ! catalog_version_mismatch
        a save_apply plan=p ! unknown_plan
        a split_apply plan=q ! distribution_catalog_conflict
        a split_apply plan=q ! unknown_plan
        a bootstrap_read plan=p -> {{"read_ts":2,"routes":[<1:..*=1>],"version":2,"will_seed":false}}
        a apply_snapshot version=5 routes=[] -> null
        a bootstrap_apply plan=p ! engine_snapshot_version_stale
        a bootstrap_apply plan=p ! unknown_plan
        "#
    ));
}

#[test]
fn an_access_stores_a_plan_only_when_hot() {
    ONE.conforms(
        r#"
        a start default_route=true threshold=2 -> null
        a apply_snapshot version=1 routes=[<1:a..c=1>] -> null
        a access_begin plan=p key='b' -> {"hot":false,"load":1}
        a access_finish plan=p ! unknown_plan
        a access_begin plan=p key='b' -> {"hot":true,"load":2}
        a apply_snapshot version=2 routes=[<1:a..c=1>] -> null
        a access_begin plan=p key='b' -> {"hot":false,"load":1}
        a access_begin plan=p key='x' -> null
        a access_finish plan=p -> null
        a stats -> [(1:a..c=1+1)]
        a access_finish plan=p ! unknown_plan
        "#,
    );
}

#[test]
fn a_picked_timestamp_binds_the_save() {
    both(&format!(
        r#"
        {STARTED}
        a save expected_version=0 routes=[<1:..*=1>] -> {{"commit_ts":1,"routes":[<1:..*=1>],"version":1}}
        a bootstrap_read plan=b -> {{"read_ts":1,"routes":[<1:..*=1>],"version":1,"will_seed":false}}
        a save_pick_ts plan=b ! unknown_plan
        a save_pick_ts plan=none ! unknown_plan
        store_checkpoint name=x -> null
        "#
    ));
    ONE.conforms(&format!(
        r#"
        {SEEDED}
        store_checkpoint name=x -> null
        a save_prepare plan=p expected_version=1 routes=[<1:..*=1>] -> {SAVE}
        a save_pick_ts plan=p -> {{"commit_ts":2}}
        put_at key='user' value="" commit_ts=20 expire_at=0 -> null
        a save_pick_ts plan=p -> {{"commit_ts":21}}
        put_at key='user' value="" commit_ts=18446744073709551615 expire_at=0 -> null
        a save_pick_ts plan=p ! catalog_version_overflow
        store_rollback name=x -> null
        a save_pick_ts plan=p -> {{"commit_ts":2}}
        a save_apply plan=p -> {{"commit_ts":21,"routes":[<1:..*=1>],"version":2}}
        a save_pick_ts plan=p ! unknown_plan
        "#
    ));
    ONE.conforms(&format!(
        r#"
        {SEEDED}
        a save_prepare plan=p expected_version=1 routes=[<1:..*=1>] -> {SAVE}
        a save_pick_ts plan=p -> {{"commit_ts":2}}
        put_at key='user' value="" commit_ts=18446744073709551615 expire_at=0 -> null
        a save_apply plan=p ! catalog_version_overflow
        a save_apply plan=p ! unknown_plan
        "#
    ));
}

#[test]
fn a_rollback_touches_only_the_store() {
    ONE.conforms(&format!(
        r#"
        store_rollback name=x ! unknown_checkpoint
        store_checkpoint name=x -> null
        {SEEDED}
        put_at key='user' value="" commit_ts=9 expire_at=0 -> null
        compact min_ts=3 -> null
        a watch_read plan=w -> {{"newer":false,"version":1}}
        b bootstrap_read plan=p -> {{"read_ts":9,"routes":[<1:..*=1>],"version":1,"will_seed":false}}
        fail_version_reads count=1 -> null
        store_rollback name=x -> null
        last_commit_ts -> 0
        min_retained_ts -> 0
        a version ! injected_fault
        a version -> 0
        a engine_version -> 1
        a watch_apply plan=w -> null
        b bootstrap_apply plan=p -> {{"routes":[<1:..*=1>],"version":1}}
        store_checkpoint name=x -> null
        store_rollback name=x -> null
        store_rollback name=y ! unknown_checkpoint
        "#
    ));
}

#[test]
fn faults_hit_version_reads_of_some_operations() {
    both(&format!(
        r#"
        {SEEDED}
        fail_version_reads count=9 -> null
        a snapshot_at ts=1 -> {{"read_ts":1,"routes":[<1:..*=1>],"version":1}}
        a next_route_id -> 2
        a save expected_version=1 routes=[<1:..*=2>] -> {{"commit_ts":2,"routes":[<1:..*=2>],"version":2}}
        a bootstrap_read plan=p -> {{"read_ts":2,"routes":[<1:..*=2>],"version":2,"will_seed":false}}
        a bootstrap_apply plan=p -> {{"routes":[<1:..*=2>],"version":2}}
        a bootstrap -> {{"routes":[<1:..*=2>],"version":2}}
        a version ! injected_fault
        b snapshot ! injected_fault
        b sync_once ! injected_fault
        b watch ticks=3 -> {{"errors":["injected_fault","injected_fault","injected_fault","injected_fault"],"version":0}}
        b watch ticks=3 -> {{"errors":["injected_fault","injected_fault"],"version":2}}
        fail_version_reads count=3 -> null
        fail_version_reads count=1 -> null
        compact min_ts=100 -> null
        a version ! injected_fault
        a version ! read_ts_compacted
        fail_version_reads count=1 -> null
        fail_version_reads count=0 -> null
        a snapshot ! read_ts_compacted
        "#
    ));
}

#[test]
fn faults_hit_the_first_half_of_a_sync() {
    ONE.conforms(&format!(
        r#"
        {SEEDED}
        fail_version_reads count=1 -> null
        b watch_read plan=w ! injected_fault
        b watch_apply plan=w ! unknown_plan
        b watch_read plan=w -> {{"newer":true,"version":1}}
        fail_version_reads count=1 -> null
        b watch_apply plan=w -> null
        b watch ticks=0 -> {{"errors":["injected_fault"],"version":1}}
        "#
    ));
}

#[test]
fn each_attempt_makes_one_read_also_for_a_reset() {
    TWO.conforms(
        r#"
        a start default_route=true -> null
        put_at key=~v value=~=1 commit_ts=1 expire_at=0 -> null
        fail_version_reads count=1 -> null
        a watch ticks=1 batch=1 -> {"errors":["injected_fault"],"version":1}
        a stats -> []
        "#,
    );
}

#[test]
fn a_watcher_installs_what_it_read() {
    ONE.conforms(&format!(
        r#"
        {SEEDED}
        b watch_read plan=w -> {{"newer":true,"version":1}}
        a save expected_version=1 routes=[<1:..*=2>] -> {{"commit_ts":2,"routes":[<1:..*=2>],"version":2}}
        b watch_apply plan=w -> null
        b stats -> [(1:..*=1)]
        b watch_read plan=w -> {{"newer":true,"version":2}}
        b apply_snapshot version=3 routes=[] -> null
        b watch_apply plan=w -> null
        b stats -> []
        b watch_read plan=w -> {{"newer":false,"version":2}}
        b watch_apply plan=w -> null
        put_at key=~r7 value="" commit_ts=3 expire_at=0 -> null
        put_at key=~v value=~=9 commit_ts=3 expire_at=0 -> null
        b watch_read plan=w ! catalog_invalid_route_record
        "#
    ));
}

#[test]
fn a_long_watch_ends_once_nothing_can_change() {
    both(&format!(
        r#"
        {SEEDED}
        fail_version_reads count=2 -> null
        b watch ticks=9223372036854775807 -> {{"errors":["injected_fault","injected_fault"],"version":1}}
        fail_version_reads count=9223372036854775807 -> null
        b version ! injected_fault
        "#
    ));
    TWO.conforms(&format!(
        r#"
        {}
        a save expected_version=1 routes=[<1:..*=2>] -> {{"commit_ts":2,"routes":[<1:..*=2>],"version":2}}
        a save expected_version=2 routes=[<1:..*=3>] -> {{"commit_ts":3,"routes":[<1:..*=3>],"version":3}}
        b sync_once batch=1 -> null
        b engine_version -> 1
        b watch ticks=9223372036854775807 batch=1 -> {{"errors":[],"version":3}}
        "#,
        of_level_2(SEEDED)
    ));
}

/// Both levels have the same configuration but for what a step says.
#[test]
fn admission_decides_two_checks_only() {
    for config in [ONE, TWO] {
        let lines = "a start default_route=true THRESHOLD -> null
            a save expected_version=0 routes=[<1:..n=1>,<1:m..*=2>] ! catalog_duplicate_route_id
            a save expected_version=0 routes=[<1:n..n=1>] ! catalog_invalid_route_range
            a save expected_version=3 routes=[] ! catalog_version_mismatch";
        let threshold = if config.level == 1 { "threshold=0" } else { "" };
        let lines = lines.replace("THRESHOLD", threshold);
        let permissive: Config = config.permissive();
        config.conforms(&lines);
        permissive.conforms(&lines);
    }
}
