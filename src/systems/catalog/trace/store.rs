//! The store that all nodes share, its checkpoints, and injected faults (15.3).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::catalog::strategy::Strategies;
use crate::catalog::{CommitAt, KeyRange, Memory, Mutation, Op, Pair, Store};
use crate::replay::{Args, Flaw};

use super::code::{Code, INJECTED_FAULT, UNKNOWN_CHECKPOINT};
use super::json::{bytes, count, hex, int, nullable_bytes};
use super::{Fields, Told};

/// What all nodes share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Memory,
    checkpoints: BTreeMap<SmolStr, Memory>,
    /// Version reads that are still to fail.
    faults: u64,
}

/// One operation on the store.
#[derive(Debug)]
pub(super) enum Call {
    Put {
        key: Bytes,
        value: Bytes,
        commit_ts: u64,
        expire_at: u64,
    },
    Delete {
        key: Bytes,
        commit_ts: u64,
    },
    Get {
        key: Bytes,
        ts: u64,
    },
    Exists {
        key: Bytes,
        ts: u64,
    },
    Scan(Scan),
    ReverseScan(Scan),
    LatestCommitTs(Bytes),
    LastCommitTs,
    MinRetainedTs,
    SetMinRetainedTs(u64),
    Compact {
        min_ts: u64,
    },
    Apply {
        mutations: Vec<Mutation>,
        start_ts: u64,
        commit_ts: u64,
    },
    Checkpoint(SmolStr),
    Rollback(SmolStr),
    FailVersionReads(u64),
}

/// Where to scan, and when.
#[derive(Debug)]
pub(super) struct Scan {
    start: Option<Bytes>,
    end: Option<Bytes>,
    limit: i64,
    ts: u64,
}

/// Reads the arguments of one operation.
type Read = fn(&mut Fields<'_, '_>) -> Result<Call, Flaw>;

/// How to read an operation on the store, if `op` is one.
pub(super) fn reader(op: &str) -> Option<Read> {
    Some(match op {
        "put_at" => |of| {
            Ok(Call::Put {
                key: of.read("key", bytes)?,
                value: of.read("value", bytes)?,
                commit_ts: of.read("commit_ts", Args::u64)?,
                expire_at: of.read("expire_at", Args::u64)?,
            })
        },
        "delete_at" => |of| {
            let key = of.read("key", bytes)?;
            let commit_ts = of.read("commit_ts", Args::u64)?;
            Ok(Call::Delete { key, commit_ts })
        },
        "get_at" => |of| {
            let (key, ts) = (of.read("key", bytes)?, of.read("ts", Args::u64)?);
            Ok(Call::Get { key, ts })
        },
        "exists_at" => |of| {
            let (key, ts) = (of.read("key", bytes)?, of.read("ts", Args::u64)?);
            Ok(Call::Exists { key, ts })
        },
        "scan_at" => |of| Scan::read(of).map(Call::Scan),
        "reverse_scan_at" => |of| Scan::read(of).map(Call::ReverseScan),
        "latest_commit_ts" => |of| of.read("key", bytes).map(Call::LatestCommitTs),
        "last_commit_ts" => |_| Ok(Call::LastCommitTs),
        "min_retained_ts" => |_| Ok(Call::MinRetainedTs),
        "set_min_retained_ts" => |of| of.read("ts", Args::u64).map(Call::SetMinRetainedTs),
        "compact" => |of| {
            let min_ts = of.read("min_ts", Args::u64)?;
            Ok(Call::Compact { min_ts })
        },
        "apply_mutations" => |of| {
            let mutations = of.read("mutations", Args::objects)?.into_iter();
            let mutations = mutations.map(|mutation| mutation.exactly(read_mutation));
            Ok(Call::Apply {
                mutations: mutations.collect::<Result<_, Flaw>>()?,
                start_ts: of.read("start_ts", Args::u64)?,
                commit_ts: of.read("commit_ts", Args::u64)?,
            })
        },
        "store_checkpoint" => |of| Ok(Call::Checkpoint(of.read("name", Args::string)?.into())),
        "store_rollback" => |of| Ok(Call::Rollback(of.read("name", Args::string)?.into())),
        "fail_version_reads" => |of| of.read("count", count).map(Call::FailVersionReads),
        _ => return None,
    })
}

