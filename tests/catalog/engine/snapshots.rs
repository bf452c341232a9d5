//! Apply snapshot: its checks and their order.

use concord::systems::catalog::strategy::{Overlapping, Recheck, Stale};
use concord::systems::catalog::{Level, Strategies};

use super::{code, counting, empty, faulty, register, stats, table};

#[test]
fn a_snapshot_replaces_the_table_and_its_loads() {
    let mut engine = counting(0);
    engine
        .apply_snapshot(1, &table("1:[a,c)→1 2:[c,∞)→2"))
        .unwrap();
    engine.record_access(b"b");
    register(&mut engine, "0:[x,∞)→9");
    engine
        .apply_snapshot(7, &table("3:[m,∞)→2/3 1:[a,c)→1"))
        .unwrap();
    assert_eq!(stats(&engine), "1:[a,c)→1 3:[m,∞)→2/3");
    assert_eq!(engine.version(), 7);
}

#[test]
fn an_empty_snapshot_empties_the_table() {
    let mut engine = empty(Level::One);
    engine.apply_snapshot(1, &table("1:[a,c)→1")).unwrap();
    engine.apply_snapshot(2, &[]).unwrap();
    assert_eq!((stats(&engine).as_str(), engine.version()), ("", 2));
}

/// What is wrong with a snapshot, if several things are; versions are 4 unless an engine at 5 is asked.
#[test]
fn the_first_check_that_fails_decides_and_nothing_changes() {
    let mut engine = empty(Level::One);
    engine.apply_snapshot(5, &table("1:[a,c)→1")).unwrap();
    register(&mut engine, "0:[b,c)→2");
    let before = engine.clone();
    let refused = [
        (4, "0:[a,c)→1", "engine_snapshot_version_stale"),
        (0, "", "engine_snapshot_version_stale"),
        // Within one element the order of section 4.
        (6, "0:[c,a)→0/4", "catalog_route_id_required"),
        (6, "1:[c,a)→0/4", "catalog_group_id_required"),
        (6, "1:[c,a)→1/4", "catalog_invalid_route_state"),
        (6, "1:[c,a)→1/3", "catalog_invalid_route_range"),
        (6, "1:[c,c)→1", "catalog_invalid_route_range"),
        (6, "1:[c,)→1", "catalog_invalid_route_range"),
        // Then its id, and only then the next element.
        (6, "1:[a,b)→1 1:[b,c)→0", "catalog_group_id_required"),
        (
            6,
            "1:[a,b)→1 1:[b,c)→1 2:[c,d)→0",
            "engine_snapshot_duplicate_id",
        ),
        (
            6,
            "1:[a,b)→1 2:[c,d)→0 1:[b,c)→1",
            "catalog_group_id_required",
        ),
        (
            6,
            "2:[a,b)→1 1:[b,c)→1 1:[d,e)→1 2:[e,f)→1",
            "engine_snapshot_duplicate_id",
        ),
        // Elements before neighbours.
        (
            6,
            "1:[a,c)→1 2:[b,d)→1 1:[x,z)→1",
            "engine_snapshot_duplicate_id",
        ),
        (
            6,
            "1:[a,c)→1 2:[b,d)→1 3:[x,z)→0",
            "catalog_group_id_required",
        ),
        // Neighbours once sorted, from the left; of one pair the order before the overlap.
        (6, "2:[b,d)→1 1:[a,c)→1", "engine_snapshot_route_overlap"),
        (6, "2:[b,d)→1 1:[a,∞)→1", "engine_snapshot_route_order"),
        (6, "1:[a,c)→1 2:[a,c)→1", "engine_snapshot_route_order"),
        (
            6,
            "1:[a,c)→1 2:[b,∞)→1 3:[d,e)→1",
            "engine_snapshot_route_overlap",
        ),
        (
            6,
            "1:[a,∞)→1 2:[b,e)→1 3:[d,e)→1",
            "engine_snapshot_route_order",
        ),
        (
            6,
            "1:[a,c)→1 2:[b,e)→1 3:[b,d)→1",
            "engine_snapshot_route_overlap",
        ),
        (6, "1:[,∞)→1 2:[,∞)→1", "engine_snapshot_route_order"),
    ];
    for (version, routes, wanted) in refused {
        let refused = engine.apply_snapshot(version, &table(routes));
        assert_eq!(code(refused), Err(wanted), "{routes}");
        assert_eq!(engine, before, "{routes}");
    }
}

#[test]
fn at_the_same_version_the_routes_are_not_looked_at() {
    let mut engine = empty(Level::One);
    for version in [0, 3] {
        engine.apply_snapshot(version, &table("1:[a,c)→1")).unwrap();
        let before = engine.clone();
        let invalid = table("0:[c,a)→0/9");
        assert_eq!(engine.apply_snapshot(version, &invalid), Ok(()));
        assert_eq!(engine, before);
    }
}

#[test]
fn gaps_and_touching_routes_are_no_flaw() {
    let mut engine = empty(Level::One);
    let routes = "9:[,a)→1 8:[a,a0)→1 7:[c,d)→1 6:[dd,∞)→1";
    engine.apply_snapshot(1, &table(routes)).unwrap();
    assert_eq!(stats(&engine), routes);
}

#[test]
fn installing_looks_at_the_version_again() {
    let mut engine = empty(Level::One);
    let prepare = |engine: &super::Engine, version, text| {
        let prepared = engine.prepare_snapshot(version, &table(text));
        prepared.unwrap().expect("it is newer")
    };
    let two = prepare(&engine, 2, "1:[a,∞)→2");
    let again = prepare(&engine, 3, "1:[a,∞)→4");
    let three = prepare(&engine, 3, "1:[a,∞)→3");
    assert_eq!([&two, &three].map(|table| table.version()), [2, 3]);
    assert_eq!(engine.install(three), Ok(()));
    assert_eq!(
        code(engine.install(two)),
        Err("engine_snapshot_version_stale")
    );
    assert_eq!(engine.install(again), Ok(()));
    assert_eq!(stats(&engine), "1:[a,∞)→3");
    assert_eq!(engine.version(), 3);
}

#[test]
fn without_the_second_check_an_older_table_is_installed() {
    let strategies = Strategies {
        recheck: Recheck::Skipped,
        ..Strategies::REFERENCE
    };
    let mut engine = faulty(0, strategies);
    let older = engine.prepare_snapshot(1, &table("1:[a,∞)→1")).unwrap();
    engine.apply_snapshot(2, &[]).unwrap();
    engine.install(older.expect("it is newer")).unwrap();
    assert_eq!(engine.version(), 1);
}

#[test]
fn mutants_install_what_is_refused() {
    let stale = Strategies {
        stale: Stale::Installed,
        ..Strategies::REFERENCE
    };
    let mut engine = faulty(0, stale);
    engine.apply_snapshot(2, &table("1:[a,∞)→2")).unwrap();
    engine.apply_snapshot(1, &table("1:[a,∞)→1")).unwrap();
    assert_eq!(engine.version(), 1);

    let overlapping = Strategies {
        overlapping: Overlapping::Installed,
        ..Strategies::REFERENCE
    };
    let mut engine = faulty(0, overlapping);
    let routes = "1:[a,c)→1 2:[b,∞)→2";
    engine.apply_snapshot(1, &table(routes)).unwrap();
    assert_eq!(stats(&engine), routes);
}
