//! The broadcaster for users: threads and tasks around a [`Channel`].
//!
//! One lock guards the channel and is held for a few instructions at a time; the mutex of BRC-2 is a
//! flag under it. Calls that need no one else take all their steps at once. A Receive that finds the
//! queue full lets others in before R4 and before R5, since a Next may come in between there; what comes
//! between other steps cannot be told from what comes before or after. Whoever cannot go on waits, and everyone
//! who waits looks again whenever a case may have become ready: consumers are few, usually one.
//!
//! Memory is bounded by the capacity. Nothing is allocated per message once the queue has grown to
//! its capacity, and none for waiting unless more than two tasks wait.

use std::fmt;
use std::future::Future;
use std::mem;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use smallvec::SmallVec;

use crate::broadcast::{
    Channel, Choice, Choices, Counts, Next, NextStep, Progress, Publication, Reason, Receipt,
    Receive, Stop, Strategies, TOPIC, Taken,
};
use crate::sync::{Arc, AtomicU8, Condvar, Mutex, MutexGuard, Ordering, let_in, lock};

/// A message that arrives while the parent is cancelled is rejected, so that consumers come to an
/// end.
const INTAKE: [Choice; 2] = [Choice::Reject, Choice::Queue];

/// What is pending is delivered first.
const OFFER: [Choice; 3] = [Choice::Data, Choice::Caller, Choice::Parent];

/// A publish/subscribe transport.
pub trait PubSub<M> {
    /// Why it failed.
    type Error;

    /// Passes every message on `topic` to `handler`, on any thread, for as long as the transport
    /// lives.
    ///
    /// # Errors
    /// If it cannot; `handler` is then never called.
    fn subscribe(
        &self,
        topic: &str,
        handler: Box<dyn Fn(M) + Send + Sync>,
    ) -> Result<(), Self::Error>;

    /// Publishes a message on `topic`. That it left does not say that it arrives.
    ///
    /// # Errors
    /// If it is known not to have left.
    fn publish(&self, topic: &str, message: M) -> Result<(), Self::Error>;
}

/// Both ways: publishes what is broadcast, keeps what arrives until it is taken.
#[derive(Debug)]
pub struct Broadcaster<P, M> {
    publisher: P,
    inbox: Inbox<M>,
}

impl<P: PubSub<M>, M: Send + 'static> Broadcaster<P, M> {
    /// Subscribes to [`TOPIC`] (BRC-3). Keeps at most `capacity` messages, with every remedy.
    ///
    /// # Errors
    /// If the transport cannot subscribe. Nothing is then received.
    pub fn subscribe(publisher: P, capacity: NonZeroU64) -> Result<Self, P::Error> {
        let inbox = Inbox::new(capacity, Strategies::REMEDIED);
        let intake = inbox.clone();
        let handler = move |message| {
            intake.receive(message);
        };
        publisher.subscribe(TOPIC, Box::new(handler))?;
        Ok(Self { publisher, inbox })
    }
}

impl<P, M> Broadcaster<P, M> {
    /// Around an inbox that somebody else fills.
    pub const fn new(publisher: P, inbox: Inbox<M>) -> Self {
        Self { publisher, inbox }
    }

    /// Where messages arrive.
    pub const fn inbox(&self) -> &Inbox<M> {
        &self.inbox
    }

    /// The transport.
    pub const fn publisher(&self) -> &P {
        &self.publisher
    }
}

impl<P: PubSub<M>, M> Broadcaster<P, M> {
    /// Publishes a message (BRC-4), after cancellation and close as well. Takes as long as the
    /// publisher does and holds up nobody else (BRC-L3).
    ///
    /// # Errors
    /// Those of the publisher.
    pub fn broadcast(&self, message: M) -> Result<(), P::Error> {
        let locked = self.inbox.shared.publication == Publication::Locked;
        if locked {
            self.inbox.lock_mutex();
        }
        let published = self.publisher.publish(TOPIC, message);
        if locked {
            self.inbox.unlock_mutex();
        }
        published
    }
}

/// Where messages arrive and are taken out. Clones share one queue.
pub struct Inbox<M> {
    shared: Arc<Shared<M>>,
}

struct Shared<M> {
    /// As in the strategies of the channel. A Broadcast must not wait even for the lock.
    publication: Publication,
    inner: Mutex<Inner<M>>,
    changed: Condvar,
}

