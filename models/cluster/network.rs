//! Messages in flight.

use serde::Serialize;

use super::bounds::Order;

/// One message in flight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Packet<M> {
    /// Its receiver.
    pub to: u8,
    /// Its sender.
    pub from: u8,
    /// What it says.
    pub message: M,
}

/// The messages in flight.
///
/// Without an order this is a set: a message sent again while it is in flight adds nothing. A
/// receiver that must bear repetition cannot tell the difference (the budget of duplicates covers
/// it), and a node that repeats an announcement for ever still has finitely many states.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Network<M> {
    /// Sorted by link; within a link by message or, where order is kept, by lane and age.
    packets: Vec<Packet<M>>,
}

impl<M> Default for Network<M> {
    fn default() -> Self {
        Self {
            packets: Vec::new(),
        }
    }
}

impl<M: Ord> Network<M> {
    /// All messages in flight.
    #[must_use]
    pub fn packets(&self) -> &[Packet<M>] {
        &self.packets
    }

    /// Whether nothing is in flight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Where a new packet belongs, none if it adds nothing.
    pub(super) fn place(
        &self,
        order: Order,
        lane: impl Fn(&M) -> u64,
        packet: &Packet<M>,
    ) -> Option<usize> {
        let place = |p: &Packet<M>| (p.to, p.from, lane(&p.message));
        match order {
            Order::Unordered => self.packets.binary_search(packet).err(),
            Order::Fifo => Some(self.packets.partition_point(|p| place(p) <= place(packet))),
        }
    }

    /// Puts a packet where [`Network::place`] said.
    pub(super) fn insert(&mut self, place: usize, packet: Packet<M>) {
        self.packets.insert(place, packet);
    }

    /// Where the next packet like this one stands, if it is in flight and its turn has come.
    pub(super) fn find(
        &self,
        order: Order,
        lane: impl Fn(&M) -> u64,
        to: u8,
        from: u8,
        message: &M,
    ) -> Option<usize> {
        let link = |p: &Packet<M>| (p.to, p.from);
        let first = match order {
            Order::Unordered => self.packets.partition_point(|p| link(p) < (to, from)),
            Order::Fifo => {
                let wanted = (to, from, lane(message));
                self.packets
                    .partition_point(|p| (p.to, p.from, lane(&p.message)) < wanted)
            }
        };
        let mut candidates = self.packets[first..]
            .iter()
            .take_while(|p| link(p) == (to, from));
        let offset = match order {
            Order::Unordered => candidates.position(|p| p.message == *message)?,
            Order::Fifo => {
                candidates.next().filter(|p| p.message == *message)?;
                0
            }
        };
        Some(first + offset)
    }

    /// Takes out the packet at `place`.
    pub(super) fn remove(&mut self, place: usize) {
        self.packets.remove(place);
    }

    /// The packets whose turn has come.
    pub(super) fn next(
        &self,
        order: Order,
        lane: impl Fn(&M) -> u64,
    ) -> impl Iterator<Item = &Packet<M>> {
        let place = move |p: &Packet<M>| (p.to, p.from, lane(&p.message));
        let packets = self.packets.iter().enumerate();
        packets
            .filter(move |&(index, packet)| {
                order == Order::Unordered
                    || index == 0
                    || place(&self.packets[index - 1]) != place(packet)
            })
            .map(|(_, packet)| packet)
    }
}
