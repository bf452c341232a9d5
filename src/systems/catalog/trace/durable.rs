//! The catalog: reads, saves, splits and bootstraps (15.5).

use bytes::Bytes;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::catalog::strategy::{Level, Settings};
use crate::catalog::{Bootstrapping, Route, SavePlan, Saved, Snapshot, Split, SplitPlan, durable};
use crate::replay::{Args, Flaw};

use super::code::Code;
use super::json::{self, bytes, read_routes};
use super::node::{self, Node, Plan, Read, plan};
use super::store::Shared;
use super::{Fields, Told};

/// One operation on the catalog.
#[derive(Debug)]
pub(super) enum Call {
    Version,
    NextRouteId,
    NextRouteIdAt(u64),
    Snapshot,
    SnapshotAt(u64),
    Save(Save),
    PrepareSave { plan: SmolStr, save: Save },
    PickTs(SmolStr),
    ApplySave(SmolStr),
    Split(SplitOf),
    PrepareSplit { plan: SmolStr, split: SplitOf },
    ApplySplit(SmolStr),
    Bootstrap,
    ReadBootstrap(SmolStr),
    ApplyBootstrap(SmolStr),
}

/// What to save.
#[derive(Debug)]
pub(super) struct Save {
    expected: u64,
    routes: Vec<Route>,
}

/// What to split, and where.
#[derive(Debug)]
pub(super) struct SplitOf {
    expected: u64,
    route_id: u64,
    key: Bytes,
}

/// How to read an operation on the catalog, if the level has it.
pub(super) fn reader(op: &str, level: Level) -> Option<Read> {
    Some(match (op, level) {
        ("version", _) => |_, _| call(Call::Version),
        ("next_route_id", _) => |_, _| call(Call::NextRouteId),
        ("next_route_id_at", _) => |of, _| call(Call::NextRouteIdAt(of.read("ts", Args::u64)?)),
        ("snapshot", _) => |_, _| call(Call::Snapshot),
        ("snapshot_at", _) => |of, _| call(Call::SnapshotAt(of.read("ts", Args::u64)?)),
        ("save", _) => |of, level| call(Call::Save(Save::read(of, level)?)),
        ("save_prepare", _) => |of, level| {
            let (plan, save) = (plan(of)?, Save::read(of, level)?);
            call(Call::PrepareSave { plan, save })
        },
        ("save_pick_ts", _) => |of, _| call(Call::PickTs(plan(of)?)),
        ("save_apply", _) => |of, _| call(Call::ApplySave(plan(of)?)),
        ("split_range", _) => |of, _| call(Call::Split(SplitOf::read(of)?)),
        ("split_prepare", Level::One) => |of, _| {
            let (plan, split) = (plan(of)?, SplitOf::read(of)?);
            call(Call::PrepareSplit { plan, split })
        },
        ("split_apply", Level::One) => |of, _| call(Call::ApplySplit(plan(of)?)),
        ("bootstrap", _) => |_, _| call(Call::Bootstrap),
        ("bootstrap_read", _) => |of, _| call(Call::ReadBootstrap(plan(of)?)),
        ("bootstrap_apply", _) => |of, _| call(Call::ApplyBootstrap(plan(of)?)),
        _ => return None,
    })
}

fn call(call: Call) -> Result<node::Call, Flaw> {
    Ok(node::Call::Durable(call))
}

impl Save {
    fn read(of: &mut Fields<'_, '_>, level: Level) -> Result<Self, Flaw> {
        let expected = of.read("expected_version", Args::u64)?;
        let routes = read_routes(of, level)?;
        Ok(Self { expected, routes })
    }

    fn prepare(self, shared: &Shared, settings: &Settings) -> Result<SavePlan, Code> {
        let Self { expected, routes } = self;
        Ok(SavePlan::prepare(
            &shared.store,
            settings,
            expected,
            routes,
        )?)
    }
}

impl SplitOf {
    fn read(of: &mut Fields<'_, '_>) -> Result<Self, Flaw> {
        Ok(Self {
            expected: of.read("expected_version", Args::u64)?,
            route_id: of.read("route_id", Args::u64)?,
            key: of.read("split_key", bytes)?,
        })
    }

    fn prepare(&self, shared: &Shared, settings: &Settings) -> Result<SplitPlan, Code> {
        let Self {
            expected,
            route_id,
            key,
        } = self;
        Ok(SplitPlan::prepare(
            &shared.store,
            settings,
            *expected,
            *route_id,
            key,
        )?)
    }
}

