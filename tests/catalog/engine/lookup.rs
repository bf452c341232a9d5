//! What routes a table answers with.

use bytes::Bytes;
use concord::systems::catalog::{Engine, EngineRoute, Level, Settings};
use proptest::prelude::*;

use super::{empty, key, listed, owner, register, stats, table};
use crate::common::cases;

fn intersecting(engine: &Engine, start: &str, end: Option<&str>) -> String {
    let (start, end) = (key(start), end.map(key));
    listed(engine.intersecting(&start, end.as_deref()))
}

#[test]
fn a_new_engine_is_empty_or_owns_every_key_by_the_default_route() {
    for level in [Level::One, Level::Two] {
        let settings = Settings::strict(level);
        assert_eq!(stats(&Engine::new(settings, false, 0)), "");
        let engine = Engine::new(settings, true, 0);
        assert_eq!(stats(&engine), "0:[,∞)→1");
        assert_eq!(owner(&engine, ""), owner(&engine, "zz"));
        assert_eq!(engine.version(), 0);
    }
}

#[test]
fn starts_are_included_and_ends_are_not() {
    let mut engine = empty(Level::One);
    engine
        .apply_snapshot(1, &table("1:[b,d)→1 2:[d,f)→2 3:[h,∞)→3"))
        .unwrap();
    let owners = ["", "a", "b", "b0", "c", "d", "ezzz", "f", "g", "h", "zz"].map(|key| {
        let owner = engine.lookup(key.replace('0', "\0").as_bytes());
        owner.map(|route| route.id)
    });
    let wanted = [0, 0, 1, 1, 1, 2, 2, 0, 0, 3, 3].map(|id| (id != 0).then_some(id));
    assert_eq!(owners, wanted);
}

#[test]
fn an_empty_end_is_below_every_key_and_none_is_above() {
    let mut engine = empty(Level::One);
    engine.update_route(key("a"), Some(Bytes::new()), 1);
    assert_eq!(owner(&engine, "a"), None);
    assert_eq!(intersecting(&engine, "", None), "");
    engine.update_route(key("b"), None, 2);
    assert_eq!(owner(&engine, "zz").as_deref(), Some("0:[b,∞)→2"));
    assert_eq!(intersecting(&engine, "zz", None), "0:[b,∞)→2");
}

#[test]
fn intersecting_routes_are_those_between_both_bounds_in_list_order() {
    let mut engine = empty(Level::One);
    engine
        .apply_snapshot(1, &table("1:[a,c)→1 2:[c,e)→2 3:[e,∞)→3"))
        .unwrap();
    let all = "1:[a,c)→1 2:[c,e)→2 3:[e,∞)→3";
    assert_eq!(intersecting(&engine, "", None), all);
    assert_eq!(intersecting(&engine, "b", Some("e0")), all);
    assert_eq!(intersecting(&engine, "b", Some("e")), "1:[a,c)→1 2:[c,e)→2");
    assert_eq!(intersecting(&engine, "c", Some("d")), "2:[c,e)→2");
    assert_eq!(intersecting(&engine, "e", None), "3:[e,∞)→3");
    assert_eq!(intersecting(&engine, "", Some("")), "");
}

#[test]
fn empty_and_inverted_queries_are_answered_like_others() {
    let mut engine = empty(Level::One);
    engine.apply_snapshot(1, &table("1:[a,z)→1")).unwrap();
    assert_eq!(intersecting(&engine, "m", Some("m")), "1:[a,z)→1");
    assert_eq!(intersecting(&engine, "m", Some("c")), "1:[a,z)→1");
    assert_eq!(intersecting(&engine, "z", Some("c")), "");
    assert_eq!(intersecting(&engine, "m", Some("a")), "");
}

#[test]
fn timestamps_begin_at_one() {
    let mut engine = empty(Level::One);
    let given: Vec<u64> = (0..3).map(|_| engine.next_timestamp()).collect();
    assert_eq!(given, [1, 2, 3]);
}

/// H9.
#[test]
fn timestamps_start_over_with_a_new_engine() {
    let [mut before, mut after] = [empty(Level::One), empty(Level::One)];
    assert_eq!(before.next_timestamp(), after.next_timestamp());
}

#[test]
fn a_copy_does_not_see_what_becomes_of_the_original() {
    let mut engine = Engine::new(Settings::strict(Level::One), true, 2);
    let copy = engine.clone();
    let held = engine.shared_routes().clone();
    engine.record_access(b"a");
    register(&mut engine, "0:[m,∞)→2");
    assert_eq!(stats(&engine), "0:[,∞)→1*1 0:[m,∞)→2");
    assert_eq!(stats(&copy), "0:[,∞)→1");
    assert_eq!(listed(held.iter()), "0:[,∞)→1");
}

fn drawn_key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(&[0, b'a', b'b', 0xff][..]), 0..4)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn lookups_agree_with_a_linear_scan(
        ranges in prop::collection::vec((drawn_key(), prop::option::of(drawn_key())), 0..60),
        keys in prop::collection::vec(drawn_key(), 1..20),
        query in (drawn_key(), prop::option::of(drawn_key())),
    ) {
        let mut engine = empty(Level::One);
        for (at, (start, end)) in ranges.iter().enumerate() {
            engine.update_route(start.clone().into(), end.clone().map(Bytes::from), at as u64);
        }
        let list: Vec<EngineRoute> = engine.routes().to_vec();
        prop_assert!(list.is_sorted_by(|a, b| (&a.start, a.group) < (&b.start, b.group)));
        for key in &keys {
            let mut last = None;
            for route in &list {
                if route.start[..] <= key[..] {
                    last = Some(route);
                }
            }
            let owner = last.filter(|route| route.end.as_ref().is_none_or(|end| end[..] > key[..]));
            prop_assert_eq!(engine.lookup(key), owner);
        }
        let (start, end) = query;
        let mut wanted = Vec::new();
        for route in &list {
            let is_before = route.end.as_ref().is_some_and(|its| its[..] <= start[..]);
            let is_behind = end.as_ref().is_some_and(|end| route.start[..] >= end[..]);
            if !is_before && !is_behind {
                wanted.push(route);
            }
        }
        let found: Vec<&EngineRoute> = engine.intersecting(&start, end.as_deref()).collect();
        prop_assert_eq!(found, wanted);
    }
}
