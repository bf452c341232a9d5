//! What an engine must answer, from all that happened: every question walks whole lists.

use concord::systems::catalog::delta::ChangeKind;
use concord::systems::catalog::{Delta, EngineRoute, Route};

type Outcome = Result<(), &'static str>;

/// An engine as a list, with every table that it ever had.
#[derive(Debug)]
pub(super) struct Oracle {
    second_level: bool,
    threshold: u64,
    pub(super) routes: Vec<EngineRoute>,
    pub(super) version: u64,
    /// All that were ever recorded, oldest first.
    recorded: Vec<(u64, Vec<EngineRoute>)>,
}

impl Oracle {
    pub(super) fn new(second_level: bool, default_route: bool, threshold: u64) -> Self {
        let mut oracle = Self {
            second_level,
            threshold,
            routes: Vec::new(),
            version: 0,
            recorded: Vec::new(),
        };
        if default_route {
            oracle.update_route(&[], None, 1);
            oracle.recorded.push((0, oracle.routes.clone()));
        }
        oracle
    }

    pub(super) fn update_route(&mut self, start: &[u8], end: Option<&[u8]>, group: u64) {
        let mut place = 0;
        for (at, route) in self.routes.iter().enumerate() {
            if &route.start[..] <= start {
                place = at + 1;
            }
        }
        let route = EngineRoute {
            id: 0,
            start: start.to_vec().into(),
            end: end.map(|end| end.to_vec().into()),
            group,
            state: 0,
            load: 0,
        };
        self.routes.insert(place, route);
    }

    pub(super) fn owner(&self, key: &[u8]) -> Option<usize> {
        let mut last = None;
        for (at, route) in self.routes.iter().enumerate() {
            if &route.start[..] <= key {
                last = Some(at);
            }
        }
        last.filter(|at| !ends_by(&self.routes[*at], key))
    }

    pub(super) fn intersecting(&self, start: &[u8], end: Option<&[u8]>) -> Vec<&EngineRoute> {
        let mut found = Vec::new();
        for route in &self.routes {
            let is_behind = end.is_some_and(|end| &route.start[..] >= end);
            if !ends_by(route, start) && !is_behind {
                found.push(route);
            }
        }
        found
    }

    /// Load, and whether the second phase is due.
    pub(super) fn begin(&mut self, key: &[u8]) -> Option<(u64, bool)> {
        if self.second_level {
            return None;
        }
        let at = self.owner(key)?;
        self.routes[at].load += 1;
        let load = self.routes[at].load;
        Some((load, self.threshold > 0 && load >= self.threshold))
    }

    pub(super) fn finish(&mut self, key: &[u8]) {
        let Some(at) = self.owner(key) else { return };
        if self.threshold == 0 || self.routes[at].load < self.threshold {
            return;
        }
        self.routes[at].load = 0;
        let mut middle = self.routes[at].start.to_vec();
        middle.push(0);
        let is_refused = match &self.routes[at].end {
            None => true,
            Some(end) => end[..] <= middle[..],
        };
        if is_refused {
            return;
        }
        self.routes[at].id = 0;
        let mut right = self.routes[at].clone();
        right.start = middle.clone().into();
        self.routes[at].end = Some(middle.into());
        self.routes.insert(at + 1, right);
    }

    pub(super) fn apply_snapshot(&mut self, version: u64, routes: &[Route]) -> Outcome {
        if version < self.version {
            return Err("engine_snapshot_version_stale");
        }
        if version == self.version {
            return Ok(());
        }
        let mut next = Vec::new();
        for (at, route) in routes.iter().enumerate() {
            check(route)?;
            for earlier in &routes[..at] {
                if earlier.id == route.id {
                    return Err("engine_snapshot_duplicate_id");
                }
            }
            next.push(loaded(route, 0));
        }
        self.replace(version, next)
    }

