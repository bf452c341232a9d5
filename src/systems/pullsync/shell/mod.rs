//! What the routines of a running node share: a reader and a writer for each stream, the driver, and whoever
//! puts chunks, tells of peers, or closes the node.
//!
//! Claim: however these run, the core takes one input after the other, and what it wants done reaches the
//! routine concerned, in order, once, unless a reset makes it void; no wake-up is lost; a handler that is
//! cancelled ends both its routines (8.1); and once the wait for the end is over, no routine is left, none
//! joins, and the core and its storage stay as they are (8.4). Assumed: routines end when they are told to, and transports end those
//! that wait for them. Source: sections 8 and 9.4 of the spec, and its defects D24 to D26, D33 and D35.
//! Checked by the tests of interleavings, which compile these very files.
//!
//! One lock guards the core and its storage. A step and the filing of its outputs are one locked step; since
//! a seal is part of a step, no two seals and resets come between each other's reading and writing. What
//! is filed for a stream waits in an outbox under a lock of its own, so that writers do not wait for the
//! storage.
//!
//! - The reader of a stream asks what kind of message comes next, reads it, and gives it to the core; it
//!   is held back while the writer has something to do. It also waits to be stopped.
//! - The writer does what the core wants done with the stream, and tells it of the idle timer.
//! - The driver opens streams, and passes on what was received and how exchanges ended.
//!
//! Bounds: for a stream, what one message and one put lead to, which is a page of deliveries and a few items
//! more; for the driver, what one change and the exchanges that run lead to.
//!
//! To stop, close the shell and wait for the end; how long is the caller's to say, who has the clock.

mod faulty;
mod outbox;
mod routines;
mod strategy;

pub use routines::{Driver, Member, Reader, Routines, Writer};
pub use strategy::{Enrolling, Joining, Registering, Sealing, Stopping, Strategies, Waiting};

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::task::{Poll, Waker};

use crate::pullsync::{
    Chunk, CursorsError, Exchanged, Input, Message, Mode, Neighbour, Node, Output, Placed,
    Protocol, Purpose, Space, Storage, StoreError,
};
use crate::sync::{Arc, Mutex, MutexGuard, lock, on_drop};

use outbox::{Outbox, Wakers};

/// A node whose core and storage many routines use. Closed, and its end begun, when it is dropped.
pub struct Shell<S: Space, D: Storage<S>>(Arc<Shared<S, D>>);

/// What the writer of a stream is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action<S: Space> {
    /// Send a message.
    Send(Message<S>),
    /// Start the idle timer, anew if it runs (3.1).
    Arm,
    /// Close the own direction. The last action.
    Finish,
    /// Reset the stream. The last action.
    Reset,
}

/// What the driver is to do or to pass on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event<S: Space> {
    /// Open a stream. [`Shell::opened`] or [`Shell::unopened`] answers.
    Open {
        /// To whom.
        peer: S::Peer,
        /// For what.
        purpose: Purpose,
    },
    /// Chunks were received and stored (7e).
    Received {
        /// Theirs, in the order of delivery.
        addresses: Vec<S::Address>,
    },
    /// An exchange ended.
    Exchanged(Exchanged<S>),
    /// A topology change or cursor list could not be dealt with; nothing else came of it.
    Failed(CursorsError),
}

/// The node takes nothing in any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the node has ended: nothing was done")]
pub struct Refused;

/// The core, or the end of the node, stopped a stream: nothing that arrives on it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the stream was stopped: what arrives on it is ignored")]
pub struct Stopped;

/// Why a request was not carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Undone {
    /// The node has ended.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Shared<S: Space, D> {
    how: Strategies,
    /// Locked before any outbox, never after.
    core: Mutex<Core<S, D>>,
    events: Outbox<Event<S>>,
}

