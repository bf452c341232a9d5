//! Traces through the database.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use concord::adapters::{Database, Error, MerkleTables, StatsTables};
use concord::systems::merkle::driver::Backend;
use concord::systems::merkle::{Memory, value};
use concord::systems::stats::trace::{Ids, replay, replay_on};
use concord::systems::stats::{Change, Disk, Stat, Write};
use concord::systems::{counter, merkle};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::reopening::Reopening;

type Tables = StatsTables<Ids>;

#[test]
fn every_trace_ends_as_in_memory() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stats/traces");
    let mut traces = 0;
    for file in fs::read_dir(folder).expect("the folder of traces is there") {
        let file = file.expect("the folder of traces can be read").path();
        if file
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            let trace = fs::read_to_string(&file).expect("traces are text");
            let in_memory = replay(Cursor::new(&trace)).expect("reading from memory does not fail");
            let folder = tempfile::tempdir().expect("a folder");
            let disk = |name: &str| Ok::<_, Error>(Reopening::<Tables>::new(folder.path(), name));
            let stored = replay_on(Cursor::new(&trace), disk);
            let stored = stored.expect("reading from memory does not fail");
            assert_eq!(stored, in_memory, "{}", file.display());
            traces += 1;
        }
    }
    assert!(traces > 0, "no trace was found");
}

fn writes() -> impl Strategy<Value = Vec<Write<Ids>>> {
    let id = || prop::sample::select(vec!["", "t1", "t2", "a/b", "\u{e9}"]).prop_map(Into::into);
    let change = prop_oneof![
        (id(), id()).prop_map(|(a, b)| Change::Like(a, b)),
        (id(), id()).prop_map(|(a, b)| Change::Unlike(a, b)),
        (id(), id()).prop_map(|(a, b)| Change::Retweet(a, b)),
        (id(), id()).prop_map(|(a, b)| Change::Unretweet(a, b)),
        (id(), id(), prop::option::of(id())).prop_map(|(a, b, c)| Change::Reply(a, b, c)),
        (id(), id()).prop_map(|(a, b)| Change::DeleteReply(a, b)),
        (prop::sample::select(&Stat::ALL), id(), any::<u64>())
            .prop_map(|(stat, id, value)| Change::Counter(stat, id, value)),
    ];
    let local = prop::collection::vec(change, 0..4).prop_map(Write::Local);
    let store = (id(), any::<u64>()).prop_map(|(key, priority)| {
        let value = value::encode(priority);
        Write::Store(merkle::Write::Entry(key, merkle::Entry { priority, value }))
    });
    prop::collection::vec(prop_oneof![3 => local, 1 => store], 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::with_cases(24)
    })]

    #[test]
    fn holds_what_memory_holds(writes in writes(), wipe_after in 0_usize..80) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut node = Reopening::<Tables>::new(folder.path(), "a");
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
        let expected: Disk<Ids> =
            Backend::<_, Write<Ids>>::load(&mut memory).expect("memory does not fail");
        prop_assert_eq!(node.load().expect("it can be read"), expected);
    }
}

#[test]
fn the_database_of_a_counter_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("counter.redb");
    let made = Database::<MerkleTables<counter::trace::Ids>>::open(&file).expect("a new file");
    drop(made);
    let error = Database::<Tables>::open(&file).expect_err("the other system");
    assert!(matches!(error, Error::OtherFormat { .. }), "{error}");
}
