//! Where requests wait for the owner.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use super::monitor::Monitor;
use super::strategy::Closing;

/// A request that comes after the close.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the node is closed: nothing was done")]
pub struct Refused<R>(pub R);

/// A bounded queue, first in, first out.
pub(super) struct Desk<R> {
    limit: NonZeroUsize,
    closing: Closing,
    requests: Monitor<Requests<R>>,
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
            requests: Monitor::new(requests),
        }
    }

    /// Adds a request, waiting for room. Those who wait for it get it in any order.
    pub(super) fn post(&self, request: R) -> Result<(), Refused<R>> {
        let mut request = Some(request);
        let refused = self.requests.wait_for(|requests| {
            if requests.closed {
                return Some(request.take());
            }
            let room = requests.waiting.len() < self.limit.get();
            room.then(|| {
                requests.waiting.extend(request.take());
                None
            })
        });
        refused.map_or(Ok(()), |request| Err(Refused(request)))
    }

    /// Takes the oldest, waiting for one; nothing if it is closed and empty.
    pub(super) fn take(&self) -> Option<R> {
        self.requests.wait_for(|requests| {
            let oldest = requests.waiting.pop_front();
            (oldest.is_some() || requests.closed).then_some(oldest)
        })
    }

    /// Ends every wait, and every one to come.
    pub(super) fn close(&self) {
        self.closing
            .close(&self.requests, |requests| requests.closed = true);
    }
}
