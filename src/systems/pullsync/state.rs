//! A node with its disk, as one value.

use std::cell::Cell;
use std::sync::Arc;

use serde::Serialize;

use crate::machine::Machine;

use super::message::{Input, Output};
use super::node::{Host, Node, Settings};
use super::space::Space;
use super::store::{Disk, Failing, Recording, Write};
use super::strategy::Syncing;

/// A node and its disk. Outputs include the writes; all but sealed ranges are synced before what follows.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct State<S: Space> {
    node: Node<S>,
    disk: Disk<S>,
    failing: Option<Failing>,
}

impl<S: Space> State<S> {
    /// A node that starts on a disk, without peers.
    pub fn new(settings: Arc<Settings<S>>, disk: Disk<S>) -> Self {
        Self {
            node: Node::new(settings),
            disk,
            failing: None,
        }
    }

    /// The node.
    pub const fn node(&self) -> &Node<S> {
        &self.node
    }

    /// Its disk, all writes carried out.
    pub const fn disk(&self) -> &Disk<S> {
        &self.disk
    }

    /// Lets the next put or scan fail.
    pub const fn fail_next(&mut self, failing: Failing) {
        self.failing = Some(failing);
    }
}

impl<S: Space> Machine for State<S> {
    type Input = Input<S>;
    type Output = Output<S>;

    fn step(&mut self, input: Input<S>, outputs: &mut Vec<Output<S>>) {
        let failing = Cell::new(self.failing);
        let mut recorded = Recorded {
            storage: Recording {
                disk: &mut self.disk,
                writes: &mut Vec::new(),
                failing: &failing,
            },
            outputs,
            syncing: self.node.settings().strategies.syncing,
        };
        self.node.take(&mut recorded, input);
        recorded.tell_writes();
        self.failing = failing.get();
    }
}

/// A disk whose writes stand among the outputs, in the order in which all came about.
struct Recorded<'a, S: Space> {
    storage: Recording<'a, S>,
    outputs: &'a mut Vec<Output<S>>,
    syncing: Syncing,
}

impl<S: Space> Recorded<'_, S> {
    /// Others learn of what is in the pull index and of what is not, so both must be durable first. Of a
    /// sealed range nobody learns; lost with a crash, it is asked for once more.
    fn tell_writes(&mut self) {
        let told = |write: &Write<S>| !matches!(write, Write::SetIntervals { .. });
        let syncs = self.syncing == Syncing::BeforeTold && self.storage.writes.iter().any(told);
        let writes = self.storage.writes.drain(..).map(Output::Write);
        self.outputs.extend(writes);
        self.outputs.extend(syncs.then_some(Output::Sync));
    }
}

impl<'a, S: Space> Host<S> for Recorded<'a, S> {
    type Storage = Recording<'a, S>;

    fn storage(&mut self) -> &mut Self::Storage {
        &mut self.storage
    }

    fn emit(&mut self, output: Output<S>) {
        self.tell_writes();
        self.outputs.push(output);
    }
}
