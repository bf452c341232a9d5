//! What the trace interpreters of the systems on this store share.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::replay::{Args, Flaw};

use super::block::{Disk, Ids, Write};
use super::driver::{Backend, Durable, Host, exchange};
use super::message::{Exchanged, Input};
use super::value::Bytes;

/// One node under replay.
#[derive(Debug)]
pub struct Replica<M, B> {
    /// Its id.
    pub name: Arc<str>,
    /// The core, while it runs.
    pub running: Option<M>,
    /// What survives a crash.
    pub disk: B,
}

impl<M, B> Replica<M, B> {
    /// Stopped nodes, each with its disk.
    ///
    /// # Errors
    /// The first disk that cannot be had.
    pub fn all<E: std::error::Error>(
        names: &[String],
        mut disk: impl FnMut(&str) -> Result<B, E>,
    ) -> Result<Vec<Self>, Flaw> {
        let replicas = names.iter().map(|name| {
            Ok(Self {
                name: name.as_str().into(),
                running: None,
                disk: disk(name).map_err(broken)?,
            })
        });
        replicas.collect()
    }

    /// The core of a running node.
    ///
    /// # Panics
    /// If the node is stopped: interpreters answer for those before anything else.
    pub fn machine(&self) -> &M {
        let running = self.running.as_ref();
        running.expect("stopped nodes are answered first")
    }
}

/// A disk that failed during a replay: nothing can be said of the trace.
pub fn broken(error: impl std::error::Error) -> Flaw {
    Flaw::of_line(format!("the disk of the replay failed: {error}"))
}

/// Reads node ids from a header: distinct, literal parts of keys.
///
/// # Errors
/// The field at fault.
pub fn read_nodes(config: &Args<'_>) -> Result<Vec<String>, Flaw> {
    let nodes = config.strings("nodes")?;
    for (at, node) in nodes.iter().enumerate() {
        if node.is_empty() || node.contains('/') || matches!(*node, "." | "..") {
            let wanted = "a non-empty id without slash, not a dot segment";
            return Err(config.flaw("nodes", format!("\"{node}\", expected {wanted}")));
        }
        if nodes[..at].contains(node) {
            return Err(config.flaw("nodes", format!("\"{node}\" stands there twice")));
        }
    }
    Ok(nodes.into_iter().map(String::from).collect())
}

/// Reads the argument `name` as the index of a node.
///
/// # Errors
/// If it is missing or names no node.
pub fn read_node(nodes: &[String], args: &Args<'_>, name: &str) -> Result<usize, Flaw> {
    let node = args.string(name)?;
    let at = nodes.iter().position(|known| known == node);
    at.ok_or_else(|| args.flaw(name, format!("\"{node}\" is not a node of this trace")))
}

/// Entries as traces list them: key, value and priority, by key.
pub fn entries<I: Ids<Key = Arc<str>, Value = Bytes>>(disk: &Disk<I>) -> Value {
    let entries = disk.entries.iter();
    entries
        .map(|(key, entry)| json!([key.as_ref(), HEXLOWER.encode(&entry.value), entry.priority]))
        .collect()
}

/// An exchange as a trace tells it.
#[derive(Debug)]
pub struct Told<'a, I: Ids> {
    /// The announcement, or the repair.
    pub input: Input<I>,
    /// Nodes that serve blocks; stopped ones, and the node itself, add nothing.
    pub from: &'a [usize],
    /// Blocks that cannot be fetched.
    pub withhold: &'a [I::Address],
    /// Whether the node dies before the dirty flag is written.
    pub unmarked: bool,
}

/// Runs an exchange of a running node to its end and keeps what it wrote.
///
/// # Errors
/// If the disk fails.
pub fn run_exchange<M: Host, B, D, W>(
    replicas: &mut [Replica<M, B>],
    node: usize,
    told: Told<'_, M::Ids>,
) -> Result<Exchanged<M::Ids>, Flaw>
where
    B: Backend<D, W>,
    W: From<Write<M::Ids>>,
{
    let running = replicas[node].running.take();
    let mut machine = running.expect("stopped nodes are answered first");
    let mut writes = Vec::new();
    let done = exchange(
        &mut machine,
        told.input,
        |address| {
            if told.withhold.contains(address) {
                return None;
            }
            let mut peers = told.from.iter().filter(|peer| **peer != node);
            peers.find_map(|peer| {
                let store = replicas[*peer].running.as_ref()?.store()?;
                store.disk().blocks.get(address).cloned()
            })
        },
        |durable| {
            match durable {
                Durable::Write(Write::Dirty(true)) if told.unmarked => {}
                Durable::Write(write) => writes.push(write.clone()),
                Durable::Sync => {}
            }
            Ok::<(), Flaw>(())
        },
    )?;
    let replica = &mut replicas[node];
    for write in writes {
        replica.disk.write(&W::from(write)).map_err(broken)?;
    }
    replica.disk.sync().map_err(broken)?;
    replica.running = Some(machine);
    Ok(done.expect("whoever answers every fetch at once ends every exchange"))
}
