//! Traces: the sample conforms, the known defects of the original are part of the reference, and
//! wrong lines are named exactly.

use std::io::Cursor;

use concord::systems::counter::trace::replay;
use concord::systems::replay::{Outcome, Replayed};

use super::notation;

const SAMPLE: &str = include_str!("traces/counter-sample.jsonl");

fn run(trace: &str) -> Replayed {
    replay(Cursor::new(trace)).expect("reading from memory does not fail")
}

fn verdict(trace: &str) -> String {
    notation::verdict(run(trace))
}

const HEADER: &str = r#"{"trace":"concord/1","system":"counter","config":{"nodes":["a","b","c"]}}"#;

/// Expands `node op {args} result` lines; a result that begins with `!` is a failure.
fn trace(steps: &str) -> String {
    let mut lines = vec![HEADER.to_owned()];
    for step in steps.lines().map(str::trim).filter(|step| !step.is_empty()) {
        let (node, rest) = step.split_once(' ').expect("node");
        let (op, rest) = rest.split_once(' ').expect("op");
        let (args, result) = rest.rsplit_once("} ").expect("args");
        let args = args.trim_start_matches('{');
        let comma = if args.is_empty() { "" } else { "," };
        let result = match result.strip_prefix('!') {
            Some(code) => format!(r#""fails":"{code}""#),
            None => format!(r#""returns":{result}"#),
        };
        lines.push(format!(
            r#"{{"op":"{op}","args":{{"node":"{node}"{comma}{args}}},{result}}}"#
        ));
    }
    lines.join("\n")
}

#[track_caller]
fn conforms(steps: &str) {
    let trace = trace(steps);
    let replayed = run(&trace);
    assert_eq!(replayed.outcome, Outcome::Conforms, "{trace}");
}

const G1: &str = r#""generation":"00000000000000000000000000000001""#;
const G2: &str = r#""generation":"00000000000000000000000000000002""#;
const G3: &str = r#""generation":"00000000000000000000000000000003""#;

fn starts() -> String {
    format!("a start {{{G1}}} null\nb start {{{G2}}} null\nc start {{{G3}}} null\n")
}

#[test]
fn the_sample_conforms() {
    let replayed = run(SAMPLE);
    assert_eq!(replayed.outcome, Outcome::Conforms);
    assert_eq!(replayed.steps, 23);
}

#[test]
fn a_changed_number_diverges_at_its_line() {
    let wrong = SAMPLE.replacen(r#""returns":4}"#, r#""returns":5}"#, 1);
    assert_eq!(verdict(&wrong), "diverges 12 read");
}

#[test]
fn a_failed_publication_loses_the_next_unit() {
    conforms(&format!(
        r#"{}
        a increment {{"key":"k","block":"B1","fault":"publish"}} !publish_failed
        a read {{"key":"k"}} 1
        a increment {{"key":"k","block":"B2"}} null
        a read {{"key":"k"}} 1
        a increment {{"key":"k","block":"B3","fault":"write"}} !write_failed
        a read {{"key":"k"}} 1
        a heads {{}} ["B2"]"#,
        starts()
    ));
}

#[test]
fn a_crash_after_the_merge_leaves_an_orphan() {
    conforms(&format!(
        r#"{}
        a increment {{"key":"k","block":"B1"}} null
        a increment {{"key":"k","block":"B2","fault":"crash_merge"}} !crashed
        a read {{"key":"k"}} !not_running
        a start {{{G2}}} null
        a read {{"key":"k"}} 2
        a heads {{}} ["B1"]
        b sync {{"source":"a"}} {{"dirty":false,"merged":["B1"],"missing":[]}}
        b read {{"key":"k"}} 1"#,
        starts()
    ));
}

#[test]
fn each_crash_point_leaves_what_the_table_says() {
    for (fault, read, heads) in [
        ("crash_block", 0, "[]"),
        ("crash_merge", 1, "[]"),
        ("crash_mark", 1, "[]"),
        ("crash_head", 1, r#"["B1"]"#),
    ] {
        conforms(&format!(
            r#"a start {{{G1}}} null
            a increment {{"key":"k","block":"B1","fault":"{fault}"}} !crashed
            a start {{{G2}}} null
            a read {{"key":"k"}} {read}
            a heads {{}} {heads}
            b start {{{G3}}} null
            b deliver {{"blocks":["B1"],"from":["a"]}} {{"dirty":false,"merged":["B1"],"missing":[]}}"#
        ));
    }
}

/// C-4 with the repair in between that clears the flag.
#[test]
fn a_missing_ancestor_becomes_a_permanent_hole() {
    conforms(&format!(
        r#"{}
        a increment {{"key":"t","block":"B1"}} null
        c sync {{"source":"a"}} {{"dirty":false,"merged":["B1"],"missing":[]}}
        a increment {{"key":"u","block":"B2"}} null
        a increment {{"key":"t","block":"B3"}} null
        c deliver {{"blocks":["B3"],"from":["a"],"withhold":["B2"]}} {{"dirty":true,"merged":["B3"],"missing":["B2"]}}
        c heads {{}} ["B1"]
        c repair {{"from":["a"]}} {{"dirty":false,"merged":[],"missing":[]}}
        c deliver {{"blocks":["B3"],"from":["a"]}} {{"dirty":false,"merged":[],"missing":[]}}
        a increment {{"key":"t","block":"B4"}} null
        c sync {{"source":"a"}} {{"dirty":false,"merged":["B4"],"missing":[]}}
        c read {{"key":"t"}} 3
        c read {{"key":"u"}} 0"#,
        starts()
    ));
}

/// C-4 without the repair: the flag stays, and the repair after B4 heals.
#[test]
fn a_repair_after_contact_heals() {
    conforms(&format!(
        r#"{}
        a increment {{"key":"t","block":"B1"}} null
        c sync {{"source":"a"}} {{"dirty":false,"merged":["B1"],"missing":[]}}
        a increment {{"key":"u","block":"B2"}} null
        a increment {{"key":"t","block":"B3"}} null
        c deliver {{"blocks":["B3"],"from":["a"],"withhold":["B2"]}} {{"dirty":true,"merged":["B3"],"missing":["B2"]}}
        a increment {{"key":"t","block":"B4"}} null
        c sync {{"source":"a"}} {{"dirty":true,"merged":["B4"],"missing":[]}}
        c repair {{"from":["a"]}} {{"dirty":false,"merged":["B2"],"missing":[]}}
        c read {{"key":"u"}} 1"#,
        starts()
    ));
}

/// C-5.
#[test]
fn a_crash_while_waiting_sets_no_flag() {
    conforms(&format!(
        r#"{}
        a increment {{"key":"t","block":"B1"}} null
        c sync {{"source":"a"}} {{"dirty":false,"merged":["B1"],"missing":[]}}
        a increment {{"key":"u","block":"B2"}} null
        a increment {{"key":"t","block":"B3"}} null
        c deliver {{"blocks":["B3"],"from":["a"],"withhold":["B2"],"fault":"crash_waiting"}} !crashed
        c start {{"generation":"00000000000000000000000000000004"}} null
        c sync {{"source":"a"}} {{"dirty":false,"merged":[],"missing":[]}}
        c read {{"key":"u"}} 0
        c heads {{}} ["B1"]"#,
        starts()
    ));
}

#[test]
fn nested_keys_leak_into_the_reads_above() {
    conforms(&format!(
        r#"{}
        a increment {{"key":"/LIKES/INCR/t1/x","block":"B1"}} null
        a read {{"key":"/LIKES/INCR/t1"}} 1
        a read {{"key":"/LIKES/INCR/t10"}} 0
        a read {{"key":"/LIKES/INCR/t1/x/a"}} 1
        a read {{"key":".."}} 1
        a decrement {{"key":"/","block":"B2"}} null
        a read {{"key":"/"}} 0
        a raw_put {{"key":"STATS/incr/x/a/g","value":"ff","block":"B3"}} null
        a read {{"key":"x"}} 0
        a raw_put {{"key":"STATS/incr/x/a/g","value":"000000000000000700","block":"B4"}} null
        a read {{"key":"x"}} 7"#,
        starts()
    ));
}

#[test]
fn foreign_values_wrap_the_sum_and_go_with_the_next_bump() {
    conforms(&format!(
        r#"{}
        a increment {{"key":"x","block":"B1"}} null
        b sync {{"source":"a"}} {{"dirty":false,"merged":["B1"],"missing":[]}}
        b raw_put {{"key":"STATS/incr/x/a/00000000000000000000000000000001","value":"ffffffffffffffff","block":"B2"}} null
        b increment {{"key":"x","block":"B3"}} null
        b read {{"key":"x"}} 0
        a sync {{"source":"b"}} {{"dirty":false,"merged":["B2","B3"],"missing":[]}}
        a increment {{"key":"x","block":"B4"}} null
        a read {{"key":"x"}} 3"#,
        starts()
    ));
}

#[test]
fn equal_content_is_the_same_block_under_its_first_name() {
    conforms(&format!(
        r#"a start {{{G1}}} null
        a increment {{"key":"x","block":"B1"}} null
        a crash {{}} null
        a lose_data {{}} null
        a start {{{G1}}} null
        a increment {{"key":"x","block":"again"}} null
        a heads {{}} ["B1"]
        b start {{{G2}}} null
        b deliver {{"blocks":["again"],"from":["a"]}} {{"dirty":false,"merged":["B1"],"missing":[]}}
        b deliver {{"blocks":[],"from":[]}} {{"dirty":false,"merged":[],"missing":[]}}
        c deliver {{"blocks":["B1"],"from":["a"]}} !not_running
        b sync {{"source":"c"}} !source_not_running
        a lose_data {{}} !running
        a start {{{G1}}} !already_running"#
    ));
}

#[test]
fn an_announced_block_nobody_has_leaves_no_trace() {
    conforms(&format!(
        r#"{}
        a increment {{"key":"x","block":"B1"}} null
        b deliver {{"blocks":["B1"],"from":["c"]}} {{"dirty":false,"merged":[],"missing":["B1"]}}
        b deliver {{"blocks":["B1","B1"],"from":["a","b"]}} {{"dirty":false,"merged":["B1"],"missing":[]}}
        a increment {{"key":"x","block":"B2"}} null
        b deliver {{"blocks":["B2"],"from":["a"],"withhold":["B2"]}} {{"dirty":false,"merged":[],"missing":["B2"]}}
        b heads {{}} ["B1"]"#,
        starts()
    ));
}

#[test]
fn an_unused_block_name_is_unusable_at_its_step_unless_a_divergence_comes_first() {
    let steps = format!(
        r#"{}
        a increment {{"key":"x","block":"B1","fault":"write"}} !write_failed
        b deliver {{"blocks":["B1"],"from":["a"]}} null"#,
        starts()
    );
    assert_eq!(verdict(&trace(&steps)), "unusable 6 args.blocks");
    let earlier = steps.replace("!write_failed", "null");
    assert_eq!(verdict(&trace(&earlier)), "diverges 5 increment");
}

#[test]
fn unusable_lines_are_named_with_their_field() {
    let start = format!(r#"{{"op":"start","args":{{"node":"a",{G1}}},"returns":null}}"#);
    let increment =
        |args: &str| format!(r#"{{"op":"increment","args":{{"node":"a",{args}}},"returns":null}}"#);
    let b1 = increment(r#""key":"k","block":"B1""#);
    let cases: &[(&str, &str)] = &[
        ("", "unusable 3 "),
        ("[1]", "unusable 3 "),
        ("{", "unusable 3 "),
        (
            r#"{"op":"read","args":{"node":"a","key":"k"},"returns":0"#,
            "unusable 3 ",
        ),
        (r#"{"op":"heads","returns":[]}"#, "unusable 3 args"),
        (
            r#"{"op":"heads","args":[],"returns":[]}"#,
            "unusable 3 args",
        ),
        (r#"{"args":{},"returns":[]}"#, "unusable 3 op"),
        (r#"{"op":7,"args":{},"returns":[]}"#, "unusable 3 op"),
        (
            r#"{"op":"dance","args":{"node":"a"},"returns":[]}"#,
            "unusable 3 op",
        ),
        (
            r#"{"op":"heads","args":{},"returns":[]}"#,
            "unusable 3 args.node",
        ),
        (
            r#"{"op":"heads","args":{"node":"z"},"returns":[]}"#,
            "unusable 3 args.node",
        ),
        (
            r#"{"op":"heads","args":{"node":null},"returns":[]}"#,
            "unusable 3 args.node",
        ),
        (
            r#"{"op":"heads","args":{"node":"a"}}"#,
            "unusable 3 returns",
        ),
        (
            r#"{"op":"heads","args":{"node":"a"},"returns":[],"fails":"x"}"#,
            "unusable 3 fails",
        ),
        (
            r#"{"op":"heads","args":{"node":"a"},"fails":null}"#,
            "unusable 3 fails",
        ),
        (
            r#"{"op":"read","args":{"node":"a"},"returns":0}"#,
            "unusable 3 args.key",
        ),
        (
            r#"{"op":"read","args":{"node":"a","key":1},"returns":0}"#,
            "unusable 3 args.key",
        ),
        (
            r#"{"op":"sync","args":{"node":"a","source":"z"},"returns":0}"#,
            "unusable 3 args.source",
        ),
        (
            r#"{"op":"repair","args":{"node":"a","from":["z"]},"returns":0}"#,
            "unusable 3 args.from",
        ),
        (
            r#"{"op":"repair","args":{"node":"a","from":"b"},"returns":0}"#,
            "unusable 3 args.from",
        ),
        (
            r#"{"op":"start","args":{"node":"b","generation":"0000000000000000000000000000000A"},"returns":null}"#,
            "unusable 3 args.generation",
        ),
        (
            r#"{"op":"start","args":{"node":"b","generation":"00"},"returns":null}"#,
            "unusable 3 args.generation",
        ),
        (
            r#"{"op":"raw_put","args":{"node":"a","key":"k","value":"abc","block":"B1"},"returns":null}"#,
            "unusable 3 args.value",
        ),
        (
            r#"{"op":"deliver","args":{"node":"a","blocks":["B1"],"from":[]},"returns":0}"#,
            "unusable 3 args.blocks",
        ),
        (
            r#"{"op":"deliver","args":{"node":"a","blocks":[],"from":[],"fault":"crash_waiting"},"fails":"crashed"}"#,
            "unusable 3 args.fault",
        ),
    ];
    for (line, expected) in cases {
        // A form error outranks the divergence of an earlier line.
        let wrong = b1.replace("null}", "5}");
        let file = format!("{HEADER}\n{start}\n{line}\n{wrong}\n");
        assert_eq!(verdict(&file), *expected, "{line}");
    }
    let twice = format!("{HEADER}\n{start}\n{b1}\n{b1}");
    assert_eq!(verdict(&twice), "unusable 4 args.block");
    let fault = increment(r#""key":"k","block":"B1","fault":"read""#);
    assert_eq!(
        verdict(&format!("{HEADER}\n{fault}")),
        "unusable 2 args.fault"
    );
}

#[test]
fn headers_are_checked() {
    let header = |from: &str, to: &str| verdict(&HEADER.replace(from, to));
    assert_eq!(verdict(""), "unusable 1 trace");
    assert_eq!(verdict("\n"), "unusable 1 ");
    assert_eq!(header("concord/1", "concord/2"), "unusable 1 trace");
    assert_eq!(header("counter", "stats"), "unusable 1 system");
    assert_eq!(header("config", "conf"), "unusable 1 config");
    assert_eq!(header(r#""b","#, r#""a","#), "unusable 1 config.nodes");
    assert_eq!(header(r#""b""#, r#""""#), "unusable 1 config.nodes");
    assert_eq!(header(r#""b""#, r#""..""#), "unusable 1 config.nodes");
    assert_eq!(header(r#""b""#, r#""x/y""#), "unusable 1 config.nodes");
    assert_eq!(header(r#"["a","b","c"]"#, "3"), "unusable 1 config.nodes");
    assert_eq!(verdict(HEADER), "conforms 0");
}

#[test]
fn line_ends_key_order_and_surplus_members_do_not_matter() {
    let steps = format!(
        r#"{}
        a increment {{"key":"x","block":"B1","fault":null,"note":[1.5]}} null"#,
        starts()
    );
    let file = trace(&steps).replace('\n', "\r\n") + "\r\n";
    let file = file.replace(
        r#""op":"increment""#,
        r#""seen":true,"op":"read","op":"increment""#,
    );
    assert_eq!(verdict(&file), "conforms 4");
    assert_eq!(verdict(&format!("{file}\r\n")), "unusable 6 ");
}

#[test]
fn results_are_compared_as_json_values() {
    for (result, expected) in [
        ("0", "conforms 1"),
        ("0.0", "diverges 3 read"),
        ("\"0\"", "diverges 3 read"),
        ("18446744073709551616", "diverges 3 read"),
    ] {
        let start = format!("a start {{{G1}}} null\n");
        let steps = format!("{start}a read {{\"key\":\"x\"}} {result}");
        let expected = expected.replace("conforms 1", "conforms 2");
        assert_eq!(verdict(&trace(&steps)), expected);
    }
}
