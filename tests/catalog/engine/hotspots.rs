//! Access counts and hotspot splits.

use concord::systems::catalog::strategy::{HalfLoads, Halves, SecondLook};
use concord::systems::catalog::{Access, Engine, Level, Settings, Strategies};

use super::{counting, faulty, register, stats, table};

/// Of version 1, with this table.
fn hot(threshold: u64, text: &str) -> Engine {
    let mut engine = counting(threshold);
    engine.apply_snapshot(1, &table(text)).unwrap();
    engine
}

const fn access(load: u64, hot: bool) -> Option<Access> {
    Some(Access { load, hot })
}

#[test]
fn accesses_are_counted_where_the_key_is_owned() {
    let mut engine = hot(0, "1:[a,c)→1 2:[c,∞)→2");
    assert_eq!(engine.access_begin(b"b"), access(1, false));
    assert_eq!(engine.access_begin(b"a"), access(2, false));
    assert_eq!(engine.access_begin(b"c"), access(1, false));
    assert_eq!(engine.access_begin(b"0"), None);
    assert_eq!(stats(&engine), "1:[a,c)→1*2 2:[c,∞)→2*1");
}

#[test]
fn without_a_threshold_nothing_is_split() {
    let mut engine = hot(0, "1:[a,c)→1");
    for _ in 0..100 {
        engine.record_access(b"b");
    }
    assert!(!engine.access_finish(b"b"));
    assert_eq!(stats(&engine), "1:[a,c)→1*100");
}

#[test]
fn the_access_that_reaches_the_threshold_splits_behind_the_first_key() {
    let mut engine = hot(3, "1:[a,c)→5 2:[c,∞)→6");
    engine.record_access(b"b");
    engine.record_access(b"b");
    assert_eq!(stats(&engine), "1:[a,c)→5*2 2:[c,∞)→6");
    engine.record_access(b"b");
    assert_eq!(stats(&engine), "0:[a,a0)→5 0:[a0,c)→5 2:[c,∞)→6");
    assert_eq!(engine.version(), 1);
}

#[test]
fn other_routes_keep_their_loads() {
    let mut engine = hot(2, "1:[a,c)→1 2:[c,e)→2");
    engine.record_access(b"d");
    engine.record_access(b"b");
    engine.record_access(b"b");
    assert_eq!(stats(&engine), "0:[a,a0)→1 0:[a0,c)→1 2:[c,e)→2*1");
}

#[test]
fn a_route_without_end_or_with_one_key_only_loses_its_load_instead() {
    let mut engine = hot(2, "1:[a,a0)→1 2:[b,∞)→2");
    for key in [b"a", b"a", b"b", b"b"] {
        engine.record_access(key);
    }
    assert_eq!(stats(&engine), "1:[a,a0)→1 2:[b,∞)→2");
    engine.record_access(b"b");
    assert_eq!(stats(&engine), "1:[a,a0)→1 2:[b,∞)→2*1");
}

/// A middle beyond the end is refused as well. Such a route owns no key: only a wrong second look gets there.
#[test]
fn inverted_routes_are_not_split() {
    let mut engine = counting(1);
    register(&mut engine, "0:[b,a)→1");
    assert!(!engine.access_finish_at(0, 1));
    assert_eq!(stats(&engine), "0:[b,a)→1");
}

/// D8.
#[test]
fn halves_keep_group_and_state() {
    let mut engine = hot(2, "1:[a,c)→4/1");
    engine.record_access(b"b");
    engine.record_access(b"b");
    assert_eq!(stats(&engine), "0:[a,a0)→4/1 0:[a0,c)→4/1");
}

/// D8.
#[test]
fn with_active_halves_a_fenced_route_is_opened() {
    let strategies = Strategies {
        halves: Halves::Active,
        ..Strategies::REFERENCE
    };
    let mut engine = faulty(2, strategies);
    engine.apply_snapshot(1, &table("1:[a,c)→4/1")).unwrap();
    engine.record_access(b"b");
    engine.record_access(b"b");
    assert_eq!(stats(&engine), "0:[a,a0)→4 0:[a0,c)→4");
}

/// H4.
#[test]
fn accesses_between_the_phases_are_lost_and_cause_no_second_split() {
    let mut engine = hot(2, "1:[a,c)→1");
    let begun = [(); 3].map(|()| engine.access_begin(b"b"));
    assert_eq!(begun, [access(1, false), access(2, true), access(3, true)]);
    assert!(engine.access_finish(b"b"));
    assert!(!engine.access_finish(b"b"));
    assert_eq!(stats(&engine), "0:[a,a0)→1 0:[a0,c)→1");
}

