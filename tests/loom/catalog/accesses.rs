//! Counting: no access is lost, and none is seen that was not.

use crate::explore::{explore, fails, reach};

use super::shell::Counting;
use super::{Strategies, accesses, engine, install, joined, loads, routine, sound};

/// Two threads that share a lane, and one that looks. Whether it saw one of both.
fn one_lane(counting: Counting) -> bool {
    let engine = engine(0, 1, Strategies::REFERENCE, counting);
    install(&engine, 1, None).expect("it is the first");
    let others = [(); 2].map(|()| accesses(&engine, b"b", 1));
    let found = engine.lookup(b"b").expect("it has no end");
    let seen = [found.load(), found.load()];
    others.map(joined);
    assert!(seen.is_sorted() && seen[1] <= 2, "{seen:?}");
    assert_eq!(loads(&engine), [2], "a count was lost");
    seen[0] == 1
}

#[test]
fn threads_that_share_a_lane_lose_nothing() {
    reach("catalog: one lane", 200, None, || one_lane(Counting::Add));
}

/// C1: the load is not read and written as one.
#[test]
fn reading_and_writing_back_loses_a_count() {
    let message = fails(|| one_lane(Counting::ReadAndWrite));
    assert!(message.contains("a count was lost"), "{message}");
}

/// A route is registered elsewhere meanwhile. Whether the accessor went on with the older table.
#[test]
fn what_is_counted_in_an_older_table_counts() {
    reach("catalog: registration", 20, None, || {
        let engine = sound(0, 2);
        install(&engine, 1, Some("m")).expect("it is the first");
        let other = routine(&engine, |engine| {
            let accessor = engine.accessor();
            let before = engine.lookup(b"z").is_none();
            accessor.record(b"b");
            let after = engine.lookup(b"z").is_none();
            accessor.record(b"b");
            before && !after
        });
        engine.update_route("x".into(), None, 9);
        let met = joined(other);
        assert_eq!(loads(&engine), [2, 0], "a count was lost");
        met
    });
}

/// A refused split takes what it saw, once. A reader sees no load that never was.
#[test]
fn a_refused_split_takes_each_access_once() {
    reach("catalog: refused split", 1_000, Some(3), || {
        let engine = sound(2, 2);
        install(&engine, 1, None).expect("it is the first");
        let others = [accesses(&engine, b"b", 2), accesses(&engine, b"c", 1)];
        let found = engine.lookup(b"b").expect("it has no end");
        let seen = found.load();
        others.map(joined);
        assert!(seen <= 3, "{seen}");
        let left = loads(&engine);
        assert!(left == [1] || left == [0], "{left:?}");
        seen == 1 && left == [1]
    });
}

#[test]
fn timestamps_are_given_once() {
    explore("catalog: timestamps", 3, None, || {
        let engine = sound(0, 1);
        let other = routine(&engine, |engine| [engine.next_timestamp(), engine.next_timestamp()]);
        let mine = engine.next_timestamp();
        let [first, second] = joined(other);
        assert!(first < second && mine != first && mine != second);
        assert_eq!(engine.next_timestamp(), 4);
    });
}
