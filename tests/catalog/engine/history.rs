//! The history ring (13.6).

use concord::systems::catalog::strategy::Ring;
use concord::systems::catalog::{Engine, Level, Settings, Strategies};

use super::{delta, empty, listed, register, stats, table};

fn at(engine: &Engine, version: u64) -> Option<String> {
    let entry = engine.history_at(version)?;
    assert_eq!(entry.version, version);
    Some(listed(entry.routes.iter()))
}

fn current(engine: &Engine) -> Option<u64> {
    engine.history_current().map(|entry| entry.version)
}

#[test]
fn version_zero_is_remembered_with_the_default_route_only() {
    let engine = Engine::new(Settings::strict(Level::Two), true, 0);
    assert_eq!(at(&engine, 0).as_deref(), Some("0:[,∞)→1"));
    assert_eq!(current(&engine), Some(0));
    let mut engine = empty(Level::Two);
    assert_eq!(current(&engine), None);
    engine.apply_snapshot(0, &table("1:[a,c)→1")).unwrap();
    assert_eq!(at(&engine, 0), None);
}

#[test]
fn every_table_that_is_applied_is_remembered() {
    let mut engine = Engine::new(Settings::strict(Level::Two), true, 0);
    engine.apply_delta(&delta(0, "1:[,∞)→2", &[])).unwrap();
    engine
        .apply_snapshot(4, &table("1:[,m)→3 2:[m,∞)→3"))
        .unwrap();
    engine.apply_delta(&delta(4, "", &[2])).unwrap();
    let remembered: Vec<_> = (0..=6).map(|version| at(&engine, version)).collect();
    let wanted = [
        Some("0:[,∞)→1"),
        Some("1:[,∞)→2"),
        None,
        None,
        Some("1:[,m)→3 2:[m,∞)→3"),
        Some("1:[,m)→3"),
        None,
    ];
    assert_eq!(remembered, wanted.map(|text| text.map(str::to_owned)));
    assert_eq!(current(&engine), Some(5));
}

#[test]
fn what_fails_or_changes_nothing_is_not_remembered() {
    let mut engine = empty(Level::Two);
    engine.apply_snapshot(2, &table("1:[,∞)→1")).unwrap();
    let before = engine.clone();
    assert!(engine.apply_snapshot(1, &[]).is_err());
    assert!(engine.apply_snapshot(3, &table("0:[,∞)→1")).is_err());
    assert!(engine.apply_delta(&delta(3, "", &[])).is_err());
    assert_eq!(engine.apply_snapshot(2, &[]), Ok(()));
    assert_eq!(engine.apply_delta(&delta(1, "", &[1])), Ok(()));
    assert_eq!(engine, before);
}

#[test]
fn of_more_than_32_versions_the_first_recorded_goes() {
    let mut engine = Engine::new(Settings::strict(Level::Two), true, 0);
    // With version 0 these are 32 entries, with every other version left out.
    for version in (2..=62).step_by(2) {
        engine.apply_snapshot(version, &[]).unwrap();
    }
    assert!(at(&engine, 0).is_some());
    engine.apply_delta(&delta(62, "1:[,∞)→1", &[])).unwrap();
    assert_eq!(at(&engine, 0), None);
    assert!(at(&engine, 2).is_some());
    engine.apply_snapshot(100, &[]).unwrap();
    let known: Vec<u64> = (0..=110).filter(|v| at(&engine, *v).is_some()).collect();
    let wanted: Vec<u64> = (4..=62).step_by(2).chain([63, 100]).collect();
    assert_eq!(known, wanted);
    assert_eq!(current(&engine), Some(100));
}

/// H22.
#[test]
fn registrations_are_not_remembered() {
    let mut engine = Engine::new(Settings::strict(Level::Two), true, 0);
    register(&mut engine, "0:[m,∞)→2");
    assert_eq!(stats(&engine), "0:[,∞)→1 0:[m,∞)→2");
    assert_eq!(at(&engine, 0).as_deref(), Some("0:[,∞)→1"));
    assert_eq!(engine.owner_at(0, b"x"), Some(Some(1)));
    assert_eq!(engine.lookup(b"x").map(|route| route.group), Some(2));
}

#[test]
fn the_owner_of_a_key_is_unknown_nobody_or_a_group() {
    let mut engine = empty(Level::Two);
    engine
        .apply_snapshot(1, &table("1:[b,d)→5 2:[d,e)→6"))
        .unwrap();
    let owners = ["", "a", "b", "c", "d", "e"].map(|key| engine.owner_at(1, key.as_bytes()));
    let wanted = [None, None, Some(5), Some(5), Some(6), None];
    assert_eq!(owners, wanted.map(Some));
    assert_eq!(engine.owner_at(0, b"b"), None);
    assert_eq!(engine.owner_at(2, b"b"), None);
}

#[test]
fn level_one_remembers_nothing() {
    let mut engine = Engine::new(Settings::strict(Level::One), true, 0);
    engine.apply_snapshot(1, &table("1:[,∞)→1")).unwrap();
    assert_eq!([0, 1].map(|version| at(&engine, version)), [None, None]);
    assert_eq!(current(&engine), None);
}

#[test]
fn a_ring_of_replaced_tables_lags_behind() {
    let settings = Settings {
        strategies: Strategies {
            ring: Ring::Replaced,
            ..Strategies::REFERENCE
        },
        ..Settings::strict(Level::Two)
    };
    let mut engine = Engine::new(settings, true, 0);
    engine.apply_snapshot(1, &table("1:[,∞)→2")).unwrap();
    assert_eq!(at(&engine, 1).as_deref(), Some("0:[,∞)→1"));
}
