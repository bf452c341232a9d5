//! Predicates that claims of any system share. Their form is that of [`Predicate`].
//!
//! [`Predicate`]: crate::checker::Predicate

use super::Cluster;
use super::bounds::Faults;
use super::protocol::Protocol;
use super::state::State;

impl<P: Protocol> Cluster<P> {
    /// Every node runs.
    pub fn all_running(&self, state: &State<P>) -> bool {
        state.hosts.iter().all(|host| host.machine.is_some())
    }

    /// No node is cut off.
    pub fn all_connected(&self, state: &State<P>) -> bool {
        state.isolated == 0
    }

    /// No message is in flight.
    pub fn nothing_in_flight(&self, state: &State<P>) -> bool {
        state.network.is_empty()
    }

    /// No message is in flight, and no running node awaits an answer or a publication.
    pub fn quiet(&self, state: &State<P>) -> bool {
        self.nothing_in_flight(state)
            && state.machines().all(|(_, machine)| {
                self.protocol.queries(machine).is_empty()
                    && self.protocol.publications(machine).is_empty()
            })
    }

    /// Nothing written may still be lost by a crash.
    pub fn all_synced(&self, state: &State<P>) -> bool {
        state.hosts.iter().all(|host| host.unsynced().is_empty())
    }

    /// Every client made all its calls and awaits none.
    pub fn clients_done(&self, state: &State<P>) -> bool {
        let clients = self.bounds.clients.iter().zip(&state.clients);
        clients.into_iter().all(|(program, client)| {
            !client.waiting && usize::from(client.made) == program.calls.len()
        })
    }

    /// What each node shows: its machine's image, or its disk while it is stopped.
    pub fn images<'a>(&'a self, state: &'a State<P>) -> impl Iterator<Item = &'a P::Disk> {
        state.hosts.iter().map(|host| match &host.machine {
            Some(machine) => self.protocol.disk(machine),
            None => host.durable(&self.protocol),
        })
    }

    /// Some client awaits a reply.
    pub fn some_client_waits(&self, state: &State<P>) -> bool {
        state.clients.iter().any(|client| client.waiting)
    }

    /// Some fault struck.
    pub fn some_fault(&self, state: &State<P>) -> bool {
        state.left != self.bounds.faults
    }

    /// The faults that struck.
    pub fn spent(&self, state: &State<P>) -> Faults {
        self.bounds.faults.spent(&state.left)
    }

    /// The crash point `name`, or `crash` at rest, struck while the node had work in hand: in the
    /// midst of a step, or with a call, a query, a publication or an unsynced write pending.
    pub fn struck(&self, state: &State<P>, name: &str) -> bool {
        state.struck & self.struck_bit(name) != 0
    }

    /// The bit of [`State::struck`] for a crash point.
    pub(super) fn struck_bit(&self, name: &str) -> u32 {
        let index = self.crash_points.iter().position(|point| *point == name);
        index.map_or(1 << 31, |index| 1 << index)
    }
}

/// Whether no two of the items differ.
pub(crate) fn all_equal<T: PartialEq>(mut items: impl Iterator<Item = T>) -> bool {
    let first = items.next();
    first.is_none_or(|first| items.all(|item| item == first))
}
