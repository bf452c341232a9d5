//! Operations of a node as sequences of atomic steps (11).
//!
//! What is atomic in reality is one step here, so a driver may put anything between two steps. The mutex
//! that keeps the splits of one node apart is the driver's: nothing here depends on it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::durable::{
    Adopting, Bootstrapping, Reading, SavePlan, Saved, Snapshot, Split, SplitPlan, Step, Syncing,
};
use super::engine::Engine;
use super::error::Error;
use super::route::Route;
use super::store::Store;
use super::strategy::Settings;

/// What a node is asked to do.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Read the catalog (6.1).
    Snapshot,
    /// Replace the table (6.2).
    Save {
        /// The version that it replaces.
        expected: u64,
        /// The new table, in any order.
        routes: Vec<Route>,
    },
    /// Split a route durably (7).
    Split {
        /// The version that it changes.
        expected: u64,
        /// The route.
        route_id: u64,
        /// Where the right child begins.
        key: Bytes,
    },
    /// Bring a node that starts and the catalog together (9).
    Bootstrap,
    /// Load what is newer (10, 13.5).
    Sync {
        /// Of level 2: the deltas that it takes at most; a non-positive one is ignored and the default
        /// taken.
        batch: i64,
    },
    /// Count an access (8). Of level 1.
    Access {
        /// To this key.
        key: Bytes,
    },
}

/// An operation under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Task {
    /// Nothing was done yet.
    Begun(Call),
    /// A snapshot, of which the version is read.
    Reading(Reading),
    /// A save that is prepared.
    Saving(SavePlan),
    /// A split that is planned.
    Splitting(SplitPlan),
    /// A split that is durable, and not yet in the engine.
    Adopting(Split, Adopting),
    /// A bootstrap.
    Bootstrapping(Bootstrapping),
    /// A sync.
    Syncing(Syncing),
    /// An access whose first phase found the route hot.
    Accessing {
        /// To this key.
        key: Bytes,
    },
}

/// Where an operation is after a step.
pub type Progress = Step<Task, Returned>;

/// What an operation returned.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Returned {
    /// What was read.
    Snapshot(Snapshot),
    /// What was saved.
    Saved(Saved),
    /// What a split made.
    Split(Box<Split>),
    /// What the node ended up with.
    Bootstrapped(Snapshot),
    /// The engine is as new as what was read.
    Synced,
    /// The access is counted, if there was a route.
    Accessed,
}

impl Task {
    /// An operation that has done nothing yet.
    pub const fn new(call: Call) -> Self {
        Self::Begun(call)
    }

    /// One atomic step. `settings` are those of the engine.
    ///
    /// # Errors
    /// Within the step: those of the operation, which is then over.
    pub fn advance<S: Store>(
        self,
        store: &mut S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Progress {
        match self {
            Self::Begun(call) => begin(call, store, engine, settings),
            Self::Reading(reading) => {
                Step::Done(reading.finish(store, settings).map(Returned::Snapshot))
            }
            Self::Saving(plan) => plan
                .advance(store, settings)
                .within(Self::Saving, Returned::Saved),
            Self::Splitting(plan) => match plan.advance(store, settings) {
                Step::Next(plan) => Step::Next(Self::Splitting(plan)),
                Step::Done(split) => Step::go_on(split.map(|split| {
                    let adopting = Adopting::begin(split.commit_ts);
                    Self::Adopting(split, adopting)
                })),
            },
            Self::Adopting(split, adopting) => match adopting.advance(store, engine, settings) {
                Step::Next(adopting) => Step::Next(Self::Adopting(split, adopting)),
                Step::Done(adopted) => {
                    Step::Done(adopted.map(|()| Returned::Split(Box::new(split))))
                }
            },
            Self::Bootstrapping(bootstrap) => bootstrap
                .advance(store, engine, settings)
                .within(Self::Bootstrapping, Returned::Bootstrapped),
            Self::Syncing(sync) => go_on_syncing(sync, store, engine, settings),
            Self::Accessing { key } => {
                engine.access_finish(&key);
                Step::Done(Ok(Returned::Accessed))
            }
        }
    }

    /// All steps at once: what a user calls.
    ///
    /// # Errors
    /// Those of the operation.
    pub fn run<S: Store>(
        call: Call,
        store: &mut S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Result<Returned, Error> {
        Step::Next(Self::new(call)).finish(|task| task.advance(store, engine, settings))
    }
}

fn begin<S: Store>(
    call: Call,
    store: &mut S,
    engine: &mut Engine,
    settings: &Settings,
) -> Progress {
    match call {
        Call::Snapshot => Step::go_on(Reading::begin(store).map(Task::Reading)),
        Call::Save { expected, routes } => {
            let plan = SavePlan::prepare(store, settings, expected, routes);
            Step::go_on(plan.map(Task::Saving))
        }
        Call::Split {
            expected,
            route_id,
            key,
        } => {
            let plan = SplitPlan::prepare(store, settings, expected, route_id, &key);
            Step::go_on(plan.map(Task::Splitting))
        }
        Call::Bootstrap => Bootstrapping::begin()
            .advance(store, engine, settings)
            .within(Task::Bootstrapping, Returned::Bootstrapped),
        Call::Sync { batch } => go_on_syncing(Syncing::begin(batch), store, engine, settings),
        Call::Access { key } => match engine.access_begin(&key) {
            Some(access) if access.hot => Step::Next(Task::Accessing { key }),
            _ => Step::Done(Ok(Returned::Accessed)),
        },
    }
}

fn go_on_syncing<S: Store>(
    sync: Syncing,
    store: &S,
    engine: &mut Engine,
    settings: &Settings,
) -> Progress {
    match sync.advance(store, engine, settings) {
        Step::Next(sync) if sync.is_up_to_date() => Step::Done(Ok(Returned::Synced)),
        step => step.within(Task::Syncing, |()| Returned::Synced),
    }
}
