//! Syncs of a watcher (10, 13.5).

use concord::systems::catalog::codec::encode_delta;
use concord::systems::catalog::durable::{Step, Syncing};
use concord::systems::catalog::limits::DEFAULT_BATCH;
use concord::systems::catalog::{Change, Delta, Engine, Error, keys};

use super::world::{A, B, World, level_1, level_2, references, routes};

#[test]
fn a_sync_loads_what_is_newer() {
    for settings in references() {
        let mut world = World::new(settings);
        world.sync(A).unwrap();
        assert_eq!(world.engine(A), (0, "0:[,~)->1".into()));
        world.save(0, "1:[,m)->1 2:[m,~)->2*1").unwrap();
        world.sync(A).unwrap();
        assert_eq!(world.engine(A), (1, "1:[,m)->1 2:[m,~)->2*1".into()));
        world.save(1, "2:[m,~)->2*1").unwrap();
        world.save(2, "2:[m,~)->3").unwrap();
        for node in [A, B] {
            world.sync(node).unwrap();
            assert_eq!(world.engine(node), (3, "2:[m,~)->3".into()));
        }
    }
}

#[test]
fn an_engine_that_is_ahead_is_left_alone_at_level_1() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    world.engines[A]
        .apply_snapshot(5, &routes("9:[,~)->9"))
        .unwrap();
    world.put(
        keys::route(1),
        "broken: routes that are not newer are not read",
    );
    assert_eq!(world.sync(A), Ok(()));
    assert_eq!(world.engine(A), (5, "9:[,~)->9".into()));
}

#[test]
fn the_first_half_tells_what_it_read() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->2");
    let settings = world.settings;
    let half = |world: &mut World, node: usize, steps| {
        let mut sync = Syncing::begin(0);
        assert_eq!(sync.read(), None);
        for _ in 0..steps {
            match sync.advance(&world.store, &mut world.engines[node], &settings) {
                Step::Next(next) => sync = next,
                Step::Done(done) => panic!("too early: {done:?}"),
            }
        }
        sync
    };
    assert_eq!(half(&mut world, A, 1).read(), Some((1, true)));
    let late = half(&mut world, A, 2);
    assert_eq!(
        (late.read(), late.is_up_to_date()),
        (Some((1, true)), false)
    );
    // What is newer by then wins, and that is no failure.
    world.save(1, "1:[,~)->3").unwrap();
    world.sync(A).unwrap();
    assert_eq!(
        late.finish(&world.store, &mut world.engines[A], &settings),
        Ok(())
    );
    assert_eq!(world.engine(A), (2, "1:[,~)->3".into()));
    let done = half(&mut world, A, 1);
    assert_eq!(
        (done.read(), done.is_up_to_date()),
        (Some((2, false)), true)
    );
    assert_eq!(
        done.finish(&world.store, &mut world.engines[A], &settings),
        Ok(())
    );
}

#[test]
fn version_and_routes_are_read_at_one_timestamp() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    let settings = world.settings;
    let sync = Syncing::begin(0);
    let Step::Next(sync) = sync.advance(&world.store, &mut world.engines[A], &settings) else {
        panic!("there is something newer");
    };
    world.save(1, "1:[,~)->2").unwrap();
    sync.finish(&world.store, &mut world.engines[A], &settings)
        .unwrap();
    assert_eq!(world.engine(A), (1, "1:[,~)->1".into()));
}

#[test]
fn failures_leave_the_engine_and_the_next_sync_tries_again() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    world.sync(A).unwrap();
    world.save(1, "1:[,~)->2").unwrap();
    world.put(keys::route(2), "broken");
    assert!(world.sync(A).is_err());
    assert_eq!(world.engine(A), (1, "1:[,~)->1".into()));
    world.delete(keys::route(2));
    world.put(keys::VERSION, "broken");
    assert_eq!(
        world.sync(A),
        Err(Error::InvalidVersionRecord { length: 6 })
    );
    world.put_number(keys::VERSION, 2);
    assert_eq!(world.sync(A), Ok(()));
    assert_eq!(world.engine(A), (2, "1:[,~)->2".into()));
}

/// A world with that many saves, group after group, at level 2.
fn saves(count: u64) -> World {
    let mut world = World::new(level_2(|_| ()));
    for version in 0..count {
        let table = format!("1:[,~)->{}", version + 1);
        world.save(version, &table).unwrap();
    }
    world
}

#[test]
fn a_sync_moves_at_most_a_batch() {
    let mut world = saves(5);
    for (batch, expected) in [(2, 2), (1, 3), (1, 4), (7, 5), (7, 5)] {
        world.sync_by(A, batch).unwrap();
        assert_eq!(world.engine(A), (expected, format!("1:[,~)->{expected}")));
    }
}

#[test]
fn a_non_positive_batch_is_the_default() {
    let default = DEFAULT_BATCH as u64;
    let world = saves(default + 5);
    for batch in [0, -1, i64::MIN] {
        let mut world = world.clone();
        world.sync_by(A, batch).unwrap();
        assert_eq!(world.engine(A).0, default);
        world.sync_by(A, batch).unwrap();
        assert_eq!(world.engine(A).0, default + 5);
    }
    let mut all = world;
    all.sync_by(A, i64::MAX).unwrap();
    assert_eq!(all.engine(A).0, default + 5);
}

#[test]
fn a_cursor_before_the_log_is_reset() {
    // Written at level 1, so there is no log.
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    world.save(1, "1:[,~)->2").unwrap();
    world.settings = level_2(|_| ());
    world.engines[A] = Engine::new(world.settings, true, 0);
    world.sync_by(A, 1).unwrap();
    assert_eq!(world.engine(A), (2, "1:[,~)->2".into()));
}

#[test]
fn deltas_before_the_bad_one_stay_applied() {
    let mut world = saves(3);
    // One that decodes, and that the engine refuses.
    let overlapping = routes("1:[,m)->1 2:[,~)->1").into_iter();
    let overlapping = Delta {
        previous: 1,
        version: 2,
        changes: overlapping.map(Change::upsert).collect(),
    };
    let record = encode_delta(&overlapping, &world.settings).unwrap();
    world.put(keys::delta(2), record);
    let order = Error::SnapshotRouteOrder { left: 1, right: 2 };
    assert_eq!(world.sync(A), Err(order.clone()));
    assert_eq!(world.engine(A), (1, "1:[,~)->1".into()));
    assert_eq!(world.sync(A), Err(order));
}

#[test]
fn stale_deltas_are_skipped() {
    let mut world = saves(3);
    let settings = world.settings;
    let step = Syncing::begin(0).advance(&world.store, &mut world.engines[A], &settings);
    let Step::Next(late) = step else {
        panic!("there are three deltas");
    };
    assert_eq!(late.read(), Some((3, true)));
    world.sync_by(A, 2).unwrap();
    assert_eq!(
        late.finish(&world.store, &mut world.engines[A], &settings),
        Ok(())
    );
    assert_eq!(world.engine(A), (3, "1:[,~)->3".into()));
}

#[test]
fn each_delta_is_a_step() {
    let mut world = saves(3);
    let settings = world.settings;
    let mut sync = Syncing::begin(0);
    for version in [0, 1, 2] {
        match sync.advance(&world.store, &mut world.engines[A], &settings) {
            Step::Next(next) => sync = next,
            Step::Done(done) => panic!("too early: {done:?}"),
        }
        assert_eq!(world.engine(A).0, version);
    }
    let done = sync.advance(&world.store, &mut world.engines[A], &settings);
    assert_eq!((done, world.engine(A).0), (Step::Done(Ok(())), 3));
}
