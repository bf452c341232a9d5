//! The queue, its flags and counts: what the threads share.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use serde::Serialize;

use super::message::{Abort, Choice, Counts};
use super::strategy::{Close, Drained, Losses, Strategies};

/// A bounded queue that behaves like a Go channel, with a mutex and a parent that may be cancelled
/// (BRC-2). Each method is one indivisible operation on it; calls ([`super::Receive`],
/// [`super::Next`]) are sequences of such.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Channel<M> {
    /// At least one.
    capacity: u64,
    pub(super) strategies: Strategies,
    /// Oldest first; never more than `capacity` (BRC-S2).
    pending: VecDeque<M>,
    /// Never set back (BRC-S8), and set only once `cancelled` is (BRC-S10).
    closed: bool,
    /// Never set back.
    cancelled: bool,
    /// Whether some call holds the mutex.
    locked: bool,
    counts: Counts,
    /// Of the dropped messages, those that consumers know of.
    told: u64,
}

/// A set of cases, of which a call takes one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct Choices(u8);

impl Choices {
    /// Every case, in the order of [`Choices::iter`].
    const ALL: [Choice; 5] = [
        Choice::Queue,
        Choice::Reject,
        Choice::Data,
        Choice::Caller,
        Choice::Parent,
    ];

    /// With `choice` added, if `possible`.
    #[must_use]
    pub const fn with(self, choice: Choice, possible: bool) -> Self {
        Self(self.0 | ((possible as u8) << choice as u8))
    }

    /// Whether `choice` is possible.
    pub const fn contains(self, choice: Choice) -> bool {
        self.0 & (1 << choice as u8) != 0
    }

    /// Whether no case is possible.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The possible cases.
    pub fn iter(self) -> impl Iterator<Item = Choice> {
        let all = Self::ALL.into_iter();
        all.filter(move |choice| self.contains(*choice))
    }

    /// The one that is possible, if there are no others.
    pub fn only(self) -> Option<Choice> {
        let mut choices = self.iter();
        choices.next().filter(|_| choices.next().is_none())
    }
}

impl<M> Channel<M> {
    /// An empty, open channel. Allocates nothing yet.
    pub const fn new(capacity: NonZeroU64, strategies: Strategies) -> Self {
        Self {
            capacity: capacity.get(),
            strategies,
            pending: VecDeque::new(),
            closed: false,
            cancelled: false,
            locked: false,
            counts: Counts {
                received: 0,
                returned: 0,
                dropped: 0,
                rejected: 0,
            },
            told: 0,
        }
    }

    /// Messages not yet taken, oldest first.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = &M> {
        self.pending.iter()
    }

    /// The most messages that are ever pending (BRC-S2).
    pub const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Whether the queue was closed (BRC-7).
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the parent was cancelled.
    pub const fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Whether some call holds the mutex.
    pub const fn is_locked(&self) -> bool {
        self.locked
    }

    /// What has become of all messages so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The choices under which it runs.
    pub const fn strategies(&self) -> Strategies {
        self.strategies
    }

    /// Cancels the parent (X). Every parked Next must then look again.
    pub fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// Takes the mutex if it is free.
    pub fn try_lock(&mut self) -> bool {
        !std::mem::replace(&mut self.locked, true)
    }

    /// Gives the mutex back.
    pub fn unlock(&mut self) {
        self.locked = false;
    }

    pub(super) fn has_room(&self) -> bool {
        (self.pending.len() as u64) < self.capacity
    }

    /// R2. Upstream had no flag while closing was not under the mutex.
    pub(super) fn refuses(&self) -> bool {
        let has_flag = !matches!(self.strategies.close, Close::Once | Close::Bare);
        self.closed && has_flag
    }

    /// The cases of R3. Appending to a closed queue is possible, and aborts.
    pub(super) fn intake(&self) -> Choices {
        let room = self.closed || self.has_room();
        let choices = Choices::default().with(Choice::Queue, room);
        choices.with(Choice::Reject, self.cancelled)
    }

    /// The cases of N1 that do not depend on the caller.
    pub(super) fn offer(&self) -> Choices {
        let (drained, ended) = match self.strategies.drained {
            Drained::NoMessage => (self.closed, false),
            Drained::Cancellation => (false, self.closed),
        };
        let choices = Choices::default().with(Choice::Data, drained || !self.pending.is_empty());
        choices.with(Choice::Parent, ended || self.cancelled)
    }

    pub(super) fn count_received(&mut self) {
        self.counts.received += 1;
    }

    pub(super) fn count_rejected(&mut self) {
        self.counts.rejected += 1;
    }

    pub(super) fn count_dropped(&mut self) {
        self.counts.dropped += 1;
    }

    pub(super) fn append(&mut self, message: M) -> Result<(), Abort> {
        if self.closed {
            return Err(Abort::AppendToClosed);
        }
        self.pending.push_back(message);
        Ok(())
    }

    /// R4.
    pub(super) fn remove_oldest(&mut self) -> Option<M> {
        let oldest = self.pending.pop_front()?;
        self.count_dropped();
        Some(oldest)
    }

    /// The oldest message, and how many were dropped since one was last taken.
    pub(super) fn take(&mut self) -> (Option<M>, u64) {
        let message = self.pending.pop_front();
        if message.is_none() {
            return (None, 0);
        }
        self.counts.returned += 1;
        (message, self.tell())
    }

    /// How many messages were dropped that no consumer knows of.
    fn tell(&mut self) -> u64 {
        match self.strategies.losses {
            Losses::Silent => 0,
            Losses::Told => {
                self.counts.dropped - std::mem::replace(&mut self.told, self.counts.dropped)
            }
        }
    }

    /// N3.
    pub(super) fn close(&mut self) -> Result<(), Abort> {
        let again = matches!(self.strategies.close, Close::Bare | Close::Repeated);
        if self.closed && again {
            return Err(Abort::ClosedTwice);
        }
        self.closed = true;
        Ok(())
    }
}
