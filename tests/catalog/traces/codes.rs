//! Every code of 15.8 is reached by a step, and the reference knows no others.

use std::collections::BTreeSet;

use concord::systems::catalog::Error;

use super::scenario::{ONE, TWO};

/// All codes that traces can tell.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    CODES.split_whitespace()
}

const CODES: &str = "
    catalog_version_mismatch catalog_version_overflow catalog_route_id_overflow
    catalog_route_id_required catalog_group_id_required catalog_duplicate_route_id
    catalog_invalid_route_range catalog_invalid_version_record catalog_invalid_next_route_id
    catalog_invalid_route_record catalog_invalid_route_state catalog_invalid_route_key
    catalog_route_key_id_mismatch catalog_route_overlap catalog_route_id_retired

    engine_snapshot_version_stale engine_snapshot_duplicate_id engine_snapshot_route_overlap
    engine_snapshot_route_order

    distribution_catalog_conflict distribution_unknown_route distribution_invalid_split_key
    distribution_split_key_at_boundary distribution_route_id_overflow

    key_not_found write_conflict unknown_op read_ts_compacted

    node_down node_running unknown_plan unknown_checkpoint injected_fault

    catalog_invalid_delta_record catalog_invalid_delta_mutation catalog_delta_version_gap
    catalog_delta_base_mismatch catalog_delta_version_future catalog_delta_limit_invalid
    engine_delta_version_gap composed1_violation composed1_version_gcd
";

/// Codes of the harness, which no part of the catalog fails with.
const OF_HARNESS: [&str; 5] = [
    "node_down",
    "node_running",
    "unknown_plan",
    "unknown_checkpoint",
    "injected_fault",
];

/// What only variants and stores on a disk fail with.
const UNHEARD: [&str; 2] = ["unexpected_eof", "backend"];

