//! A store with the nodes that share it, as one value.
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use std::sync::Arc;

use serde::Serialize;

use super::engine::Engine;
use super::message::{Input, Output};
use super::store::Memory;
use super::strategy::Settings;
use super::task::Task;
use crate::machine::Machine;
use crate::map::SortedMap;

/// A store in memory, nodes, and what they are doing.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct State {
    settings: Settings,
    // Shared by states that differ elsewhere.
    store: Arc<Memory>,
    checkpoint: Option<Arc<Memory>>,
    nodes: Vec<Option<Node>>,
}

/// A running node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Node {
    pub engine: Arc<Engine>,
    /// By the name that the driver gave.
    pub tasks: SortedMap<u8, Task>,
}

impl State {
    /// An empty store, and so many nodes that are down.
    pub fn new(settings: Settings, nodes: u8) -> Self {
        todo!()
    }

    pub fn store(&self) -> &Memory {
        &self.store
    }

    pub fn checkpoint(&self) -> Option<&Memory> {
        self.checkpoint.as_deref()
    }

    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// None if it is down.
    pub fn node(&self, node: u8) -> Option<&Node> {
        self.nodes.get(usize::from(node))?.as_ref()
    }
}

impl Machine for State {
    type Input = Input;
    type Output = Output;

    fn step(&mut self, input: Input, outputs: &mut Vec<Output>) {
        todo!()
    }
}
