//! What is kept as the original does it (14.2). H17 cannot be shown with one store.

use concord::systems::catalog::codec::encode_route;
use concord::systems::catalog::durable::next_route_id;
use concord::systems::catalog::{Engine, Error, Store, keys};

use super::world::{A, B, World, code, level_1, level_2, routes, stats};

#[test]
fn h1_a_registration_hides_a_wider_route_from_lookups_only() {
    let mut engine = Engine::new(level_1(|_| ()), false, 0);
    engine.update_route("a".into(), Some("z".into()), 1);
    engine.update_route("b".into(), Some("c".into()), 2);
    assert_eq!(engine.lookup(b"d"), None);
    let groups: Vec<_> = engine
        .intersecting(b"d", Some(b"e"))
        .map(|route| route.group)
        .collect();
    assert_eq!(groups, [1]);
    engine.update_route("b".into(), Some("c".into()), 3);
    assert_eq!(engine.lookup(b"b").unwrap().group, 3);
    assert_eq!(engine.intersecting(b"b", Some(b"c")).count(), 3);
}

#[test]
fn h2_hotspot_splits_vanish_with_the_next_snapshot() {
    let mut world = World::saved(level_1(|_| ()), "1:[a,c)->1");
    world.engines[A] = Engine::new(world.settings, false, 1);
    world.sync(A).unwrap();
    world.engines[A].record_access(b"b");
    assert_eq!(world.engine(A).1, "0:[a,a\0)->1 0:[a\0,c)->1");
    assert_eq!(world.durable().1, "1:[a,c)->1");
    world.save(1, "1:[a,c)->1").unwrap();
    world.sync(A).unwrap();
    assert_eq!(world.engine(A), (2, "1:[a,c)->1".into()));
    assert_eq!(world.engines[A].routes()[0].load, 0);
}

#[test]
fn h3_a_hot_key_stays_in_a_route_that_is_hot() {
    let mut engine = Engine::new(level_1(|_| ()), false, 1);
    engine.apply_snapshot(1, &routes("1:[a,z)->1")).unwrap();
    for routes in 2..6 {
        engine.record_access(b"b");
        assert_eq!(engine.routes().len(), routes);
    }
    let starts: Vec<_> = engine
        .routes()
        .iter()
        .map(|route| &route.start[..])
        .collect();
    assert_eq!(
        starts,
        [&b"a"[..], b"a\0", b"a\0\0", b"a\0\0\0", b"a\0\0\0\0"]
    );
}

#[test]
fn h4_loads_are_lossy() {
    let mut engine = Engine::new(level_1(|_| ()), false, 2);
    engine.apply_snapshot(1, &routes("1:[a,c)->1")).unwrap();
    let begun: Vec<_> = (0..3).map(|_| engine.access_begin(b"b").unwrap()).collect();
    assert_eq!(
        begun.iter().map(|it| (it.load, it.hot)).collect::<Vec<_>>(),
        [(1, false), (2, true), (3, true)]
    );
    assert!(engine.access_finish(b"b"));
    assert!(!engine.access_finish(b"b"));
    assert!(engine.routes().iter().all(|route| route.load == 0));
}

#[test]
fn h5_an_empty_node_wipes_the_table() {
    let mut world = World::new(level_1(|_| ()));
    world.engines[A] = Engine::new(world.settings, false, 0);
    assert_eq!(world.bootstrap(A).unwrap().version, 1);
    world.bootstrap(B).unwrap();
    assert_eq!(world.engines[B].lookup(b"x"), None);
    assert_eq!(world.durable(), (1, String::new()));
}

#[test]
fn h6_routes_without_a_version_are_invisible() {
    let mut world = World::new(level_1(|_| ()));
    world.put_routes("1:[,~)->7");
    let found = world.bootstrap(A).unwrap();
    assert_eq!((found.version, found.routes.len()), (0, 1));
    assert_eq!(world.engine(A), (0, "0:[,~)->1".into()));
    world.sync(A).unwrap();
    assert_eq!(world.engine(A), (0, "0:[,~)->1".into()));
}