struct Inner<M> {
    channel: Channel<M>,
    /// Somebody waits for the mutex.
    contended: bool,
    /// Threads and tasks that wait.
    waiting: usize,
    /// Tasks that wait, each under its number.
    tasks: SmallVec<[(u64, Waker); 2]>,
    /// The number of the next task that waits.
    numbers: u64,
}

impl<M> Clone for Inbox<M> {
    fn clone(&self) -> Self {
        let shared = Arc::clone(&self.shared);
        Self { shared }
    }
}

impl<M> fmt::Debug for Inbox<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Inbox");
        self.inspect(|channel| {
            fields.field("pending", &channel.pending().len());
            fields.field("cancelled", &channel.is_cancelled());
            fields.field("counts", &channel.counts());
        });
        fields.finish_non_exhaustive()
    }
}

impl<M> Inbox<M> {
    /// An open, empty inbox that keeps at most `capacity` messages.
    pub fn new(capacity: NonZeroU64, strategies: Strategies) -> Self {
        let inner = Mutex::new(Inner {
            channel: Channel::new(capacity, strategies),
            contended: false,
            waiting: 0,
            tasks: SmallVec::new(),
            numbers: 0,
        });
        let changed = Condvar::new();
        Self {
            shared: Arc::new(Shared {
                publication: strategies.publication,
                inner,
                changed,
            }),
        }
    }

    /// Hands a message over (BRC-5). Waits for nothing but another Receive. If the queue is full the
    /// oldest message is dropped for it.
    ///
    /// # Panics
    /// With the historical strategies of closing, where the original aborts.
    pub fn receive(&self, message: M) -> Receipt {
        self.receive_preferring(message, &INTAKE)
    }

    /// As [`Inbox::receive`]; if both cases of step 2 are possible, the one that `order` names first
    /// is taken.
    ///
    /// # Panics
    /// As [`Inbox::receive`].
    pub fn receive_preferring(&self, message: M, order: &[Choice]) -> Receipt {
        // Dropped after the lock, as a discarded message is with its call: what dropping a message
        // does is the user's.
        let mut receive = Receive::new(message);
        let mut removed = None;
        let mut inner = self.lock();
        let mut progress = receive.run(&mut inner.channel, preferred(order));
        loop {
            match progress {
                Progress::More | Progress::Appended => {}
                Progress::Full => inner = self.let_in(inner),
                Progress::Removed(message) => {
                    removed = message;
                    inner = self.let_in(inner);
                }
                Progress::Blocked => inner = self.wait_for_mutex(inner),
                Progress::Done(receipt) => {
                    self.finish(inner, receipt.is_pending());
                    drop(removed);
                    return receipt;
                }
                Progress::Aborted(abort) => panic!("{abort}"),
                Progress::Closed | Progress::Parked | Progress::Undecided => {
                    unreachable!("{NEVER}")
                }
            }
            progress = receive.advance(&mut inner.channel, preferred(order));
        }
    }

    /// Takes the oldest message (BRC-6), waiting for one if need be, until `caller` or the parent
    /// says otherwise. `caller` is a signal of this inbox.
    ///
    /// # Errors
    /// Why no message was taken. After [`Stop::Ended`] there will be none.
    ///
    /// # Panics
    /// With the historical strategies of closing, where the original aborts.
    pub fn blocking_next(&self, caller: Option<&Signal<M>>) -> Result<Taken<M>, Stop> {
        self.blocking_next_preferring(caller, &OFFER)
    }

    /// As [`Inbox::blocking_next`]; if several cases are possible, the one that `order` names first is
    /// taken.
    ///
    /// # Errors
    /// As [`Inbox::blocking_next`].
    ///
    /// # Panics
    /// As [`Inbox::blocking_next`].
    pub fn blocking_next_preferring(
        &self,
        caller: Option<&Signal<M>>,
        order: &[Choice],
    ) -> Result<Taken<M>, Stop> {
        let mut next = Next::new();
        let mut inner = self.lock();
        loop {
            inner = match self.go_on(&mut next, caller, order, inner) {
                Turn::Returns(result) => return result,
                Turn::Waits(inner, Wait::Mutex) => self.wait_for_mutex(inner),
                Turn::Waits(inner, Wait::Case) => {
                    let inner = self.wait(inner);
                    next.wake();
                    inner
                }
            };
        }
    }

