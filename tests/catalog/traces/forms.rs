//! Files that cannot be used, by their line and field (15.1).

use serde_json::json;

use super::scenario::{Config, ONE, TWO};
use super::{SAMPLE, verdict};

/// The line after the header and a step that diverges.
const LINE: usize = 3;

fn file(config: Config, op: &str, args: &str) -> String {
    let before = config.trace("last_commit_ts -> 77");
    format!(
        r#"{before}{}{{"op":"{op}","args":{args},"returns":null}}"#,
        '\n'
    )
}

/// The step is of the wrong form in this field.
#[track_caller]
fn unusable(config: Config, op: &str, args: &str, field: &str) {
    let expected = format!("unusable {LINE} args.{field}");
    assert_eq!(verdict(&file(config, op, args)), expected, "{op} {args}");
}

/// The step is of the right form: an earlier one is what diverges.
#[track_caller]
fn usable(config: Config, op: &str, args: &str) {
    let expected = format!("diverges {} last_commit_ts", LINE - 1);
    assert_eq!(verdict(&file(config, op, args)), expected, "{op} {args}");
}

/// Operations of both levels: arguments with their types. `?` may be null, `??` left out, too.
const COMMON: &str = "
    version_key
    next_route_id_key
    route_key route_id:u64
    is_route_key key:hex
    route_id_from_key key:hex
    encode_version version:u64
    decode_version raw:hex
    encode_next_route_id next_route_id:u64
    decode_next_route_id raw:hex
    encode_route route:route
    decode_route raw:hex
    next_route_id_floor routes:routes
    put_at key:hex value:hex commit_ts:u64 expire_at:u64
    delete_at key:hex commit_ts:u64
    get_at key:hex ts:u64
    exists_at key:hex ts:u64
    scan_at start:hex? end:hex? limit:int ts:u64
    reverse_scan_at start:hex? end:hex? limit:int ts:u64
    latest_commit_ts key:hex
    last_commit_ts
    min_retained_ts
    set_min_retained_ts ts:u64
    compact min_ts:u64
    apply_mutations mutations:mutations start_ts:u64 commit_ts:u64
    store_checkpoint name:name
    store_rollback name:name
    fail_version_reads count:count
    crash node:node
    version node:node
    next_route_id node:node
    next_route_id_at node:node ts:u64
    snapshot node:node
    snapshot_at node:node ts:u64
    save node:node expected_version:u64 routes:routes
    save_prepare node:node plan:name expected_version:u64 routes:routes
    save_pick_ts node:node plan:name
    save_apply node:node plan:name
    split_range node:node expected_version:u64 route_id:u64 split_key:hex
    bootstrap node:node
    bootstrap_read node:node plan:name
    bootstrap_apply node:node plan:name
    update_route node:node start:hex end:hex? group_id:u64
    get_route node:node key:hex
    intersecting_routes node:node start:hex end:hex?
    stats node:node
    next_timestamp node:node
    engine_version node:node
    apply_snapshot node:node version:u64 routes:routes
";

const OF_1: &str = "
    start node:node default_route:bool threshold:u64
    split_prepare node:node plan:name expected_version:u64 route_id:u64 split_key:hex
    split_apply node:node plan:name
    record_access node:node key:hex
    access_begin node:node plan:name key:hex
    access_finish node:node plan:name
    sync_once node:node
    watch node:node ticks:count
    watch_read node:node plan:name
    watch_apply node:node plan:name
";

const OF_2: &str = "
    start node:node default_route:bool
    sync_once node:node batch:int
    watch node:node ticks:count batch:int
    delta_floor_key
    delta_key version:u64
    is_delta_key key:hex
    delta_version_from_key key:hex
    encode_delta delta:delta
    decode_delta raw:hex
    delta_floor node:node
    changes_since node:node after_version:u64 limit:int
    build_delta_mutations node:node read_ts:u64 delta:delta
    apply_delta node:node delta:delta
    history_at node:node version:u64
    history_current node:node
    owner_at node:node version:u64 key:hex
    verify_commit node:node group_id:u64 observed_version:u64? keys:hexes
