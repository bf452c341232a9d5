//! The defects that the reference does not have (14.1): what it does, and where a recording of the original
//! diverges.

use concord::systems::catalog::strategy::{
    Batch, CleanUp, EqualStarts, Halves, LateBootstrap, Neighbours, Retired, ScanEnd,
    StaleAfterSplit, Strategies, Truncation,
};

use super::hex;
use super::oracle::{Route, delta_key, encode_route};
use super::scenario::{Config, ONE, TWO};

const D1: Strategies = Strategies {
    truncation: Truncation::EndOfInput,
    ..Strategies::REFERENCE
};
const D3: Strategies = Strategies {
    late_bootstrap: LateBootstrap::Fails,
    ..Strategies::REFERENCE
};
const D4: Strategies = Strategies {
    neighbours: Neighbours::Unchecked,
    ..Strategies::REFERENCE
};
const D5: Strategies = Strategies {
    retired: Retired::Accepted,
    ..Strategies::REFERENCE
};
const D6: Strategies = Strategies {
    batch: Batch::Half,
    ..Strategies::REFERENCE
};
const D7: Strategies = Strategies {
    scan_end: ScanEnd::Included,
    ..Strategies::REFERENCE
};
const D8: Strategies = Strategies {
    halves: Halves::Active,
    ..Strategies::REFERENCE
};
const D9: Strategies = Strategies {
    stale_after_split: StaleAfterSplit::Reported,
    ..Strategies::REFERENCE
};
const D10: Strategies = Strategies {
    equal_starts: EqualStarts::Reversed,
    ..Strategies::REFERENCE
};
const D11: Strategies = Strategies {
    clean_up: CleanUp::Unbounded,
    ..Strategies::REFERENCE
};