fn read_mutation(of: &mut Fields<'_, '_>) -> Result<Mutation, Flaw> {
    let op = of.read("op", Args::string)?;
    let key = of.read("key", bytes)?;
    let value = of.read("value", |args, field| args.optional(field, bytes))?;
    let expire_at = of.read("expire_at", |args, field| args.optional(field, Args::u64))?;
    let op = match op {
        "put" => Op::Put {
            value: value.unwrap_or_default(),
            expire_at: expire_at.unwrap_or_default(),
        },
        "delete" => Op::Delete,
        _ => Op::Unknown,
    };
    Ok(Mutation { key, op })
}

impl Scan {
    fn read(of: &mut Fields<'_, '_>) -> Result<Self, Flaw> {
        Ok(Self {
            start: of.read("start", nullable_bytes)?,
            end: of.read("end", nullable_bytes)?,
            limit: of.read("limit", int)?,
            ts: of.read("ts", Args::u64)?,
        })
    }

    fn range(&self) -> KeyRange<'_> {
        KeyRange {
            start: self.start.as_deref().unwrap_or_default(),
            end: self.end.as_deref(),
        }
    }

    /// Below 1 nothing is asked for.
    fn limit(&self) -> usize {
        usize::try_from(self.limit.max(0)).unwrap_or(usize::MAX)
    }
}

impl Shared {
    pub(super) fn new(how: Strategies) -> Self {
        Self {
            store: Memory::new(how),
            checkpoints: BTreeMap::new(),
            faults: 0,
        }
    }

    /// A read of the version record that faults may hit is about to be made.
    pub(super) fn version_read(&mut self) -> Result<(), Code> {
        match self.faults.checked_sub(1) {
            None => Ok(()),
            Some(left) => {
                self.faults = left;
                Err(INJECTED_FAULT)
            }
        }
    }

    pub(super) fn call(&mut self, call: Call) -> Told {
        let store = &mut self.store;
        match call {
            Call::Put {
                key,
                value,
                commit_ts,
                expire_at,
            } => store.put_at(key, value, commit_ts, expire_at)?,
            Call::Delete { key, commit_ts } => store.delete_at(key, commit_ts)?,
            Call::Get { key, ts } => return Ok(hex(store.get_at(&key, ts)?)),
            Call::Exists { key, ts } => return Ok(store.exists_at(&key, ts)?.into()),
            Call::Scan(scan) => {
                return Ok(pairs(&store.scan_at(
                    scan.range(),
                    scan.limit(),
                    scan.ts,
                )?));
            }
            Call::ReverseScan(scan) => {
                let found = store.reverse_scan_at(scan.range(), scan.limit(), scan.ts)?;
                return Ok(pairs(&found));
            }
            Call::LatestCommitTs(key) => return Ok(json!(store.latest_commit_ts(&key)?)),
            Call::LastCommitTs => return Ok(store.last_commit_ts()?.into()),
            Call::MinRetainedTs => return Ok(store.min_retained_ts()?.into()),
            Call::SetMinRetainedTs(ts) => store.set_min_retained_ts(ts)?,
            Call::Compact { min_ts } => store.compact(min_ts)?,
            Call::Apply {
                mutations,
                start_ts,
                commit_ts,
            } => drop(store.apply(&mutations, start_ts, CommitAt::Exactly(commit_ts))?),
            Call::Checkpoint(name) => {
                let checkpoint = store.checkpoint()?;
                self.checkpoints.insert(name, checkpoint);
            }
            Call::Rollback(name) => {
                let checkpoint = self.checkpoints.get(&name).ok_or(UNKNOWN_CHECKPOINT)?;
                store.rollback(checkpoint)?;
            }
            Call::FailVersionReads(count) => self.faults = count,
        }
        Ok(Value::Null)
    }
}

fn pairs(pairs: &[Pair]) -> Value {
    let told = |pair: &Pair| json!({"key": hex(&pair.key), "value": hex(&pair.value)});
    pairs.iter().map(told).collect()
}
