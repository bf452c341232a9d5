//! The scan of the receive log as the text defines it, on any clocks.

use concord::systems::causal::{Clock, Deliverability, Message, Node};
use crdts::{CmRDT as _, Dot, VClock};

use super::histories::Arrivals;

/// A clock that can tell what to do with a message.
pub(crate) trait Vector: Sized {
    fn zero(members: usize) -> Self;
    fn stamp(message: &Message) -> Self;
    fn deliverability(&self, sender: Node, stamp: &Self) -> Verdict;
    /// Counts one more message of the sender.
    fn count(&mut self, sender: Node);
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Apply,
    Duplicate,
    Wait,
}

/// Received messages, of which all are looked at again after each action.
pub(crate) struct Rescan<C: Vector> {
    members: usize,
    /// By place among those sent.
    sent: Vec<(Node, C)>,
    order: Vec<usize>,
}

impl<C: Vector> Rescan<C> {
    pub(crate) fn new(arrivals: &Arrivals) -> Self {
        let sent = arrivals.sent.iter();
        Self {
            members: arrivals.members,
            sent: sent
                .map(|message| (message.sender, C::stamp(message)))
                .collect(),
            order: arrivals.order.clone(),
        }
    }

    /// The places of the messages in the order of their delivery, each received alone.
    pub(crate) fn deliver(&self) -> Vec<usize> {
        let mut clock = C::zero(self.members);
        let mut delivered = Vec::with_capacity(self.order.len());
        let mut log: Vec<usize> = Vec::new();
        for place in &self.order {
            log.push(*place);
            while let Some((at, verdict)) = self.first(&log, &clock) {
                let place = log.remove(at);
                if verdict == Verdict::Apply {
                    clock.count(self.sent[place].0);
                    delivered.push(place);
                }
            }
        }
        assert!(log.is_empty());
        delivered
    }

    fn first(&self, log: &[usize], clock: &C) -> Option<(usize, Verdict)> {
        let verdicts = log.iter().map(|place| {
            let (sender, stamp) = &self.sent[*place];
            clock.deliverability(*sender, stamp)
        });
        verdicts
            .enumerate()
            .find(|(_, verdict)| *verdict != Verdict::Wait)
    }
}

impl Vector for Clock {
    fn zero(members: usize) -> Self {
        Clock::zero(members)
    }

    fn stamp(message: &Message) -> Self {
        message.stamp.clone()
    }

    fn deliverability(&self, sender: Node, stamp: &Self) -> Verdict {
        match Clock::deliverability(self, sender, stamp) {
            Deliverability::Apply => Verdict::Apply,
            Deliverability::Duplicate => Verdict::Duplicate,
            Deliverability::Wait { .. } => Verdict::Wait,
        }
    }

    fn count(&mut self, sender: Node) {
        self.set(sender, self.get(sender) + 1);
    }
}

impl Vector for VClock<u64> {
    fn zero(_members: usize) -> Self {
        Self::new()
    }

    fn stamp(message: &Message) -> Self {
        let entries = (0..).zip(message.stamp.entries());
        let dots = entries.filter(|(_, count)| **count > 0);
        dots.map(|(actor, count)| Dot::new(actor, *count)).collect()
    }

    fn deliverability(&self, sender: Node, stamp: &Self) -> Verdict {
        let sender = sender.0.into();
        let (own, delivered) = (stamp.get(&sender), self.get(&sender));
        let is_reached =
            |dot: Dot<&u64>| *dot.actor == sender || dot.counter <= self.get(dot.actor);
        if own <= delivered {
            Verdict::Duplicate
        } else if own == delivered + 1 && stamp.iter().all(is_reached) {
            Verdict::Apply
        } else {
            Verdict::Wait
        }
    }

    fn count(&mut self, sender: Node) {
        self.apply(self.inc(sender.0.into()));
    }
}