/// Two nodes that run, and table 1 durable.
const SAVED: &str = "
    a start default_route=true threshold=0 -> null
    b start default_route=true threshold=0 -> null
    a save expected_version=0 routes=[<1:..*=1>] -> {\"commit_ts\":1,\"routes\":[<1:..*=1>],\"version\":1}
";

/// What two savers of the same version prepared; the first one has picked its timestamp, and somebody else
/// has written since.
const TWO_SAVERS: &str = r#"
    a save_prepare plan=p1 expected_version=1 routes=[<1:..*=2>] -> {"min_commit_ts":2,"mutations":[{"key":~r1,"op":"put","value":%1:..*=2%},{"key":~v,"op":"put","value":~=2},{"key":~n,"op":"put","value":~=2}],"next_version":2,"read_ts":1}
    a save_pick_ts plan=p1 -> {"commit_ts":2}
    put_at key='user' value="" commit_ts=10 expire_at=0 -> null
    b save_prepare plan=p2 expected_version=1 routes=[<1:..*=3>] -> {"min_commit_ts":11,"mutations":[{"key":~r1,"op":"put","value":%1:..*=3%},{"key":~v,"op":"put","value":~=2},{"key":~n,"op":"put","value":~=2}],"next_version":2,"read_ts":10}
"#;

fn steps(config: Config, parts: &[&str]) -> String {
    let steps = parts.concat();
    match config.level {
        1 => steps,
        _ => steps.replace(" threshold=0", ""),
    }
}

#[test]
fn d1_a_truncated_record_is_invalid() {
    for config in [ONE, TWO] {
        config.variant_conforms(
            D1,
            r#"decode_route raw="01" ! catalog_invalid_route_record ?? ! unexpected_eof"#,
        );
        let route = Route {
            id: 7,
            start: b"ab".to_vec(),
            end: Some(b"c".to_vec()),
            group: 3,
            state: 1,
            parent: 2,
            hlc: 9,
        };
        let raw = encode_route(&route, config.level).expect("a valid route");
        // Cuts inside start and end are told as what they are.
        let cuts = (1..raw.len()).filter(|length| ![34, 35, 45].contains(length));
        for length in cuts {
            let raw = hex(&raw[..length]);
            let lines = format!(
                "decode_route raw=\"{raw}\" ! catalog_invalid_route_record ?? ! unexpected_eof"
            );
            config.variant_conforms(D1, &lines);
        }
    }
}

#[test]
fn d2_a_save_chooses_its_timestamp_with_the_write() {
    let applies = r#"
        a save_apply plan=p1 -> {"commit_ts":11,"routes":[<1:..*=2>],"version":2} ?? -> {"commit_ts":2,"routes":[<1:..*=2>],"version":2}
        b save_apply plan=p2 ! catalog_version_mismatch ?? -> {"commit_ts":11,"routes":[<1:..*=3>],"version":2}
        b snapshot -> {"read_ts":11,"routes":[<1:..*=2>],"version":2} ?? -> {"read_ts":11,"routes":[<1:..*=3>],"version":2}
    "#;
    ONE.original_diverges(&steps(ONE, &[SAVED, TWO_SAVERS, applies]));
}

#[test]
fn d2_what_was_read_stays_so() {
    let applies = r#"
        b snapshot -> {"read_ts":10,"routes":[<1:..*=1>],"version":1}
        a save_apply plan=p1 -> {"commit_ts":11,"routes":[<1:..*=2>],"version":2}
        b snapshot_at ts=10 -> {"read_ts":10,"routes":[<1:..*=1>],"version":1} ?? -> {"read_ts":10,"routes":[<1:..*=2>],"version":2}
    "#;
    ONE.original_diverges(&steps(ONE, &[SAVED, TWO_SAVERS, applies]));
}

#[test]
fn d3_a_late_bootstrap_adopts() {
    for config in [ONE, TWO] {
        let lines = r#"
            a start default_route=true threshold=0 -> null
            b start default_route=true threshold=0 -> null
            a bootstrap_read plan=p -> {"read_ts":0,"routes":[],"version":0,"will_seed":true}
            b bootstrap_read plan=p -> {"read_ts":0,"routes":[],"version":0,"will_seed":true}
            a bootstrap_apply plan=p -> {"routes":[<1:..*=1>],"version":1}
            b bootstrap_apply plan=p -> {"routes":[<1:..*=1>],"version":1} ?? ! catalog_version_mismatch
            b engine_version -> 1 ?? -> 0
        "#;
        config.variant_conforms(D3, &steps(config, &[lines]));
    }
}

#[test]
fn d4_overlapping_tables_are_not_saved() {
    for config in [ONE, TWO] {
        let lines = r#"
            a start default_route=true threshold=0 -> null
            a save expected_version=0 routes=[<1:..n=1>,<2:m..*=2>] ! catalog_route_overlap ?? -> {"commit_ts":1,"routes":[<1:..n=1>,<2:m..*=2>],"version":1}
            a snapshot -> {"read_ts":0,"routes":[],"version":0} ?? -> {"read_ts":1,"routes":[<1:..n=1>,<2:m..*=2>],"version":1}
            last_commit_ts -> 0 ?? -> 1
        "#;
        config.variant_conforms(D4, &steps(config, &[lines]));
    }
}

#[test]
fn d4_permissive_saves_admit_what_engines_refuse() {
    let lines = r#"
        a start default_route=true threshold=0 -> null
        a save expected_version=0 routes=[<2:m..*=2>,<1:..n=1>] -> {"commit_ts":1,"routes":[<1:..n=1>,<2:m..*=2>],"version":1}
        a watch ticks=2 -> {"errors":["engine_snapshot_route_overlap","engine_snapshot_route_overlap","engine_snapshot_route_overlap"],"version":0}
        a stats -> [(0:..*=1)]
    "#;
    ONE.permissive().conforms(lines);
}

const OVERLAPPING_ENGINE: &str = r#"
    a start default_route=false threshold=0 -> null
    b start default_route=true threshold=0 -> null
    a update_route start='a' end='z' group_id=1 -> null
    a update_route start='m' end=null group_id=2 -> null
"#;

#[test]
fn d4_an_overlapping_engine_seeds_nothing() {
    for config in [ONE, TWO] {
        let lines = r#"
            a bootstrap ! catalog_route_overlap ?? ! engine_snapshot_route_overlap
            b snapshot -> {"read_ts":0,"routes":[],"version":0} ?? -> {"read_ts":1,"routes":[<1:a..z=1>,<2:m..*=2>],"version":1}
            b bootstrap -> {"routes":[<1:..*=1>],"version":1} ?? ! engine_snapshot_route_overlap
        "#;
        config.variant_conforms(D4, &steps(config, &[OVERLAPPING_ENGINE, lines]));
    }
    let lines = r#"
        a bootstrap ! engine_snapshot_route_overlap
        b snapshot -> {"read_ts":1,"routes":[<1:a..z=1>,<2:m..*=2>],"version":1}
        b bootstrap ! engine_snapshot_route_overlap
        a bootstrap ! engine_snapshot_route_overlap
    "#;
    let permissive = ONE.permissive();
    permissive.conforms(&steps(permissive, &[OVERLAPPING_ENGINE, lines]));
}

const RETIRED: &str = r#"
    a start default_route=true threshold=0 -> null
    a save expected_version=0 routes=[<1:..m=1>,<2:m..*=1>] -> {"commit_ts":1,"routes":[<1:..m=1>,<2:m..*=1>],"version":1}
    a save expected_version=1 routes=[<1:..*=1>] -> {"commit_ts":2,"routes":[<1:..*=1>],"version":2}
"#;

#[test]
fn d5_retired_ids_are_refused() {
    for config in [ONE, TWO] {
        let lines = r#"
            a save expected_version=2 routes=[<1:..m=1>,<2:m..*=7>] ! catalog_route_id_retired ?? -> {"commit_ts":3,"routes":[<1:..m=1>,<2:m..*=7>],"version":3}
            a save expected_version=2 routes=[<1:..m=1>,<3:m..*=7>] -> {"commit_ts":3,"routes":[<1:..m=1>,<3:m..*=7>],"version":3} ?? ! catalog_version_mismatch
        "#;
        config.variant_conforms(D5, &steps(config, &[RETIRED, lines]));
        let lines = r#"
            a save expected_version=2 routes=[<1:..m=1>,<2:m..*=7>] -> {"commit_ts":3,"routes":[<1:..m=1>,<2:m..*=7>],"version":3}
            a next_route_id -> 3
        "#;
        let permissive = config.permissive();
        permissive.conforms(&steps(permissive, &[RETIRED, lines]));
    }
}

#[test]
fn d5_a_skipped_id_is_retired() {
    let lines = r#"
        a start default_route=true threshold=0 -> null
        a save expected_version=0 routes=[<5:..m=1>] -> {"commit_ts":1,"routes":[<5:..m=1>],"version":1}
        a save expected_version=1 routes=[<5:..m=1>,<3:m..*=1>] ! catalog_route_id_retired ?? -> {"commit_ts":2,"routes":[<5:..m=1>,<3:m..*=1>],"version":2}
        a save expected_version=1 routes=[<6:m..*=1>,<5:..m=1>] -> {"commit_ts":2,"routes":[<5:..m=1>,<6:m..*=1>],"version":2} ?? ! catalog_version_mismatch
    "#;
    ONE.variant_conforms(D5, lines);
}

#[test]
fn d6_a_batch_is_written_whole_or_not_at_all() {
    ONE.variant_conforms(
        D6,
        r#"
        apply_mutations mutations=[{"op":"put","key":'a'},{"op":"merge","key":'b'},{"op":"put","key":'c'}] start_ts=0 commit_ts=5 ! unknown_op
        get_at key='a' ts=5 ! key_not_found ?? -> ""
        last_commit_ts -> 0 ?? -> 5
        latest_commit_ts key='a' -> null ?? -> 5
        exists_at key='c' ts=9 -> false
        "#,
    );
}

#[test]
fn d7_the_end_of_a_scan_is_excluded() {
    ONE.variant_conforms(
        D7,
        r#"
        put_at key='a' value="01" commit_ts=1 expire_at=0 -> null
        put_at key='c' value="03" commit_ts=2 expire_at=0 -> null
        reverse_scan_at start='a' end='c' limit=9 ts=2 -> [{"key":'a',"value":"01"}]
        scan_at start='a' end='c' limit=9 ts=2 -> [{"key":'a',"value":"01"}] ?? -> [{"key":'a',"value":"01"},{"key":'c',"value":"03"}]
        "#,
    );
}

#[test]
fn d8_a_hotspot_split_keeps_the_state() {
    ONE.variant_conforms(
        D8,
        r#"
        a start default_route=false threshold=2 -> null
        a apply_snapshot version=1 routes=[<1:a..c=4@1>] -> null
        a record_access key='b' -> null
        a stats -> [(1:a..c=4+1@1)]
        a record_access key='b' -> null
        a stats -> [(0:a..a0=4@1),(0:a0..c=4@1)] ?? -> [(0:a..a0=4),(0:a0..c=4)]
        "#,
    );
}

#[test]
fn d9_a_split_behind_the_engine_succeeds() {
    for config in [ONE, TWO] {
        let hlc = if config.level == 2 { "#2" } else { "" };
        let lines = r#"
            a apply_snapshot version=9 routes=[<8:..*=8>] -> null
            a split_range expected_version=1 route_id=1 split_key='m' -> {"commit_ts":2,"left":<2:..m=1^1HLC>,"right":<3:m..*=1^1HLC>,"version":2} ?? ! engine_snapshot_version_stale
            a version -> 2
            a get_route key='x' -> (8:..*=8)
        "#;
        let lines = lines.replace("HLC", hlc);
        config.variant_conforms(D9, &steps(config, &[SAVED, &lines]));
    }
}

#[test]
fn d10_the_newest_of_equal_starts_owns() {
    for config in [ONE, TWO] {
        let mut lines = String::from("a start default_route=false threshold=0 -> null\n");
        for group in 1..=14 {
            let end = char::from(b'a' + group);
            lines += &format!("a update_route start='a' end='{end}' group_id={group} -> null\n");
        }
        lines += "a get_route key='a' -> (0:a..o=14) ?? -> (0:a..b=1)\n";
        lines += "a get_route key='n' -> (0:a..o=14) ?? -> null\n";
        config.variant_conforms(D10, &steps(config, &[&lines]));
    }
}

#[test]
fn d11_a_save_deletes_1024_deltas_at_most() {
    let told = |last: u64| {
        let delta = r#"{"key":~d3001,"op":"put","value":"010000000000000bb80000000000000bb90000000000000000"}"#;
        let mut list = format!(r#"[{delta},{{"key":~f,"op":"put","value":~=1978}}"#);
        for version in 1..=last {
            let key = hex(delta_key(version));
            list += &format!(r#",{{"key":"{key}","op":"delete"}}"#);
        }
        list + "]"
    };
    let (reference, original) = (told(1024), told(1977));
    let lines = format!(
        "
        put_at key=~v value=~=3000 commit_ts=2 expire_at=0 -> null
        b delta_floor -> 1
        b build_delta_mutations read_ts=2 delta={{\"previous_version\":3000,\"version\":3001,\"mutations\":[]}} -> {reference} ?? -> {original}
        b save expected_version=3000 routes=[<1:..*=1>] -> {{\"commit_ts\":3,\"routes\":[<1:..*=1>],\"version\":3001}}
        exists_at key=~d1 ts=3 -> false
        b delta_floor -> 1978
        "
    );
    TWO.variant_conforms(D11, &steps(TWO, &[SAVED, &lines]));
}

#[test]
fn d11_a_far_jump_is_saved() {
    let lines = r#"
        put_at key=~v value=~=18446744073709551614 commit_ts=2 expire_at=0 -> null
        a save expected_version=18446744073709551614 routes=[<1:..*=2>] -> {"commit_ts":3,"routes":[<1:..*=2>],"version":18446744073709551615}
        a delta_floor -> 18446744073709550592
        a save expected_version=18446744073709551615 routes=[<1:..*=2>] ! catalog_version_overflow
    "#;
    TWO.conforms(&steps(TWO, &[SAVED, lines]));
}
