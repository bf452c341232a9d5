//! A node under replay: the parts of the reference, and the names that traces give their pieces.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::pullsync::exchange::Exchange;
use crate::pullsync::puller::Puller;
use crate::pullsync::server::Server;
use crate::pullsync::space::{Address, Batches, Chunk, Real};
use crate::pullsync::store::{Disk, Mode, Storage};
use crate::pullsync::strategy::Strategies;
use crate::replay::{Answer, Args, Flaw};

use super::Settings;
use super::code;
use super::names::OfNode;
use super::serve::Handlers;
use super::{pull, serve, session, store};

/// What replay compares with.
pub(super) const HOW: &Strategies = &Strategies::REFERENCE;

/// A node, as parts that each operation takes by itself.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) overlay: Address,
    pub(super) batches: Batches,
    pub(super) max_page: usize,
    pub(super) disk: Disk<Real>,
    pub(super) server: Server<Real>,
    pub(super) puller: Puller<Real>,
    pub(super) handlers: Handlers,
    /// None once it has ended.
    pub(super) sessions: BTreeMap<SmolStr, Option<Exchange<Real>>>,
}

/// What a step asks of one node.
#[derive(Debug)]
pub(super) enum Call {
    Store(store::Call),
    Serve(serve::Call),
    Session(session::Call),
    Pull(pull::Call),
}

/// Reads the arguments of one operation but for `node`.
pub(super) type Read = fn(&Args<'_>, &mut OfNode) -> Result<Call, Flaw>;

impl Replica {
    /// An empty one.
    pub(super) fn new(overlay: Address, batches: Batches, settings: Settings) -> Self {
        let Settings {
            max_page,
            bins,
            pending_cancels,
        } = settings;
        Self {
            overlay,
            batches,
            max_page,
            disk: Disk::new(overlay, *HOW),
            server: Server::new(max_page, pending_cancels, *HOW),
            puller: Puller::new(bins, *HOW),
            handlers: Handlers::default(),
            sessions: BTreeMap::new(),
        }
    }

    pub(super) fn call(&mut self, call: Call) -> Result<Answer, Flaw> {
        match call {
            Call::Store(call) => self.store(call),
            Call::Serve(call) => self.serve(call),
            Call::Session(call) => self.session(call),
            Call::Pull(call) => self.pull(call),
        }
    }

    /// Stores what an exchange kept, in one put (7).
    pub(super) fn keep(&mut self, kept: &[Chunk<Real>]) -> Result<(), Flaw> {
        if !kept.is_empty() {
            self.disk.put(Mode::Sync, kept).map_err(code::store)?;
        }
        Ok(())
    }
}