#[test]
fn h7_a_bootstrap_writes_before_it_finds_the_engine_ahead() {
    let mut world = World::new(level_1(|_| ()));
    world.engines[A]
        .apply_snapshot(5, &routes("3:[,~)->2"))
        .unwrap();
    let stale = Error::SnapshotVersionStale {
        version: 1,
        engine: 5,
    };
    assert_eq!(world.bootstrap(A), Err(stale));
    assert_eq!(world.durable(), (1, "1:[,~)->2".into()));
}

#[test]
fn h8_tables_of_equal_versions_are_not_compared() {
    let mut world = World::new(level_1(|_| ()));
    world.bootstrap(A).unwrap();
    let checkpoint = world.store.checkpoint().unwrap();
    world.save(1, "1:[,~)->2").unwrap();
    world.sync(A).unwrap();
    world.store.rollback(&checkpoint).unwrap();
    world.save(1, "1:[,~)->3").unwrap();
    assert_eq!(world.sync(A), Ok(()));
    assert_eq!(world.engine(A), (2, "1:[,~)->2".into()));
    assert_eq!(world.durable(), (2, "1:[,~)->3".into()));
}

#[test]
fn h9_engine_timestamps_begin_again_with_each_engine() {
    let mut world = World::new(level_1(|_| ()));
    assert_eq!(world.engines[A].next_timestamp(), 1);
    assert_eq!(world.engines[A].next_timestamp(), 2);
    assert_eq!(world.engines[B].next_timestamp(), 1);
    world.engines[A] = Engine::new(world.settings, true, 0);
    assert_eq!(world.engines[A].next_timestamp(), 1);
}

#[test]
fn h10_the_next_id_may_lag() {
    let mut world = World::saved(level_1(|_| ()), "5:[,~)->1");
    world.put_number(keys::NEXT_ROUTE_ID, 2);
    assert_eq!(next_route_id(&world.store, &world.settings), Ok(2));
    let split = world.split(1, 5, "m").unwrap();
    assert_eq!((split.left.id, split.right.id), (6, 7));
    assert_eq!(next_route_id(&world.store, &world.settings), Ok(8));
}

#[test]
fn h11_one_bad_record_disables_the_catalog() {
    let largest = "18446744073709551615:[x,~)->1";
    let settings = level_1(|_| ());
    let record = encode_route(&routes(largest)[0], &settings).unwrap();
    let bad = [
        (keys::route(2), "broken".into(), true),
        (
            [keys::ROUTE_PREFIX, b"stray"].concat().into(),
            record.clone(),
            true,
        ),
        // This one can be read.
        (keys::route(u64::MAX), record, false),
    ];
    for (key, value, unreadable) in bad {
        let mut world = World::saved(settings, "1:[,m)->1");
        world.put(key, value);
        assert_eq!(world.snapshot().is_err(), unreadable);
        assert_eq!(world.sync(A).is_err(), unreadable);
        assert!(world.split(1, 1, "g").is_err());
        // Not even a save without it gets through.
        assert!(world.save(1, "1:[,m)->1").is_err());
    }
}

#[test]
fn h12_compaction_past_the_newest_commit_stops_the_catalog() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    world.store.compact(6).unwrap();
    let compacted = || Error::ReadTsCompacted { ts: 1, retained: 6 };
    assert_eq!(world.snapshot(), Err(compacted()));
    assert_eq!(world.save(1, "1:[,~)->2"), Err(compacted()));
    assert_eq!(world.split(1, 1, "g"), Err(compacted()));
    assert_eq!(world.sync(A), Err(compacted()));
    world.put_at("user", "x", 6);
    assert_eq!(world.save(1, "1:[,~)->2").unwrap().commit_ts, 7);
}

#[test]
fn h13_a_migrating_route_is_split() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1*2");
    let split = world.split(1, 1, "m").unwrap();
    assert_eq!((split.left.state, split.right.state), (2, 2));
}