#[test]
fn without_the_second_look_one_crossing_splits_twice() {
    let strategies = Strategies {
        second_look: SecondLook::Skipped,
        ..Strategies::REFERENCE
    };
    let mut engine = faulty(2, strategies);
    engine.apply_snapshot(1, &table("1:[a,c)→1")).unwrap();
    let [_, _, _] = [(); 3].map(|()| engine.access_begin(b"b"));
    assert!(engine.access_finish(b"b"));
    assert!(engine.access_finish(b"b"));
    assert_eq!(stats(&engine), "0:[a,a0)→1 0:[a0,a00)→1 0:[a00,c)→1");
}

#[test]
fn halves_that_keep_loads_count_accesses_twice() {
    let strategies = Strategies {
        half_loads: HalfLoads::Kept,
        ..Strategies::REFERENCE
    };
    let mut engine = faulty(1, strategies);
    engine.apply_snapshot(1, &table("1:[a,c)→1")).unwrap();
    engine.record_access(b"b");
    assert_eq!(stats(&engine), "0:[a,a0)→1*1 0:[a0,c)→1*1");
}

#[test]
fn the_second_look_finds_the_table_that_replaced_the_first() {
    let mut engine = hot(1, "1:[a,c)→1");
    assert_eq!(engine.access_begin(b"b"), access(1, true));
    engine.apply_snapshot(2, &table("1:[a,c)→1")).unwrap();
    assert!(!engine.access_finish(b"b"));
    assert_eq!(stats(&engine), "1:[a,c)→1");

    assert_eq!(engine.access_begin(b"b"), access(1, true));
    engine.apply_snapshot(3, &table("1:[a,b)→1")).unwrap();
    assert!(!engine.access_finish(b"b"));
    assert_eq!(stats(&engine), "1:[a,b)→1");
}

/// A, B, A: the condition holds for the route that is there now.
#[test]
fn the_second_look_splits_a_new_route_that_is_hot_on_its_own() {
    let mut engine = hot(2, "1:[a,c)→1");
    engine.record_access(b"b");
    assert_eq!(engine.access_begin(b"b"), access(2, true));
    engine.apply_snapshot(2, &table("1:[a,c)→1")).unwrap();
    let [_, begun] = [(); 2].map(|()| engine.access_begin(b"b"));
    assert_eq!(begun, access(2, true));
    assert!(engine.access_finish(b"b"));
    assert!(!engine.access_finish(b"b"));
}

/// H2.
#[test]
fn halves_and_loads_vanish_with_the_next_snapshot() {
    let mut engine = hot(1, "1:[a,c)→1 2:[c,∞)→1");
    engine.record_access(b"b");
    assert_eq!(stats(&engine), "0:[a,a0)→1 0:[a0,c)→1 2:[c,∞)→1");
    engine
        .apply_snapshot(2, &table("1:[a,c)→1 2:[c,∞)→1"))
        .unwrap();
    assert_eq!(stats(&engine), "1:[a,c)→1 2:[c,∞)→1");
}

/// H3.
#[test]
fn a_hot_key_stays_in_the_right_half_and_the_table_grows() {
    let mut engine = hot(1, "1:[a,z)→1");
    for _ in 0..3 {
        engine.record_access(b"b");
    }
    let grown = "0:[a,a0)→1 0:[a0,a00)→1 0:[a00,a000)→1 0:[a000,z)→1";
    assert_eq!(stats(&engine), grown);
}

#[test]
fn registered_routes_are_split_as_well() {
    let mut engine = counting(1);
    register(&mut engine, "0:[b,d)→1 0:[b,e)→2 0:[b0,f)→3");
    engine.record_access(b"b");
    let split = "0:[b,d)→1 0:[b,b0)→2 0:[b0,e)→2 0:[b0,f)→3";
    assert_eq!(stats(&engine), split);
}

#[test]
fn level_two_counts_and_splits_nothing() {
    let mut engine = Engine::new(Settings::strict(Level::Two), true, 1);
    assert_eq!(engine.threshold(), 0);
    assert_eq!(engine.access_begin(b"b"), None);
    engine.record_access(b"b");
    assert_eq!(stats(&engine), "0:[,∞)→1");
}

#[test]
fn loads_may_be_counted_elsewhere() {
    let mut engine = hot(2, "1:[a,c)→1 2:[c,e)→2 3:[e,∞)→3");
    engine.set_loads([1, 2]);
    assert_eq!(stats(&engine), "1:[a,c)→1*1 2:[c,e)→2*2 3:[e,∞)→3");
    assert!(!engine.access_finish_at(0, 1));
    assert!(engine.access_finish_at(1, 2));
    let split = "1:[a,c)→1*1 0:[c,c0)→2 0:[c0,e)→2 3:[e,∞)→3";
    assert_eq!(stats(&engine), split);
}
