//! One model for every message-passing system: nodes, a network, one disk per node, fault budgets.
//!
//! The nodes are the cores themselves, behind [`Protocol`]; nothing here knows a system.
//!
//! - **Steps are atomic**, except that a crash may come after each durable write of a step, and
//!   before each sync that follows something sent.
//! - **Disk**: writes reach it in order. A crash keeps the synced ones and any prefix of the others;
//!   [`ActionOf::LoseData`] wipes it.
//! - **Network**: unordered, or in order per link or per lane of it ([`Order`]). Loss, damage,
//!   duplication and isolation of a node are faults. A message to a node that is stopped, cut off or not ready stays in flight.
//! - **Queries** are answered at once by the first peer in reach that can. One that nobody can
//!   answer may be given up; any other failure is a fault.
//! - **Clients** make one call at a time, and give up on a call when its node stops.
//! - **Faults** have budgets, printed with the bounds; starting a node and ending an isolation are
//!   always possible.

use stateright::{Model, Path, Property};

use crate::checker::{Bounds, Checkable, Claim, safety};
use crate::registry::{Budget, Family, Fault, Property as Documented, Subject};

mod actions;
mod bounds;
mod diagram;
mod network;
mod predicates;
mod protocol;
mod state;
mod structural;
#[cfg(test)]
mod tests;
mod transition;

pub use actions::{Action, ActionOf, letter};
pub use bounds::{ClientProgram, ClusterBounds, Faults, Links, Order, Publications, Timers};
pub use network::{Network, Packet};
pub(crate) use predicates::all_equal;
pub use protocol::{Cause, Effect, Event, Protocol, Seen, call_of, token};
pub use state::{Client, Host, State};

/// A cluster of nodes that run the protocol `P`.
#[derive(Debug)]
pub struct Cluster<P: Protocol> {
    /// The system.
    pub protocol: P,
    /// Size, workload and budgets.
    pub bounds: ClusterBounds<P>,
    /// What is claimed; what a claim depends on stands in the cluster that it is given.
    pub claims: fn(&Self) -> Vec<Claim<Self>>,
    /// The protocol's crash points.
    crash_points: Vec<&'static str>,
}

/// A cluster and its variants for the registry, documented by what the correct one claims within
/// quick bounds.
pub(crate) fn family<P: Protocol>(
    name: &'static str,
    properties: fn(&Cluster<P>) -> Vec<Documented>,
    faults: Vec<Fault>,
    build: fn(Option<&str>, Budget) -> Cluster<P>,
) -> Box<dyn Subject> {
    Box::new(Family {
        name,
        properties: properties(&build(None, Budget::Quick)),
        faults,
        build,
    })
}

impl<P: Protocol> Cluster<P> {
    /// A cluster. Panics if the bounds exceed what a state can hold.
    #[must_use]
    pub fn new(
        protocol: P,
        bounds: ClusterBounds<P>,
        claims: fn(&Self) -> Vec<Claim<Self>>,
    ) -> Self {
        let crash_points = protocol.crash_points();
        assert!(bounds.replicas <= 8, "isolated nodes are bits of a byte");
        assert!(crash_points.len() <= 31, "crash points are bits of a word");
        assert!(bounds.clients.len() <= 255, "clients are counted by a byte");
        for client in &bounds.clients {
            assert!(client.node < bounds.replicas, "a client of no node");
            assert!(client.calls.len() <= 255, "calls are counted by a byte");
        }
        Self {
            protocol,
            bounds,
            claims,
            crash_points,
        }
    }
}

/// Kinds of action that do not depend on the protocol.
const KINDS: &[&str] = &[
    "start",
    "deliver",
    "duplicate",
    "lose",
    "answer",
    "corrupt_answer",
    "give_up",
    "fail_query",
    "publish",
    "fail_publish",
    "crash",
    "lose_data",
    "close",
    "partition",
    "heal",
];

impl<P: Protocol> Model for Cluster<P> {
    type State = State<P>;
    type Action = Action<P>;

    fn init_states(&self) -> Vec<State<P>> {
        vec![self.initial()]
    }

    fn actions(&self, state: &State<P>, actions: &mut Vec<Action<P>>) {
        self.enabled(state, actions);
    }

    fn next_state(&self, last: &State<P>, action: Action<P>) -> Option<State<P>> {
        self.execute(last, &action)
    }

    fn format_action(&self, action: &Action<P>) -> String {
        self.text(action)
    }

    fn format_step(&self, last: &State<P>, action: Action<P>) -> Option<String> {
        let next = self.execute(last, &action)?;
        Some(self.changes(last, &next))
    }

    fn as_svg(&self, path: Path<State<P>, Action<P>>) -> Option<String> {
        Some(self.sequence_diagram(&path.into_vec()))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        safety(&(self.claims)(self))
    }
}

impl<P: Protocol> Checkable for Cluster<P> {
    fn bounds(&self) -> Bounds {
        self.printed_bounds()
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.declared_kinds()
    }

    fn knows(&self, kind: &str) -> bool {
        self.kinds().contains(&kind)
            || KINDS.contains(&kind)
            || self.protocol.tick_names().contains(&kind)
            || self.protocol.damage_names().contains(&kind)
    }

    fn kind_of(&self, action: &Action<P>) -> &'static str {
        self.kind(action)
    }

    fn instance_of(&self, action: &Action<P>) -> u64 {
        self.instance(action)
    }

    fn describe(&self, action: &Action<P>) -> String {
        self.text(action)
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        (self.claims)(self)
    }

    /// States share what a transition leaves alone, so each is charged for one node only.
    fn heap_bytes(&self, state: &State<P>) -> usize {
        let machines = state.machines().map(|(_, m)| self.protocol.heap_bytes(m));
        state.hosts.len() * size_of::<usize>()
            + state.clients.len() * size_of::<Client>()
            + size_of::<Host<P>>()
            + size_of_val(state.network.packets())
            + machines.max().unwrap_or(0)
    }
}
