//! A store with the nodes that share it, as one value.

use std::sync::Arc;

use serde::Serialize;

use super::durable::Step;
use super::engine::Engine;
use super::error::Error;
use super::message::{Input, Output, StoreCall};
use super::store::{CommitAt, Memory, Store};
use super::strategy::Settings;
use super::task::{Call, Task};
use crate::machine::Machine;
use crate::map::SortedMap;

/// A store in memory, nodes, and what they are doing. What a step leaves alone is shared with the state
/// before it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct State {
    settings: Settings,
    store: Arc<Memory>,
    checkpoint: Option<Arc<Memory>>,
    /// None is down.
    nodes: Vec<Option<Arc<Node>>>,
}

/// A running node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Node {
    /// What it routes by.
    pub engine: Arc<Engine>,
    /// What it is doing, by the name that the driver gave.
    pub tasks: SortedMap<u8, Task>,
}

impl State {
    /// An empty store, and so many nodes that are down.
    pub fn new(settings: Settings, nodes: u8) -> Self {
        Self {
            settings,
            store: Arc::new(Memory::new(settings.strategies)),
            checkpoint: None,
            nodes: vec![None; usize::from(nodes)],
        }
    }

    /// The store.
    pub fn store(&self) -> &Memory {
        &self.store
    }

    /// What a rollback goes back to.
    pub fn checkpoint(&self) -> Option<&Memory> {
        self.checkpoint.as_deref()
    }

    /// What store and nodes are set to.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A node; none if it is down.
    pub fn node(&self, node: u8) -> Option<&Node> {
        self.nodes.get(usize::from(node))?.as_deref()
    }

    fn start(&mut self, node: u8, default_route: bool, threshold: u64) {
        let settings = self.settings;
        if let Some(node @ None) = self.nodes.get_mut(usize::from(node)) {
            *node = Some(Arc::new(Node {
                engine: Arc::new(Engine::new(settings, default_route, threshold)),
                tasks: SortedMap::new(),
            }));
        }
    }

    fn crash(&mut self, node: u8) {
        if let Some(node) = self.nodes.get_mut(usize::from(node)) {
            *node = None;
        }
    }

    fn begin(&mut self, node: u8, task: u8, call: Call) {
        if let Some(node) = running(&mut self.nodes, node)
            && !node.tasks.contains(&task)
        {
            node.tasks.insert(task, Task::new(call));
        }
    }

    fn advance(&mut self, at: u8, name: u8, outputs: &mut Vec<Output>) {
        let Some(node) = running(&mut self.nodes, at) else {
            return;
        };
        let Some(task) = node.tasks.remove(&name) else {
            return;
        };
        let engine = Arc::make_mut(&mut node.engine);
        match task.advance(&mut self.store, engine, &self.settings) {
            Step::Next(task) => {
                node.tasks.insert(name, task);
            }
            Step::Done(result) => outputs.push(Output::Done {
                node: at,
                task: name,
                result,
            }),
        }
    }

    fn call(&mut self, call: StoreCall, outputs: &mut Vec<Output>) {
        let stored = match call {
            StoreCall::Put {
                key,
                value,
                commit_ts,
                expire_at,
            } => self.store.put_at(key, value, commit_ts, expire_at),
            StoreCall::Delete { key, commit_ts } => self.store.delete_at(key, commit_ts),
            StoreCall::Apply {
                mutations,
                start_ts,
                commit_ts,
            } => {
                let at = CommitAt::Exactly(commit_ts);
                self.store.apply(&mutations, start_ts, at).map(|_| ())
            }
            StoreCall::Compact { min_ts } => self.store.compact(min_ts),
            StoreCall::Checkpoint => self.store.checkpoint().map(|checkpoint| {
                self.checkpoint = Some(checkpoint);
            }),
            StoreCall::Rollback => match &self.checkpoint {
                Some(checkpoint) => self.store.rollback(checkpoint),
                None => return,
            },
            StoreCall::LoseWatermark { to } => {
                Arc::make_mut(&mut self.store).lose_watermark(to);
                Ok::<(), Error>(())
            }
        };
        outputs.push(Output::Stored(stored));
    }
}

impl Machine for State {
    type Input = Input;
    type Output = Output;

    fn step(&mut self, input: Input, outputs: &mut Vec<Output>) {
        match input {
            Input::Start {
                node,
                default_route,
                threshold,
            } => self.start(node, default_route, threshold),
            Input::Crash { node } => self.crash(node),
            Input::Begin { node, task, call } => self.begin(node, task, call),
            Input::Advance { node, task } => self.advance(node, task, outputs),
            Input::Store(call) => self.call(call, outputs),
            Input::UpdateRoute {
                node,
                start,
                end,
                group,
            } => {
                if let Some(node) = running(&mut self.nodes, node) {
                    Arc::make_mut(&mut node.engine).update_route(start, end, group);
                }
            }
        }
    }
}

fn running(nodes: &mut [Option<Arc<Node>>], node: u8) -> Option<&mut Node> {
    let node = nodes.get_mut(usize::from(node))?.as_mut()?;
    Some(Arc::make_mut(node))
}
