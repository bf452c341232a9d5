//! Bootstrap (9).

use concord::systems::catalog::durable::Step;
use concord::systems::catalog::strategy::LateBootstrap;
use concord::systems::catalog::{Bootstrapping, Engine, Error, Snapshot, keys};

use super::world::{A, B, World, level_1, references, routes, text};

#[test]
fn the_first_node_seeds_the_catalog() {
    for settings in references() {
        let mut world = World::new(settings);
        let found = world.bootstrap(A).unwrap();
        assert_eq!(
            (found.version, found.read_ts, text(&found.routes)),
            (1, 1, "1:[,~)->1".into())
        );
        assert_eq!(world.durable(), (1, "1:[,~)->1".into()));
        assert_eq!(world.engine(A), (1, "1:[,~)->1".into()));
        // The next one adopts it.
        let found = world.bootstrap(B).unwrap();
        assert_eq!((found.version, world.engine(B)), (1, world.engine(A)));
        assert_eq!(world.durable().0, 1);
    }
}

#[test]
fn ids_follow_the_list_of_the_engine() {
    let mut world = World::new(level_1(|_| ()));
    let mut engine = Engine::new(world.settings, false, 1);
    engine.update_route("m".into(), None, 3);
    engine.update_route("".into(), Some("g".into()), 2);
    world.engines[A] = engine;
    world.bootstrap(A).unwrap();
    assert_eq!(world.durable(), (1, "1:[,g)->2 2:[m,~)->3".into()));
}

#[test]
fn states_and_gaps_are_seeded_too() {
    let mut world = World::new(level_1(|_| ()));
    let mut engine = Engine::new(world.settings, false, 1);
    // At version 1, with an empty store.
    engine
        .apply_snapshot(1, &routes("7:[a,c)->4*2^3 9:[x,~)->1"))
        .unwrap();
    world.engines[A] = engine;
    world.bootstrap(A).unwrap();
    assert_eq!(world.durable(), (1, "1:[a,c)->4*2 2:[x,~)->1".into()));
    assert_eq!(
        world.engine(A).1,
        "7:[a,c)->4*2 9:[x,~)->1",
        "equal versions are not compared"
    );
}

#[test]
fn the_engine_is_read_when_the_catalog_is_seeded() {
    let mut world = World::new(level_1(|_| ()));
    let found = world.snapshot().unwrap();
    assert!(Bootstrapping::will_seed(&found));
    let bootstrap = Bootstrapping::from_snapshot(found);
    assert!(bootstrap.found().is_some());
    world.engines[A] = Engine::new(world.settings, false, 0);
    world.engines[A].update_route("k".into(), None, 6);
    let (settings, engine) = (world.settings, &mut world.engines[A]);
    bootstrap
        .finish(&mut world.store, engine, &settings)
        .unwrap();
    assert_eq!(world.durable(), (1, "1:[k,~)->6".into()));
}

/// Two nodes have found nothing; then one of them, or somebody else, is faster.
fn race(choice: LateBootstrap, steps_of_b: usize) -> (World, Result<Snapshot, Error>) {
    let mut world = World::new(level_1(|how| how.late_bootstrap = choice));
    world.engines[A] = Engine::new(world.settings, false, 0);
    world.engines[A].update_route("".into(), None, 2);
    let settings = world.settings;
    let mut late = Bootstrapping::begin();
    for _ in 0..steps_of_b {
        match late.advance(&mut world.store, &mut world.engines[B], &settings) {
            Step::Next(next) => late = next,
            Step::Done(done) => panic!("too early: {done:?}"),
        }
    }
    world.bootstrap(A).unwrap();
    let late = late.finish(&mut world.store, &mut world.engines[B], &settings);
    (world, late)
}

#[test]
fn whoever_is_late_adopts_what_the_other_saved() {
    // Late before the version, between its reads, before preparing and before committing.
    for steps in 0..4 {
        let (world, late) = race(LateBootstrap::Adopts, steps);
        let late = late.unwrap();
        assert_eq!(
            (late.version, text(&late.routes)),
            (1, "1:[,~)->2".into()),
            "after {steps}"
        );
        assert_eq!(world.engine(B), (1, "1:[,~)->2".into()));
        assert_eq!(world.durable(), (1, "1:[,~)->2".into()));
    }
}

#[test]
fn in_the_original_whoever_is_late_fails() {
    let mismatch = || Err(Error::VersionMismatch { expected: 0 });
    assert_eq!(race(LateBootstrap::Fails, 2).1, mismatch());
    assert_eq!(race(LateBootstrap::Fails, 3).1, mismatch());
    assert!(race(LateBootstrap::Fails, 0).1.is_ok());
}

#[test]
fn a_mismatch_with_nothing_to_adopt_is_returned() {
    let mut world = World::new(level_1(|_| ()));
    let settings = world.settings;
    let mut bootstrap = Bootstrapping::from_snapshot(world.snapshot().unwrap());
    let Step::Next(next) = bootstrap.advance(&mut world.store, &mut world.engines[A], &settings)
    else {
        panic!("it is prepared");
    };
    bootstrap = next;
    // A conflict, and yet no catalog.
    world.put_number(keys::NEXT_ROUTE_ID, 9);
    let result = bootstrap.finish(&mut world.store, &mut world.engines[A], &settings);
    assert_eq!(result, Err(Error::VersionMismatch { expected: 0 }));
    assert_eq!(world.durable(), (0, String::new()));
}

#[test]
fn other_failures_are_returned() {
    // Of the first snapshot.
    let mut world = World::new(level_1(|_| ()));
    world.put(keys::VERSION, "broken");
    let broken = Error::InvalidVersionRecord { length: 6 };
    assert_eq!(world.bootstrap(A), Err(broken));
    // Of the save.
    let mut world = World::new(level_1(|_| ()));
    world.put(keys::NEXT_ROUTE_ID, "broken");
    assert_eq!(
        world.bootstrap(A),
        Err(Error::InvalidNextRouteId { length: 6 })
    );
    let mut world = World::new(level_1(|_| ()));
    world.put_number(keys::NEXT_ROUTE_ID, 4);
    let retired = Error::RouteIdRetired {
        route_id: 1,
        next: 4,
    };
    assert_eq!(world.bootstrap(A), Err(retired));
    // Of the engine.
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    world.engines[A].apply_snapshot(5, &[]).unwrap();
    let stale = Error::SnapshotVersionStale {
        version: 1,
        engine: 5,
    };
    assert_eq!(world.bootstrap(A), Err(stale));
}
