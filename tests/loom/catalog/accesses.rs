//! Counting: no access is lost, and none is seen that was not.

use loom::thread;

use crate::explore::{both_ways, explore, fails, reach};
use crate::sync::{Arc, Count};

use super::shell::{Collect, Counting};
use super::{CORE, SHELL, accesses, engine, install, joined, loads, routine, shell, sound};

/// Two threads that count, in lanes of their own as far as there are any, and one that looks. Whether it saw one of
/// both.
fn counted(lanes: usize, counting: Counting) -> bool {
    let how = shell::Strategies { counting, ..SHELL };
    let engine = engine(0, lanes, CORE, how);
    install(&engine, 1, None).expect("it is the first");
    let others = [(); 2].map(|()| accesses(&engine, b"b", 1));
    let found = engine.lookup(b"b").expect("it has no end");
    let seen = [found.load(), found.load()];
    others.into_iter().for_each(joined);
    assert!(seen.is_sorted() && seen[1] <= 2, "{seen:?}");
    assert_eq!(loads(&engine), [2], "a count was lost");
    seen[0] == 1
}

#[test]
fn threads_that_share_a_lane_lose_nothing() {
    reach("catalog: one lane", 1_100, Some(3), || {
        counted(0, Counting::Add)
    });
}

#[test]
fn threads_with_lanes_of_their_own_lose_nothing() {
    for lanes in [1, 2] {
        reach("catalog: own lanes", 1_100, Some(3), move || {
            counted(lanes, Counting::Add)
        });
    }
}

/// One accessor may be gone before the other comes, and leave its lane. Whether it was.
#[test]
fn who_takes_a_lane_over_goes_on_with_its_counts() {
    both_ways("catalog: lane handed on", 10, None, || {
        let engine = sound(0, 1);
        install(&engine, 1, None).expect("it is the first");
        let other = routine(&engine, |engine| {
            engine.accessor().record(b"b");
        });
        let mut mine = engine.accessor();
        let seen = mine.record(b"b").expect("it has no end").load();
        joined(other);
        assert_eq!(loads(&engine), [2], "a count was lost");
        seen == 2
    });
}

/// A lane in two hands would be noticed, whatever its count is then.
#[test]
fn counting_alone_is_for_one() {
    let message = fails(|| {
        let count = Arc::new(Count::default());
        let its = Arc::clone(&count);
        let other = thread::spawn(move || its.add_alone(1));
        count.add_alone(1);
        joined(other);
    });
    assert!(message.contains("Causality violation"), "{message}");
}

/// C1: the load is not read and written as one.
#[test]
fn reading_and_writing_back_loses_a_count() {
    let message = fails(|| counted(0, Counting::ReadAndWrite));
    assert!(message.contains("a count was lost"), "{message}");
}

/// A route is registered elsewhere meanwhile. Whether the accessor went on with the older table.
#[test]
fn what_is_counted_in_an_older_table_counts() {
    reach("catalog: registration", 300, None, || {
        let engine = sound(0, 2);
        install(&engine, 1, Some("m")).expect("it is the first");
        let other = routine(&engine, |engine| {
            let mut accessor = engine.accessor();
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

/// A refused split takes what it saw, once.
#[test]
fn a_refused_split_takes_each_access_once() {
    reach("catalog: refused split", 5_000, Some(3), || {
        let engine = sound(2, 2);
        install(&engine, 1, None).expect("it is the first");
        let others = [accesses(&engine, b"b", 2), accesses(&engine, b"c", 1)];
        let found = engine.lookup(b"b").expect("it has no end");
        let seen = found.load();
        others.into_iter().for_each(joined);
        assert!(seen <= 3, "{seen}");
        let left = loads(&engine);
        assert!(left == [1] || left == [0], "{left:?}");
        seen == 1 && left == [1]
    });
}

/// One counts three accesses to a route that is hot with two and cannot be split, one looks. Whether it saw
/// the load both before and after it was taken.
fn looked_at(collect: Collect) -> bool {
    let how = shell::Strategies { collect, ..SHELL };
    let engine = engine(2, 1, CORE, how);
    install(&engine, 1, None).expect("it is the first");
    let other = accesses(&engine, b"b", 3);
    let found = engine.lookup(b"b").expect("it has no end");
    let seen = [found.load(), found.load()];
    joined(other);
    assert!(seen.iter().all(|load| *load <= 2), "never was {seen:?}");
    assert_eq!(loads(&engine), [1]);
    seen == [2, 1]
}

#[test]
fn a_load_is_one_that_was() {
    reach("catalog: looked at", 160, Some(3), || {
        looked_at(Collect::Double)
    });
}

#[test]
fn a_single_collect_returns_what_never_was() {
    let message = fails(|| looked_at(Collect::Once));
    assert!(message.contains("never was"), "{message}");
}

#[test]
fn timestamps_are_given_once() {
    explore("catalog: timestamps", 5, None, || {
        let engine = sound(0, 1);
        let other = routine(&engine, |engine| {
            [engine.next_timestamp(), engine.next_timestamp()]
        });
        let mine = engine.next_timestamp();
        let [first, second] = joined(other);
        assert!(first < second && mine != first && mine != second);
        assert_eq!(engine.next_timestamp(), 4);
    });
}
