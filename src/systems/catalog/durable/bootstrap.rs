//! Bootstrap (9).

use serde::Serialize;

use super::{Reading, SavePlan, Saved, Snapshot, Step};
use crate::catalog::engine::{Engine, EngineRoute};
use crate::catalog::error::Error;
use crate::catalog::route::Route;
use crate::catalog::store::Store;
use crate::catalog::strategy::{LateBootstrap, Settings};

/// A bootstrap under way. Each step is atomic: both reads of a snapshot, the preparation of the save (with
/// the engine's stats of that moment), its commit, both reads of what somebody faster saved, the engine.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Bootstrapping(Stage);

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
enum Stage {
    Begun,
    /// The version is read.
    Reading(Reading),
    /// Step 1 is done.
    Found(Snapshot),
    /// The catalog is to be seeded with this.
    Saving(SavePlan),
    /// Somebody else was faster.
    Late,
    /// Of what they saved the version is read.
    LateReading(Reading),
    /// What remains is step 3.
    Applying(Snapshot),
}

/// Where a bootstrap is after a step. It ends with the table that the node ended up with.
pub type BootstrapStep = Step<Bootstrapping, Snapshot>;

impl Bootstrapping {
    /// One that has done nothing yet.
    pub const fn begin() -> Self {
        Self(Stage::Begun)
    }

    /// One that has read its snapshot (step 1).
    pub const fn from_snapshot(snapshot: Snapshot) -> Self {
        Self(Stage::Found(snapshot))
    }

    /// What step 1 found, as long as nothing has followed from it.
    pub const fn found(&self) -> Option<&Snapshot> {
        match &self.0 {
            Stage::Found(snapshot) => Some(snapshot),
            _ => None,
        }
    }

    /// Whether the snapshot of step 1 says that the catalog is to be seeded.
    pub const fn will_seed(snapshot: &Snapshot) -> bool {
        snapshot.is_unseeded()
    }

    /// Whether another node seeded the catalog first, and this one is about to adopt what it saved.
    pub const fn is_late(&self) -> bool {
        matches!(self.0, Stage::Late | Stage::LateReading(_))
    }

    /// One atomic step.
    ///
    /// # Errors
    /// Within the step: those of reading; those of the save, but for `VersionMismatch` if what somebody
    /// else saved can be adopted; those of the engine, stale included.
    pub fn advance<S: Store>(
        self,
        store: &mut S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> BootstrapStep {
        let next = match self.0 {
            Stage::Begun => Reading::begin(store).map(Stage::Reading),
            Stage::Reading(reading) => reading.finish(store, settings).map(Stage::Found),
            Stage::Found(found) if Self::will_seed(&found) => {
                match SavePlan::prepare(store, settings, 0, seed(engine.routes())) {
                    Ok(plan) => Ok(Stage::Saving(plan)),
                    Err(error) => late(error, settings),
                }
            }
            Stage::Saving(plan) => match plan.advance(store, settings) {
                Step::Next(plan) => Ok(Stage::Saving(plan)),
                Step::Done(Ok(saved)) => Ok(Stage::Applying(snapshot_of(saved))),
                Step::Done(Err(error)) => late(error, settings),
            },
            Stage::Late => Reading::begin(store).map(Stage::LateReading),
            Stage::LateReading(reading) => match reading.finish(store, settings) {
                Ok(found) if found.is_unseeded() => Err(Error::VersionMismatch { expected: 0 }),
                found => found.map(Stage::Applying),
            },
            Stage::Found(snapshot) | Stage::Applying(snapshot) => {
                let applied = engine.apply_snapshot(snapshot.version, &snapshot.routes);
                return Step::Done(applied.map(|()| snapshot));
            }
        };
        Step::go_on(next.map(Self))
    }

    /// All steps that are left.
    ///
    /// # Errors
    /// Those of [`Bootstrapping::advance`].
    pub fn finish<S: Store>(
        self,
        store: &mut S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Result<Snapshot, Error> {
        Step::Next(self).finish(|bootstrap| bootstrap.advance(store, engine, settings))
    }
}

/// Descriptors of an engine's routes, with ids 1, 2, 3 and so on.
fn seed(routes: &[EngineRoute]) -> Vec<Route> {
    let routes = (1..).zip(routes).map(|(id, route)| Route {
        id,
        start: route.start.clone(),
        end: route.end.clone(),
        group: route.group,
        state: route.state,
        parent: 0,
        split_at: 0,
    });
    routes.collect()
}

fn late(error: Error, settings: &Settings) -> Result<Stage, Error> {
    match (error, settings.strategies.late_bootstrap) {
        (Error::VersionMismatch { .. }, LateBootstrap::Adopts) => Ok(Stage::Late),
        (error, _) => Err(error),
    }
}

fn snapshot_of(saved: Saved) -> Snapshot {
    Snapshot {
        version: saved.version,
        routes: saved.routes,
        read_ts: saved.commit_ts,
    }
}
