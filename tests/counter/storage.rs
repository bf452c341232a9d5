//! Traces through the database.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use concord::adapters::{Error, MerkleTables};
use concord::systems::counter::trace::{Ids, replay, replay_on};
use concord::systems::merkle::driver::Backend;
use concord::systems::merkle::{Block, Disk, Entry, Memory, Write, value};
use concord::systems::replay::{Outcome, Replayed};
use proptest::prelude::*;

use crate::common::cases;
use crate::reopening::Reopening;

type Node = Reopening<MerkleTables<Ids>>;

fn through_the_database(trace: &str) -> Replayed {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = |name: &str| Ok::<_, Error>(Node::new(folder.path(), name));
    replay_on(Cursor::new(trace), disk).expect("reading from memory does not fail")
}

#[test]
fn every_trace_ends_as_in_memory() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counter/traces");
    let mut traces = 0;
    for file in fs::read_dir(folder).expect("the folder of traces is there") {
        let file = file.expect("the folder of traces can be read").path();
        if file
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            let trace = fs::read_to_string(&file).expect("traces are text");
            let in_memory = replay(Cursor::new(&trace)).expect("reading from memory does not fail");
            assert_eq!(
                through_the_database(&trace),
                in_memory,
                "{}",
                file.display()
            );
            traces += 1;
        }
    }
    assert!(traces > 0, "no trace was found");
}

fn conforms(trace: &str) {
    let replayed = through_the_database(trace);
    assert_eq!(replayed.outcome, Outcome::Conforms);
}

/// One increment, a second one with `fault`, a start if that was a crash, and a third.
fn after_fault(fault: &str, code: &str, read: u64, heads: &str, last_read: u64) {
    let restart = match code {
        "crashed" => {
            r#"{"op":"start","args":{"node":"a","generation":"101112131415161718191a1b1c1d1e1f"},"returns":null}
"#
        }
        _ => "",
    };
    conforms(&format!(
        r#"{{"trace":"concord/1","system":"counter","config":{{"nodes":["a"]}}}}
{{"op":"start","args":{{"node":"a","generation":"000102030405060708090a0b0c0d0e0f"}},"returns":null}}
{{"op":"increment","args":{{"node":"a","key":"/k","block":"B1"}},"returns":null}}
{{"op":"increment","args":{{"node":"a","key":"/k","block":"B2","fault":"{fault}"}},"fails":"{code}"}}
{restart}{{"op":"read","args":{{"node":"a","key":"/k"}},"returns":{read}}}
{{"op":"heads","args":{{"node":"a"}},"returns":["{heads}"]}}
{{"op":"increment","args":{{"node":"a","key":"/k","block":"B3"}},"returns":null}}
{{"op":"read","args":{{"node":"a","key":"/k"}},"returns":{last_read}}}
{{"op":"crash","args":{{"node":"a"}},"returns":null}}
{{"op":"start","args":{{"node":"a","generation":"202122232425262728292a2b2c2d2e2f"}},"returns":null}}
{{"op":"read","args":{{"node":"a","key":"/k"}},"returns":{last_read}}}
{{"op":"heads","args":{{"node":"a"}},"returns":["B3"]}}
"#
    ));
}

#[test]
fn each_step_of_a_write_leaves_what_the_table_says() {
    after_fault("write", "write_failed", 1, "B1", 2);
    after_fault("crash_block", "crashed", 1, "B1", 2);
    after_fault("crash_merge", "crashed", 2, "B1", 3);
    after_fault("crash_mark", "crashed", 2, "B1", 3);
    after_fault("crash_head", "crashed", 2, "B2", 3);
    // C-1: the third writes the same total again.
    after_fault("publish", "publish_failed", 2, "B2", 2);
}

const HOLE: &str = r#"{"trace":"concord/1","system":"counter","config":{"nodes":["a","c"]}}
{"op":"start","args":{"node":"a","generation":"000102030405060708090a0b0c0d0e0f"},"returns":null}
{"op":"start","args":{"node":"c","generation":"101112131415161718191a1b1c1d1e1f"},"returns":null}
{"op":"increment","args":{"node":"a","key":"/k","block":"B1"},"returns":null}
{"op":"sync","args":{"node":"c","source":"a"},"returns":{"dirty":false,"merged":["B1"],"missing":[]}}
{"op":"increment","args":{"node":"a","key":"/u","block":"B2"},"returns":null}
{"op":"increment","args":{"node":"a","key":"/k","block":"B3"},"returns":null}
"#;