struct Core<S: Space, D> {
    node: Node<S>,
    storage: D,
    /// Of streams that have a routine.
    lines: BTreeMap<S::Stream, Line<S>>,
    /// Routines that joined and have not ended.
    members: usize,
    /// The wait for the end has begun: nobody joins.
    ending: bool,
    /// Who waits for the end.
    waiting: Wakers,
}

struct Line<S: Space> {
    peer: S::Peer,
    outbox: Arc<Outbox<Action<S>>>,
    /// Its routines that have not ended.
    halves: usize,
}

impl<S: Space, D: Storage<S>> Shell<S, D> {
    /// Around a core, its storage, and the driver, which counts as a routine.
    pub fn new(node: Node<S>, storage: D, how: Strategies) -> (Self, Driver<S, D>) {
        let core = Core {
            node,
            storage,
            lines: BTreeMap::new(),
            members: 1,
            ending: false,
            waiting: Wakers::new(),
        };
        let shared = Arc::new(Shared {
            how,
            core: Mutex::new(core),
            events: Outbox::new(&how),
        });
        (Self(Arc::clone(&shared)), Driver::new(shared))
    }

    /// Puts chunks (3); waiting handlers look again.
    ///
    /// # Errors
    /// If the storage fails, or the node has ended: nothing was put.
    pub fn put(&self, mode: Mode, chunks: Vec<Chunk<S>>) -> Result<Vec<Placed>, Undone> {
        match self.0.ask(Input::Put { mode, chunks })? {
            Some(Output::Placed(placed)) => Ok(placed?),
            _ => Err(Refused.into()),
        }
    }

    /// Deletes a chunk (3), and tells whether there was one.
    ///
    /// # Errors
    /// If the storage fails, or the node has ended: nothing was deleted.
    pub fn delete(&self, address: S::Address) -> Result<bool, Undone> {
        match self.0.ask(Input::Delete { address })? {
            Some(Output::Deleted(deleted)) => Ok(deleted?),
            _ => Err(Refused.into()),
        }
    }

    /// Evicts chunks that were synced (9.5).
    ///
    /// # Errors
    /// If the storage fails, or the node has ended.
    pub fn evict(&self, addresses: Vec<S::Address>) -> Result<(), Undone> {
        match self.0.ask(Input::Evict { addresses })? {
            Some(Output::Evicted(evicted)) => Ok(evicted?),
            _ => Err(Refused.into()),
        }
    }

    /// Tells of the topology, or that it is time to try again (9.1).
    ///
    /// # Errors
    /// If the node has ended.
    pub fn change(&self, depth: u8, peers: Vec<Neighbour<S>>) -> Result<(), Refused> {
        self.0.ask(Input::Change { depth, peers }).map(drop)
    }

    /// Tells that a peer is not connected any more (8.4). The routines of its streams end.
    ///
    /// # Errors
    /// If the node has ended.
    pub fn disconnected(&self, peer: S::Peer) -> Result<(), Refused> {
        self.0.ask(Input::Disconnected { peer }).map(drop)
    }

    /// Tells that a stream of [`Event::Open`] could not be opened.
    ///
    /// # Errors
    /// If the node has ended.
    pub fn unopened(&self, peer: S::Peer, purpose: Purpose) -> Result<(), Refused> {
        self.0.ask(Input::Unopened { peer, purpose }).map(drop)
    }

    /// Tells that a stream of [`Event::Open`] was opened. Its two routines join. `ruid` is a random number.
    ///
    /// # Errors
    /// If the wait for the end has begun.
    pub fn opened(
        &self,
        peer: S::Peer,
        purpose: Purpose,
        stream: S::Stream,
        ruid: u32,
    ) -> Result<Routines<S, D>, Refused> {
        let input = Input::Opened {
            peer,
            purpose,
            stream,
            ruid,
        };
        self.enroll(peer, stream, input)
    }

