//! The watcher of a node (15.6).

use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::catalog::durable::{Reading, Syncing};
use crate::catalog::strategy::{Level, Settings};
use crate::catalog::{Error, Snapshot};
use crate::replay::Flaw;

use super::code::Code;
use super::json::{count, int};
use super::node::{self, Node, Plan, Read, plan};
use super::store::Shared;
use super::{Fields, Told};

/// One operation of the watcher. Batches are of level 2.
#[derive(Debug)]
pub(super) enum Call {
    SyncOnce { batch: i64 },
    Watch { ticks: u64, batch: i64 },
    Read(SmolStr),
    Apply(SmolStr),
}

/// How to read an operation of the watcher, if the level has it.
pub(super) fn reader(op: &str, level: Level) -> Option<Read> {
    Some(match (op, level) {
        ("sync_once", _) => |of, level| {
            let batch = read_batch(of, level)?;
            call(Call::SyncOnce { batch })
        },
        ("watch", _) => |of, level| {
            let (ticks, batch) = (of.read("ticks", count)?, read_batch(of, level)?);
            call(Call::Watch { ticks, batch })
        },
        ("watch_read", Level::One) => |of, _| call(Call::Read(plan(of)?)),
        ("watch_apply", Level::One) => |of, _| call(Call::Apply(plan(of)?)),
        _ => return None,
    })
}

fn call(call: Call) -> Result<node::Call, Flaw> {
    Ok(node::Call::Watcher(call))
}

fn read_batch(of: &mut Fields<'_, '_>, level: Level) -> Result<i64, Flaw> {
    match level {
        Level::One => Ok(0),
        Level::Two => of.read("batch", int),
    }
}

impl Node {
    pub(super) fn watch(&mut self, call: Call, shared: &mut Shared, settings: &Settings) -> Told {
        match call {
            Call::SyncOnce { batch } => self.sync(batch, shared, settings)?,
            Call::Watch { ticks, batch } => {
                let mut errors = Vec::new();
                for _ in 0..=ticks {
                    let before = self.engine.version();
                    match self.sync(batch, shared, settings) {
                        Err(Code(code)) => errors.push(code),
                        // Then all that follow change as little.
                        Ok(()) if self.engine.version() == before => break,
                        Ok(()) => {}
                    }
                }
                return Ok(json!({"errors": errors, "version": self.engine.version()}));
            }
            Call::Read(name) => {
                shared.version_read()?;
                let reading = Reading::begin(&shared.store)?;
                let newer = reading.version > self.engine.version();
                let finish = || reading.finish(&shared.store, settings);
                let found = newer.then(finish).transpose()?;
                self.keep(name, Plan::Watch(found));
                return Ok(json!({"newer": newer, "version": reading.version}));
            }
            Call::Apply(name) => {
                if let Some(found) = self.take(name, Plan::watch)? {
                    match self.engine.apply_snapshot(found.version, &found.routes) {
                        Ok(()) | Err(Error::SnapshotVersionStale { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
        Ok(Value::Null)
    }

    fn sync(&mut self, batch: i64, shared: &mut Shared, settings: &Settings) -> Result<(), Code> {
        shared.version_read()?;
        let sync = Syncing::begin(batch);
        Ok(sync.finish(&shared.store, &mut self.engine, settings)?)
    }
}

impl Plan {
    fn watch(self) -> Result<Option<Snapshot>, Self> {
        match self {
            Self::Watch(found) => Ok(found),
            other => Err(other),
        }
    }
}
