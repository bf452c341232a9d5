//! Durable splits (7, 13.8).

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::read::{next_route_id_at, snapshot};
use super::save::{put_numbers, put_route};
use super::{Adopting, Snapshot, Step, delta_mutations};
use crate::catalog::delta::{Change, Delta};
use crate::catalog::engine::Engine;
use crate::catalog::error::Error;
use crate::catalog::keys;
use crate::catalog::route::{self, Route};
use crate::catalog::store::{Commit, CommitAt, CommitStep, Mutation, Store};
use crate::catalog::strategy::{Children, Level, Settings, SplitDelta};

/// Splits commit after everything else, and demand nothing more (7).
const AT: CommitAt = CommitAt::After(0);

/// A planned split: nothing is written.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct SplitPlan {
    expected: u64,
    read_ts: u64,
    // Left and right, shared by the steps of the split.
    children: Arc<[Route; 2]>,
    /// Level 1. At level 2 the batch is made with the commit, since the commit timestamp is in it.
    commit: Option<Commit>,
}

/// A committed split.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Split {
    /// Where it was committed.
    pub commit_ts: u64,
    /// The child below the split key.
    pub left: Route,
    /// The child from the split key on.
    pub right: Route,
    /// The one expected + 1, even if the catalog has moved on since (C5).
    pub version: u64,
}

/// Where a split is after a step.
pub type SplitStep = Step<SplitPlan, Split>;

impl SplitPlan {
    /// Plans a split (7). All reads at one timestamp.
    ///
    /// # Errors
    /// In this order: those of the snapshot; `CatalogConflict`; `UnknownRoute`; `SplitKeyAtBoundary` or
    /// `InvalidSplitKey`; those of reading the next id, ids that overflow as `SplitRouteIdOverflow`;
    /// `VersionOverflow`; `SplitRouteIdOverflow` if there is no id after both children.
    pub fn prepare<S: Store>(
        store: &S,
        settings: &Settings,
        expected: u64,
        route_id: u64,
        key: &[u8],
    ) -> Result<Self, Error> {
        let snapshot = snapshot(store, settings)?;
        if snapshot.version != expected {
            return Err(Error::CatalogConflict { expected });
        }
        let parent = snapshot.routes.iter().find(|route| route.id == route_id);
        let parent = parent.ok_or(Error::UnknownRoute { route_id })?;
        refuse_outside(parent, key)?;
        let id = next_id(store, &snapshot, settings)?;
        if expected == u64::MAX {
            return Err(Error::VersionOverflow);
        }
        if id + 1 == u64::MAX {
            return Err(Error::SplitRouteIdOverflow);
        }
        let mut plan = Self {
            expected,
            read_ts: snapshot.read_ts,
            children: Arc::new(children(parent, id, key, settings)),
            commit: None,
        };
        if settings.level == Level::One {
            let mutations = plan.route_mutations(&plan.children, settings)?;
            plan.commit = Some(Commit::new(mutations.into(), plan.read_ts, AT));
        }
        Ok(plan)
    }

    /// The timestamp of all reads.
    pub const fn read_ts(&self) -> u64 {
        self.read_ts
    }

    /// The version that the split makes.
    pub const fn next_version(&self) -> u64 {
        // `prepare` has made sure that there is such a number.
        self.expected + 1
    }

    /// The children as planned; at level 2 `split_at` is set at commit.
    pub fn children(&self) -> (&Route, &Route) {
        let [left, right] = self.children.as_ref();
        (left, right)
    }

    /// The batch, in the order of 7. Empty at level 2, where it depends on the commit timestamp.
    pub fn mutations(&self) -> &[Mutation] {
        self.commit.as_ref().map_or(&[], Commit::mutations)
    }

    /// One atomic step of the commit: in the reference the only one. At level 2 it is so in every variant.
    ///
    /// # Errors
    /// Within the step: `VersionOverflow`; at level 2 those of [`delta_mutations`]; `CatalogConflict` if
    /// another change came first; those of the store.
    pub fn advance<S: Store>(self, store: &mut S, settings: &Settings) -> SplitStep {
        let expected = self.expected;
        match self.step(store, settings) {
            Step::Done(Err(Error::WriteConflict { .. })) => {
                Step::Done(Err(Error::CatalogConflict { expected }))
            }
            step => step,
        }
    }

