//! What each routine holds. Dropping it says that the routine has ended.

use std::fmt;
use std::future::{Future, poll_fn};
use std::task::{Poll, ready};

use crate::pullsync::wire::Kind;
use crate::pullsync::{Input, Message, Reason, Space, Storage};
use crate::sync::{Arc, lock, on_drop};

use super::outbox::{Outbox, Wakers};
use super::{Action, Event, Shared, Stopped};

/// What the reader of a stream holds. Dropped before the stream has ended, it ends it as given up by the own
/// side.
#[must_use = "a stream without its reader ends"]
pub struct Reader<S: Space, D: Storage<S>>(Half<S, D>);

/// What the writer of a stream holds. Dropped before its last action, it ends the stream as given up by
/// the own side.
#[must_use = "a stream without its writer ends"]
pub struct Writer<S: Space, D: Storage<S>>(Half<S, D>);

/// What the driver holds. Dropped, what would be its to do is lost.
#[must_use = "nothing is opened without it"]
pub struct Driver<S: Space, D: Storage<S>>(Arc<Shared<S, D>>);

/// What a routine holds that has neither a stream nor the driver's work. Nothing is to be done with it but to
/// drop it.
#[must_use = "a routine has ended once it is dropped"]
pub struct Member<S: Space, D: Storage<S>>(Arc<Shared<S, D>>);

/// The two routines of a stream.
pub type Routines<S, D> = (Reader<S, D>, Writer<S, D>);

pub(super) type OfStream<S, D> = (
    Arc<Shared<S, D>>,
    <S as Space>::Stream,
    Arc<Outbox<Action<S>>>,
);

struct Half<S: Space, D: Storage<S>> {
    shared: Arc<Shared<S, D>>,
    stream: S::Stream,
    outbox: Arc<Outbox<Action<S>>>,
    /// The routine did all it had to.
    done: bool,
}

impl<S: Space, D: Storage<S>> Reader<S, D> {
    pub(super) fn new(of: OfStream<S, D>) -> Self {
        Self(Half::new(of))
    }

    /// The stream.
    pub fn stream(&self) -> S::Stream {
        self.0.stream
    }

    /// The kind of message that comes next, by which it is decoded; none if nothing more is expected:
    /// then the end of the stream is awaited.
    pub fn expects(&self) -> Option<Kind> {
        lock(&self.0.shared.core).node.expects(&self.0.stream)
    }

    /// Gives the core a message once the writer has nothing left to do. Dropped before that, nothing is
    /// given. The step itself takes as long as the storage does.
    ///
    /// # Errors
    /// If the stream was stopped: the routine ends.
    pub async fn message(&mut self, message: Message<S>) -> Result<(), Stopped> {
        poll_fn(|context| self.0.outbox.poll_room(context)).await?;
        let stream = self.0.stream;
        self.0.shared.tell(Input::Message { stream, message });
        Ok(())
    }

    /// Is done once the stream was stopped, for use while waiting for the transport: the routine ends.
    pub fn stopped(&mut self) -> impl Future<Output = ()> + Unpin + '_ {
        poll_fn(|context| self.0.outbox.poll_stopped(context))
    }

    /// Tells that nothing more arrives, and ends the routine. The writer goes on to what is its last action
    /// then.
    pub fn ended(mut self, reason: Reason) {
        self.0.end(reason);
    }
}

impl<S: Space, D: Storage<S>> Writer<S, D> {
    pub(super) fn new(of: OfStream<S, D>) -> Self {
        Self(Half::new(of))
    }

    /// The stream.
    pub fn stream(&self) -> S::Stream {
        self.0.stream
    }

    /// The next action; nothing once there will be none, and after the last: the routine ends.
    pub fn action(&mut self) -> impl Future<Output = Option<Action<S>>> + Unpin + '_ {
        poll_fn(|context| {
            let action = ready!(self.0.outbox.poll_next(context));
            self.0.done |= matches!(action, None | Some(Action::Finish | Action::Reset));
            Poll::Ready(action)
        })
    }

    /// Is done once the action at hand is void, for use while waiting for the transport. The next one is the
    /// reset, or there is none since the peer is gone.
    pub fn void(&mut self) -> impl Future<Output = ()> + Unpin + '_ {
        poll_fn(|context| self.0.outbox.poll_void(context))
    }

    /// Tells that the idle timer fired (3.1).
    pub fn idle(&self) {
        let stream = self.0.stream;
        self.0.shared.tell(Input::Idle { stream });
    }

    /// Tells that the stream broke, and ends the routine.
    pub fn ended(mut self, reason: Reason) {
        self.0.end(reason);
    }
}

impl<S: Space, D: Storage<S>> Driver<S, D> {
    pub(super) const fn new(shared: Arc<Shared<S, D>>) -> Self {
        Self(shared)
    }

    /// What is to be done next; nothing once the node has ended and all before is taken: the routine ends.
    pub fn event(&mut self) -> impl Future<Output = Option<Event<S>>> + Unpin + '_ {
        poll_fn(|context| self.0.events.poll_next(context))
    }
}

impl<S: Space, D: Storage<S>> Member<S, D> {
    pub(super) const fn new(shared: Arc<Shared<S, D>>) -> Self {
        Self(shared)
    }
}

impl<S: Space, D: Storage<S>> Half<S, D> {
    fn new((shared, stream, outbox): OfStream<S, D>) -> Self {
        Self {
            shared,
            stream,
            outbox,
            done: false,
        }
    }

    /// Ends the stream. Nothing if it has ended.
    fn end(&mut self, reason: Reason) {
        self.done = true;
        if !self.outbox.has_ended() {
            let stream = self.stream;
            self.shared.tell(Input::Ended { stream, reason });
        }
    }
}

impl<S: Space, D: Storage<S>> Drop for Half<S, D> {
    fn drop(&mut self) {
        on_drop(|| {
            if !self.done {
                self.end(Reason::Canceled);
            }
            self.shared.leave(Some(&self.stream));
        });
    }
}

impl<S: Space, D: Storage<S>> Drop for Driver<S, D> {
    fn drop(&mut self) {
        on_drop(|| {
            self.0.events.end(&mut Wakers::new());
            self.0.leave(None);
        });
    }
}

impl<S: Space, D: Storage<S>> Drop for Member<S, D> {
    fn drop(&mut self) {
        on_drop(|| self.0.leave(None));
    }
}

macro_rules! opaque {
    ($($name:ident)+) => {
        $(impl<S: Space, D: Storage<S>> fmt::Debug for $name<S, D> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })+
    };
}

opaque! { Reader Writer Driver Member }
