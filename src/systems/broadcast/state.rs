//! A broadcaster with its calls in progress.

use std::num::NonZeroU64;

use serde::Serialize;

use crate::map::SortedMap;

use super::call::{Next, Receive};
use super::channel::{Channel, Choices};
use super::message::{Abort, CallId, Reason};
use super::strategy::{Publication, Strategies};

/// A broadcaster and the calls in progress on it, of which any may take the next step.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct State<M> {
    pub(super) channel: Channel<M>,
    pub(super) calls: SortedMap<CallId, Call<M>>,
    pub(super) aborted: Option<Abort>,
}

/// A call in progress.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Call<M> {
    /// BRC-5.
    Receive(Receive<M>),
    /// BRC-6, with the reason of the caller's signal once that is set.
    Next(Next, Option<Reason>),
    /// BRC-4.
    Broadcast(Broadcast<M>),
}

/// A Broadcast in progress.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Broadcast<M> {
    /// It waits for the mutex ([`Publication::Locked`] only).
    Locking(M),
    /// It is about to publish.
    Ready(M),
    /// The publisher is at it.
    Publishing,
}

impl<M> State<M> {
    /// A broadcaster without calls.
    pub const fn new(capacity: NonZeroU64, strategies: Strategies) -> Self {
        Self {
            channel: Channel::new(capacity, strategies),
            calls: SortedMap::new(),
            aborted: None,
        }
    }

    /// What the calls share.
    pub const fn channel(&self) -> &Channel<M> {
        &self.channel
    }

    /// Why the process aborted, if it did.
    pub const fn aborted(&self) -> Option<Abort> {
        self.aborted
    }

    /// The calls in progress.
    pub fn calls(&self) -> impl Iterator<Item = (CallId, &Call<M>)> {
        self.calls.iter().map(|(call, state)| (*call, state))
    }

    /// A call in progress.
    pub fn call(&self, call: CallId) -> Option<&Call<M>> {
        self.calls.get(&call)
    }

    /// The cases among which the next step of a call chooses; none if it does not choose.
    pub fn choices(&self, call: CallId) -> Choices {
        match self.calls.get(&call) {
            Some(Call::Receive(receive)) => receive.choices(&self.channel),
            Some(Call::Next(next, caller)) => next.choices(&self.channel, *caller),
            Some(Call::Broadcast(_)) | None => Choices::default(),
        }
    }

    /// Whether [`super::Input::Advance`] would change something: the call is neither blocked nor
    /// parked, nor waiting for its publication.
    pub fn can_advance(&self, call: CallId) -> bool {
        let free = match self.calls.get(&call) {
            Some(Call::Receive(receive)) => !receive.is_blocked(&self.channel),
            Some(Call::Next(next, _)) => !next.is_blocked(&self.channel),
            Some(Call::Broadcast(Broadcast::Locking(_))) => !self.channel.is_locked(),
            Some(Call::Broadcast(Broadcast::Ready(_))) => true,
            Some(Call::Broadcast(Broadcast::Publishing)) | None => false,
        };
        free && self.aborted.is_none()
    }

    pub(super) fn begin_broadcast(&self, message: M) -> Broadcast<M> {
        match self.channel.strategies().publication {
            Publication::Unlocked => Broadcast::Ready(message),
            Publication::Locked => Broadcast::Locking(message),
        }
    }
}
