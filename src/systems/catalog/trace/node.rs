//! Nodes and their plans (15.4).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use smol_str::SmolStr;

use crate::catalog::strategy::{Level, Settings};
use crate::catalog::{Bootstrapping, Engine, SavePlan, Snapshot, SplitPlan};
use crate::replay::{Args, Flaw};

use super::code::{Code, NODE_DOWN, NODE_RUNNING, UNKNOWN_PLAN};
use super::store::Shared;
use super::{Fields, Told, deltas, durable, engine, watcher};

/// All nodes of the header; none where one is down.
#[derive(Debug)]
pub(super) struct Nodes(Vec<Option<Node>>);

/// A running node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) engine: Engine,
    plans: BTreeMap<SmolStr, Plan>,
}

/// The first half of an operation.
#[derive(Debug)]
pub(super) enum Plan {
    Save(SavePlan),
    Split(Box<SplitPlan>),
    Bootstrap(Bootstrapping),
    /// The key of an access that found its route hot.
    Access(Bytes),
    /// What a watcher found, if that was newer.
    Watch(Option<Snapshot>),
}

/// What a step asks of one node.
#[derive(Debug)]
pub(super) enum Call {
    Start { default_route: bool, threshold: u64 },
    Crash,
    Durable(durable::Call),
    Engine(engine::Call),
    Watcher(watcher::Call),
    Deltas(deltas::Call),
}

/// Reads the arguments of one operation but for `node`.
pub(super) type Read = fn(&mut Fields<'_, '_>, Level) -> Result<Call, Flaw>;

/// How to read an operation of a node, if the level has it.
pub(super) fn reader(op: &str, level: Level) -> Option<Read> {
    Some(match op {
        "start" => |of, level| {
            let default_route = of.read("default_route", Args::bool)?;
            let threshold = match level {
                Level::One => of.read("threshold", Args::u64)?,
                Level::Two => 0,
            };
            Ok(Call::Start {
                default_route,
                threshold,
            })
        },
        "crash" => |_, _| Ok(Call::Crash),
        _ => {
            let read = durable::reader(op, level).or_else(|| engine::reader(op, level));
            let read = read.or_else(|| watcher::reader(op, level));
            return read.or_else(|| deltas::reader(op, level));
        }
    })
}

/// The name of a plan.
pub(super) fn plan(of: &mut Fields<'_, '_>) -> Result<SmolStr, Flaw> {
    of.read("plan", Args::string).map(SmolStr::new)
}

impl Nodes {
    /// So many, all down.
    pub(super) fn new(number: usize) -> Self {
        Self((0..number).map(|_| None).collect())
    }

    pub(super) fn call(
        &mut self,
        node: usize,
        call: Call,
        shared: &mut Shared,
        settings: &Settings,
    ) -> Told {
        let place = &mut self.0[node];
        match (call, place.as_mut()) {
            (Call::Start { .. }, Some(_)) => Err(NODE_RUNNING),
            (
                Call::Start {
                    default_route,
                    threshold,
                },
                None,
            ) => {
                let engine = Engine::new(*settings, default_route, threshold);
                let plans = BTreeMap::new();
                *place = Some(Node { engine, plans });
                Ok(Value::Null)
            }
            (_, None) => Err(NODE_DOWN),
            (Call::Crash, Some(_)) => {
                *place = None;
                Ok(Value::Null)
            }
            (Call::Durable(call), Some(node)) => node.durable(call, shared, settings),
            (Call::Engine(call), Some(node)) => node.engine(call),
            (Call::Watcher(call), Some(node)) => node.watch(call, shared, settings),
            (Call::Deltas(call), Some(node)) => node.deltas(call, shared, settings),
        }
    }
}

impl Node {
    /// Stores a plan; one of that name is replaced.
    pub(super) fn keep(&mut self, name: SmolStr, plan: Plan) {
        self.plans.insert(name, plan);
    }

    /// Takes a plan away, which is then used whatever comes of it. One of another kind stays.
    pub(super) fn take<T>(
        &mut self,
        name: SmolStr,
        of_kind: fn(Plan) -> Result<T, Plan>,
    ) -> Result<T, Code> {
        let plan = self.plans.remove(&name).ok_or(UNKNOWN_PLAN)?;
        of_kind(plan).map_err(|other| {
            self.keep(name, other);
            UNKNOWN_PLAN
        })
    }

    /// A plan that stays.
    pub(super) fn save_plan(&mut self, name: &SmolStr) -> Result<&mut SavePlan, Code> {
        match self.plans.get_mut(name) {
            Some(Plan::Save(plan)) => Ok(plan),
            _ => Err(UNKNOWN_PLAN),
        }
    }
}