";

/// Objects within arguments: operation, arguments with `%` for the object, its path.
const INNER: &[(&str, &str, &str, &str)] = &[
    ("encode_route", r#"{"route":%}"#, "route", ROUTE),
    (
        "next_route_id_floor",
        r#"{"routes":[%]}"#,
        "routes[0]",
        ROUTE,
    ),
    (
        "save",
        r#"{"node":"a","expected_version":0,"routes":[%]}"#,
        "routes[0]",
        ROUTE,
    ),
    (
        "save_prepare",
        r#"{"node":"a","plan":"p","expected_version":0,"routes":[%]}"#,
        "routes[0]",
        ROUTE,
    ),
    (
        "apply_snapshot",
        r#"{"node":"a","version":0,"routes":[%]}"#,
        "routes[0]",
        ROUTE,
    ),
    (
        "apply_mutations",
        r#"{"mutations":[{"op":"x","key":""},%],"start_ts":0,"commit_ts":0}"#,
        "mutations[1]",
        "op:name key:hex value:hex?? expire_at:u64??",
    ),
];

const ROUTE: &str = "route_id:u64 start:hex end:hex? group_id:u64 state:byte parent_route_id:u64";

const DELTAS: &[(&str, &str)] = &[
    ("encode_delta", r#"{"delta":%}"#),
    (
        "build_delta_mutations",
        r#"{"node":"a","read_ts":0,"delta":%}"#,
    ),
    ("apply_delta", r#"{"node":"a","delta":%}"#),
];

/// Wrong for every number.
const NO_NUMBER: &str = r#"1.0 1e0 1e3 1.5 -0 -0.0 18446744073709551616 true "1" "" [] {}"#;
/// Wrong for everything but lists and objects.
const NO_TEXT: &str = "1 1.0 true [] {} [[]]";
const NO_HEX: &str = r#""6" "6d3" "6D" "0x" "é" "0x6d" "g0""#;

/// Values of the right and of the wrong type.
fn values(kind: &str, level: u8) -> (String, String) {
    if let Some(kind) = kind.strip_suffix('?') {
        let (right, wrong) = values(kind.trim_end_matches('?'), level);
        let wrong = wrong.split_whitespace().filter(|wrong| *wrong != "null");
        let wrong: Vec<&str> = wrong.collect();
        return (format!("{right} null"), wrong.join(" "));
    }
    let number = |right: &str, wrong: &str| (right.to_owned(), format!("{wrong} null {NO_NUMBER}"));
    let text = |right: &str, wrong: &str| (right.to_owned(), format!("{wrong} null {NO_TEXT}"));
    let route = match level {
        1 => R,
        _ => R2,
    };
    let list = |right: String| {
        let wrong = r#"null 1 true {} "" [1] [null] [[]] [""]"#;
        (format!("[] {right}"), wrong.into())
    };
    match kind {
        "name" => text(r#""new" "" "merge""#, ""),
        "node" => text(r#""a" "b""#, r#""c" "" "A" "aa""#),
        "u64" => number("7 0 18446744073709551615", "-1"),
        "int" => number(
            "7 0 -1 9223372036854775807 -9223372036854775808",
            "9223372036854775808 -9223372036854775809 18446744073709551615",
        ),
        "count" => number("7 0 9223372036854775807", "-1 9223372036854775808"),
        "byte" => number("7 0 255", "-1 256"),
        "bool" => ("true false".into(), r#"0 1 "true" null [] {}"#.into()),
        "hex" => text(r#""" "00ff" "6d""#, NO_HEX),
        "hexes" => (
            r#"[] [""] ["5a","5a"]"#.into(),
            r#"null 1 "" {} [1] [null] [[]] ["00","0"] ["AA"]"#.into(),
        ),
        "route" => (route.into(), r#"null 1 true [] """#.into()),
        "routes" => list(format!("[{route}] [{route},{route}]")),
        "mutations" => list(r#"[{"op":"put","key":""}]"#.into()),
        "delta" => (DELTA.into(), r#"null 1 true [] """#.into()),
        "changes" => list(r#"[{"op":"x","route":null,"route_id":0}]"#.into()),
        _ => panic!("{kind} is no type"),
    }
}

const R: &str =
    r#"{"end":null,"group_id":0,"parent_route_id":0,"route_id":0,"start":"","state":255}"#;
const R2: &str = r#"{"end":"","group_id":0,"parent_route_id":0,"route_id":0,"split_at_hlc":0,"start":"","state":9}"#;
const DELTA: &str = r#"{"mutations":[],"previous_version":0,"version":0}"#;

/// Every operation of a level with its arguments: name, and their types.
fn forms(level: u8) -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let own = if level == 1 { OF_1 } else { OF_2 };
    let lines = COMMON.lines().chain(own.lines()).map(str::trim);
    let form = |line: &'static str| {
        let (op, args) = line.split_once(' ').unwrap_or((line, ""));
        (op, members(args))
    };
    lines.filter(|line| !line.is_empty()).map(form).collect()
}

fn members(line: &'static str) -> Vec<(&'static str, &'static str)> {
    let members = line.split_whitespace();
    let members = members.map(|member| member.split_once(':').expect("a member has a type"));
    members.collect()
}

/// Members of the right types but for the field `at`, which has this value, or is left out.
fn with(args: &[(&str, &str)], level: u8, at: &str, value: Option<&str>) -> String {
    let members = args.iter().filter_map(|(name, kind)| {
        let (right, _) = values(kind, level);
        let right = right.split_whitespace().next().expect("a right value");
        let value = if *name == at { value? } else { right };
        Some(format!("\"{name}\":{value}"))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Checks each member of an object: missing, of all right and wrong types, and one that is unknown.
#[track_caller]
fn check_members(config: Config, op: &str, path: &str, members: &[(&str, &str)], around: &str) {
    let within = |object: String| around.replace('%', &object);
    let level = config.level;
    usable(config, op, &within(with(members, level, "", None)));
    for (name, kind) in members {
        let field = format!("{path}{name}");
        let missing = within(with(members, level, name, None));
        match kind.ends_with("??") {
            true => usable(config, op, &missing),
            false => unusable(config, op, &missing, &field),
        }
        let (right, wrong) = values(kind, level);
        for right in right.split_whitespace() {
            usable(config, op, &within(with(members, level, name, Some(right))));
        }
        // A blank inside a value would split it.
        for wrong in wrong.split_whitespace() {
            let wrong = within(with(members, level, name, Some(wrong)));
            unusable(config, op, &wrong, &field);
        }
    }
    for surplus in ["surplus", "", "Node"] {
        let mut more = members.to_vec();
        more.push((surplus, "u64?"));
        for value in ["1", "null"] {
            let object = within(with(&more, level, surplus, Some(value)));
            unusable(config, op, &object, &format!("{path}{surplus}"));
        }
    }
}

#[test]
fn every_argument_has_its_type() {
    for config in [ONE, TWO] {
        for (op, args) in forms(config.level) {
            check_members(config, op, "", &args, "%");
            for wrong in ["null", "[]", "1", "\"\""] {
                let expected = format!("unusable {LINE} args");
                assert_eq!(verdict(&file(config, op, wrong)), expected, "{op} {wrong}");
            }
        }
    }
}

#[test]
fn there_are_58_operations_at_level_1_and_65_at_level_2() {
    assert_eq!((forms(1).len(), forms(2).len()), (58, 65));
}

#[test]
fn members_of_objects_have_their_types() {
    for (op, around, path, object) in INNER {
        let path = format!("{path}.");
        check_members(ONE, op, &path, &members(object), around);
        let mut of_2 = members(object);
        if *object == ROUTE {
            of_2.push(("split_at_hlc", "u64"));
        }
        check_members(TWO, op, &path, &of_2, around);
    }
    for (op, inner) in DELTAS {
        let delta = members("mutations:changes previous_version:u64 version:u64");
        check_members(TWO, op, "delta.", &delta, inner);
        for kind in ["upsert", "delete", "merge"] {
            let list = format!(
                r#"{{"mutations":[{{"op":"{kind}","route":{R2},"route_id":1}},%],"previous_version":0,"version":1}}"#
            );
            let around = inner.replace('%', &list);
            let change = members("op:name route:route? route_id:u64");
            check_members(TWO, op, "delta.mutations[1].", &change, &around);
            let list = format!(
                r#"{{"mutations":[{{"op":"{kind}","route":%,"route_id":1}}],"previous_version":0,"version":1}}"#
            );
            let around = inner.replace('%', &list);
            let mut route = members(ROUTE);
            route.push(("split_at_hlc", "u64"));
            check_members(TWO, op, "delta.mutations[0].route.", &route, &around);
        }
    }
}

#[test]
fn operations_of_the_other_level_are_unknown() {
    for config in [ONE, TWO] {
        let known: Vec<&str> = forms(config.level).iter().map(|(op, _)| *op).collect();
        let other = forms(3 - config.level);
        let foreign = other.iter().filter(|(op, _)| !known.contains(op));
        let mut count = 0;
        for (op, args) in foreign {
            let args = with(args, 3 - config.level, "", None);
            let told = verdict(&file(config, op, &args));
            assert_eq!(told, format!("unusable {LINE} op"), "{op}");
            count += 1;
        }
        assert_eq!(count, if config.level == 1 { 14 } else { 7 });
    }
}

#[test]
fn unknown_operations_are_named() {
    for op in [
        "",
        "Version",
        "version ",
        "start_node",
        "watcher",
        "encode",
        "split_jobs",
    ] {
        let told = verdict(&file(ONE, op, "{}"));
        assert_eq!(told, format!("unusable {LINE} op"), "{op}");
    }
}

#[test]
fn wrong_headers_are_named() {
    let header =
        |config: &str| format!(r#"{{"trace":"concord/1","system":"catalog","config":{config}}}"#);
    assert_eq!(verdict(""), "unusable 1 trace");
    assert_eq!(verdict("\n"), "unusable 1 ");
    let step = SAMPLE.lines().nth(1).expect("a step");
    assert_eq!(verdict(step), "unusable 1 trace");
    for (right, wrong, field) in [
        ("concord/1", "concord/2", "trace"),
        ("\"catalog\"", "\"catalogue\"", "system"),
        ("\"config\"", "\"conf\"", "config"),
    ] {
        let header = SAMPLE.replacen(right, wrong, 1);
        assert_eq!(verdict(&header), format!("unusable 1 {field}"), "{wrong}");
    }
    let members = [
        (
            "admission",
            r#""strict" "permissive""#,
            r#""" "Strict" "lax" null 1 [] {}"#.to_owned(),
        ),
        ("level", "1 2", format!("0 3 -1 null {NO_NUMBER}")),
        (
            "nodes",
            r#"["a"] ["a","b"] ["b","a",""] ["a","A"]"#,
            r#"[] ["a","a"] ["a","b","a"] [1] [null] ["a",1] {} "a" 1 null"#.to_owned(),
        ),
    ];
    for (name, right, wrong) in &members {
        let with = |value: Option<&str>| {
            let others = members.iter().filter(|(other, _, _)| other != name);
            let others = others.map(|(other, right, _)| {
                let right = right.split(' ').next().expect("a right value");
                format!("\"{other}\":{right}")
            });
            let value = value.map(|value| format!("\"{name}\":{value}"));
            let members: Vec<String> = others.chain(value).collect();
            header(&format!("{{{}}}", members.join(",")))
        };
        for right in right.split(' ') {
            assert_eq!(verdict(&with(Some(right))), "conforms 0", "{name} {right}");
        }
        let field = format!("unusable 1 config.{name}");
        assert_eq!(verdict(&with(None)), field);
        for wrong in wrong.split(' ') {
            assert_eq!(verdict(&with(Some(wrong))), field, "{name} {wrong}");
        }
    }
}

#[test]
fn results_are_present_once() {
    for (step, field) in [
        (r#"{"op":"last_commit_ts","args":{}}"#, "returns"),
        (
            r#"{"op":"last_commit_ts","args":{},"returns":0,"fails":"x"}"#,
            "fails",
        ),
        (
            r#"{"op":"last_commit_ts","args":{},"returns":null,"fails":"x"}"#,
            "fails",
        ),
        (r#"{"op":"last_commit_ts","args":{},"fails":null}"#, "fails"),
        (r#"{"op":"last_commit_ts","args":{},"fails":1}"#, "fails"),
        (r#"{"op":"last_commit_ts","returns":0}"#, "args"),
        (r#"{"op":1,"args":{},"returns":1}"#, "op"),
        (r#"{"args":{},"returns":1}"#, "op"),
        ("[]", ""),
        ("{", ""),
        ("null", ""),
    ] {
        let file = format!("{}\n{step}", ONE.trace(""));
        assert_eq!(verdict(&file), format!("unusable 2 {field}"), "{step}");
    }
}

#[test]
fn what_is_told_is_no_matter_of_form() {
    for result in [
        r#""fails":"""#,
        r#""fails":"no_such_code""#,
        r#""returns":null"#,
        r#""returns":0.0"#,
        r#""returns":false"#,
        r#""returns":"0""#,
        r#""returns":[[{}]]"#,
        r#""returns":18446744073709551616"#,
    ] {
        let step = format!(r#"{{"op":"last_commit_ts","args":{{}},{result}}}"#);
        let file = format!("{}\n{step}", ONE.trace(""));
        assert_eq!(verdict(&file), "diverges 2 last_commit_ts", "{step}");
    }
}

#[test]
fn numbers_are_compared_exactly() {
    let file = |told: &str| {
        ONE.trace(&format!(
            "set_min_retained_ts ts=18446744073709551615 -> null\nmin_retained_ts -> {told}"
        ))
    };
    assert_eq!(verdict(&file("18446744073709551615")), "conforms 2");
    for wrong in [
        "18446744073709551614",
        "18446744073709551615.0",
        "1.8446744073709552e19",
    ] {
        let told = verdict(&file(wrong));
        assert_eq!(told, "diverges 3 min_retained_ts", "{wrong}");
    }
    let of_1 = |told: &str| {
        ONE.trace(&format!("encode_version version=1 -> \"010000000000000001\"\nset_min_retained_ts ts=1 -> null\nmin_retained_ts -> {told}"))
    };
    for (told, verdict_of) in [
        ("1", "conforms 3"),
        ("1.0", "diverges 4 min_retained_ts"),
        ("true", "diverges 4 min_retained_ts"),
        ("1e0", "diverges 4 min_retained_ts"),
    ] {
        assert_eq!(verdict(&of_1(told)), verdict_of, "{told}");
    }
}

#[test]
fn the_first_form_error_outranks_a_divergence() {
    let steps = "last_commit_ts -> 77
        get_at key=6d ts=0 -> 1
        get_at key=\"6D\" ts=0 -> 1
        get_at key=1 ts=0 -> 1";
    assert_eq!(verdict(&ONE.trace(steps)), "unusable 4 args.key");
    let step = json!({"op": "last_commit_ts", "args": {}, "returns": 0});
    let blank = format!("{}\n{step}\n\n{step}", ONE.trace(""));
    assert_eq!(verdict(&blank), "unusable 3 ");
}
