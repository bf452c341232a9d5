//! Deltas between two versions of the table (13.2, 13.3).
#![allow(missing_docs, reason = "skeleton")]

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::route::Route;

/// What makes one version of the table from the one before. Nothing says that it is valid.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Delta {
    pub previous: u64,
    pub version: u64,
    pub changes: Vec<Change>,
}

/// One change. `route` and `kind` are independent, since traces and foreign records may hold any combination.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Change {
    pub kind: ChangeKind,
    pub route_id: u64,
    pub route: Option<Route>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Code 1.
    Upsert,
    /// Code 2.
    Delete,
    /// Any other code.
    Unknown,
}

impl Change {
    pub fn upsert(route: Route) -> Self {
        Self {
            kind: ChangeKind::Upsert,
            route_id: route.id,
            route: Some(route),
        }
    }

    pub const fn delete(route_id: u64) -> Self {
        Self {
            kind: ChangeKind::Delete,
            route_id,
            route: None,
        }
    }
}

impl Delta {
    /// 13.2, first failure wins.
    pub fn validate(&self) -> Result<(), Error> {
        todo!()
    }

    /// Deletes and upserts of changed routes, sorted by route id (13.3). Both tables are normalised.
    pub fn between(_previous: u64, _existing: &[Route], _desired: &[Route]) -> Self {
        todo!()
    }
}
