//! One sync of a watcher (10, 13.5).

use std::collections::VecDeque;

use serde::Serialize;

use super::{Changes, Reading, Snapshot, Step, changes_since};
use crate::catalog::delta::Delta;
use crate::catalog::engine::Engine;
use crate::catalog::error::Error;
use crate::catalog::limits::DEFAULT_BATCH;
use crate::catalog::route::Route;
use crate::catalog::store::Store;
use crate::catalog::strategy::{Level, Settings, SyncRead};

/// A sync under way. Atomic steps at level 1: the version; the routes at the same timestamp, if newer; the
/// engine. At level 2: the changes; the engine, one delta at a time.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Syncing(Stage);

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
enum Stage {
    /// At level 2 with at most so many deltas.
    Begun { batch: i64 },
    /// The engine has this version already.
    UpToDate(u64),
    /// A newer version is read, its routes are not.
    Reading(Reading),
    /// A table for the engine.
    Applying(Snapshot),
    /// Deltas for it.
    Advancing(VecDeque<Delta>),
}

/// What a sync brings up to date: an engine, by one thread or shared.
pub trait Follower {
    /// Version of the catalog that its table came from.
    fn version(&self) -> u64;

    /// Replaces the table (8).
    ///
    /// # Errors
    /// Those of [`Engine::apply_snapshot`].
    fn apply_snapshot(&mut self, version: u64, routes: &[Route]) -> Result<(), Error>;

    /// Makes the next table (13.5).
    ///
    /// # Errors
    /// Those of [`Engine::apply_delta`].
    fn apply_delta(&mut self, delta: &Delta) -> Result<(), Error>;
}

impl Follower for Engine {
    fn version(&self) -> u64 {
        self.version()
    }

    fn apply_snapshot(&mut self, version: u64, routes: &[Route]) -> Result<(), Error> {
        self.apply_snapshot(version, routes)
    }

    fn apply_delta(&mut self, delta: &Delta) -> Result<(), Error> {
        self.apply_delta(delta)
    }
}

/// Where a sync is after a step.
pub type SyncStep = Step<Syncing, ()>;

impl Syncing {
    /// One that has done nothing yet. `batch` is of level 2: the deltas that it takes at most; a
    /// non-positive one is ignored and the default taken.
    pub const fn begin(batch: i64) -> Self {
        let batch = if batch > 0 {
            batch
        } else {
            DEFAULT_BATCH as i64
        };
        Self(Stage::Begun { batch })
    }

    /// The version that the engine will be brought to, and whether it is newer than the engine's was (15.6,
    /// `watch_read`), once it is known.
    pub fn read(&self) -> Option<(u64, bool)> {
        match &self.0 {
            Stage::Begun { .. } => None,
            Stage::UpToDate(version) => Some((*version, false)),
            Stage::Reading(reading) => Some((reading.version, true)),
            Stage::Applying(snapshot) => Some((snapshot.version, true)),
            Stage::Advancing(deltas) => deltas.back().map(|delta| (delta.version, true)),
        }
    }

    /// Whether the engine was found up to date: one more step ends the sync without doing anything.
    pub const fn is_up_to_date(&self) -> bool {
        matches!(self.0, Stage::UpToDate(_))
    }

    /// One atomic step. A version that is not newer needs no further one, yet there is one, for those that
    /// ask what was read.
    ///
    /// # Errors
    /// Within the step: those of reading, and of the engine unless it runs a newer table already.
    pub fn advance<S: Store, F: Follower>(
        self,
        store: &S,
        engine: &mut F,
        settings: &Settings,
    ) -> SyncStep {
        let next = match self.0 {
            Stage::Begun { batch } => match settings.level {
                Level::One => Reading::begin(store).map(|reading| newer(reading, engine)),
                Level::Two => changes_since(store, engine.version(), batch, settings)
                    .map(|changes| missed(changes, engine)),
            },
            Stage::UpToDate(_) => return Step::Done(Ok(())),
            Stage::Reading(reading) => {
                let reading = reading_of(reading, store, settings);
                reading
                    .and_then(|reading| reading.finish(store, settings))
                    .map(Stage::Applying)
            }
            Stage::Applying(snapshot) => {
                let applied = engine.apply_snapshot(snapshot.version, &snapshot.routes);
                return Step::Done(swallow_stale(applied));
            }
            Stage::Advancing(mut deltas) => {
                let applied = deltas.pop_front().map(|delta| engine.apply_delta(&delta));
                let applied = applied.map_or(Ok(()), swallow_stale);
                if deltas.is_empty() {
                    return Step::Done(applied);
                }
                applied.map(|()| Stage::Advancing(deltas))
            }
        };
        Step::go_on(next.map(Self))
    }

    /// All steps that are left.
    ///
    /// # Errors
    /// Those of [`Syncing::advance`].
    pub fn finish<S: Store, F: Follower>(
        self,
        store: &S,
        engine: &mut F,
        settings: &Settings,
    ) -> Result<(), Error> {
        Step::Next(self).finish(|sync| sync.advance(store, engine, settings))
    }
}

fn newer(reading: Reading, engine: &impl Follower) -> Stage {
    if reading.version > engine.version() {
        Stage::Reading(reading)
    } else {
        Stage::UpToDate(reading.version)
    }
}

fn missed(changes: Changes, engine: &impl Follower) -> Stage {
    match changes {
        Changes::Reset(snapshot) => Stage::Applying(snapshot),
        Changes::Deltas(deltas) if deltas.is_empty() => Stage::UpToDate(engine.version()),
        Changes::Deltas(deltas) => Stage::Advancing(deltas.into()),
    }
}

fn reading_of<S: Store>(
    reading: Reading,
    store: &S,
    settings: &Settings,
) -> Result<Reading, Error> {
    match settings.strategies.sync_read {
        SyncRead::OneTimestamp => Ok(reading),
        SyncRead::Newest => Ok(Reading {
            read_ts: store.last_commit_ts()?,
            ..reading
        }),
    }
}

/// The engine already runs a newer table.
fn swallow_stale(applied: Result<(), Error>) -> Result<(), Error> {
    match applied {
        Err(Error::SnapshotVersionStale { .. }) => Ok(()),
        applied => applied,
    }
}
