//! One state of a cluster.

use std::sync::Arc;

use serde::Serialize;

use super::bounds::Faults;
use super::network::Network;
use super::protocol::{Effect, Protocol};
use super::structural::structural;

/// One state of a cluster. Its parts are shared between states: a transition copies only the node
/// that acts.
#[derive(Serialize)]
#[serde(bound = "")]
pub struct State<P: Protocol> {
    /// The nodes.
    pub hosts: Vec<Arc<Host<P>>>,
    /// The messages in flight.
    pub network: Arc<Network<P::Message>>,
    /// How far each client is.
    pub clients: Vec<Client>,
    /// The faults that may still strike.
    pub left: Faults,
    /// The isolated nodes, one bit each.
    pub isolated: u8,
    /// The crash points that struck, since a node was last started, while the node had work in
    /// hand: one bit each, in the order of [`Protocol::crash_points`]; the highest bit is a crash at
    /// rest. Forgotten at the next start, lest it double every later state.
    pub struck: u32,
    /// History for the properties.
    pub ghost: Arc<P::Ghost>,
}

/// How far a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Client {
    /// Number of calls made.
    pub made: u8,
    /// Whether the latest call is unanswered.
    pub waiting: bool,
}

/// One node: what runs on it and what its disk holds.
#[derive(Serialize)]
#[serde(bound = "")]
pub struct Host<P: Protocol> {
    /// The core, if it runs.
    pub machine: Option<P::Machine>,
    /// How often it was started.
    pub lives: u8,
    /// The disk where it differs from the machine's own image: when the node is stopped, or when
    /// something is not synced.
    stored: Option<Box<Stored<P>>>,
}

#[derive(Serialize)]
#[serde(bound = "")]
struct Stored<P: Protocol> {
    /// What survives any crash.
    synced: P::Disk,
    /// Written later, in order; empty when stopped.
    unsynced: Vec<P::Write>,
}

structural!(State {
    hosts,
    network,
    clients,
    left,
    isolated,
    struck,
    ghost,
});
structural!(Host {
    machine,
    lives,
    stored,
});
structural!(Stored { synced, unsynced });

impl<P: Protocol> State<P> {
    /// The machine of `node`, if it runs.
    #[must_use]
    pub fn machine(&self, node: usize) -> Option<&P::Machine> {
        self.hosts[node].machine.as_ref()
    }

    /// The running machines with their nodes.
    pub fn machines(&self) -> impl Iterator<Item = (usize, &P::Machine)> {
        let hosts = self.hosts.iter().enumerate();
        hosts.filter_map(|(node, host)| Some((node, host.machine.as_ref()?)))
    }

    /// Whether messages pass between two nodes; a node always reaches itself.
    #[must_use]
    pub fn connected(&self, a: usize, b: usize) -> bool {
        a == b || self.isolated & (1 << a | 1 << b) == 0
    }
}

/// How a step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The node runs on.
    Runs,
    /// It stopped in order; everything written reaches the disk.
    Closed,
    /// It crashed; this many of the unsynced writes survive.
    Crashed(usize),
}

impl<P: Protocol> Host<P> {
    /// A node that was never started.
    pub(super) fn blank(protocol: &P, node: usize) -> Self {
        Self {
            machine: None,
            lives: 0,
            stored: Some(Box::new(Stored {
                synced: protocol.blank(node),
                unsynced: Vec::new(),
            })),
        }
    }

    /// What is durable: survives any crash.
    #[must_use]
    pub fn durable<'a>(&'a self, protocol: &P) -> &'a P::Disk {
        match (&self.stored, &self.machine) {
            (Some(stored), _) => &stored.synced,
            (None, Some(machine)) => protocol.disk(machine),
            (None, None) => unreachable!("a stopped node has a stored disk"),
        }
    }

    /// The writes that a crash may lose, oldest first.
    #[must_use]
    pub fn unsynced(&self) -> &[P::Write] {
        self.stored.as_ref().map_or(&[], |s| &s.unsynced)
    }

    /// The image with every write applied.
    pub(super) fn written(&self, protocol: &P) -> P::Disk {
        let mut disk = self.durable(protocol).clone();
        for write in self.unsynced() {
            protocol.apply(&mut disk, write);
        }
        disk
    }

    /// Which life runs, or ran last, counted from 0.
    pub(super) fn life(&self) -> u8 {
        self.lives.saturating_sub(1)
    }

    /// A copy on an empty disk.
    pub(super) fn wiped(&self, protocol: &P, node: usize) -> Self {
        Self {
            lives: self.lives,
            ..Self::blank(protocol, node)
        }
    }

    /// The node after a step left `machine` and carried out `effects`.
    pub(super) fn after(
        &self,
        protocol: &P,
        machine: P::Machine,
        lives: u8,
        effects: &[Effect<P>],
        end: End,
    ) -> Self {
        let writes = Writes::of(self, effects);
        if end == End::Runs && writes.unsynced() == 0 {
            return Self {
                machine: Some(machine),
                lives,
                stored: None,
            };
        }
        let survive = match end {
            End::Runs => writes.synced,
            End::Closed => writes.all.len(),
            End::Crashed(kept) => writes.synced + kept,
        };
        let mut synced = self.durable(protocol).clone();
        for write in &writes.all[..survive] {
            protocol.apply(&mut synced, write);
        }
        let (machine, unsynced) = match end {
            End::Runs => (
                Some(machine),
                writes.all[survive..].iter().map(|&w| w.clone()).collect(),
            ),
            End::Closed | End::Crashed(_) => (None, Vec::new()),
        };
        Self {
            machine,
            lives,
            stored: Some(Box::new(Stored { synced, unsynced })),
        }
    }
}

/// The writes on their way to a disk: those unsynced before a step and those of the step.
pub(super) struct Writes<'a, P: Protocol> {
    /// Oldest first.
    pub(super) all: Vec<&'a P::Write>,
    /// How many of them were unsynced before the step.
    pub(super) earlier: usize,
    /// How many of them are synced now.
    pub(super) synced: usize,
}

impl<'a, P: Protocol> Writes<'a, P> {
    /// The writes of `host` once `effects` were carried out.
    pub(super) fn of(host: &'a Host<P>, effects: &'a [Effect<P>]) -> Self {
        let mut all: Vec<&P::Write> = host.unsynced().iter().collect();
        let earlier = all.len();
        let mut synced = 0;
        for effect in effects {
            match effect {
                Effect::Write(write) => all.push(write),
                Effect::Sync => synced = all.len(),
                Effect::Send { .. } | Effect::Broadcast(_) | Effect::Reply { .. } => {}
            }
        }
        Self {
            all,
            earlier,
            synced,
        }
    }

    /// How many a crash may lose.
    pub(super) fn unsynced(&self) -> usize {
        self.all.len() - self.synced
    }

    /// Name of the crash that leaves `kept` unsynced writes: after the last write of the step that
    /// reached the disk, `crash` if none did.
    pub(super) fn point(&self, protocol: &P, kept: usize) -> &'static str {
        match self.synced + kept {
            survive if survive > self.earlier => protocol.write_name(self.all[survive - 1]),
            _ => "crash",
        }
    }
}
