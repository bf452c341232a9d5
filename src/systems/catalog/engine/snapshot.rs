//! Snapshots (8).

use serde::Serialize;

use super::{Engine, EngineRoute, table};
use crate::catalog::error::Error;
use crate::catalog::route::{Route, validate_each};
use crate::catalog::strategy::{Overlapping, Recheck, Stale};

/// A validated table, not yet installed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Prepared {
    version: u64,
    routes: Vec<EngineRoute>,
}

impl Prepared {
    /// Version of the table.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Its routes in list order.
    pub fn routes(&self) -> &[EngineRoute] {
        &self.routes
    }
}

impl Engine {
    /// Steps 1 to 3: none if the engine is at that version already, whatever the routes. Nothing is changed, and
    /// the engine may be at another version when the table is installed. O(n log n).
    pub fn prepare_snapshot(
        &self,
        version: u64,
        routes: &[Route],
    ) -> Result<Option<Prepared>, Error> {
        if !self.is_news(version)? {
            return Ok(None);
        }
        validate_each(routes, |route_id| Error::SnapshotDuplicateId { route_id })?;
        let mut routes: Vec<EngineRoute> = routes.iter().map(EngineRoute::from).collect();
        let arranged = table::arrange(&mut routes);
        match self.settings.strategies.overlapping {
            Overlapping::Refused => arranged?,
            Overlapping::Installed => {}
        }
        Ok(Some(Prepared { version, routes }))
    }

    /// Step 4: looks at the version again, and installs the table with all loads 0. O(1) but for freeing the table
    /// before.
    pub fn install(&mut self, prepared: Prepared) -> Result<(), Error> {
        let Prepared { version, routes } = prepared;
        let is_due = match self.settings.strategies.recheck {
            Recheck::Taken => self.is_news(version)?,
            Recheck::Skipped => true,
        };
        if is_due {
            self.replace(version, routes);
        }
        Ok(())
    }

    /// All steps. After a failure nothing has changed. O(n log n).
    pub fn apply_snapshot(&mut self, version: u64, routes: &[Route]) -> Result<(), Error> {
        match self.prepare_snapshot(version, routes)? {
            Some(prepared) => self.install(prepared),
            None => Ok(()),
        }
    }

    /// Whether a table of this version is newer than the engine's, and not the same; an error if it is older.
    pub(super) fn is_news(&self, version: u64) -> Result<bool, Error> {
        match self.settings.strategies.stale {
            Stale::Refused if version < self.version => Err(Error::SnapshotVersionStale {
                version,
                engine: self.version,
            }),
            Stale::Refused | Stale::Installed => Ok(version != self.version),
        }
    }
}