    /// As [`Inbox::blocking_next`], as a future. Nothing is taken if it is dropped before it is done.
    pub fn next<'a>(&'a self, caller: Option<&'a Signal<M>>) -> NextMessage<'a, M> {
        NextMessage {
            inbox: self,
            caller,
            next: Next::new(),
            number: None,
        }
    }

    /// Takes the oldest message if there is one, or learns of the cancellation; nothing otherwise.
    pub fn try_next(&self) -> Option<Result<Taken<M>, Stop>> {
        let mut next = Next::new();
        let mut inner = self.lock();
        loop {
            inner = match self.go_on(&mut next, None, &OFFER, inner) {
                Turn::Returns(result) => return Some(result),
                Turn::Waits(inner, Wait::Mutex) => self.wait_for_mutex(inner),
                Turn::Waits(_, Wait::Case) => return None,
            };
        }
    }

    /// Cancels the parent (BRC-2): messages are rejected from now on, and consumers learn of it once
    /// they have taken what is pending. May be repeated.
    pub fn cancel(&self) {
        let mut inner = self.lock();
        inner.channel.cancel();
        self.finish(inner, true);
    }

    /// A signal for callers of this inbox, not yet set.
    pub fn signal(&self) -> Signal<M> {
        Signal {
            inbox: self.clone(),
            reason: Arc::new(AtomicU8::new(UNSET)),
        }
    }

    /// What has become of all messages so far.
    pub fn counts(&self) -> Counts {
        self.inspect(Channel::counts)
    }

    /// Looks at the channel. Everyone else waits for as long as that takes.
    pub fn inspect<T>(&self, look: impl FnOnce(&Channel<M>) -> T) -> T {
        look(&self.lock().channel)
    }

    fn lock(&self) -> MutexGuard<'_, Inner<M>> {
        lock(&self.shared.inner)
    }

    fn let_in<'a>(&'a self, inner: MutexGuard<'a, Inner<M>>) -> MutexGuard<'a, Inner<M>> {
        let_in(&self.shared.inner, inner)
    }

    /// Takes steps until the call returns or has to wait.
    #[inline]
    fn go_on<'a>(
        &'a self,
        next: &mut Next,
        caller: Option<&Signal<M>>,
        order: &[Choice],
        mut inner: MutexGuard<'a, Inner<M>>,
    ) -> Turn<'a, M> {
        let mut stirs = false;
        loop {
            let reason = caller.and_then(Signal::reason);
            match next.advance(&mut inner.channel, reason, preferred(order)) {
                Progress::More if next.at() == NextStep::Park => inner = self.let_in(inner),
                Progress::More => {}
                Progress::Closed => stirs = true,
                Progress::Parked => return Turn::Waits(inner, Wait::Case),
                Progress::Blocked => return Turn::Waits(inner, Wait::Mutex),
                Progress::Done(result) => {
                    self.finish(inner, stirs);
                    return Turn::Returns(result);
                }
                Progress::Aborted(abort) => panic!("{abort}"),
                Progress::Full
                | Progress::Removed(_)
                | Progress::Appended
                | Progress::Undecided => unreachable!("{NEVER}"),
            }
        }
    }

    fn wait_for_mutex<'a>(
        &'a self,
        mut inner: MutexGuard<'a, Inner<M>>,
    ) -> MutexGuard<'a, Inner<M>> {
        inner.contended = true;
        self.wait(inner)
    }

    fn wait<'a>(&'a self, mut inner: MutexGuard<'a, Inner<M>>) -> MutexGuard<'a, Inner<M>> {
        inner.waiting += 1;
        let mut inner = self.shared.changed.wait(inner);
        inner.waiting -= 1;
        inner
    }

    /// Gives the lock up at the end of a call. Wakes whoever waits if a case may have become ready, or
    /// if somebody waits for the mutex.
    #[inline]
    fn finish(&self, inner: MutexGuard<'_, Inner<M>>, stirs: bool) {
        if inner.waiting > 0 && (stirs || inner.contended) {
            self.wake(inner);
        }
    }

    #[cold]
    fn wake(&self, mut inner: MutexGuard<'_, Inner<M>>) {
        inner.contended = false;
        let tasks = mem::take(&mut inner.tasks);
        inner.waiting -= tasks.len();
        if inner.waiting > 0 {
            self.shared.changed.notify_all();
        }
        // Wakers run what is not ours.
        drop(inner);
        tasks.into_iter().for_each(|(_, waker)| waker.wake());
    }

    fn lock_mutex(&self) {
        let mut inner = self.lock();
        while !inner.channel.try_lock() {
            inner = self.wait_for_mutex(inner);
        }
    }

    fn unlock_mutex(&self) {
        let mut inner = self.lock();
        inner.channel.unlock();
        self.finish(inner, false);
    }
}

