//! The engine of a node (15.6).

use bytes::Bytes;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::catalog::Route;
use crate::catalog::strategy::Level;
use crate::replay::{Args, Flaw};

use super::Told;
use super::json::{self, bytes, nullable_bytes, read_routes};
use super::node::{self, Node, Plan, Read, plan};

/// One operation of the engine.
#[derive(Debug)]
pub(super) enum Call {
    UpdateRoute {
        start: Bytes,
        end: Option<Bytes>,
        group: u64,
    },
    GetRoute(Bytes),
    Intersecting {
        start: Bytes,
        end: Option<Bytes>,
    },
    Stats,
    NextTimestamp,
    Version,
    ApplySnapshot {
        version: u64,
        routes: Vec<Route>,
    },
    RecordAccess(Bytes),
    BeginAccess {
        plan: SmolStr,
        key: Bytes,
    },
    FinishAccess(SmolStr),
}

/// How to read an operation of the engine, if the level has it.
pub(super) fn reader(op: &str, level: Level) -> Option<Read> {
    Some(match (op, level) {
        ("update_route", _) => |of, _| {
            call(Call::UpdateRoute {
                start: of.read("start", bytes)?,
                end: of.read("end", nullable_bytes)?,
                group: of.read("group_id", Args::u64)?,
            })
        },
        ("get_route", _) => |of, _| call(Call::GetRoute(of.read("key", bytes)?)),
        ("intersecting_routes", _) => |of, _| {
            call(Call::Intersecting {
                start: of.read("start", bytes)?,
                end: of.read("end", nullable_bytes)?,
            })
        },
        ("stats", _) => |_, _| call(Call::Stats),
        ("next_timestamp", _) => |_, _| call(Call::NextTimestamp),
        ("engine_version", _) => |_, _| call(Call::Version),
        ("apply_snapshot", _) => |of, level| {
            let version = of.read("version", Args::u64)?;
            let routes = read_routes(of, level)?;
            call(Call::ApplySnapshot { version, routes })
        },
        ("record_access", Level::One) => |of, _| call(Call::RecordAccess(of.read("key", bytes)?)),
        ("access_begin", Level::One) => |of, _| {
            let (plan, key) = (plan(of)?, of.read("key", bytes)?);
            call(Call::BeginAccess { plan, key })
        },
        ("access_finish", Level::One) => |of, _| call(Call::FinishAccess(plan(of)?)),
        _ => return None,
    })
}

fn call(call: Call) -> Result<node::Call, Flaw> {
    Ok(node::Call::Engine(call))
}

impl Node {
    pub(super) fn engine(&mut self, call: Call) -> Told {
        let engine = &mut self.engine;
        Ok(match call {
            Call::UpdateRoute { start, end, group } => {
                engine.update_route(start, end, group);
                Value::Null
            }
            Call::GetRoute(key) => {
                let route = engine.lookup(&key);
                route.map_or(Value::Null, json::engine_route)
            }
            Call::Intersecting { start, end } => {
                json::engine_routes(engine.intersecting(&start, end.as_deref()))
            }
            Call::Stats => json::engine_routes(engine.routes()),
            Call::NextTimestamp => engine.next_timestamp().into(),
            Call::Version => engine.version().into(),
            Call::ApplySnapshot { version, routes } => {
                engine.apply_snapshot(version, &routes)?;
                Value::Null
            }
            Call::RecordAccess(key) => {
                engine.record_access(&key);
                Value::Null
            }
            Call::BeginAccess { plan, key } => {
                let Some(access) = engine.access_begin(&key) else {
                    return Ok(Value::Null);
                };
                if access.hot {
                    self.keep(plan, Plan::Access(key));
                }
                json!({"hot": access.hot, "load": access.load})
            }
            Call::FinishAccess(plan) => {
                let key = self.take(plan, Plan::access)?;
                self.engine.access_finish(&key);
                Value::Null
            }
        })
    }
}

impl Plan {
    fn access(self) -> Result<Bytes, Self> {
        match self {
            Self::Access(key) => Ok(key),
            other => Err(other),
        }
    }
}
