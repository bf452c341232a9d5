//! The engine (8, 13.5 to 13.7).

use serde_json::{Value, json};

use super::super::hex;
use super::json as form;
use super::records::{self, Delta, Route};
use super::{Bytes, Code};

#[derive(Clone, PartialEq, Debug)]
pub(in super::super) struct Entry {
    pub(in super::super) id: u64,
    pub(in super::super) start: Bytes,
    pub(in super::super) end: Option<Bytes>,
    pub(in super::super) group: u64,
    pub(in super::super) state: u8,
    pub(in super::super) load: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub(in super::super) struct Engine {
    pub(in super::super) routes: Vec<Entry>,
    pub(in super::super) version: u64,
    clock: u64,
    threshold: u64,
    /// Tables with their versions, all that ever were.
    history: Vec<(u64, Vec<Entry>)>,
}

impl Entry {
    fn of(route: &Route) -> Self {
        Self {
            id: route.id,
            start: route.start.clone(),
            end: route.end.clone(),
            group: route.group,
            state: route.state,
            load: 0,
        }
    }

    fn told(&self) -> Value {
        json!({
            "end": self.end.as_ref().map(hex), "group_id": self.group, "load": self.load,
            "route_id": self.id, "start": hex(&self.start), "state": self.state,
        })
    }

    fn ends_by(&self, key: &[u8]) -> bool {
        self.end.as_ref().is_some_and(|end| end.as_slice() <= key)
    }
}

fn told(entries: &[Entry]) -> Value {
    entries.iter().map(Entry::told).collect()
}

/// Neighbours of a table that is sorted by start.
fn check(routes: &[Entry]) -> Result<(), Code> {
    for two in routes.windows(2) {
        let (p, q) = (&two[0], &two[1]);
        match &p.end {
            Some(_) if p.start >= q.start => return Err("engine_snapshot_route_order"),
            None => return Err("engine_snapshot_route_order"),
            Some(end) if *end > q.start => return Err("engine_snapshot_route_overlap"),
            Some(_) => {}
        }
    }
    Ok(())
}

impl Engine {
    pub(super) fn new(default_route: bool, threshold: u64) -> Self {
        let mut engine = Self {
            routes: Vec::new(),
            version: 0,
            clock: 0,
            threshold,
            history: Vec::new(),
        };
        if default_route {
            engine.update(Vec::new(), None, 1);
            engine.record();
        }
        engine
    }

    fn record(&mut self) {
        if self
            .history
            .iter()
            .all(|(version, _)| *version != self.version)
        {
            self.history.push((self.version, self.routes.clone()));
        }
    }

    fn at(&self, version: u64) -> Option<&[Entry]> {
        let forgotten = self.history.len().saturating_sub(32);
        let mut kept = self.history[forgotten..].iter();
        let found = kept.find(|(other, _)| *other == version);
        found.map(|(_, routes)| routes.as_slice())
    }

    fn update(&mut self, start: Bytes, end: Option<Bytes>, group: u64) {
        let entry = Entry {
            id: 0,
            start,
            end,
            group,
            state: 0,
            load: 0,
        };
        // Behind all that start at or before it.
        let before = self
            .routes
            .iter()
            .filter(|other| other.start <= entry.start);
        let at = before.count();
        self.routes.insert(at, entry);
    }

    fn find(&self, key: &[u8]) -> Option<usize> {
        let starts = |route: &Entry| route.start.as_slice() <= key;
        let at = self.routes.iter().rposition(starts)?;
        (!self.routes[at].ends_by(key)).then_some(at)
    }

    pub(super) fn access_begin(&mut self, key: &[u8]) -> Option<(u64, bool)> {
        let at = self.find(key)?;
        self.routes[at].load += 1;
        let load = self.routes[at].load;
        Some((load, self.threshold != 0 && load >= self.threshold))
    }

    pub(super) fn access_finish(&mut self, key: &[u8]) {
        let Some(at) = self.find(key) else { return };
        if self.routes[at].load < self.threshold {
            return;
        }
        self.routes[at].load = 0;
        let route = self.routes[at].clone();
        let mid = [&route.start[..], &[0]].concat();
        match &route.end {
            Some(end) if mid < *end => {}
            _ => return,
        }
        let left = Entry {
            id: 0,
            end: Some(mid.clone()),
            ..route.clone()
        };
        let right = Entry {
            id: 0,
            start: mid,
            ..route
        };
        self.routes.splice(at..=at, [left, right]);
    }

    pub(super) fn apply_snapshot(&mut self, version: u64, routes: &[Route]) -> Result<(), Code> {
        if version < self.version {
            return Err("engine_snapshot_version_stale");
        }
        if version == self.version {
            return Ok(());
        }
        for (at, route) in routes.iter().enumerate() {
            records::validate(route)?;
            if routes[..at].iter().any(|other| other.id == route.id) {
                return Err("engine_snapshot_duplicate_id");
            }
        }
        self.install(version, routes.iter().map(Entry::of).collect())
    }

