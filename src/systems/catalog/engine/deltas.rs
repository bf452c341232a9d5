//! Deltas (13.5).

use std::collections::BTreeMap;

use super::{Engine, EngineRoute, table};
use crate::catalog::delta::Delta;
use crate::catalog::error::Error;
use crate::catalog::strategy::DeltaBase;

impl Engine {
    /// Makes the next table from this one; nothing if the engine is at the delta's version already. After a
    /// failure nothing has changed. O(n log n).
    pub fn apply_delta(&mut self, delta: &Delta) -> Result<(), Error> {
        delta.validate()?;
        if !self.is_news(delta.version)? {
            return Ok(());
        }
        match self.settings.strategies.delta_base {
            DeltaBase::Checked if delta.previous != self.version => {
                return Err(Error::EngineDeltaVersionGap {
                    previous: delta.previous,
                    engine: self.version,
                });
            }
            DeltaBase::Checked | DeltaBase::Unchecked => {}
        }
        let mut routes = changed(&self.routes, delta);
        table::arrange(&mut routes)?;
        self.replace(delta.version, routes);
        Ok(())
    }
}

/// The routes that the delta leaves, in list order, and behind them those that it puts.
fn changed(routes: &[EngineRoute], delta: &Delta) -> Vec<EngineRoute> {
    // Of several routes without id the last one stays, or none if this is the first table of the catalog.
    let without_id = match delta.previous {
        0 => None,
        _ => routes.iter().rposition(|route| route.id == 0),
    };
    let mut loads: BTreeMap<u64, u64> = delta.changes.iter().map(|c| (c.route_id, 0)).collect();
    let mut next = Vec::with_capacity(routes.len() + delta.changes.len());
    for (at, route) in routes.iter().enumerate() {
        match loads.get_mut(&route.id) {
            Some(load) => *load = route.load,
            None if route.id != 0 || Some(at) == without_id => next.push(route.clone()),
            None => {}
        }
    }
    let puts = delta
        .changes
        .iter()
        .filter_map(|change| change.route.as_ref());
    next.extend(puts.map(|route| EngineRoute {
        load: loads.get(&route.id).copied().unwrap_or_default(),
        ..EngineRoute::from(route)
    }));
    next
}
