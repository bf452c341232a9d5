//! Where requests wait for the owner.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use crate::sync::{Condvar, Mutex, lock};

use super::strategy::Closing;

/// A request that comes after the close.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the node is closed: nothing was done")]
pub struct Refused<R>(pub R);

/// A bounded queue, first in, first out.
pub(super) struct Desk<R> {
    limit: NonZeroUsize,
    closing: Closing,
    requests: Mutex<Requests<R>>,
    /// A request came, or the close.
    posted: Condvar,
    /// A request went, or the close came.
    room: Condvar,
}

struct Requests<R> {
    /// No more than the limit.
    waiting: VecDeque<R>,
    /// Nothing is added any more.
    closed: bool,
}

impl<R> Desk<R> {
    pub(super) fn new(limit: NonZeroUsize, closing: Closing) -> Self {
        let requests = Requests {
            waiting: VecDeque::new(),
            closed: false,
        };
        Self {
            limit,
            closing,
            requests: Mutex::new(requests),
            posted: Condvar::new(),
            room: Condvar::new(),
        }
    }

    /// Adds a request, waiting for room. Those who wait for it get it in any order.
    pub(super) fn post(&self, request: R) -> Result<(), Refused<R>> {
        let mut requests = lock(&self.requests);
        while !requests.closed && requests.waiting.len() >= self.limit.get() {
            requests = self.room.wait(requests);
        }
        if requests.closed {
            return Err(Refused(request));
        }
        requests.waiting.push_back(request);
        drop(requests);
        self.posted.notify_all();
        Ok(())
    }

    /// Takes the oldest, waiting for one; nothing if it is closed and empty.
    pub(super) fn take(&self) -> Option<R> {
        let mut requests = lock(&self.requests);
        while !requests.closed && requests.waiting.is_empty() {
            requests = self.posted.wait(requests);
        }
        let request = requests.waiting.pop_front();
        drop(requests);
        self.room.notify_all();
        request
    }

    /// Ends every wait, and every one to come.
    pub(super) fn close(&self) {
        lock(&self.requests).closed = true;
        if self.closing == Closing::Wakes {
            self.posted.notify_all();
            self.room.notify_all();
        }
    }
}
