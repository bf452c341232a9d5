//! The durable catalog: reads, saves, splits, bootstrap (6, 7, 9).

use serde_json::{Value, json};

use super::json::{self as form, told_mutations, told_route, told_routes, told_snapshot};
use super::records::{self, Change, Delta, Route, encode_number, encode_route, route_key};
use super::{
    Bytes, Code, MAX, NEXT_ID_KEY, Node, Oracle, Plan, ROUTES, Store, VERSION_KEY, unless_stale,
};

#[derive(Clone, PartialEq, Debug)]
pub(in super::super) struct Snapshot {
    pub(in super::super) version: u64,
    pub(in super::super) routes: Vec<Route>,
    pub(in super::super) read_ts: u64,
}

/// A key with the value that is put, or none if it is deleted.
pub(super) type Mutation = (Bytes, Option<Bytes>);

#[derive(Clone, Debug)]
pub(in super::super) struct SavePlan {
    expected: u64,
    read_ts: u64,
    min_commit_ts: u64,
    routes: Vec<Route>,
    mutations: Vec<Mutation>,
    picked: Vec<u64>,
}

#[derive(Clone, Debug)]
pub(in super::super) struct SplitPlan {
    expected: u64,
    read_ts: u64,
    parent: u64,
    left: Route,
    right: Route,
}

impl Store {
    pub(super) fn version_at(&self, ts: u64) -> Result<u64, Code> {
        match self.get(VERSION_KEY, ts)? {
            Some(raw) => records::decode_version(&raw),
            None => Ok(0),
        }
    }

    pub(super) fn routes_at(&self, ts: u64, level: u8) -> Result<Vec<Route>, Code> {
        let mut routes = Vec::new();
        // The last byte of the prefix raised by one.
        for (key, raw) in self.scan(ROUTES, Some(b"!dist|route}"), ts)? {
            let id = records::number_below(ROUTES, &key).ok_or("catalog_invalid_route_key")?;
            let route = records::decode_route(&raw, level)?;
            if route.id != id {
                return Err("catalog_route_key_id_mismatch");
            }
            routes.push(route);
        }
        Ok(records::in_catalog_order(routes))
    }

    pub(in super::super) fn snapshot_at(&self, ts: u64, level: u8) -> Result<Snapshot, Code> {
        let version = self.version_at(ts)?;
        let routes = self.routes_at(ts, level)?;
        Ok(Snapshot {
            version,
            routes,
            read_ts: ts,
        })
    }

    pub(in super::super) fn snapshot(&self, level: u8) -> Result<Snapshot, Code> {
        self.snapshot_at(self.last, level)
    }

    fn stored_next_id(&self, ts: u64) -> Result<Option<u64>, Code> {
        let raw = self.get(NEXT_ID_KEY, ts)?;
        raw.map(|raw| records::decode_next_id(&raw)).transpose()
    }

    pub(in super::super) fn next_id_at(&self, ts: u64, level: u8) -> Result<u64, Code> {
        match self.stored_next_id(ts)? {
            Some(next) => Ok(next),
            None => records::floor(&self.routes_at(ts, level)?),
        }
    }

    /// Conflict check and write in one.
    fn commit(&mut self, mutations: &[Mutation], start: u64, commit: u64) -> Result<(), Code> {
        self.check(mutations.iter().map(|(key, _)| key), start)?;
        for (key, value) in mutations {
            self.write(key.clone(), commit, (value.clone(), 0));
        }
        Ok(())
    }
}

impl SavePlan {
    /// What step 13 would choose now.
    fn choice(&self, store: &Store) -> Result<u64, Code> {
        match store.last {
            MAX => Err("catalog_version_overflow"),
            last => Ok(self.min_commit_ts.max(last + 1)),
        }
    }
}