    /// All steps at once, the engine of the node included.
    ///
    /// # Errors
    /// Those of [`SplitPlan::advance`]; and although the split is durable, those of [`Split::adopt`] (H15).
    pub fn apply<S: Store>(
        self,
        store: &mut S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Result<Split, Error> {
        let split = Step::Next(self).finish(|plan| plan.advance(store, settings))?;
        split.adopt(store, engine, settings)?;
        Ok(split)
    }

    fn step<S: Store>(mut self, store: &mut S, settings: &Settings) -> SplitStep {
        let Some(commit) = self.commit.take() else {
            let committed = store.apply_built(self.read_ts, AT, |store, commit_ts| {
                self.batch(store, settings, commit_ts)
            });
            return Step::Done(committed.map(|commit_ts| self.committed(commit_ts, commit_ts)));
        };
        match commit.advance(store, &settings.strategies) {
            CommitStep::Next(commit) => Step::Next(Self {
                commit: Some(commit),
                ..self
            }),
            CommitStep::Done(committed) => {
                Step::Done(committed.map(|commit_ts| self.committed(commit_ts, 0)))
            }
        }
    }

    /// The batch of level 2 (13.8).
    fn batch<S: Store>(
        &self,
        store: &S,
        settings: &Settings,
        commit_ts: u64,
    ) -> Result<Vec<Mutation>, Error> {
        let children = self.children_at(commit_ts);
        let mut mutations = self.route_mutations(&children, settings)?;
        let mut delta = self.delta(children);
        if settings.strategies.split_delta == SplitDelta::WithoutParent {
            delta.changes.remove(0);
        }
        if settings.strategies.split_delta != SplitDelta::Omitted {
            mutations.extend(delta_mutations(store, self.read_ts, &delta, settings)?);
        }
        Ok(mutations)
    }

    fn children_at(&self, split_at: u64) -> [Route; 2] {
        let children = self.children.as_ref().clone();
        children.map(|child| Route { split_at, ..child })
    }

    fn route_mutations(
        &self,
        [left, right]: &[Route; 2],
        settings: &Settings,
    ) -> Result<Vec<Mutation>, Error> {
        let mut mutations = vec![
            Mutation::delete(keys::route(left.parent)),
            put_route(left, settings)?,
            put_route(right, settings)?,
        ];
        mutations.extend(put_numbers(self.next_version(), right.id + 1));
        Ok(mutations)
    }

    fn delta(&self, [left, right]: [Route; 2]) -> Delta {
        Delta {
            previous: self.expected,
            version: self.next_version(),
            changes: vec![
                Change::delete(left.parent),
                Change::upsert(left),
                Change::upsert(right),
            ],
        }
    }

    fn committed(self, commit_ts: u64, split_at: u64) -> Split {
        let [left, right] = self.children_at(split_at);
        Split {
            commit_ts,
            left,
            right,
            version: self.next_version(),
        }
    }
}

impl Split {
    /// Reads the snapshot at the commit timestamp and applies it to the engine of the node that split; a
    /// stale answer is ignored (7). [`Adopting`] is the same in atomic steps.
    ///
    /// # Errors
    /// Those of [`super::snapshot_at`] and of [`Engine::apply_snapshot`].
    pub fn adopt<S: Store>(
        &self,
        store: &S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Result<(), Error> {
        Adopting::begin(self.commit_ts).finish(store, engine, settings)
    }
}

fn refuse_outside(parent: &Route, key: &[u8]) -> Result<(), Error> {
    let route_id = parent.id;
    let (start, end) = (parent.start.as_ref(), parent.end.as_deref());
    if key == start || Some(key) == end {
        Err(Error::SplitKeyAtBoundary { route_id })
    } else if key < start || end.is_some_and(|end| key > end) {
        Err(Error::InvalidSplitKey { route_id })
    } else {
        Ok(())
    }
}

/// Id of the left child; there is one after it.
fn next_id<S: Store>(store: &S, snapshot: &Snapshot, settings: &Settings) -> Result<u64, Error> {
    let id = next_route_id_at(store, snapshot.read_ts, settings)
        .and_then(|next| Ok(next.max(route::floor(&snapshot.routes)?)));
    match id {
        Ok(u64::MAX) | Err(Error::RouteIdOverflow) => Err(Error::SplitRouteIdOverflow),
        id => id,
    }
}

/// The state of the parent is not examined (H13).
fn children(parent: &Route, id: u64, key: &[u8], settings: &Settings) -> [Route; 2] {
    let key = Bytes::copy_from_slice(key);
    let left = Route {
        id,
        end: Some(key.clone()),
        parent: parent.id,
        state: match settings.strategies.children {
            Children::Inherit => parent.state,
            Children::Active => 0,
        },
        split_at: 0,
        ..parent.clone()
    };
    let right = Route {
        id: id + 1,
        start: key,
        end: parent.end.clone(),
        ..left.clone()
    };
    [left, right]
}
