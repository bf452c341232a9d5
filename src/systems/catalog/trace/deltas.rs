//! The delta log, deltas, history and commit guard of level 2 (15.7).

use bytes::Bytes;
use serde_json::{Value, json};

use crate::catalog::durable::{self, Changes};
use crate::catalog::strategy::{Level, Settings};
use crate::catalog::{Delta, Store};
use crate::replay::{Args, Flaw};

use super::Told;
use super::json::{self, bytes, int, read_delta};
use super::node::{self, Node, Read};
use super::store::Shared;

/// One operation of level 2.
#[derive(Debug)]
pub(super) enum Call {
    Floor,
    ChangesSince {
        after: u64,
        limit: i64,
    },
    Build {
        read_ts: u64,
        delta: Delta,
    },
    Apply(Delta),
    HistoryAt(u64),
    HistoryCurrent,
    OwnerAt {
        version: u64,
        key: Bytes,
    },
    VerifyCommit {
        group: u64,
        observed: Option<u64>,
        keys: Vec<Vec<u8>>,
    },
}

/// How to read an operation of level 2, if `op` is one and the level is 2.
pub(super) fn reader(op: &str, level: Level) -> Option<Read> {
    if level == Level::One {
        return None;
    }
    Some(match op {
        "delta_floor" => |_, _| call(Call::Floor),
        "changes_since" => |of, _| {
            call(Call::ChangesSince {
                after: of.read("after_version", Args::u64)?,
                limit: of.read("limit", int)?,
            })
        },
        "build_delta_mutations" => |of, _| {
            let read_ts = of.read("read_ts", Args::u64)?;
            let delta = read_delta(of)?;
            call(Call::Build { read_ts, delta })
        },
        "apply_delta" => |of, _| call(Call::Apply(read_delta(of)?)),
        "history_at" => |of, _| call(Call::HistoryAt(of.read("version", Args::u64)?)),
        "history_current" => |_, _| call(Call::HistoryCurrent),
        "owner_at" => |of, _| {
            call(Call::OwnerAt {
                version: of.read("version", Args::u64)?,
                key: of.read("key", bytes)?,
            })
        },
        "verify_commit" => |of, _| {
            let observed = |args: &Args<'_>, field: &str| args.nullable(field, Args::u64);
            call(Call::VerifyCommit {
                group: of.read("group_id", Args::u64)?,
                observed: of.read("observed_version", observed)?,
                keys: of.read("keys", Args::hexes)?,
            })
        },
        _ => return None,
    })
}

fn call(call: Call) -> Result<node::Call, Flaw> {
    Ok(node::Call::Deltas(call))
}

impl Node {
    pub(super) fn deltas(&mut self, call: Call, shared: &Shared, settings: &Settings) -> Told {
        let (engine, store) = (&mut self.engine, &shared.store);
        Ok(match call {
            Call::Floor => {
                let now = store.last_commit_ts()?;
                durable::delta_floor(store, now)?.into()
            }
            Call::ChangesSince { after, limit } => {
                match durable::changes_since(store, after, limit, settings)? {
                    Changes::Deltas(deltas) => {
                        let deltas: Value = deltas.iter().map(json::delta).collect();
                        json!({"deltas": deltas, "reset": null})
                    }
                    Changes::Reset(snapshot) => {
                        json!({"deltas": [], "reset": json::snapshot(&snapshot, settings.level)})
                    }
                }
            }
            Call::Build { read_ts, delta } => {
                let mutations = durable::delta_mutations(store, read_ts, &delta, settings)?;
                json::mutations(&mutations)
            }
            Call::Apply(delta) => {
                engine.apply_delta(&delta)?;
                Value::Null
            }
            Call::HistoryAt(version) => json::table(engine.history_at(version)),
            Call::HistoryCurrent => json::table(engine.history_current()),
            Call::OwnerAt { version, key } => {
                let owner = engine.owner_at(version, &key);
                json!({"group_id": owner.flatten(), "known": owner.is_some()})
            }
            Call::VerifyCommit {
                group,
                observed,
                keys,
            } => {
                engine.verify_commit(group, observed, &keys)?;
                Value::Null
            }
        })
    }
}
