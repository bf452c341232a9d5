//! Saves with optimistic concurrency (6.2).

use std::sync::Arc;

use serde::Serialize;

use super::read::{routes_at, stored_next_id_at, version_at};
use super::{Step, delta_mutations};
use crate::catalog::codec::{encode_number, encode_route};
use crate::catalog::delta::Delta;
use crate::catalog::error::Error;
use crate::catalog::keys;
use crate::catalog::route::{self, Route};
use crate::catalog::store::{Commit, CommitAt, CommitStep, Mutation, Store};
use crate::catalog::strategy::{Admission, Counter, Level, Neighbours, Retired, Settings};

/// A prepared save: steps 1 to 12 of 6.2 are done, nothing is written.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct SavePlan {
    expected: u64,
    // Shared by the steps of the save.
    routes: Arc<Vec<Route>>,
    commit: Commit,
}

/// A committed save.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Saved {
    /// The one expected + 1.
    pub version: u64,
    /// The normalised table.
    pub routes: Vec<Route>,
    /// Where it was committed. Read there for what was saved (C6).
    pub commit_ts: u64,
}

/// Where a save is after a step.
pub type SaveStep = Step<SavePlan, Saved>;

impl SavePlan {
    /// Steps 1 to 12, all reads at one timestamp. O(n log n) in the routes of both tables.
    ///
    /// # Errors
    /// In this order: those of normalising; `RouteOverlap` (strict); those of reading the version;
    /// `VersionMismatch`; `VersionOverflow`; those of reading the routes; `InvalidNextRouteId`;
    /// `RouteIdOverflow` of the durable table; `RouteIdRetired` (strict); `RouteIdOverflow` of the desired
    /// one; at level 2 those of reading the delta floor.
    pub fn prepare<S: Store>(
        store: &S,
        settings: &Settings,
        expected: u64,
        routes: Vec<Route>,
    ) -> Result<Self, Error> {
        let desired = route::normalise(routes)?;
        refuse_overlap(&desired, settings)?;

        let read_ts = store.last_commit_ts()?;
        if version_at(store, read_ts)? != expected {
            return Err(Error::VersionMismatch { expected });
        }
        let next_version = expected.checked_add(1).ok_or(Error::VersionOverflow)?;
        let min_commit_ts = read_ts.checked_add(1).ok_or(Error::VersionOverflow)?;

        let existing = routes_at(store, read_ts, settings)?;
        let counter = stored_next_id_at(store, read_ts)?.unwrap_or(0);
        let counter = counter.max(route::floor(&existing)?);
        let by_id = ById::new(&existing);
        refuse_retired(&desired, &by_id, counter, settings)?;
        let floor = route::floor(&desired)?;
        let counter = match settings.strategies.counter {
            Counter::Raised => counter.max(floor),
            Counter::Recomputed => floor,
        };

        let mut mutations = Vec::new();
        let kept = ById::new(&desired);
        let left = existing.iter().filter(|route| kept.get(route.id).is_none());
        mutations.extend(left.map(|route| Mutation::delete(keys::route(route.id))));
        let changed = desired
            .iter()
            .filter(|route| by_id.get(route.id) != Some(*route));
        for route in changed {
            mutations.push(put_route(route, settings)?);
        }
        if settings.level == Level::Two {
            let delta = Delta::between(expected, &existing, &desired);
            mutations.extend(delta_mutations(store, read_ts, &delta, settings)?);
        }
        mutations.extend(put_numbers(next_version, counter));

        let at = CommitAt::After(min_commit_ts);
        Ok(Self {
            expected,
            routes: Arc::new(desired),
            commit: Commit::new(mutations.into(), read_ts, at),
        })
    }

    /// The timestamp of all reads.
    pub const fn read_ts(&self) -> u64 {
        self.commit.start_ts()
    }

    /// Where the save commits at the earliest: just after its reads (6.2 step 6).
    pub const fn min_commit_ts(&self) -> u64 {
        // `prepare` has made sure that there is such a number.
        self.read_ts() + 1
    }

    /// The version that the save makes.
    pub const fn next_version(&self) -> u64 {
        // As above.
        self.expected + 1
    }