impl Oracle {
    fn prepare_save(&self, expected: u64, desired: Vec<Route>) -> Result<SavePlan, Code> {
        let desired = records::normalise(desired)?;
        if self.strict {
            for two in desired.windows(2) {
                match &two[0].end {
                    Some(end) if *end <= two[1].start => {}
                    _ => return Err("catalog_route_overlap"),
                }
            }
        }
        let store = &self.store;
        let read_ts = store.last;
        if store.version_at(read_ts)? != expected {
            return Err("catalog_version_mismatch");
        }
        if expected == MAX || read_ts == MAX {
            return Err("catalog_version_overflow");
        }
        let existing = store.routes_at(read_ts, self.level)?;
        let counter = store.stored_next_id(read_ts)?.unwrap_or(0);
        let counter = counter.max(records::floor(&existing)?);
        let exists = |id: u64| existing.iter().find(|route| route.id == id);
        if self.strict {
            let new = desired.iter().filter(|route| exists(route.id).is_none());
            if new.into_iter().any(|route| route.id < counter) {
                return Err("catalog_route_id_retired");
            }
        }
        let counter = counter.max(records::floor(&desired)?);
        let gone = existing
            .iter()
            .filter(|route| desired.iter().all(|other| other.id != route.id));
        let gone: Vec<u64> = gone.map(|route| route.id).collect();
        let changed = desired
            .iter()
            .filter(|route| exists(route.id) != Some(*route));
        let changed: Vec<Route> = changed.cloned().collect();

        let mut mutations = Vec::new();
        for id in &gone {
            mutations.push((route_key(*id), None));
        }
        for route in &changed {
            mutations.push((route_key(route.id), Some(encode_route(route, self.level)?)));
        }
        if self.level == 2 {
            let deleted = gone.iter().map(|id| delete(*id));
            let mut changes: Vec<Change> = deleted.chain(changed.iter().map(upsert)).collect();
            changes.sort_by_key(|change| change.id);
            let delta = Delta {
                previous: expected,
                version: expected + 1,
                changes,
            };
            mutations.extend(store.delta_mutations(read_ts, &delta)?);
        }
        mutations.push((VERSION_KEY.to_vec(), Some(encode_number(expected + 1))));
        mutations.push((NEXT_ID_KEY.to_vec(), Some(encode_number(counter))));
        Ok(SavePlan {
            expected,
            read_ts,
            min_commit_ts: read_ts + 1,
            routes: desired,
            mutations,
            picked: Vec::new(),
        })
    }

    /// The snapshot that the save made, at its commit timestamp.
    fn apply_save(&mut self, plan: SavePlan) -> Result<Snapshot, Code> {
        let mut commit_ts = plan.choice(&self.store)?;
        for picked in plan.picked {
            commit_ts = commit_ts.max(picked);
        }
        let committed = self.store.commit(&plan.mutations, plan.read_ts, commit_ts);
        committed.map_err(|_| "catalog_version_mismatch")?;
        Ok(Snapshot {
            version: plan.expected + 1,
            routes: plan.routes,
            read_ts: commit_ts,
        })
    }

    fn prepare_split(&self, args: &Value) -> Result<SplitPlan, Code> {
        let expected = form::number(args, "expected_version");
        let id = form::number(args, "route_id");
        let key = form::bytes(args, "split_key");
        let found = self.store.snapshot(self.level)?;
        if found.version != expected {
            return Err("distribution_catalog_conflict");
        }
        let parent = found.routes.iter().find(|route| route.id == id);
        let parent = parent.ok_or("distribution_unknown_route")?;
        if key == parent.start || Some(&key) == parent.end.as_ref() {
            return Err("distribution_split_key_at_boundary");
        }
        if key < parent.start || parent.end.as_ref().is_some_and(|end| key > *end) {
            return Err("distribution_invalid_split_key");
        }
        const OVERFLOW: Code = "distribution_route_id_overflow";
        let overflow = |code| match code {
            "catalog_route_id_overflow" => OVERFLOW,
            other => other,
        };
        let next = self.store.next_id_at(found.read_ts, self.level);
        let next = next.map_err(overflow)?;
        let next = next.max(records::floor(&found.routes).map_err(overflow)?);
        if next == MAX {
            return Err(OVERFLOW);
        }
        if expected == MAX {
            return Err("catalog_version_overflow");
        }
        if next + 1 == MAX {
            return Err(OVERFLOW);
        }
        let child = |id, start: &Bytes, end: Option<&Bytes>| Route {
            id,
            start: start.clone(),
            end: end.cloned(),
            group: parent.group,
            state: parent.state,
            parent: parent.id,
            hlc: 0,
        };
        Ok(SplitPlan {
            expected,
            read_ts: found.read_ts,
            parent: parent.id,
            left: child(next, &parent.start, Some(&key)),
            right: child(next + 1, &key, parent.end.as_ref()),
        })
    }