#[test]
fn a_crash_while_waiting_leaves_the_hole_of_c_5() {
    conforms(&format!(
        r#"{HOLE}{{"op":"deliver","args":{{"node":"c","blocks":["B3"],"from":["a"],"withhold":["B2"],"fault":"crash_waiting"}},"fails":"crashed"}}
{{"op":"start","args":{{"node":"c","generation":"202122232425262728292a2b2c2d2e2f"}},"returns":null}}
{{"op":"deliver","args":{{"node":"c","blocks":["B3"],"from":["a"]}},"returns":{{"dirty":false,"merged":[],"missing":[]}}}}
{{"op":"heads","args":{{"node":"c"}},"returns":["B1"]}}
{{"op":"read","args":{{"node":"c","key":"/k"}},"returns":2}}
{{"op":"read","args":{{"node":"c","key":"/u"}},"returns":0}}
"#
    ));
}

#[test]
fn the_dirty_flag_and_a_wiped_disk_survive_a_crash() {
    conforms(&format!(
        r#"{HOLE}{{"op":"deliver","args":{{"node":"c","blocks":["B3"],"from":["a"],"withhold":["B2"]}},"returns":{{"dirty":true,"merged":["B3"],"missing":["B2"]}}}}
{{"op":"crash","args":{{"node":"c"}},"returns":null}}
{{"op":"start","args":{{"node":"c","generation":"202122232425262728292a2b2c2d2e2f"}},"returns":null}}
{{"op":"deliver","args":{{"node":"c","blocks":[],"from":[]}},"returns":{{"dirty":true,"merged":[],"missing":[]}}}}
{{"op":"close","args":{{"node":"c"}},"returns":null}}
{{"op":"lose_data","args":{{"node":"c"}},"returns":null}}
{{"op":"start","args":{{"node":"c","generation":"303132333435363738393a3b3c3d3e3f"}},"returns":null}}
{{"op":"entries","args":{{"node":"c"}},"returns":[]}}
{{"op":"deliver","args":{{"node":"c","blocks":[],"from":[]}},"returns":{{"dirty":false,"merged":[],"missing":[]}}}}
{{"op":"sync","args":{{"node":"c","source":"a"}},"returns":{{"dirty":false,"merged":["B1","B2","B3"],"missing":[]}}}}
{{"op":"read","args":{{"node":"c","key":"/k"}},"returns":2}}
"#
    ));
}

/// Writes as a store makes them: heads and marks name stored blocks.
fn writes() -> impl Strategy<Value = Vec<Write<Ids>>> {
    let block = |address: u32| {
        Arc::new(Block {
            height: u64::from(address % 5) + 1,
            parents: Vec::new(),
            key: format!("/k/{address}").into(),
            value: value::encode(u64::from(address)),
        })
    };
    let with_block =
        move |address: u32, write| Write::Batch(vec![Write::Block(address, block(address)), write]);
    let one = prop_oneof![
        (0_u32..20).prop_map(move |at| with_block(at, Write::Processed(at))),
        (0_u32..20, prop::collection::vec(0_u32..20, 0..3)).prop_map(move |(at, remove)| {
            let add = (at, u64::from(at % 5) + 1);
            with_block(at, Write::Heads { remove, add })
        }),
        (0_u32..5, any::<u64>()).prop_map(|(key, priority)| {
            let value = value::encode(priority / 2);
            Write::Entry(format!("/k/{key}").into(), Entry { priority, value })
        }),
        any::<bool>().prop_map(Write::Dirty),
    ];
    prop::collection::vec(one, 0..40)
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn holds_what_memory_holds(writes in writes(), wipe_after in 0_usize..80) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut node = Node::new(folder.path(), "a");
        let mut memory = Memory::<Disk<Ids>>::default();
        for (at, write) in writes.iter().enumerate() {
            node.write(write).expect("it can be written");
            memory.write(write).expect("memory does not fail");
            if at == wipe_after {
                node.wipe().expect("it can be wiped");
                Backend::<_, Write<Ids>>::wipe(&mut memory).expect("memory does not fail");
            }
        }
        node.sync().expect("it can be flushed");
        prop_assert_eq!(node.load().expect("it can be read"), disk_of(&mut memory));
    }
}

fn disk_of(memory: &mut Memory<Disk<Ids>>) -> Disk<Ids> {
    Backend::<_, Write<Ids>>::load(memory).expect("memory does not fail")
}
