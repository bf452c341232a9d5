//! Reads (6.1).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use serde::Serialize;

use super::Snapshot;
use crate::catalog::error::Error;
use crate::catalog::route::Route;
use crate::catalog::store::Store;
use crate::catalog::strategy::Settings;

pub fn version_at<S: Store>(store: &S, ts: u64) -> Result<u64, Error> {
    todo!()
}

pub fn version<S: Store>(store: &S) -> Result<u64, Error> {
    version_at(store, store.last_commit_ts()?)
}

pub fn routes_at<S: Store>(store: &S, ts: u64, settings: &Settings) -> Result<Vec<Route>, Error> {
    todo!()
}

pub fn snapshot_at<S: Store>(store: &S, ts: u64, settings: &Settings) -> Result<Snapshot, Error> {
    Reading::begin_at(store, ts)?.finish(store, settings)
}

pub fn snapshot<S: Store>(store: &S, settings: &Settings) -> Result<Snapshot, Error> {
    Reading::begin(store)?.finish(store, settings)
}

pub fn next_route_id_at<S: Store>(store: &S, ts: u64, settings: &Settings) -> Result<u64, Error> {
    todo!()
}

pub fn next_route_id<S: Store>(store: &S, settings: &Settings) -> Result<u64, Error> {
    next_route_id_at(store, store.last_commit_ts()?, settings)
}

/// A snapshot between its two reads, which are two atomic steps.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Reading {
    pub read_ts: u64,
    pub version: u64,
}

impl Reading {
    /// The version, at the last commit timestamp.
    pub fn begin<S: Store>(store: &S) -> Result<Self, Error> {
        Self::begin_at(store, store.last_commit_ts()?)
    }

    pub fn begin_at<S: Store>(store: &S, ts: u64) -> Result<Self, Error> {
        todo!()
    }

    /// The routes, at the same timestamp.
    pub fn finish<S: Store>(self, store: &S, settings: &Settings) -> Result<Snapshot, Error> {
        todo!()
    }
}