/// What came of a Next that took its steps.
enum Turn<'a, M> {
    Returns(Result<Taken<M>, Stop>),
    Waits(MutexGuard<'a, Inner<M>>, Wait),
}

/// What a Next waits for.
enum Wait {
    /// The mutex, in order to close.
    Mutex,
    /// A case of N1.
    Case,
}

/// Calls are asked for a case only if there is one, and each kind has its own ways to wait.
const NEVER: &str = "a call of this kind never answers so";

fn preferred(order: &[Choice]) -> impl Fn(Choices) -> Option<Choice> {
    move |cases| {
        let named = order.iter().copied().find(|choice| cases.contains(*choice));
        named.or_else(|| cases.iter().next())
    }
}

/// A Next that waits without a thread.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct NextMessage<'a, M> {
    inbox: &'a Inbox<M>,
    caller: Option<&'a Signal<M>>,
    next: Next,
    /// Under which it waits among the tasks.
    number: Option<u64>,
}

impl<M> Future for NextMessage<'_, M> {
    type Output = Result<Taken<M>, Stop>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.next.wake();
        let inner = this.inbox.lock();
        match this.inbox.go_on(&mut this.next, this.caller, &OFFER, inner) {
            Turn::Returns(result) => {
                // Polled again it is another call, which must not go on where this one ended.
                this.next = Next::new();
                Poll::Ready(result)
            }
            Turn::Waits(mut inner, wait) => {
                inner.contended |= matches!(wait, Wait::Mutex);
                let (number, replaced) = inner.enlist(this.number, context.waker());
                this.number = Some(number);
                // Dropping a waker may drop its task, and with it other calls on this inbox.
                drop(inner);
                drop(replaced);
                Poll::Pending
            }
        }
    }
}

impl<M> Inner<M> {
    /// Puts a task among those that wait, once: its number, and the waker that it replaces.
    fn enlist(&mut self, number: Option<u64>, waker: &Waker) -> (u64, Option<Waker>) {
        let mut tasks = self.tasks.iter_mut();
        if let Some((number, known)) = tasks.find(|(known, _)| Some(*known) == number) {
            let changed = !known.will_wake(waker);
            return (*number, changed.then(|| mem::replace(known, waker.clone())));
        }
        let number = self.numbers;
        self.numbers += 1;
        self.tasks.push((number, waker.clone()));
        self.waiting += 1;
        (number, None)
    }

    /// Takes a task out of those that wait.
    fn dismiss(&mut self, number: u64) -> Option<Waker> {
        let at = self.tasks.iter().position(|(task, _)| *task == number)?;
        self.waiting -= 1;
        Some(self.tasks.swap_remove(at).1)
    }
}

impl<M> Drop for NextMessage<'_, M> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let dismissed = self.inbox.lock().dismiss(number);
            drop(dismissed);
        }
    }
}

const UNSET: u8 = 0;
const CANCELLED: u8 = 1;
const EXPIRED: u8 = 2;

/// The signal of a caller, by which it gives up waiting. Clones are one signal.
pub struct Signal<M> {
    inbox: Inbox<M>,
    reason: Arc<AtomicU8>,
}

impl<M> Clone for Signal<M> {
    fn clone(&self) -> Self {
        Self {
            inbox: self.inbox.clone(),
            reason: Arc::clone(&self.reason),
        }
    }
}

impl<M> fmt::Debug for Signal<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signal").field(&self.reason()).finish()
    }
}

impl<M> Signal<M> {
    /// Sets it. The first reason stays.
    pub fn set(&self, reason: Reason) {
        let inner = self.inbox.lock();
        if self.reason().is_none() {
            let code = match reason {
                Reason::Cancelled => CANCELLED,
                Reason::Expired => EXPIRED,
            };
            // Read and written under the lock only.
            self.reason.store(code, Ordering::Relaxed);
        }
        self.inbox.finish(inner, true);
    }

    /// Its reason, once set.
    pub fn reason(&self) -> Option<Reason> {
        match self.reason.load(Ordering::Relaxed) {
            CANCELLED => Some(Reason::Cancelled),
            EXPIRED => Some(Reason::Expired),
            _ => None,
        }
    }
}
