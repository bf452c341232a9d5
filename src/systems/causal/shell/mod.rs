//! What the routines of a running node share: any number of callers, one sender per peer, the applier,
//! and the owner of the core.
//!
//! Claim: no routine waits for ever for another (`progress` of section 8): what is posted before the
//! close is answered, who waits when the owner ends is told so, and a wake-up is never lost. Assumed:
//! the owner goes on to take requests until it learns of the end, and waits for no other routine.
//! Source: sections 6.4, 6.7 and 10 of the spec, and its defects D13 to D15 and D24. Checked by the
//! tests of interleavings, which compile these very files.
//!
//! The core is one value that the [`Owner`] holds beside this; nobody else reaches it, so there is no
//! lock to keep. Everyone else holds the [`Shell`]:
//!
//! - An acceptor asks for a Receive and confirms the transfer once it is answered.
//! - A caller asks through [`Shell::submit`].
//! - The sender of a peer waits for its wake-up, asks for a Flush, transfers, and asks for an Ack of what
//!   was confirmed.
//! - The applier waits for its wake-up and asks for an Apply; if its limit ended the run, it sets its own
//!   wake-up, so that others have their turn in between.
//! - The owner takes one request after the other, steps the core, carries the effects out and answers. It
//!   sets the senders' wake-ups after a Submit and the applier's after a Receive that stored something,
//!   and all of them once after recovery.
//!
//! To stop, close the shell and join all routines. Whoever waits here returns; waiting for sockets
//! is ended by who opened them.

mod answer;
mod desk;
mod monitor;
mod strategy;
mod wake;

pub use answer::{Abandoned, Answer, Ticket, answer};
pub use desk::Refused;
pub use strategy::{Closing, Handover, Strategies, Waking};
pub use wake::Wake;

use std::fmt;
use std::num::NonZeroUsize;

use crate::sync::{Arc, Mutex, lock, on_drop};

use desk::Desk;

/// What callers, senders and the applier hold of a node. Closed when it is dropped.
pub struct Shell<R>(Arc<Shared<R>>);

/// The other end of a [`Shell`], for the one routine that owns the core. Whoever waits is told of the end
/// when it is dropped, by a panic as well.
pub struct Owner<R>(Arc<Shared<R>>);

struct Shared<R> {
    desk: Desk<R>,
    senders: Box<[Wake]>,
    applier: Wake,
    handover: Handover,
    /// What callers and the owner would share were the core not owned: the faulty ways to hand over
    /// take it.
    state: Mutex<()>,
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unanswered {
    /// It was never asked.
    #[error("the node is closed: nothing was done")]
    Refused,
    /// It was asked.
    #[error("the node ended before it answered: whether it was done, only its disk knows")]
    Abandoned,
}

impl<R> From<Refused<R>> for Unanswered {
    fn from(_: Refused<R>) -> Self {
        Self::Refused
    }
}

impl From<Abandoned> for Unanswered {
    fn from(_: Abandoned) -> Self {
        Self::Abandoned
    }
}

impl<R> Shell<R> {
    /// For a node with so many senders, numbered from 0. At most `limit` requests wait to be taken.
    pub fn new(limit: NonZeroUsize, senders: usize, strategies: Strategies) -> (Self, Owner<R>) {
        let wake = |_| Wake::new(strategies.waking, strategies.closing);
        let shared = Arc::new(Shared {
            desk: Desk::new(limit, strategies.closing),
            senders: (0..senders).map(wake).collect(),
            applier: wake(0),
            handover: strategies.handover,
            state: Mutex::new(()),
        });
        (Self(Arc::clone(&shared)), Owner(shared))
    }

    /// Hands a request over. Waits while the limit is reached.
    ///
    /// # Errors
    /// The request, if the node is closed.
    pub fn post(&self, request: R) -> Result<(), Refused<R>> {
        self.0.desk.post(request)
    }

    /// Hands over the request that `build` makes, and waits for its answer.
    ///
    /// # Errors
    /// If there is none.
    pub fn ask<T>(&self, build: impl FnOnce(Answer<T>) -> R) -> Result<T, Unanswered> {
        let (answer, ticket) = answer();
        self.post(build(answer))?;
        Ok(ticket.wait()?)
    }

    /// As [`Self::ask`], for a local operation. `build` may take its time, say to read from a client.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn submit<T>(&self, build: impl FnOnce(Answer<T>) -> R) -> Result<T, Unanswered> {
        let (answer, ticket) = answer();
        self.hand_over(|| build(answer))?;
        Ok(ticket.wait()?)
    }

    fn hand_over(&self, build: impl FnOnce() -> R) -> Result<(), Refused<R>> {
        match self.0.handover {
            Handover::Queued => self.post(build()),
            Handover::UnderLock => {
                let request = build();
                let _state = lock(&self.0.state);
                self.post(request)
            }
            Handover::LockedWhileBuilt => {
                let _state = lock(&self.0.state);
                self.post(build())
            }
        }
    }

    /// The wake-up of a sender.
    ///
    /// # Panics
    /// If there is none of that number.
    pub fn sender(&self, number: usize) -> &Wake {
        &self.0.senders[number]
    }

    /// The wake-up of the applier.
    pub fn applier(&self) -> &Wake {
        &self.0.applier
    }

    /// Refuses requests from now on and ends every wait: for a wake-up, and for room at the desk. What
    /// was posted before is still answered. May be repeated.
    pub fn close(&self) {
        self.0.close();
    }
}

impl<R> Owner<R> {
    /// Hands one request after the other to `step`, in the order in which they were posted, until the
    /// node is closed and all that was posted before is done. `step` must not wait for anyone who asks.
    ///
    /// # Errors
    /// The first of `step`: no request is taken after it. Those left, and all to come, are not answered.
    pub fn serve<E>(self, mut step: impl FnMut(&Self, R) -> Result<(), E>) -> Result<(), E> {
        while let Some(request) = self.0.desk.take() {
            let _state = (self.0.handover != Handover::Queued).then(|| lock(&self.0.state));
            step(&self, request)?;
        }
        Ok(())
    }

    /// The wake-ups of all senders, by number.
    pub fn senders(&self) -> &[Wake] {
        &self.0.senders
    }

    /// The wake-up of the applier.
    pub fn applier(&self) -> &Wake {
        &self.0.applier
    }
}

impl<R> Shared<R> {
    fn close(&self) {
        self.desk.close();
        self.applier.close();
        self.senders.iter().for_each(Wake::close);
    }
}

impl<R> Drop for Shell<R> {
    fn drop(&mut self) {
        on_drop(|| self.0.close());
    }
}

impl<R> Drop for Owner<R> {
    fn drop(&mut self) {
        on_drop(|| {
            self.0.close();
            // Answers go with their requests, which wakes those who wait.
            while let Some(request) = self.0.desk.take() {
                drop(request);
            }
        });
    }
}

impl<R> fmt::Debug for Shell<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell").finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for Owner<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").finish_non_exhaustive()
    }
}