    /// Tells that a peer opened a stream. Its two routines join.
    ///
    /// # Errors
    /// If the wait for the end has begun.
    pub fn accepted(
        &self,
        peer: S::Peer,
        stream: S::Stream,
        protocol: Protocol,
    ) -> Result<Routines<S, D>, Refused> {
        let input = Input::Accepted {
            peer,
            stream,
            protocol,
        };
        self.enroll(peer, stream, input)
    }

    /// Lets a routine of another kind join, say one that accepts connections.
    ///
    /// # Errors
    /// If the wait for the end has begun.
    pub fn join(&self) -> Result<Member<S, D>, Refused> {
        let mut core = self.0.joinable()?;
        core.members += 1;
        drop(core);
        Ok(Member::new(Arc::clone(&self.0)))
    }

    /// Looks at the core and its storage. Everyone else waits for as long as that takes.
    pub fn inspect<T>(&self, look: impl FnOnce(&Node<S>, &D) -> T) -> T {
        let core = lock(&self.0.core);
        look(&core.node, &core.storage)
    }

    /// Closes the node (8.4): handlers and exchanges are cancelled, no handler is registered any more.
    /// Streams are still taken in, cursors still answered. May be repeated.
    pub fn close(&self) {
        self.0.tell(Input::Close);
    }

    /// Closes the node, and begins the wait for the end with this very call: nobody joins any more, readers
    /// are stopped, writers and the driver take what was filed before and then learn of the end. The
    /// future is done once every routine has ended. May be repeated.
    pub fn ended(&self) -> impl Future<Output = ()> + Unpin + '_ {
        self.0.end();
        poll_fn(|context| self.0.poll_ended(context.waker()))
    }

    /// Lets the routines of a stream join before the core hears of it.
    fn enroll(
        &self,
        peer: S::Peer,
        stream: S::Stream,
        input: Input<S>,
    ) -> Result<Routines<S, D>, Refused> {
        let outbox = Arc::new(Outbox::new(&self.0.how));
        let core = self.0.joinable()?;
        let line = Line {
            peer,
            outbox: Arc::clone(&outbox),
            halves: 2,
        };
        self.0.step_enrolled(core, stream, line, input);
        let line = || (Arc::clone(&self.0), stream, Arc::clone(&outbox));
        Ok((Reader::new(line()), Writer::new(line())))
    }
}

impl<S: Space, D: Storage<S>> Shared<S, D> {
    /// Gives the core an input, and what the core answers.
    fn ask(&self, input: Input<S>) -> Result<Option<Output<S>>, Refused> {
        let core = lock(&self.core);
        if core.ending {
            return Err(Refused);
        }
        Ok(self.step(core, input))
    }

    /// As [`Self::ask`], for a routine that joined.
    fn tell(&self, input: Input<S>) {
        self.step(lock(&self.core), input);
    }

    /// Steps the core and files what it wants done, before anyone else steps it.
    fn step(&self, core: MutexGuard<'_, Core<S, D>>, input: Input<S>) -> Option<Output<S>> {
        let (gone, ended) = match input {
            Input::Disconnected { peer } => (Some(peer), None),
            Input::Ended { stream, .. } => (None, Some(stream)),
            _ => (None, None),
        };
        let mut outputs = Vec::new();
        let core = self.run(core, input, &mut outputs);
        let mut wakers = Wakers::new();
        let mut answer = None;
        for output in outputs {
            match output {
                Output::Placed(_) | Output::Deleted(_) | Output::Evicted(_) => {
                    answer = Some(output);
                }
                _ => self.file(&core, output, &mut wakers),
            }
        }
        if let Some(peer) = gone {
            core.abandon(&peer, &mut wakers);
        }
        if let Some(stream) = ended {
            core.end_stream(&stream, &mut wakers);
        }
        drop(core);
        wakers.into_iter().for_each(Waker::wake);
        answer
    }

