//! Update route: nothing is checked, nothing is replaced.

use concord::systems::catalog::strategy::EqualStarts;
use concord::systems::catalog::{Level, Strategies};

use super::{counting, empty, faulty, key, listed, owner, register, stats, table};

#[test]
fn registrations_are_in_order_of_starts_and_leave_the_version() {
    let mut engine = empty(Level::One);
    engine.apply_snapshot(4, &table("7:[c,e)→1")).unwrap();
    register(&mut engine, "0:[f,∞)→2 0:[a,b)→3");
    assert_eq!(stats(&engine), "0:[a,b)→3 7:[c,e)→1 0:[f,∞)→2");
    assert_eq!(engine.version(), 4);
}

#[test]
fn overlaps_inverted_ranges_and_group_zero_are_registered() {
    let mut engine = empty(Level::One);
    register(&mut engine, "0:[a,∞)→0 0:[c,b)→1 0:[b,b)→2");
    assert_eq!(stats(&engine), "0:[a,∞)→0 0:[b,b)→2 0:[c,b)→1");
    assert_eq!(owner(&engine, "a").as_deref(), Some("0:[a,∞)→0"));
    assert_eq!(owner(&engine, "b"), None);
    assert_eq!(owner(&engine, "c"), None);
}

#[test]
fn a_registration_keeps_the_loads_of_others() {
    let mut engine = counting(0);
    register(&mut engine, "0:[a,∞)→1");
    engine.record_access(b"a");
    register(&mut engine, "0:[a,∞)→2");
    assert_eq!(stats(&engine), "0:[a,∞)→1*1 0:[a,∞)→2");
}

/// H1.
#[test]
fn a_lookup_finds_nobody_where_a_wider_route_further_left_covers_the_key() {
    let mut engine = empty(Level::One);
    register(&mut engine, "0:[a,z)→1 0:[b,c)→2");
    assert_eq!(owner(&engine, "d"), None);
    let covering = listed(engine.intersecting(b"d", Some(b"e")));
    assert_eq!(covering, "0:[a,z)→1");
}

/// H1, D10. More of them than upstream sorts stably.
#[test]
fn of_equal_starts_the_newest_is_last_and_wins() {
    let mut engine = empty(Level::One);
    for group in 1..=20 {
        engine.update_route(key("a"), None, group);
    }
    let groups: Vec<u64> = engine.routes().iter().map(|route| route.group).collect();
    assert_eq!(groups, (1..=20).collect::<Vec<u64>>());
    assert_eq!(owner(&engine, "b").as_deref(), Some("0:[a,∞)→20"));
}

/// D10.
#[test]
fn with_equal_starts_reversed_the_oldest_wins() {
    let strategies = Strategies {
        equal_starts: EqualStarts::Reversed,
        ..Strategies::REFERENCE
    };
    let mut engine = faulty(0, strategies);
    register(&mut engine, "0:[a,∞)→1 0:[a,∞)→2 0:[b,∞)→3");
    assert_eq!(stats(&engine), "0:[a,∞)→2 0:[a,∞)→1 0:[b,∞)→3");
    assert_eq!(owner(&engine, "a").as_deref(), Some("0:[a,∞)→1"));
}

#[test]
fn a_snapshot_of_the_same_version_leaves_registrations_and_a_newer_one_does_not() {
    let mut engine = empty(Level::One);
    engine.apply_snapshot(1, &table("1:[a,c)→1")).unwrap();
    register(&mut engine, "0:[b,c)→2");
    engine.apply_snapshot(1, &table("1:[a,c)→1")).unwrap();
    assert_eq!(stats(&engine), "1:[a,c)→1 0:[b,c)→2");
    engine.apply_snapshot(2, &table("1:[a,c)→1")).unwrap();
    assert_eq!(stats(&engine), "1:[a,c)→1");
}
