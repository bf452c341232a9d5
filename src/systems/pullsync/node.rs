//! One node: server, puller and the exchanges that run, around a storage.
#![allow(missing_docs, reason = "skeleton")]

use std::sync::Arc;

use serde::Serialize;

use crate::map::SortedMap;

use super::exchange::Exchange;
use super::interval::IntervalSet;
use super::message::{Input, Output, Protocol};
use super::puller::{Puller, Worker};
use super::server::Server;
use super::space::Space;
use super::store::Storage;
use super::strategy::Strategies;
use super::wire::Kind;

/// What never changes of a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Settings<S: Space> {
    pub overlay: S::Peer,
    /// With how many bins the puller works, 1 to 32.
    pub bins: u8,
    /// Hashes in an offer, at most.
    pub max_page: usize,
    /// Pending cancels of one peer, at most.
    pub pending_cancels: usize,
    pub verifier: S::Verifier,
    pub strategies: Strategies,
}

/// The volatile state of a node; what is durable is the [`Storage`] that each step is given.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Node<S: Space> {
    settings: Arc<Settings<S>>,
    server: Server<S>,
    puller: Puller<S>,
    /// The own exchanges.
    exchanges: SortedMap<S::Stream, Running<S>>,
    /// Own fetches of cursors, and to whom.
    fetches: SortedMap<S::Stream, S::Peer>,
    /// Streams that peers opened and whose first message has not come, and those of cursors and cancels.
    accepted: SortedMap<S::Stream, (S::Peer, Protocol)>,
}

/// An exchange of a worker.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Running<S: Space> {
    pub peer: S::Peer,
    pub bin: u8,
    pub worker: Worker,
    pub exchange: Exchange<S>,
    /// For faulty code: the set as it was when the exchange began (D35).
    early: Option<IntervalSet>,
}

impl<S: Space> Node<S> {
    pub fn new(_settings: Arc<Settings<S>>) -> Self {
        todo!()
    }

    /// Takes one input and appends what is to be done.
    pub fn step(
        &mut self,
        _storage: &mut impl Storage<S>,
        _input: Input<S>,
        _outputs: &mut Vec<Output<S>>,
    ) {
        todo!()
    }

    /// The kind of message that comes next on a stream, by which a driver decodes it; none if the stream is
    /// not known or nothing more is expected.
    pub fn expects(&self, _stream: &S::Stream) -> Option<Kind> {
        todo!()
    }

    pub const fn settings(&self) -> &Arc<Settings<S>> {
        &self.settings
    }
    pub const fn server(&self) -> &Server<S> {
        &self.server
    }
    pub const fn puller(&self) -> &Puller<S> {
        &self.puller
    }
    /// The own exchanges by stream.
    pub fn exchanges(&self) -> impl Iterator<Item = (&S::Stream, &Running<S>)> {
        self.exchanges.iter()
    }
    /// Own fetches of cursors by stream.
    pub fn fetches(&self) -> impl Iterator<Item = (&S::Stream, &S::Peer)> {
        self.fetches.iter()
    }
    /// Whether a change with the same peers would start or fetch anything: a worker failed, or a tracked
    /// peer has no cursors and no fetch of them runs.
    pub fn has_retries(&self) -> bool {
        todo!()
    }
    /// Whether the node ended by a fault of its own; it takes nothing in any more.
    pub fn halted(&self) -> bool {
        false
    }
}