    fn file(&self, core: &Core<S, D>, output: Output<S>, wakers: &mut Wakers) {
        match output {
            Output::Send { stream, message } => {
                core.with(&stream, |outbox| outbox.file(Action::Send(message), wakers));
            }
            Output::Arm { stream } => {
                core.with(&stream, |outbox| outbox.file_once(Action::Arm, wakers));
            }
            Output::Finish { stream } => {
                core.with(&stream, |outbox| outbox.finish(Action::Finish, wakers));
            }
            Output::Reset { stream } => {
                core.with(&stream, |outbox| outbox.reset(Action::Reset, wakers));
            }
            Output::Open { peer, purpose } => {
                self.events.file(Event::Open { peer, purpose }, wakers);
            }
            Output::Received { addresses } => {
                self.events.file(Event::Received { addresses }, wakers);
            }
            Output::Exchanged(exchanged) => {
                self.events.file(Event::Exchanged(exchanged), wakers);
            }
            Output::Failed(error) => self.events.file(Event::Failed(error), wakers),
            // Answers go to whoever asked; writes are told by nodes that have a storage of their own.
            Output::Placed(_)
            | Output::Deleted(_)
            | Output::Evicted(_)
            | Output::Write(_)
            | Output::Sync => {}
        }
    }

    /// The core, unless nobody may join any more.
    fn joinable(&self) -> Result<MutexGuard<'_, Core<S, D>>, Refused> {
        let core = lock(&self.core);
        let refused = core.ending && self.how.joining == Joining::BeforeWait;
        if refused { Err(Refused) } else { Ok(core) }
    }

    fn end(&self) {
        let core = lock(&self.core);
        if core.node.server().is_closed() {
            drop(core);
        } else {
            self.step(core, Input::Close);
        }
        let mut wakers = Wakers::new();
        let mut core = lock(&self.core);
        core.ending = true;
        for line in core.lines.values() {
            line.outbox.end(&mut wakers);
        }
        self.events.end(&mut wakers);
        drop(core);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn poll_ended(&self, waker: &Waker) -> Poll<()> {
        let mut core = lock(&self.core);
        if core.members == 0 {
            return Poll::Ready(());
        }
        if !core.waiting.iter().any(|known| known.will_wake(waker)) {
            core.waiting.push(waker.clone());
        }
        Poll::Pending
    }

    /// A routine ends; its stream is given if it had one.
    fn leave(&self, stream: Option<&S::Stream>) {
        let mut core = lock(&self.core);
        core.members -= 1;
        if let Some(stream) = stream {
            core.leave_line(stream);
        }
        let waiting = if core.members == 0 {
            mem::take(&mut core.waiting)
        } else {
            Wakers::new()
        };
        drop(core);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl<S: Space, D> Core<S, D> {
    /// Nothing if no routine of the stream is left.
    fn with(&self, stream: &S::Stream, file: impl FnOnce(&Outbox<Action<S>>)) {
        if let Some(line) = self.lines.get(stream) {
            file(&line.outbox);
        }
    }

    /// A peer is gone, and its streams with it.
    fn abandon(&self, peer: &S::Peer, wakers: &mut Wakers) {
        let lines = self.lines.values().filter(|line| line.peer == *peer);
        lines.for_each(|line| line.outbox.abandon(wakers));
    }

    /// Nothing more arrives on a stream, so the core wants nothing more of it unless its handler has all it
    /// needs.
    fn end_stream(&self, stream: &S::Stream, wakers: &mut Wakers) {
        if self.node.server().handler(stream).is_none() {
            self.with(stream, |outbox| outbox.end(wakers));
        }
    }

    fn leave_line(&mut self, stream: &S::Stream) {
        if let Some(line) = self.lines.get_mut(stream) {
            line.halves -= 1;
            if line.halves == 0 {
                self.lines.remove(stream);
            }
        }
    }
}

impl<S: Space, D: Storage<S>> Drop for Shell<S, D> {
    fn drop(&mut self) {
        on_drop(|| self.0.end());
    }
}

impl<S: Space, D: Storage<S>> fmt::Debug for Shell<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell").finish_non_exhaustive()
    }
}