impl Node {
    pub(super) fn durable(&mut self, call: Call, shared: &mut Shared, settings: &Settings) -> Told {
        let level = settings.level;
        Ok(match call {
            Call::Version => {
                shared.version_read()?;
                durable::version(&shared.store)?.into()
            }
            Call::NextRouteId => durable::next_route_id(&shared.store, settings)?.into(),
            Call::NextRouteIdAt(ts) => {
                durable::next_route_id_at(&shared.store, ts, settings)?.into()
            }
            Call::Snapshot => {
                shared.version_read()?;
                json::snapshot(&durable::snapshot(&shared.store, settings)?, level)
            }
            Call::SnapshotAt(ts) => {
                let snapshot = durable::snapshot_at(&shared.store, ts, settings)?;
                json::snapshot(&snapshot, level)
            }
            Call::Save(save) => {
                let plan = save.prepare(shared, settings)?;
                saved(&plan.apply(&mut shared.store, settings)?, level)
            }
            Call::PrepareSave { plan: name, save } => {
                let plan = save.prepare(shared, settings)?;
                let told = json!({
                    "min_commit_ts": plan.min_commit_ts(),
                    "mutations": json::mutations(plan.mutations()),
                    "next_version": plan.next_version(),
                    "read_ts": plan.read_ts(),
                });
                self.keep(name, Plan::Save(plan));
                told
            }
            Call::PickTs(name) => {
                let commit_ts = self.save_plan(&name)?.pick_ts(&shared.store)?;
                json!({ "commit_ts": commit_ts })
            }
            Call::ApplySave(name) => {
                let plan = self.take(name, Plan::save)?;
                saved(&plan.apply(&mut shared.store, settings)?, level)
            }
            Call::Split(split) => {
                let plan = split.prepare(shared, settings)?;
                let split = plan.apply(&mut shared.store, &mut self.engine, settings)?;
                self::split(&split, level)
            }
            Call::PrepareSplit { plan: name, split } => {
                let plan = split.prepare(shared, settings)?;
                let (left, right) = plan.children();
                let told = json!({
                    "left": json::route(left, level),
                    "mutations": json::mutations(plan.mutations()),
                    "next_version": plan.next_version(),
                    "read_ts": plan.read_ts(),
                    "right": json::route(right, level),
                });
                self.keep(name, Plan::Split(Box::new(plan)));
                told
            }
            Call::ApplySplit(name) => {
                let plan = self.take(name, Plan::split)?;
                let split = plan.apply(&mut shared.store, &mut self.engine, settings)?;
                self::split(&split, level)
            }
            Call::Bootstrap => {
                let bootstrap = Bootstrapping::begin();
                let found = bootstrap.finish(&mut shared.store, &mut self.engine, settings)?;
                bootstrapped(&found, level)
            }
            Call::ReadBootstrap(name) => {
                let found = durable::snapshot(&shared.store, settings)?;
                let mut told = json::snapshot(&found, level);
                told["will_seed"] = Bootstrapping::will_seed(&found).into();
                let plan = Bootstrapping::from_snapshot(found);
                self.keep(name, Plan::Bootstrap(plan));
                told
            }
            Call::ApplyBootstrap(name) => {
                let plan = self.take(name, Plan::bootstrap)?;
                let found = plan.finish(&mut shared.store, &mut self.engine, settings)?;
                bootstrapped(&found, level)
            }
        })
    }
}

impl Plan {
    fn save(self) -> Result<SavePlan, Self> {
        match self {
            Self::Save(plan) => Ok(plan),
            other => Err(other),
        }
    }

    fn split(self) -> Result<SplitPlan, Self> {
        match self {
            Self::Split(plan) => Ok(*plan),
            other => Err(other),
        }
    }

    fn bootstrap(self) -> Result<Bootstrapping, Self> {
        match self {
            Self::Bootstrap(plan) => Ok(plan),
            other => Err(other),
        }
    }
}

fn saved(saved: &Saved, level: Level) -> Value {
    json!({
        "commit_ts": saved.commit_ts,
        "routes": json::routes(&saved.routes, level),
        "version": saved.version,
    })
}

fn split(split: &Split, level: Level) -> Value {
    json!({
        "commit_ts": split.commit_ts,
        "left": json::route(&split.left, level),
        "right": json::route(&split.right, level),
        "version": split.version,
    })
}

fn bootstrapped(found: &Snapshot, level: Level) -> Value {
    json!({"routes": json::routes(&found.routes, level), "version": found.version})
}
