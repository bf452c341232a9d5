//! The delta log (13.3, 13.4).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use serde::Serialize;

use super::Snapshot;
use crate::catalog::delta::Delta;
use crate::catalog::error::Error;
use crate::catalog::store::{Mutation, Store};
use crate::catalog::strategy::Settings;

/// What a reader of the delta log gets (13.4).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Changes {
    /// The deltas after the cursor, in order; none if the cursor is up to date.
    Deltas(Vec<Delta>),
    /// The cursor is before the log: a full snapshot.
    Reset(Snapshot),
}

/// The oldest retained version at `ts`, 0 if none.
pub fn delta_floor<S: Store>(store: &S, ts: u64) -> Result<u64, Error> {
    todo!()
}

/// 13.3.
pub fn delta_mutations<S: Store>(
    store: &S,
    ts: u64,
    delta: &Delta,
    settings: &Settings,
) -> Result<Vec<Mutation>, Error> {
    todo!()
}

/// 13.4; all reads at one timestamp. `limit` below 1: `DeltaLimitInvalid`.
pub fn changes_since<S: Store>(
    store: &S,
    cursor: u64,
    limit: i64,
    settings: &Settings,
) -> Result<Changes, Error> {
    todo!()
}