    fn install(&mut self, version: u64, mut routes: Vec<Entry>) -> Result<(), Code> {
        routes.sort_by(|one, other| one.start.cmp(&other.start));
        check(&routes)?;
        self.routes = routes;
        self.version = version;
        self.record();
        Ok(())
    }

    pub(super) fn apply_delta(&mut self, delta: &Delta) -> Result<(), Code> {
        records::validate_delta(delta)?;
        if delta.version < self.version {
            return Err("engine_snapshot_version_stale");
        }
        if delta.version == self.version {
            return Ok(());
        }
        if delta.previous != self.version {
            return Err("engine_delta_version_gap");
        }
        let mut next: Vec<Entry> = Vec::new();
        for route in &self.routes {
            if route.id == 0 && delta.previous == 0 {
                continue;
            }
            next.retain(|other| other.id != route.id);
            next.push(route.clone());
        }
        for change in &delta.changes {
            let old = next.iter().position(|route| route.id == change.id);
            let old = old.map(|at| next.remove(at));
            if let Some(route) = &change.route {
                let load = old.map_or(0, |old| old.load);
                next.push(Entry {
                    load,
                    ..Entry::of(route)
                });
            }
        }
        self.install(delta.version, next)
    }

    /// None if the version is unknown, then none if nobody owns the key.
    fn owner(&self, version: u64, key: &[u8]) -> Option<Option<u64>> {
        let routes = self.at(version)?.iter();
        let mut routes = routes.take_while(|route| route.start.as_slice() <= key);
        let found = routes.find(|route| !route.ends_by(key));
        Some(found.map(|route| route.group))
    }

    fn verify(&self, group: u64, observed: Option<u64>, keys: &[Bytes]) -> Result<(), Code> {
        let Some(observed) = observed.filter(|_| group != 0) else {
            return Ok(());
        };
        if self.at(observed).is_none() {
            return Err("composed1_version_gcd");
        }
        for version in [observed, self.version] {
            for key in keys.iter().filter(|key| !key.is_empty()) {
                match self.owner(version, key) {
                    None => {}
                    Some(Some(owner)) if owner == group => {}
                    Some(_) => return Err("composed1_violation"),
                }
            }
        }
        Ok(())
    }

    pub(super) fn perform(&mut self, op: &str, args: &Value) -> Option<Result<Value, Code>> {
        let key = || form::bytes(args, "key");
        let number = |name| form::number(args, name);
        let table = |version: u64, routes: Option<&[Entry]>| match routes {
            Some(routes) => json!({"routes": told(routes), "version": version}),
            None => Value::Null,
        };
        Some(Ok(match op {
            "update_route" => {
                let (start, end) = (form::bytes(args, "start"), form::bytes_or_null(args, "end"));
                self.update(start, end, number("group_id"));
                Value::Null
            }
            "get_route" => match self.find(&key()) {
                Some(at) => self.routes[at].told(),
                None => Value::Null,
            },
            "intersecting_routes" => {
                let (start, end) = (form::bytes(args, "start"), form::bytes_or_null(args, "end"));
                let from_end = |route: &Entry| end.as_ref().is_some_and(|end| route.start >= *end);
                let found = self.routes.iter();
                let found = found.filter(|route| !route.ends_by(&start) && !from_end(route));
                found.map(Entry::told).collect()
            }
            "stats" => told(&self.routes),
            "next_timestamp" => {
                self.clock += 1;
                json!(self.clock)
            }
            "engine_version" => json!(self.version),
            "apply_snapshot" => {
                let applied = self.apply_snapshot(number("version"), &form::routes(args));
                return Some(applied.map(|()| Value::Null));
            }
            "apply_delta" => {
                let applied = self.apply_delta(&form::delta(args));
                return Some(applied.map(|()| Value::Null));
            }
            "history_at" => table(number("version"), self.at(number("version"))),
            "history_current" => table(self.version, self.at(self.version)),
            "owner_at" => {
                let owner = self.owner(number("version"), &key());
                json!({"group_id": owner.flatten(), "known": owner.is_some()})
            }
            "verify_commit" => {
                let observed = args["observed_version"].as_u64();
                let keys = args["keys"].as_array().expect("a list").iter();
                let keys = keys.map(|key| form::bytes(&json!({"key": key}), "key"));
                let keys: Vec<Bytes> = keys.collect();
                let verified = self.verify(number("group_id"), observed, &keys);
                return Some(verified.map(|()| Value::Null));
            }
            _ => return None,
        }))
    }
}
