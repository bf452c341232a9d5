//! The engine that threads share.

pub use concord::systems::catalog::*;

// Takes the place of the one that ships.
#[path = "../../../src/systems/catalog/shell/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each case takes what it needs")]
pub mod shell;

mod accesses;
mod snapshots;
mod splits;

use loom::thread::{self, JoinHandle};

use shell::SharedEngine;

const CORE: Strategies = Strategies::REFERENCE;
const SHELL: shell::Strategies = shell::Strategies::REFERENCE;

/// Of level 1 with these choices, without routes.
fn engine(
    threshold: u64,
    lanes: usize,
    strategies: Strategies,
    how: shell::Strategies,
) -> SharedEngine {
    let settings = Settings {
        strategies,
        ..Settings::strict(Level::One)
    };
    SharedEngine::with(settings, false, threshold, lanes, how)
}

fn sound(threshold: u64, lanes: usize) -> SharedEngine {
    engine(threshold, lanes, CORE, SHELL)
}

/// A table of one route, whose id and group are the version.
fn install(engine: &SharedEngine, version: u64, end: Option<&'static str>) -> Result<(), Error> {
    let route = Route {
        id: version,
        start: "a".into(),
        end: end.map(Into::into),
        group: version,
        state: 0,
        parent: 0,
        split_at: 0,
    };
    engine.apply_snapshot(version, &[route])
}

fn routine<T: 'static>(
    engine: &SharedEngine,
    run: impl FnOnce(&SharedEngine) -> T + 'static,
) -> JoinHandle<T> {
    let engine = engine.clone();
    thread::spawn(move || run(&engine))
}

/// Counts accesses to this key on a thread of its own.
fn accesses(engine: &SharedEngine, key: &'static [u8], count: u64) -> JoinHandle<()> {
    let mut accessor = engine.accessor();
    thread::spawn(move || {
        for _ in 0..count {
            accessor.record(key);
        }
    })
}

fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("a panic ends the case")
}

fn loads(engine: &SharedEngine) -> Vec<u64> {
    engine.stats().iter().map(|route| route.load).collect()
}
