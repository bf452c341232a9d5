//! Sections 2 to 13 and 15 once more, slow and obvious: performs the steps of a trace on values of its own.
//! The traces drawn at random tell what this does, not what the core does.

mod catalog;
mod deltas;
mod engine;
mod json;
mod records;
mod store;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(super) use catalog::Snapshot;
pub(super) use json::{told_delta, told_route, told_routes};
pub(super) use records::{
    Change, Delta, Route, delta_key, encode_delta_unchecked, encode_number, encode_route, route_key,
};
use store::Store;

use catalog::{SavePlan, SplitPlan};
use engine::Engine;

pub(super) type Code = &'static str;
pub(super) type Bytes = Vec<u8>;

const MAX: u64 = u64::MAX;

pub(super) const VERSION_KEY: &[u8] = b"!dist|meta|version";
pub(super) const NEXT_ID_KEY: &[u8] = b"!dist|meta|next_route_id";
pub(super) const FLOOR_KEY: &[u8] = b"!dist|meta|delta_floor";
pub(super) const ROUTES: &[u8] = b"!dist|route|";
pub(super) const DELTAS: &[u8] = b"!dist|delta|";

/// A store and nodes.
#[derive(Clone, Debug)]
pub(super) struct Oracle {
    pub(super) level: u8,
    pub(super) strict: bool,
    pub(super) store: Store,
    pub(super) checkpoints: BTreeMap<String, Store>,
    faults: u64,
    /// Those that run.
    pub(super) nodes: BTreeMap<String, Node>,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) engine: Engine,
    pub(super) plans: BTreeMap<String, Plan>,
}

#[derive(Clone, Debug)]
pub(super) enum Plan {
    Save(SavePlan),
    Split(SplitPlan),
    Bootstrap(Snapshot),
    Access(Bytes),
    /// None if there was nothing newer.
    Watch(Option<Snapshot>),
}

impl Oracle {
    pub(super) fn new(level: u8, strict: bool) -> Self {
        Self {
            level,
            strict,
            store: Store::default(),
            checkpoints: BTreeMap::new(),
            faults: 0,
            nodes: BTreeMap::new(),
        }
    }

    /// Performs a step of the right form.
    pub(super) fn perform(&mut self, op: &str, args: &Value) -> Result<Value, Code> {
        if let Some(told) = records::perform(op, args, self.level) {
            return told;
        }
        if let Some(told) = self.on_store(op, args) {
            return told;
        }
        let name = json::text(args, "node");
        if op == "start" {
            if self.nodes.contains_key(&name) {
                return Err("node_running");
            }
            let threshold = args["threshold"].as_u64().unwrap_or(0);
            let engine = Engine::new(args["default_route"] == true, threshold);
            let plans = BTreeMap::new();
            self.nodes.insert(name, Node { engine, plans });
            return Ok(Value::Null);
        }
        let mut node = self.nodes.remove(&name).ok_or("node_down")?;
        if op == "crash" {
            return Ok(Value::Null);
        }
        let told = self.on_node(&mut node, op, args);
        self.nodes.insert(name, node);
        told
    }

    fn on_store(&mut self, op: &str, args: &Value) -> Option<Result<Value, Code>> {
        let name = || json::text(args, "name");
        match op {
            "store_checkpoint" => {
                self.checkpoints.insert(name(), self.store.clone());
            }
            "store_rollback" => match self.checkpoints.get(&name()) {
                Some(store) => self.store = store.clone(),
                None => return Some(Err("unknown_checkpoint")),
            },
            "fail_version_reads" => self.faults = json::number(args, "count"),
            _ => return self.store.perform(op, args),
        }
        Some(Ok(Value::Null))
    }

    fn on_node(&mut self, node: &mut Node, op: &str, args: &Value) -> Result<Value, Code> {
        let told = self.on_catalog(node, op, args);
        let told = told.or_else(|| self.on_watcher(node, op, args));
        let told = told.or_else(|| on_access(node, op, args));
        let told = told.or_else(|| node.engine.perform(op, args));
        let told = told.or_else(|| self.on_deltas(node, op, args));
        told.unwrap_or_else(|| panic!("{op} is an operation"))
    }

    /// A version read that may be made to fail.
    fn version_read(&mut self) -> Result<(), Code> {
        if self.faults == 0 {
            return Ok(());
        }
        self.faults -= 1;
        Err("injected_fault")
    }

