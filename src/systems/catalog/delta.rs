//! Deltas between two versions of the table (13.2, 13.3).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::route::Route;

/// What makes one version of the table from the one before. Nothing says that it is valid.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Delta {
    /// The version that it applies to.
    pub previous: u64,
    /// The version that it makes: the next one.
    pub version: u64,
    /// In the order in which they apply; a route has at most one.
    pub changes: Vec<Change>,
}

/// One change. `route` and `kind` are independent, since traces and foreign records may hold any combination.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Change {
    /// What is done.
    pub kind: ChangeKind,
    /// To which route; 0 is none.
    pub route_id: u64,
    /// The descriptor; upserts have one.
    pub route: Option<Route>,
}

/// What a change does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Inserts the route or replaces it. Code 1.
    Upsert,
    /// Removes the route, if it is there. Code 2.
    Delete,
    /// Any other code.
    Unknown,
}

impl Change {
    /// Of a whole route.
    pub fn upsert(route: Route) -> Self {
        Self {
            kind: ChangeKind::Upsert,
            route_id: route.id,
            route: Some(route),
        }
    }

    /// Of a route that goes.
    pub const fn delete(route_id: u64) -> Self {
        Self {
            kind: ChangeKind::Delete,
            route_id,
            route: None,
        }
    }
}

impl Delta {
    /// Deletes and upserts of changed routes, ascending by route id (13.3). Ids are unique within each
    /// table, and `previous` is below 2^64-1: of anything else comes a delta that is not valid.
    pub fn between(previous: u64, existing: &[Route], desired: &[Route]) -> Self {
        let before = by_id(existing);
        let after = by_id(desired);
        let gone = before.keys().filter(|id| !after.contains_key(id));
        let changed = after
            .iter()
            .filter(|(id, route)| before.get(id) != Some(route));
        let deletes = gone.map(|id| Change::delete(*id));
        let upserts = changed.map(|(_, route)| Change::upsert((*route).clone()));
        let mut changes: Vec<Change> = deletes.chain(upserts).collect();
        changes.sort_unstable_by_key(|change| change.route_id);
        Self {
            previous,
            version: previous.saturating_add(1),
            changes,
        }
    }

    /// Versions, then each change in order, first failure wins (13.2): `DeltaVersionGap`,
    /// `InvalidDeltaMutation`, or what [`Route::validate`] finds.
    pub fn validate(&self) -> Result<(), Error> {
        let version = self.version;
        if version.checked_sub(1) != Some(self.previous) {
            return Err(Error::DeltaVersionGap { version });
        }
        let mut seen = BTreeSet::new();
        for (index, change) in self.changes.iter().enumerate() {
            let invalid = |flaw| Err(Error::InvalidDeltaMutation { index, flaw });
            if change.route_id == 0 {
                return invalid("route id 0, expected at least 1");
            }
            if !seen.insert(change.route_id) {
                return invalid("its route id occurred before");
            }
            match (change.kind, &change.route) {
                (ChangeKind::Upsert, Some(route)) if route.id == change.route_id => {
                    route.validate()?;
                }
                (ChangeKind::Upsert, Some(_)) => return invalid("its descriptor has another id"),
                (ChangeKind::Upsert, None) => return invalid("an upsert without descriptor"),
                (ChangeKind::Delete, None) => {}
                (ChangeKind::Delete, Some(_)) => return invalid("a delete with a descriptor"),
                (ChangeKind::Unknown, _) => return invalid("neither an upsert nor a delete"),
            }
        }
        Ok(())
    }
}

fn by_id(routes: &[Route]) -> BTreeMap<u64, &Route> {
    routes.iter().map(|route| (route.id, route)).collect()
}