    pub(super) fn apply_delta(&mut self, delta: &Delta) -> Outcome {
        check_delta(delta)?;
        if delta.version < self.version {
            return Err("engine_snapshot_version_stale");
        }
        if delta.version == self.version {
            return Ok(());
        }
        if delta.previous != self.version {
            return Err("engine_delta_version_gap");
        }
        let mut next: Vec<EngineRoute> = Vec::new();
        for route in &self.routes {
            if route.id == 0 && delta.previous == 0 {
                continue;
            }
            next.retain(|other| other.id != route.id);
            next.push(route.clone());
        }
        for change in &delta.changes {
            let mut load = 0;
            if let Some(at) = next.iter().position(|route| route.id == change.route_id) {
                load = next.remove(at).load;
            }
            if let Some(route) = &change.route {
                next.push(loaded(route, load));
            }
        }
        self.replace(delta.version, next)
    }

    fn replace(&mut self, version: u64, next: Vec<EngineRoute>) -> Outcome {
        // Of routes that begin together it does not matter which one comes first: none may.
        let mut sorted: Vec<EngineRoute> = Vec::new();
        for route in next {
            let place = sorted
                .iter()
                .filter(|other| other.start <= route.start)
                .count();
            sorted.insert(place, route);
        }
        for at in 1..sorted.len() {
            let (left, right) = (&sorted[at - 1], &sorted[at]);
            match &left.end {
                None => return Err("engine_snapshot_route_order"),
                Some(_) if left.start >= right.start => return Err("engine_snapshot_route_order"),
                Some(end) if *end > right.start => return Err("engine_snapshot_route_overlap"),
                Some(_) => {}
            }
        }
        self.routes = sorted;
        self.version = version;
        self.recorded.push((version, self.routes.clone()));
        Ok(())
    }

    pub(super) fn history(&self, version: u64) -> Option<&Vec<EngineRoute>> {
        if !self.second_level {
            return None;
        }
        let mut kept = self.recorded.iter().rev().take(32);
        kept.find(|(recorded, _)| *recorded == version)
            .map(|(_, routes)| routes)
    }

    pub(super) fn owner_at(&self, version: u64, key: &[u8]) -> Option<Option<u64>> {
        for route in self.history(version)? {
            if &route.start[..] > key {
                break;
            }
            if !ends_by(route, key) {
                return Some(Some(route.group));
            }
        }
        Some(None)
    }

    pub(super) fn verify(&self, group: u64, observed: Option<u64>, keys: &[Vec<u8>]) -> Outcome {
        let Some(observed) = observed.filter(|_| group != 0) else {
            return Ok(());
        };
        if self.history(observed).is_none() {
            return Err("composed1_version_gcd");
        }
        for version in [observed, self.version] {
            for key in keys.iter().filter(|key| !key.is_empty()) {
                match self.owner_at(version, key) {
                    Some(owner) if owner != Some(group) => return Err("composed1_violation"),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn ends_by(route: &EngineRoute, key: &[u8]) -> bool {
    route.end.as_ref().is_some_and(|end| &end[..] <= key)
}

fn loaded(route: &Route, load: u64) -> EngineRoute {
    EngineRoute {
        id: route.id,
        start: route.start.clone(),
        end: route.end.clone(),
        group: route.group,
        state: route.state,
        load,
    }
}

fn check(route: &Route) -> Outcome {
    let is_inverted = route.end.as_ref().is_some_and(|end| *end <= route.start);
    match route {
        Route { id: 0, .. } => Err("catalog_route_id_required"),
        Route { group: 0, .. } => Err("catalog_group_id_required"),
        Route { state: 4.., .. } => Err("catalog_invalid_route_state"),
        _ if is_inverted => Err("catalog_invalid_route_range"),
        _ => Ok(()),
    }
}

fn check_delta(delta: &Delta) -> Outcome {
    if delta.version == 0 || delta.previous != delta.version - 1 {
        return Err("catalog_delta_version_gap");
    }
    for (at, change) in delta.changes.iter().enumerate() {
        let mut earlier = delta.changes[..at].iter();
        if change.route_id == 0 || earlier.any(|other| other.route_id == change.route_id) {
            return Err("catalog_invalid_delta_mutation");
        }
        match (change.kind, &change.route) {
            (ChangeKind::Upsert, Some(route)) if route.id == change.route_id => check(route)?,
            (ChangeKind::Delete, None) => {}
            _ => return Err("catalog_invalid_delta_mutation"),
        }
    }
    Ok(())
}
