//! Who is connected.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use concord_systems::pullsync::chunk::proximity;
use concord_systems::pullsync::{Address, Neighbour, Real};

use super::Shared;
use crate::pullsync::transport::Opener;

/// The depth, and the connections to each peer, oldest first. A peer may have several: both sides may
/// have dialled, and an old one may not have been found to be lost yet.
pub(super) struct Topology {
    depth: u8,
    connections: BTreeMap<Address, Vec<(u64, Opener)>>,
    /// Number of the next connection.
    next: u64,
}

impl Topology {
    pub(super) const fn new(depth: u8) -> Self {
        Self {
            depth,
            connections: BTreeMap::new(),
            next: 0,
        }
    }

    /// Below which no chunks are pulled.
    pub(super) const fn depth(&self) -> u8 {
        self.depth
    }
}

impl Shared {
    /// Counts a connection, and gives its number.
    pub(super) fn connected(&self, peer: Address, opener: Opener) -> u64 {
        let mut topology = self.topology();
        let number = topology.next;
        topology.next += 1;
        let of_peer = topology.connections.entry(peer).or_default();
        of_peer.push((number, opener));
        self.change(&topology);
        number
    }

    /// A connection is lost.
    pub(super) fn disconnected(&self, peer: Address, number: u64) {
        let mut topology = self.topology();
        let Some(of_peer) = topology.connections.get_mut(&peer) else {
            return;
        };
        of_peer.retain(|(other, _)| *other != number);
        if of_peer.is_empty() {
            topology.connections.remove(&peer);
            // A node that has ended needs not be told.
            let _ = self.shell.disconnected(peer);
            self.change(&topology);
        }
    }

    /// Where to open streams to a peer: on its newest connection.
    pub(super) fn opener(&self, peer: &Address) -> Option<Opener> {
        let topology = self.topology();
        let (_, opener) = topology.connections.get(peer)?.last()?;
        Some(opener.clone())
    }

    pub(super) fn set_depth(&self, depth: u8) {
        let mut topology = self.topology();
        topology.depth = depth;
        self.change(&topology);
    }

    /// Tells the core once more.
    pub(super) fn try_again(&self) {
        self.change(&self.topology());
    }

    /// Changes reach the core in the order in which they are made, since the topology is locked.
    fn change(&self, topology: &Topology) {
        let neighbour = |peer: &Address| Neighbour::<Real> {
            peer: *peer,
            order: proximity(&self.overlay, peer),
        };
        let peers = topology.connections.keys().map(neighbour).collect();
        // A node that has ended needs not be told.
        let _ = self.shell.change(topology.depth, peers);
    }

    pub(super) fn topology(&self) -> MutexGuard<'_, Topology> {
        self.topology.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