    fn split_mutations(&self, plan: &SplitPlan) -> Result<Vec<Mutation>, Code> {
        let SplitPlan { left, right, .. } = plan;
        let put = |route: &Route| {
            let raw = encode_route(route, self.level)?;
            Ok::<_, Code>((route_key(route.id), Some(raw)))
        };
        let next = encode_number(right.id + 1);
        Ok(vec![
            (route_key(plan.parent), None),
            put(left)?,
            put(right)?,
            (VERSION_KEY.to_vec(), Some(encode_number(plan.expected + 1))),
            (NEXT_ID_KEY.to_vec(), Some(next)),
        ])
    }

    fn apply_split(&mut self, mut plan: SplitPlan, node: &mut Node) -> Result<Value, Code> {
        if self.store.last == MAX {
            return Err("catalog_version_overflow");
        }
        let commit_ts = self.store.last + 1;
        if self.level == 2 {
            plan.left.hlc = commit_ts;
            plan.right.hlc = commit_ts;
        }
        let mut mutations = self.split_mutations(&plan)?;
        if self.level == 2 {
            let changes = vec![delete(plan.parent), upsert(&plan.left), upsert(&plan.right)];
            let delta = Delta {
                previous: plan.expected,
                version: plan.expected + 1,
                changes,
            };
            mutations.extend(self.store.delta_mutations(plan.read_ts, &delta)?);
        }
        let committed = self.store.commit(&mutations, plan.read_ts, commit_ts);
        committed.map_err(|_| "distribution_catalog_conflict")?;
        let now = self.store.snapshot_at(commit_ts, self.level)?;
        unless_stale(node.engine.apply_snapshot(now.version, &now.routes))?;
        Ok(json!({
            "commit_ts": commit_ts, "version": plan.expected + 1,
            "left": told_route(&plan.left, self.level),
            "right": told_route(&plan.right, self.level),
        }))
    }

    fn apply_bootstrap(&mut self, found: Snapshot, node: &mut Node) -> Result<Value, Code> {
        let mut found = found;
        if found.version == 0 && found.routes.is_empty() {
            let stats = (1..).zip(&node.engine.routes);
            let routes = stats.map(|(id, route)| Route {
                id,
                start: route.start.clone(),
                end: route.end.clone(),
                group: route.group,
                state: route.state,
                parent: 0,
                hlc: 0,
            });
            let plan = self.prepare_save(0, routes.collect());
            found = match plan.and_then(|plan| self.apply_save(plan)) {
                Ok(saved) => saved,
                Err("catalog_version_mismatch") => {
                    let fresh = self.store.snapshot(self.level)?;
                    if fresh.version == 0 && fresh.routes.is_empty() {
                        return Err("catalog_version_mismatch");
                    }
                    fresh
                }
                Err(other) => return Err(other),
            };
        }
        node.engine.apply_snapshot(found.version, &found.routes)?;
        let routes = told_routes(&found.routes, self.level);
        Ok(json!({"routes": routes, "version": found.version}))
    }

    fn saved(&self, saved: &Snapshot) -> Value {
        let routes = told_routes(&saved.routes, self.level);
        json!({"commit_ts": saved.read_ts, "routes": routes, "version": saved.version})
    }

