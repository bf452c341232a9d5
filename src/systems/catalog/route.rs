//! Route descriptors: validation, catalog order, id floor (1.1, 4).
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::Error;

/// A durable route descriptor (1.1). Nothing says that it is valid.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Route {
    pub id: u64,
    /// The first key of the half-open range.
    pub start: Bytes,
    /// The first key past it; none if unbounded. An empty one is below every key.
    pub end: Option<Bytes>,
    pub group: u64,
    /// See [`super::limits::LAST_STATE`].
    pub state: u8,
    /// Never checked.
    pub parent: u64,
    /// Level 2 (13.1): timestamp of the split that made it, 0 if none did.
    pub split_at: u64,
}

impl Route {
    /// Section 4, first failure wins.
    pub fn validate(&self) -> Result<(), Error> {
        todo!()
    }
}

/// Validates, refuses ids that occur twice, sorts in catalog order (4).
pub fn normalise(_routes: Vec<Route>) -> Result<Vec<Route>, Error> {
    todo!()
}

/// The first pair of neighbours of a sorted table that overlap (6.2 step 2).
pub fn overlap(_routes: &[Route]) -> Option<(&Route, &Route)> {
    todo!()
}

/// Id floor (4): `RouteIdOverflow` if the largest id is the largest number.
pub fn floor(_routes: &[Route]) -> Result<u64, Error> {
    todo!()
}
