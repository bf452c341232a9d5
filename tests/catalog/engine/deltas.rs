//! Apply delta (13.5).

use bytes::Bytes;
use concord::systems::catalog::strategy::DeltaBase;
use concord::systems::catalog::{Change, Delta, Engine, Level, Settings, Strategies};

use super::{code, delta, empty, key, owner, register, stats, table};

/// At version 1, with this table.
fn at_one(text: &str) -> Engine {
    let mut engine = empty(Level::Two);
    engine.apply_snapshot(1, &table(text)).unwrap();
    engine
}

#[test]
fn a_delta_puts_and_deletes_routes() {
    let mut engine = at_one("1:[,g)→1 2:[g,p)→2 3:[p,∞)→3/1");
    let change = delta(1, "4:[m,p)→5 2:[g,m)→2 1:[,g)→4/2", &[3, 9]);
    engine.apply_delta(&change).unwrap();
    assert_eq!(stats(&engine), "1:[,g)→4/2 2:[g,m)→2 4:[m,p)→5");
    assert_eq!(engine.version(), 2);
}

#[test]
fn a_delta_without_changes_raises_the_version() {
    let mut engine = at_one("1:[,∞)→1");
    engine.apply_delta(&delta(1, "", &[])).unwrap();
    assert_eq!((stats(&engine).as_str(), engine.version()), ("1:[,∞)→1", 2));
}

#[test]
fn the_first_delta_drops_routes_without_id() {
    let mut engine = Engine::new(Settings::strict(Level::Two), true, 0);
    register(&mut engine, "0:[m,∞)→2");
    engine.apply_delta(&delta(0, "1:[,∞)→7", &[])).unwrap();
    assert_eq!(stats(&engine), "1:[,∞)→7");
}

#[test]
fn later_deltas_leave_the_last_route_without_id() {
    let mut engine = at_one("1:[b,c)→1");
    register(&mut engine, "0:[e,f)→2 0:[a,b)→3 0:[e,g)→4");
    engine.apply_delta(&delta(1, "2:[x,∞)→5", &[1])).unwrap();
    assert_eq!(stats(&engine), "0:[e,g)→4 2:[x,∞)→5");
    engine.apply_delta(&delta(2, "", &[])).unwrap();
    assert_eq!(stats(&engine), "0:[e,g)→4 2:[x,∞)→5");
}

/// H19. At level 1 the next snapshot heals it.
#[test]
fn drift_fails_every_delta_and_heals_with_a_snapshot() {
    let mut engine = at_one("1:[,∞)→1");
    register(&mut engine, "0:[b,c)→2");
    for _ in 0..2 {
        let failed = engine.apply_delta(&delta(1, "1:[,∞)→3", &[]));
        assert_eq!(code(failed), Err("engine_snapshot_route_order"));
        assert_eq!(stats(&engine), "1:[,∞)→1 0:[b,c)→2");
    }
    let split = delta(1, "2:[,bb)→3 3:[bb,∞)→3", &[1]);
    let failed = engine.apply_delta(&split);
    assert_eq!(code(failed), Err("engine_snapshot_route_overlap"));
    engine.apply_snapshot(2, &table("1:[,∞)→3")).unwrap();
    assert_eq!(owner(&engine, "b").as_deref(), Some("1:[,∞)→3"));
}

#[test]
fn the_first_check_that_fails_decides_and_nothing_changes() {
    let mut engine = empty(Level::Two);
    engine.apply_snapshot(5, &table("1:[a,c)→1")).unwrap();
    let before = engine.clone();
    let with = |previous, version, changes| Delta {
        previous,
        version,
        changes,
    };
    let zero = vec![Change::delete(0)];
    let refused = [
        // The delta itself, even if it is old or known.
        (with(0, 0, zero.clone()), "catalog_delta_version_gap"),
        (with(3, 5, zero.clone()), "catalog_delta_version_gap"),
        (with(4, 5, zero.clone()), "catalog_invalid_delta_mutation"),
        (with(3, 4, zero), "catalog_invalid_delta_mutation"),
        (delta(5, "1:[c,a)→0", &[]), "catalog_group_id_required"),
        (delta(5, "", &[1, 1]), "catalog_invalid_delta_mutation"),
        // Then its version.
        (
            delta(3, "2:[a,∞)→1 3:[b,∞)→1", &[]),
            "engine_snapshot_version_stale",
        ),
        (
            delta(6, "2:[a,∞)→1 3:[b,∞)→1", &[]),
            "engine_delta_version_gap",
        ),
        // Then the table.
        (delta(5, "2:[b,d)→1", &[]), "engine_snapshot_route_overlap"),
        (delta(5, "2:[a,d)→1", &[]), "engine_snapshot_route_order"),
        (delta(5, "2:[,∞)→1", &[]), "engine_snapshot_route_order"),
    ];
    for (refused, wanted) in refused {
        assert_eq!(
            code(engine.apply_delta(&refused)),
            Err(wanted),
            "{refused:?}"
        );
        assert_eq!(engine, before, "{refused:?}");
    }
    let known = delta(4, "2:[a,∞)→1 3:[b,∞)→1", &[]);
    assert_eq!(engine.apply_delta(&known), Ok(()));
    assert_eq!(engine, before);
}

/// The order of changes does not matter: what is in the way may go later.
#[test]
fn only_the_final_table_is_checked() {
    let mut engine = at_one("1:[a,c)→1");
    engine.apply_delta(&delta(1, "2:[b,∞)→2", &[1])).unwrap();
    assert_eq!(stats(&engine), "2:[b,∞)→2");
}

/// Loads are 0 at level 2, unless somebody counts elsewhere.
#[test]
fn a_put_keeps_the_load_of_its_id() {
    let mut engine = at_one("1:[a,c)→1 2:[c,e)→1 3:[e,∞)→1");
    engine.set_loads([4, 5, 6]);
    let change = delta(1, "2:[c,d)→2 4:[d,e)→2", &[3]);
    engine.apply_delta(&change).unwrap();
    assert_eq!(stats(&engine), "1:[a,c)→1*4 2:[c,d)→2*5 4:[d,e)→2");
}

#[test]
fn without_the_check_of_the_base_a_version_is_left_out() {
    let settings = Settings {
        strategies: Strategies {
            delta_base: DeltaBase::Unchecked,
            ..Strategies::REFERENCE
        },
        ..Settings::strict(Level::Two)
    };
    let mut engine = Engine::new(settings, true, 0);
    engine
        .apply_delta(&delta(1, "2:[m,∞)→7", &[]))
        .expect_err("the default route is in the way");
    engine.apply_delta(&delta(1, "", &[])).unwrap();
    assert_eq!((stats(&engine).as_str(), engine.version()), ("0:[,∞)→1", 2));
}

#[test]
fn tables_may_have_an_empty_start_and_many_ids() {
    let mut engine = empty(Level::Two);
    engine
        .apply_delta(&delta(0, "5:[,b)→1 3:[b,∞)→1", &[]))
        .unwrap();
    let first = engine.lookup(b"").expect("it is owned");
    assert_eq!((first.id, &first.start), (5, &Bytes::new()));
    assert_eq!(engine.lookup(&key("b")).map(|route| route.id), Some(3));
}