const AT_1: &str = r#"
    a stats ! node_down
    a start default_route=true threshold=0 -> null
    a start default_route=true threshold=0 ! node_running
    a save_apply plan=p ! unknown_plan
    store_rollback name=x ! unknown_checkpoint
    fail_version_reads count=1 -> null
    a version ! injected_fault

    get_at key='k' ts=0 ! key_not_found
    put_at key='k' value="" commit_ts=5 expire_at=0 -> null
    apply_mutations mutations=[{"op":"put","key":'j'},{"op":"merge","key":'k'}] start_ts=4 commit_ts=9 ! write_conflict
    apply_mutations mutations=[{"op":"put","key":'j'},{"op":"merge","key":'k'}] start_ts=5 commit_ts=9 ! unknown_op
    set_min_retained_ts ts=5 -> null
    get_at key='k' ts=4 ! read_ts_compacted

    decode_version raw="" ! catalog_invalid_version_record
    decode_next_route_id raw=~=0 ! catalog_invalid_next_route_id
    decode_route raw="02" ! catalog_invalid_route_record
    encode_route route=<0:..*=0@9> ! catalog_route_id_required
    encode_route route=<1:b..a=0@9> ! catalog_group_id_required
    encode_route route=<1:b..a=1@4> ! catalog_invalid_route_state
    encode_route route=<1:b..a=1@3> ! catalog_invalid_route_range
    encode_route route=<1:b..b=1@3> ! catalog_invalid_route_range
    encode_route route=<1:b..=1@3> ! catalog_invalid_route_range
    next_route_id_floor routes=[<0:b..a=0@9>,<18446744073709551615:..*=0>] ! catalog_route_id_overflow
    next_route_id_floor routes=[<0:b..a=0@9>,<7:..*=0>,<7:..*=0>] -> 8
    next_route_id_floor routes=[] -> 1

    a save expected_version=0 routes=[<1:..*=1>,<1:..*=0>] ! catalog_group_id_required
    a save expected_version=0 routes=[<1:..*=1>,<1:b..a=1>] ! catalog_invalid_route_range
    a save expected_version=0 routes=[<1:..*=1>,<1:..*=1>] ! catalog_duplicate_route_id
    a save expected_version=0 routes=[<1:..*=1>,<2:a..*=1>] ! catalog_route_overlap
    a save expected_version=0 routes=[<1:..b=1>,<2:a..*=1>] ! catalog_route_overlap
    a save expected_version=1 routes=[<1:..*=1>] ! catalog_version_mismatch
    a save expected_version=0 routes=[<18446744073709551615:..*=1>] ! catalog_route_id_overflow
    a save expected_version=0 routes=[<2:b..c=1>] -> {"commit_ts":6,"routes":[<2:b..c=1>],"version":1}
    a save expected_version=1 routes=[<1:..*=1>] ! catalog_route_id_retired

    a split_range expected_version=0 route_id=2 split_key='b' ! distribution_catalog_conflict
    a split_range expected_version=1 route_id=1 split_key='b' ! distribution_unknown_route
    a split_range expected_version=1 route_id=2 split_key='a' ! distribution_invalid_split_key
    a split_range expected_version=1 route_id=2 split_key='d' ! distribution_invalid_split_key
    a split_range expected_version=1 route_id=2 split_key='b' ! distribution_split_key_at_boundary
    a split_range expected_version=1 route_id=2 split_key='c' ! distribution_split_key_at_boundary
    store_checkpoint name=x -> null
    put_at key=~n value=~=18446744073709551615 commit_ts=7 expire_at=0 -> null
    a split_range expected_version=1 route_id=2 split_key='bb' ! distribution_route_id_overflow
    put_at key=~n value=~=18446744073709551614 commit_ts=8 expire_at=0 -> null
    a split_range expected_version=1 route_id=2 split_key='bb' ! distribution_route_id_overflow
    put_at key=~n value="" commit_ts=9 expire_at=0 -> null
    a split_range expected_version=1 route_id=2 split_key='bb' ! catalog_invalid_next_route_id
    a save expected_version=1 routes=[<2:b..c=1>] ! catalog_invalid_next_route_id
    store_rollback name=x -> null
    put_at key=~n value=~=18446744073709551613 commit_ts=7 expire_at=0 -> null
    store_checkpoint name=y -> null
    put_at key=~v value=~=18446744073709551615 commit_ts=7 expire_at=0 -> null
    a split_range expected_version=18446744073709551615 route_id=2 split_key='bb' ! catalog_version_overflow
    put_at key=~n value=~=18446744073709551614 commit_ts=8 expire_at=0 -> null
    a split_range expected_version=18446744073709551615 route_id=2 split_key='bb' ! catalog_version_overflow
    a save expected_version=18446744073709551615 routes=[] ! catalog_version_overflow
    store_rollback name=y -> null
    a split_range expected_version=1 route_id=2 split_key='bb' -> {"commit_ts":8,"left":<18446744073709551613:b..bb=1^2>,"right":<18446744073709551614:bb..c=1^2>,"version":2}
    a next_route_id -> 18446744073709551615
    a save expected_version=2 routes=[] -> {"commit_ts":9,"routes":[],"version":3}
    store_rollback name=x -> null
    put_at key='k' value="" commit_ts=18446744073709551615 expire_at=0 -> null
    a save expected_version=1 routes=[] ! catalog_version_overflow
    a split_range expected_version=1 route_id=2 split_key='bb' ! catalog_version_overflow
    store_rollback name=x -> null
    put_at key='!dist|route|' value="" commit_ts=7 expire_at=0 -> null
    a snapshot ! catalog_invalid_route_key
    store_rollback name=x -> null
    put_at key=~r7 value=%8:x..*=1% commit_ts=7 expire_at=0 -> null
    a snapshot ! catalog_route_key_id_mismatch

    a apply_snapshot version=4 routes=[<1:..*=1>,<1:..*=1>] ! engine_snapshot_duplicate_id
    a apply_snapshot version=4 routes=[<1:..*=1>,<1:..*=0>] ! catalog_group_id_required
    a apply_snapshot version=4 routes=[<1:..*=1>,<2:a..*=1>] ! engine_snapshot_route_order
    a apply_snapshot version=4 routes=[<1:a..b=1>,<2:a..b=1>] ! engine_snapshot_route_order
    a apply_snapshot version=4 routes=[<1:a..c=1>,<2:b..c=1>] ! engine_snapshot_route_overlap
    a apply_snapshot version=1 routes=[<0:..*=0>] ! engine_snapshot_version_stale
    a apply_snapshot version=2 routes=[<0:..*=0>] -> null