    pub(super) fn on_catalog(
        &mut self,
        node: &mut Node,
        op: &str,
        args: &Value,
    ) -> Option<Result<Value, Code>> {
        let known = [
            "version",
            "next_route_id",
            "next_route_id_at",
            "snapshot",
            "snapshot_at",
            "save",
            "save_prepare",
            "save_pick_ts",
            "save_apply",
            "split_range",
            "split_prepare",
            "split_apply",
            "bootstrap",
            "bootstrap_read",
            "bootstrap_apply",
        ];
        known.contains(&op).then(|| self.catalog_op(node, op, args))
    }

    fn catalog_op(&mut self, node: &mut Node, op: &str, args: &Value) -> Result<Value, Code> {
        let level = self.level;
        let name = || form::text(args, "plan");
        let number = |name| form::number(args, name);
        Ok(match op {
            "version" => {
                self.version_read()?;
                json!(self.store.version_at(self.store.last)?)
            }
            "next_route_id" => json!(self.store.next_id_at(self.store.last, level)?),
            "next_route_id_at" => json!(self.store.next_id_at(number("ts"), level)?),
            "snapshot" => {
                self.version_read()?;
                told_snapshot(&self.store.snapshot(level)?, level)
            }
            "snapshot_at" => told_snapshot(&self.store.snapshot_at(number("ts"), level)?, level),
            "save" => {
                let plan = self.prepare_save(number("expected_version"), form::routes(args))?;
                let saved = self.apply_save(plan)?;
                self.saved(&saved)
            }
            "save_prepare" => {
                let plan = self.prepare_save(number("expected_version"), form::routes(args))?;
                let told = json!({
                    "min_commit_ts": plan.min_commit_ts, "read_ts": plan.read_ts,
                    "mutations": told_mutations(&plan.mutations), "next_version": plan.expected + 1,
                });
                node.plans.insert(name(), Plan::Save(plan));
                told
            }
            "save_pick_ts" => match node.plans.get_mut(&name()) {
                Some(Plan::Save(plan)) => {
                    let picked = plan.choice(&self.store)?;
                    plan.picked.push(picked);
                    json!({"commit_ts": picked})
                }
                _ => return Err("unknown_plan"),
            },
            "save_apply" => match node.take(args, |plan| matches!(plan, Plan::Save(_)))? {
                Plan::Save(plan) => {
                    let saved = self.apply_save(plan)?;
                    self.saved(&saved)
                }
                _ => unreachable!("of that kind"),
            },
            "split_range" => {
                let plan = self.prepare_split(args)?;
                self.apply_split(plan, node)?
            }
            "split_prepare" => {
                let plan = self.prepare_split(args)?;
                let told = json!({
                    "left": told_route(&plan.left, level), "right": told_route(&plan.right, level),
                    "mutations": told_mutations(&self.split_mutations(&plan)?),
                    "next_version": plan.expected + 1, "read_ts": plan.read_ts,
                });
                node.plans.insert(name(), Plan::Split(plan));
                told
            }
            "split_apply" => match node.take(args, |plan| matches!(plan, Plan::Split(_)))? {
                Plan::Split(plan) => self.apply_split(plan, node)?,
                _ => unreachable!("of that kind"),
            },
            "bootstrap" => {
                let found = self.store.snapshot(level)?;
                self.apply_bootstrap(found, node)?
            }
            "bootstrap_read" => {
                let found = self.store.snapshot(level)?;
                let mut told = told_snapshot(&found, level);
                told["will_seed"] = json!(found.version == 0 && found.routes.is_empty());
                node.plans.insert(name(), Plan::Bootstrap(found));
                told
            }
            "bootstrap_apply" => {
                match node.take(args, |plan| matches!(plan, Plan::Bootstrap(_)))? {
                    Plan::Bootstrap(found) => self.apply_bootstrap(found, node)?,
                    _ => unreachable!("of that kind"),
                }
            }
            _ => unreachable!("an operation of the catalog"),
        })
    }
}

fn delete(id: u64) -> Change {
    Change {
        code: 2,
        id,
        route: None,
    }
}

fn upsert(route: &Route) -> Change {
    Change {
        code: 1,
        id: route.id,
        route: Some(route.clone()),
    }
}
