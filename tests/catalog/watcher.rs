//! The watcher as a thread, on the database.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use concord::adapters::catalog::{MvccStore, Options, Watcher};
use concord::systems::catalog::shell::SharedEngine;
use concord::systems::catalog::{Level, Route, SavePlan, Settings, Store, keys};

const CACHE: usize = 1 << 20;

/// For what takes a moment, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(240);

fn save(store: &mut MvccStore, settings: &Settings, expected: u64, group: u64) {
    let route = Route {
        id: 1,
        start: Bytes::new(),
        end: None,
        group,
        state: 0,
        parent: 0,
        split_at: 0,
    };
    let plan = SavePlan::prepare(store, settings, expected, vec![route]).unwrap();
    plan.apply(store, settings).unwrap();
}

/// Waits until the engine is at `version`.
fn reaches(engine: &SharedEngine, version: u64) {
    let begun = Instant::now();
    while engine.version() != version {
        assert!(begun.elapsed() < PATIENCE, "it is at {}", engine.version());
        std::thread::yield_now();
    }
}

#[test]
fn an_engine_follows_the_catalog_until_the_watcher_is_dropped() {
    for level in [Level::One, Level::Two] {
        let settings = Settings::strict(level);
        let folder = tempfile::tempdir().unwrap();
        let mut store = MvccStore::open(folder.path().join("catalog.redb"), CACHE).unwrap();
        let engine = SharedEngine::new(settings, true, 0, 1);
        let options = Options {
            interval: Duration::from_millis(1),
            ..Options::default()
        };
        let watcher = Watcher::start(store.clone(), engine.clone(), settings, options, |error| {
            panic!("{error}")
        });
        let watcher = watcher.unwrap();
        for version in 0..3 {
            save(&mut store, &settings, version, version + 7);
            reaches(&engine, version + 1);
        }
        assert_eq!(engine.lookup(b"k").map(|found| found.group()), Some(9));
        drop(watcher);
        save(&mut store, &settings, 3, 1);
        assert_eq!(engine.version(), 3);
    }
}

#[test]
fn a_sync_that_fails_is_reported_and_tried_again() {
    let settings = Settings::strict(Level::One);
    let folder = tempfile::tempdir().unwrap();
    let mut store = MvccStore::open(folder.path().join("catalog.redb"), CACHE).unwrap();
    save(&mut store, &settings, 0, 7);
    let sound = store.get_at(&keys::route(1), 1).unwrap();
    store.put_at(keys::route(1), "?".into(), 2, 0).unwrap();
    let engine = SharedEngine::new(settings, false, 0, 1);
    let options = Options {
        interval: Duration::from_millis(1),
        ..Options::default()
    };
    let (tell, told) = mpsc::channel();
    let failed = move |error: &concord::systems::catalog::Error| {
        // The test no longer listens once the record is sound.
        let _ = tell.send(error.code());
    };
    let watcher = Watcher::start(store.clone(), engine.clone(), settings, options, failed);
    let watcher = watcher.unwrap();
    for _ in 0..2 {
        assert_eq!(told.recv(), Ok("catalog_invalid_route_record"));
    }
    assert_eq!(engine.version(), 0);
    store.put_at(keys::route(1), sound, 3, 0).unwrap();
    reaches(&engine, 1);
    drop(watcher);
}