    fn on_watcher(
        &mut self,
        node: &mut Node,
        op: &str,
        args: &Value,
    ) -> Option<Result<Value, Code>> {
        Some(match op {
            "sync_once" => self.sync(node, args).map(|()| Value::Null),
            "watch" => {
                let mut errors = Vec::new();
                for _ in 0..=json::number(args, "ticks") {
                    let before = node.engine.clone();
                    let failed = self.sync(node, args).err();
                    errors.extend(failed);
                    if failed.is_none() && node.engine == before {
                        // Nothing can change any more.
                        break;
                    }
                }
                Ok(json!({"errors": errors, "version": node.engine.version}))
            }
            "watch_read" => self.watch_read(node).map(|(version, newer)| {
                let told = json!({"newer": newer.is_some(), "version": version});
                node.plans
                    .insert(json::text(args, "plan"), Plan::Watch(newer));
                told
            }),
            "watch_apply" => match node.take(args, |plan| matches!(plan, Plan::Watch(_))) {
                Ok(Plan::Watch(Some(newer))) => {
                    unless_stale(node.engine.apply_snapshot(newer.version, &newer.routes))
                        .map(|()| Value::Null)
                }
                Ok(_) => Ok(Value::Null),
                Err(code) => Err(code),
            },
            _ => return None,
        })
    }

    /// The durable version, and what is newer than the engine.
    fn watch_read(&mut self, node: &Node) -> Result<(u64, Option<Snapshot>), Code> {
        self.version_read()?;
        let ts = self.store.last;
        let version = self.store.version_at(ts)?;
        if version <= node.engine.version {
            return Ok((version, None));
        }
        Ok((version, Some(self.store.snapshot_at(ts, self.level)?)))
    }

    fn sync(&mut self, node: &mut Node, args: &Value) -> Result<(), Code> {
        if self.level == 1 {
            return match self.watch_read(node)? {
                (_, None) => Ok(()),
                (_, Some(newer)) => {
                    unless_stale(node.engine.apply_snapshot(newer.version, &newer.routes))
                }
            };
        }
        self.version_read()?;
        let batch = json::int(args, "batch");
        let batch = if batch <= 0 { 128 } else { batch };
        let (deltas, reset) = self.store.changes_since(node.engine.version, batch)?;
        if let Some(reset) = reset {
            return unless_stale(node.engine.apply_snapshot(reset.version, &reset.routes));
        }
        for delta in deltas {
            unless_stale(node.engine.apply_delta(&delta))?;
        }
        Ok(())
    }
}

fn unless_stale(applied: Result<(), Code>) -> Result<(), Code> {
    match applied {
        Err("engine_snapshot_version_stale") => Ok(()),
        other => other,
    }
}

fn on_access(node: &mut Node, op: &str, args: &Value) -> Option<Result<Value, Code>> {
    let engine = &mut node.engine;
    Some(Ok(match op {
        "record_access" => {
            let key = json::bytes(args, "key");
            if let Some((_, true)) = engine.access_begin(&key) {
                engine.access_finish(&key);
            }
            Value::Null
        }
        "access_begin" => {
            let key = json::bytes(args, "key");
            match engine.access_begin(&key) {
                None => Value::Null,
                Some((load, hot)) => {
                    if hot {
                        node.plans
                            .insert(json::text(args, "plan"), Plan::Access(key));
                    }
                    json!({"hot": hot, "load": load})
                }
            }
        }
        "access_finish" => match node.take(args, |plan| matches!(plan, Plan::Access(_))) {
            Ok(Plan::Access(key)) => {
                node.engine.access_finish(&key);
                Value::Null
            }
            Ok(_) => unreachable!("of that kind"),
            Err(code) => return Some(Err(code)),
        },
        _ => return None,
    }))
}

impl Node {
    /// Takes the plan away if it is of the kind.
    fn take(&mut self, args: &Value, of_kind: fn(&Plan) -> bool) -> Result<Plan, Code> {
        let name = json::text(args, "plan");
        match self.plans.get(&name) {
            Some(plan) if of_kind(plan) => Ok(self.plans.remove(&name).expect("it is there")),
            _ => Err("unknown_plan"),
        }
    }
}