#[test]
fn h14_identity_and_lineage_are_unchecked() {
    let mut world = World::saved(level_1(|_| ()), "1:[,m)->1 2:[m,~)->2");
    world.save(1, "2:[,c)->9*3^77 1:[x,~)->4^1").unwrap();
    assert_eq!(world.durable(), (2, "2:[,c)->9*3^77 1:[x,~)->4^1".into()));
}

#[test]
fn h15_a_durable_split_may_be_reported_as_failed() {
    let mut world = World::saved(level_1(|_| ()), "1:[,m)->1");
    // A foreign record makes the table overlap, which a split does not look at.
    world.put_routes("2:[g,~)->1");
    assert_eq!(
        code(world.split(1, 1, "c")),
        "engine_snapshot_route_overlap"
    );
    assert_eq!(world.durable().0, 2);
    assert_eq!(world.engine(A).0, 0);
}

#[test]
fn h16_permanent_errors_come_back_with_every_sync() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    world.put(keys::VERSION, "broken");
    for _ in 0..3 {
        assert_eq!(code(world.sync(A)), "catalog_invalid_version_record");
    }
}

#[test]
fn h18_a_level_1_reader_loses_the_catalog_to_a_level_2_writer() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    world.settings = level_2(|_| ());
    world.save(1, "1:[,~)->2").unwrap();
    world.settings = level_1(|_| ());
    assert_eq!(code(world.snapshot()), "catalog_invalid_route_record");
    assert_eq!(code(world.sync(A)), "catalog_invalid_route_record");
}

#[test]
fn h19_drift_never_heals_at_level_2() {
    for (settings, heals) in [(level_1(|_| ()), true), (level_2(|_| ()), false)] {
        let mut world = World::saved(settings, "1:[,~)->1");
        world.sync(A).unwrap();
        world.engines[A].update_route("m".into(), None, 9);
        for version in 1..4 {
            world.save(version, "1:[,~)->2").unwrap();
            assert_eq!(world.sync(A).is_ok(), heals);
            assert_eq!(stats(&world.engines[A]) == "1:[,~)->2", heals);
        }
    }
}

#[test]
fn h20_an_engine_that_is_ahead_fails_each_sync_at_level_2() {
    let mut world = World::new(level_2(|_| ()));
    world.bootstrap(A).unwrap();
    let checkpoint = world.store.checkpoint().unwrap();
    world.save(1, "1:[,~)->2").unwrap();
    world.sync(A).unwrap();
    world.store.rollback(&checkpoint).unwrap();
    let future = || {
        Err(Error::DeltaVersionFuture {
            cursor: 2,
            durable: 1,
        })
    };
    assert_eq!([world.sync(A), world.sync(A)], [future(), future()]);
}

#[test]
fn h21_a_hole_in_the_log_stops_all_cursors_before_it() {
    let mut world = World::saved(level_2(|_| ()), "1:[,~)->1");
    world.save(1, "1:[,~)->2").unwrap();
    // A writer that knows no deltas.
    world.put_routes("1:[,~)->3");
    world.put_number(keys::VERSION, 3);
    let gap = || Err(Error::DeltaVersionGap { version: 3 });
    world.sync_by(A, 2).unwrap();
    assert_eq!((world.sync(A), world.sync(A)), (gap(), gap()));
    assert_eq!(world.sync(B), gap());
    // A save on top of it does not help.
    world.save(3, "1:[,~)->4").unwrap();
    assert_eq!(world.sync(A), gap());
    assert_eq!(world.engine(A).0, 2);
}

#[test]
fn h22_ring_and_live_table_differ_after_a_registration() {
    let mut world = World::saved(level_2(|_| ()), "1:[,~)->1");
    world.sync(A).unwrap();
    world.engines[A].update_route("m".into(), None, 9);
    let engine = &world.engines[A];
    assert_eq!(engine.lookup(b"x").unwrap().group, 9);
    assert_eq!(engine.owner_at(1, b"x"), Some(Some(1)));
}
