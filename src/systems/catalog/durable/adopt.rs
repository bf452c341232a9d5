//! What follows a committed split on the node that performed it (7).

use serde::Serialize;

use super::{Reading, Snapshot, Step};
use crate::catalog::engine::Engine;
use crate::catalog::error::Error;
use crate::catalog::store::Store;
use crate::catalog::strategy::{Settings, StaleAfterSplit};

/// A split that is durable, on its way into the engine. Atomic steps: both reads of the snapshot at the
/// commit timestamp; the engine.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Adopting(Stage);

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
enum Stage {
    /// Committed there.
    Begun(u64),
    /// The version is read.
    Reading(Reading),
    /// The routes are read.
    Applying(Snapshot),
}

impl Adopting {
    /// Of a split that was committed there.
    pub const fn begin(commit_ts: u64) -> Self {
        Self(Stage::Begun(commit_ts))
    }

    /// One atomic step.
    ///
    /// # Errors
    /// Within the step: those of reading, and of the engine unless it runs a newer table already.
    pub fn advance<S: Store>(
        self,
        store: &S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Step<Self, ()> {
        let next = match self.0 {
            Stage::Begun(commit_ts) => Reading::begin_at(store, commit_ts).map(Stage::Reading),
            Stage::Reading(reading) => reading.finish(store, settings).map(Stage::Applying),
            Stage::Applying(snapshot) => return Step::Done(apply(&snapshot, engine, settings)),
        };
        Step::go_on(next.map(Self))
    }

    /// All steps that are left.
    ///
    /// # Errors
    /// Those of [`Adopting::advance`].
    pub fn finish<S: Store>(
        self,
        store: &S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Result<(), Error> {
        Step::Next(self).finish(|adopting| adopting.advance(store, engine, settings))
    }
}

fn apply(snapshot: &Snapshot, engine: &mut Engine, settings: &Settings) -> Result<(), Error> {
    let applied = engine.apply_snapshot(snapshot.version, &snapshot.routes);
    match (applied, settings.strategies.stale_after_split) {
        (Err(Error::SnapshotVersionStale { .. }), StaleAfterSplit::Ignored) => Ok(()),
        (applied, _) => applied,
    }
}
