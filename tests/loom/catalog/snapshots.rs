//! Tables: whole ones, of versions that never fall.

use loom::sync::atomic::{AtomicBool, Ordering};

use crate::explore::{both_ways, explore, fails, reach};
use crate::sync::Arc;

use super::shell::SharedEngine;
use super::strategy::Recheck;
use super::{
    CORE, Error, SHELL, Strategies, accesses, engine, install, joined, loads, routine, sound,
};

/// The version of the table in which a key is found now. Nothing in it is of another one.
fn looked_up(engine: &SharedEngine) -> u64 {
    let found = engine.lookup(b"a").expect("every table has it");
    let version = found.version();
    assert_eq!(found.group(), version, "torn");
    assert!([0, version].contains(&found.id()), "torn");
    version
}

/// One looks, one counts until the route is hot, one installs the next table. Whether the split came after that.
fn all_at_once() -> bool {
    let engine = sound(2, 2);
    install(&engine, 1, None).expect("it is the first");
    let reader = routine(&engine, |engine| {
        [looked_up(engine), looked_up(engine), engine.version()]
    });
    let accessor = accesses(&engine, b"b", 2);
    let seen = install(&engine, 2, Some("c"));
    assert_eq!(seen, Ok(()));
    let versions = joined(reader);
    assert!(versions.is_sorted() && versions[2] <= 2, "{versions:?}");
    joined(accessor);
    assert_eq!(engine.version(), 2);
    let loads = loads(&engine);
    match loads.len() {
        // What was counted for the table before is lost with it.
        1 => assert!(loads[0] <= 1, "{loads:?}"),
        // Both accesses were for the new table.
        _ => assert_eq!(loads, [0, 0]),
    }
    loads.len() == 2
}

#[test]
fn lookups_accesses_and_a_snapshot_leave_each_other_whole() {
    both_ways("catalog: all at once", 10_000, Some(3), all_at_once);
}

/// Two install tables at once. Whether the older one was installed.
fn two_snapshots(recheck: Recheck) -> bool {
    let strategies = Strategies { recheck, ..CORE };
    let engine = engine(0, 1, strategies, SHELL);
    install(&engine, 1, None).expect("it is the first");
    let other = routine(&engine, |engine| install(engine, 2, None));
    let newer = install(&engine, 3, None);
    assert_eq!(newer, Ok(()));
    assert_eq!(looked_up(&engine), 3, "the version fell");
    let older = joined(other);
    assert_eq!(looked_up(&engine), 3, "the version fell");
    match older {
        Ok(()) => true,
        Err(Error::SnapshotVersionStale {
            version: 2,
            engine: 3,
        }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn of_two_snapshots_the_highest_wins() {
    both_ways("catalog: two snapshots", 200, None, || {
        two_snapshots(Recheck::Taken)
    });
}

#[test]
fn without_looking_at_the_version_again_it_falls() {
    let message = fails(|| two_snapshots(Recheck::Skipped));
    assert!(message.contains("the version fell"), "{message}");
}

/// Two install, and one looks on. Whether it saw all three tables.
#[test]
fn readers_beside_two_snapshots_never_go_back() {
    reach("catalog: reader of snapshots", 4_500, Some(3), || {
        let engine = sound(0, 1);
        install(&engine, 1, None).expect("it is the first");
        let writers =
            [2, 3].map(|version| routine(&engine, move |engine| install(engine, version, None)));
        let seen = [(); 3].map(|()| looked_up(&engine));
        assert!(seen.is_sorted(), "{seen:?}");
        writers.map(joined)[1].as_ref().expect("none is newer");
        assert_eq!(engine.version(), 3);
        seen == [1, 2, 3]
    });
}

/// A reader that keeps its table between, while another replaces it. Whether it saw both.
#[test]
fn readers_that_keep_their_table_follow() {
    both_ways("catalog: kept table", 300, None, || {
        let engine = sound(0, 1);
        install(&engine, 1, None).expect("it is the first");
        let mut reader = engine.reader();
        let writer = routine(&engine, |engine| install(engine, 2, None));
        let seen = [(); 3].map(|()| {
            let found = reader.lookup(b"a").expect("every table has it");
            assert_eq!(
                (found.group(), found.id()),
                (found.version(), found.version()),
                "torn"
            );
            found.version()
        });
        assert!(seen.is_sorted(), "{seen:?}");
        joined(writer).expect("none is newer");
        let found = reader.lookup(b"a").map(|found| found.version());
        assert_eq!(found, Some(2), "it was told");
        seen[0] == 1 && seen[2] == 2
    });
}

/// Who hears of a table has it.
#[test]
fn what_one_is_told_of_one_sees() {
    both_ways("catalog: told", 79, None, || {
        let engine = sound(0, 1);
        install(&engine, 1, None).expect("it is the first");
        let told = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&told);
        let writer = routine(&engine, move |engine| {
            install(engine, 2, None).expect("none is newer");
            tell.store(true, Ordering::Release);
        });
        let heard = told.load(Ordering::Acquire);
        let seen = looked_up(&engine);
        assert!(seen == 2 || !heard);
        joined(writer);
        heard
    });
}

/// An access against a snapshot: what crossed the threshold in the table before splits nothing in the new one.
#[test]
fn a_new_table_is_not_split_for_what_came_before() {
    explore("catalog: access and snapshot", 57, None, || {
        let engine = sound(2, 1);
        install(&engine, 1, None).expect("it is the first");
        let mut accessor = engine.accessor();
        accessor.record(b"b");
        let other = accesses(&engine, b"b", 1);
        install(&engine, 2, Some("c")).expect("none is newer");
        joined(other);
        let loads = loads(&engine);
        assert!(loads == [0] || loads == [1], "{loads:?}");
    });
}