    /// The normalised table.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The batch, in the order of 6.2 step 12; at level 2 that of 13.3 is before the version record.
    pub fn mutations(&self) -> &[Mutation] {
        self.commit.mutations()
    }

    /// The timestamp that step 13 would choose now, whatever was picked before. The save commits there or
    /// later (15.5).
    ///
    /// # Errors
    /// `VersionOverflow`, and that of the read.
    pub fn pick_ts<S: Store>(&mut self, store: &S) -> Result<u64, Error> {
        let last = store.last_commit_ts()?;
        let picked = CommitAt::After(self.min_commit_ts()).choose(last)?;
        // A variant that has fixed its timestamp (D2) keeps it.
        if let CommitAt::After(at_least) = self.commit.at() {
            let at = CommitAt::After(at_least.max(picked));
            self.commit = self.commit.clone().with_at(at);
        }
        Ok(picked)
    }

    /// One atomic step of steps 13 and 14: in the reference the only one.
    ///
    /// # Errors
    /// Within the step: `VersionOverflow`; `VersionMismatch` if another change came first; those of the
    /// store.
    pub fn advance<S: Store>(self, store: &mut S, settings: &Settings) -> SaveStep {
        let Self {
            expected,
            routes,
            commit,
        } = self;
        match commit.advance(store, &settings.strategies) {
            CommitStep::Next(commit) => Step::Next(Self {
                expected,
                routes,
                commit,
            }),
            CommitStep::Done(Ok(commit_ts)) => Step::Done(Ok(Saved {
                version: expected + 1,
                routes: Arc::unwrap_or_clone(routes),
                commit_ts,
            })),
            CommitStep::Done(Err(Error::WriteConflict { .. })) => {
                Step::Done(Err(Error::VersionMismatch { expected }))
            }
            CommitStep::Done(Err(error)) => Step::Done(Err(error)),
        }
    }

    /// All steps at once.
    ///
    /// # Errors
    /// Those of [`SavePlan::advance`].
    pub fn apply<S: Store>(self, store: &mut S, settings: &Settings) -> Result<Saved, Error> {
        Step::Next(self).finish(|plan| plan.advance(store, settings))
    }
}

/// The record of a route.
pub(super) fn put_route(route: &Route, settings: &Settings) -> Result<Mutation, Error> {
    let record = encode_route(route, settings)?;
    Ok(Mutation::put(keys::route(route.id), record))
}

/// The records of version and next id.
pub(super) fn put_numbers(version: u64, next_id: u64) -> [Mutation; 2] {
    [
        Mutation::put(keys::VERSION.into(), encode_number(version)),
        Mutation::put(keys::NEXT_ROUTE_ID.into(), encode_number(next_id)),
    ]
}

/// Step 2.
fn refuse_overlap(desired: &[Route], settings: &Settings) -> Result<(), Error> {
    let checked = settings.admission == Admission::Strict
        && settings.strategies.neighbours == Neighbours::Checked;
    match route::overlap(desired) {
        Some((left, right)) if checked => Err(Error::RouteOverlap {
            left: left.id,
            right: right.id,
        }),
        _ => Ok(()),
    }
}

/// Step 10.
fn refuse_retired(
    desired: &[Route],
    existing: &ById<'_>,
    next: u64,
    settings: &Settings,
) -> Result<(), Error> {
    let checked =
        settings.admission == Admission::Strict && settings.strategies.retired == Retired::Refused;
    let is_retired = |route: &&Route| route.id < next && existing.get(route.id).is_none();
    match desired.iter().find(is_retired) {
        Some(route) if checked => Err(Error::RouteIdRetired {
            route_id: route.id,
            next,
        }),
        _ => Ok(()),
    }
}

/// The routes of a table by id. Ids are unique.
struct ById<'a>(Vec<&'a Route>);

impl<'a> ById<'a> {
    fn new(routes: &'a [Route]) -> Self {
        let mut by_id: Vec<_> = routes.iter().collect();
        by_id.sort_unstable_by_key(|route| route.id);
        Self(by_id)
    }

    fn get(&self, id: u64) -> Option<&'a Route> {
        let at = self.0.binary_search_by_key(&id, |route| route.id).ok()?;
        Some(self.0[at])
    }
}