"#;

const AT_2: &str = r#"
    a start default_route=true -> null
    a save expected_version=0 routes=[<1:..*=1>] -> {"commit_ts":1,"routes":[<1:..*=1>],"version":1}
    a changes_since after_version=9 limit=0 ! catalog_delta_limit_invalid
    a changes_since after_version=2 limit=1 ! catalog_delta_version_future
    a changes_since after_version=1 limit=1 -> {"deltas":[],"reset":null}
    decode_delta raw="" ! catalog_invalid_delta_record
    encode_delta delta={"mutations":[],"previous_version":0,"version":0} ! catalog_delta_version_gap
    encode_delta delta={"mutations":[],"previous_version":1,"version":1} ! catalog_delta_version_gap
    encode_delta delta={"mutations":[{"op":"delete","route":null,"route_id":0}],"previous_version":0,"version":1} ! catalog_invalid_delta_mutation
    encode_delta delta={"mutations":[{"op":"delete","route":<1:..*=1>,"route_id":1}],"previous_version":0,"version":1} ! catalog_invalid_delta_mutation
    encode_delta delta={"mutations":[{"op":"upsert","route":null,"route_id":1}],"previous_version":0,"version":1} ! catalog_invalid_delta_mutation
    encode_delta delta={"mutations":[{"op":"upsert","route":<2:..*=0>,"route_id":1}],"previous_version":0,"version":1} ! catalog_invalid_delta_mutation
    encode_delta delta={"mutations":[{"op":"upsert","route":<1:..*=0>,"route_id":1}],"previous_version":0,"version":1} ! catalog_group_id_required
    encode_delta delta={"mutations":[{"op":"rename","route":null,"route_id":1}],"previous_version":0,"version":1} ! catalog_invalid_delta_mutation
    encode_delta delta={"mutations":[{"op":"delete","route":null,"route_id":1},{"op":"delete","route":null,"route_id":1}],"previous_version":0,"version":1} ! catalog_invalid_delta_mutation
    a build_delta_mutations read_ts=0 delta={"mutations":[],"previous_version":1,"version":2} ! catalog_delta_base_mismatch
    a apply_delta delta={"mutations":[],"previous_version":1,"version":2} ! engine_delta_version_gap
    a apply_delta delta={"mutations":[],"previous_version":2,"version":2} ! catalog_delta_version_gap
    a verify_commit group_id=1 observed_version=1 keys=[] ! composed1_version_gcd
    a verify_commit group_id=2 observed_version=0 keys=["",'k'] ! composed1_violation
    a sync_once batch=1 -> null
    a apply_delta delta={"mutations":[],"previous_version":0,"version":1} -> null
    a apply_snapshot version=2 routes=[<1:..*=2>] -> null
    a apply_delta delta={"mutations":[],"previous_version":0,"version":1} ! engine_snapshot_version_stale
    a verify_commit group_id=1 observed_version=1 keys=['k'] ! composed1_violation
    a verify_commit group_id=0 observed_version=1 keys=['k'] -> null
    a verify_commit group_id=1 observed_version=null keys=['k'] -> null
    a verify_commit group_id=1 observed_version=1 keys=["",""] -> null
"#;

#[test]
fn each_code_is_reached() {
    ONE.conforms(AT_1);
    TWO.conforms(AT_2);
    let lines = AT_1.lines().chain(AT_2.lines());
    let reached = lines.filter_map(|line| Some(line.split_once(" ! ")?.1));
    let reached: BTreeSet<&str> = reached.collect();
    assert_eq!(reached, all().collect());
}

#[test]
fn the_reference_fails_with_these_codes_only() {
    let own = Error::CODES.iter().copied();
    let own = own.filter(|code| !UNHEARD.contains(code));
    let all_told: BTreeSet<&str> = own.chain(OF_HARNESS).collect();
    assert_eq!(all_told, all().collect());
}
