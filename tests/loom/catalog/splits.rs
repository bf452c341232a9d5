//! Hotspot splits: one for each crossing of the threshold.

use crate::explore::{both_ways, explore, fails};
use crate::sync::weakened;

use super::strategy::SecondLook;
use super::{CORE, SHELL, Strategies, accesses, engine, install, joined, loads, sound};

/// So many threads count one access each to one route. How many routes there are then, and what is counted for them.
fn accessors(threads: usize, threshold: u64, second_look: SecondLook) -> (usize, u64) {
    let strategies = Strategies {
        second_look,
        ..CORE
    };
    // One of them shares.
    let engine = engine(threshold, threads - 1, strategies, SHELL);
    install(&engine, 1, Some("c")).expect("it is the first");
    let mut mine = engine.accessor();
    let others: Vec<_> = (1..threads).map(|_| accesses(&engine, b"b", 1)).collect();
    mine.record(b"b");
    others.into_iter().for_each(joined);
    let loads = loads(&engine);
    (loads.len(), loads.iter().sum())
}

#[test]
fn two_that_reach_the_threshold_together_split_once() {
    explore("catalog: two accessors", 139, None, || {
        assert_eq!(accessors(2, 2, SecondLook::Taken), (2, 0));
    });
}

/// The third counts for a half, or in vain for the route that was split.
#[test]
fn of_three_accessors_one_splits() {
    both_ways("catalog: three accessors", 7_500, Some(3), || {
        let (routes, load) = accessors(3, 2, SecondLook::Taken);
        assert_eq!(routes, 2, "one split for each crossing");
        assert!(load <= 1, "{load}");
        load == 1
    });
}

/// With a threshold of 1 each access crosses it, unless it counts for a route that is split already.
#[test]
fn each_crossing_has_a_split_of_its_own() {
    both_ways("catalog: two crossings", 500, None, || {
        let (routes, load) = accessors(2, 1, SecondLook::Taken);
        assert!(
            load == 0 && (2..=3).contains(&routes),
            "{routes} with {load}"
        );
        routes == 3
    });
}

#[test]
fn without_a_second_look_one_crossing_splits_twice() {
    let message = fails(|| assert_eq!(accessors(2, 2, SecondLook::Skipped), (2, 0), "split twice"));
    assert!(message.contains("split twice"), "{message}");
}

#[test]
fn without_a_total_order_a_crossing_is_missed() {
    let message = fails(|| {
        weakened(|| assert_eq!(accessors(2, 2, SecondLook::Taken), (2, 0), "missed"));
    });
    assert!(
        message.contains("missed") && message.contains("(1, 2)"),
        "{message}"
    );
}

/// A neighbour is accessed while a route is split.
#[test]
fn a_split_costs_its_neighbour_nothing() {
    both_ways("catalog: neighbour", 2_000, None, || {
        let engine = sound(3, 2);
        install(&engine, 1, Some("c")).expect("it is the first");
        engine.update_route("m".into(), None, 9);
        let mut mine = engine.accessor();
        mine.record(b"b");
        mine.record(b"b");
        let other = accesses(&engine, b"n", 2);
        let old = engine.lookup(b"n").expect("it has no end");
        mine.record(b"b");
        let seen = old.load();
        joined(other);
        assert_eq!(loads(&engine), [0, 0, 2], "a count was lost");
        assert_eq!(old.load(), 2, "both tables count at the same place");
        seen == 1
    });
}
