//! A causal node whose core is a few numbers, with the routines of a real one, around the shell as the
//! test crate compiles it.

use std::convert::Infallible;

use crate::causal::shell::{Answer, Owner, Shell};

/// What a caller can ask for, with who waits for it.
#[derive(Debug)]
pub(crate) enum Request {
    /// Submits a message: its number.
    Submit(Answer<u64>),
    /// What a peer has not confirmed: up to which message.
    Flush(Answer<u64>),
    /// A peer has all messages up to this one.
    Ack(usize, u64, Answer<()>),
    /// Stores so many messages.
    Receive(u64, Answer<()>),
    /// Delivers one.
    Apply(Answer<Applied>),
}

/// What a run did.
pub(crate) struct Applied {
    /// Messages not yet delivered.
    pub(crate) log: u64,
    /// Delivered by now.
    pub(crate) delivered: u64,
}

/// Counts of messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Core {
    pub(crate) submitted: u64,
    /// Confirmed by each peer.
    pub(crate) cursors: [u64; 2],
    /// Received and not delivered.
    pub(crate) log: u64,
    pub(crate) delivered: u64,
}

impl Core {
    /// Answers one request and wakes whom it concerns.
    pub(crate) fn step(&mut self, owner: &Owner<Request>, request: Request) {
        match request {
            Request::Submit(answer) => {
                self.submitted += 1;
                answer.give(self.submitted);
                owner.senders().iter().for_each(|sender| sender.set());
            }
            Request::Flush(answer) => answer.give(self.submitted),
            Request::Ack(peer, seq, answer) => {
                assert!(seq <= self.submitted, "confirmed before it was submitted");
                self.cursors[peer] = seq.max(self.cursors[peer]);
                answer.give(());
            }
            Request::Receive(stored, answer) => {
                self.log += stored;
                answer.give(());
                owner.applier().set();
            }
            Request::Apply(answer) => {
                let delivered = self.log.min(1);
                self.log -= delivered;
                self.delivered += delivered;
                let (log, delivered) = (self.log, self.delivered);
                answer.give(Applied { log, delivered });
            }
        }
    }
}

/// The owner, until the node is closed: what its core has come to.
pub(crate) fn own(owner: Owner<Request>) -> Core {
    let mut core = Core::default();
    let served = owner.serve(|owner, request| {
        core.step(owner, request);
        Ok::<_, Infallible>(())
    });
    let Ok(()) = served;
    core
}

/// The applier, until so many messages are delivered or the node is closed.
pub(crate) fn apply(shell: &Shell<Request>, until: u64) {
    while shell.applier().wait() {
        let Ok(applied) = shell.ask(Request::Apply) else {
            return;
        };
        if applied.log > 0 {
            shell.applier().set();
        }
        if applied.delivered >= until {
            return;
        }
    }
}

/// The sender of a peer which confirms at once, until so many messages are confirmed or the node is
/// closed.
pub(crate) fn send(shell: &Shell<Request>, peer: usize, until: u64) {
    while shell.sender(peer).wait() {
        let Ok(upto) = shell.ask(Request::Flush) else {
            return;
        };
        let acked = shell.ask(|answer| Request::Ack(peer, upto, answer));
        if acked.is_err() || upto >= until {
            return;
        }
    }
}
