//! A node with its disk, as one value.
#![allow(missing_docs, reason = "skeleton")]

use std::sync::Arc;

use serde::Serialize;

use crate::machine::Machine;

use super::message::{Input, Output};
use super::node::{Node, Settings};
use super::space::Space;
use super::store::{Disk, Failing};

/// A node and its disk. Outputs include the writes; a put is synced before anybody can hear of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct State<S: Space> {
    node: Node<S>,
    disk: Disk<S>,
    failing: Option<Failing>,
}

impl<S: Space> State<S> {
    /// A node that starts on a disk, without peers.
    pub fn new(_settings: Arc<Settings<S>>, _disk: Disk<S>) -> Self {
        todo!()
    }
    pub const fn node(&self) -> &Node<S> {
        &self.node
    }
    pub const fn disk(&self) -> &Disk<S> {
        &self.disk
    }
    /// Lets the next put or scan fail.
    pub fn fail_next(&mut self, failing: Failing) {
        self.failing = Some(failing);
    }
}

impl<S: Space> Machine for State<S> {
    type Input = Input<S>;
    type Output = Output<S>;

    fn step(&mut self, _input: Input<S>, _outputs: &mut Vec<Output<S>>) {
        todo!()
    }
}
