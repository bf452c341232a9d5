//! Calls in progress, each a sequence of the atomic steps of section 3.
//!
//! A call is a value of the thread that makes it. [`Receive::advance`] and [`Next::advance`] take one
//! step on the shared [`Channel`]; a driver decides what may come between two steps. The model lets
//! anything come between; the shell lets others in where the order can matter.

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Choices};
use super::message::{Abort, Choice, Reason, Receipt, Stop, Taken};
use super::strategy::{Close, Overflow, Shutdown, Waiting};

/// What came of one step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress<M, T> {
    /// The call goes on.
    More,
    /// A Receive found the queue full and goes on with R4.
    Full,
    /// A Receive took R4 and removed this message, if there was one.
    Removed(Option<M>),
    /// A message was appended: every parked Next must look again.
    Appended,
    /// The queue was closed: every parked Next must look again.
    Closed,
    /// A Next waits until it is woken.
    Parked,
    /// Another call holds what this one needs; nothing was changed.
    Blocked,
    /// No case was chosen, or an impossible one; nothing was changed.
    Undecided,
    /// The process aborts.
    Aborted(Abort),
    /// The call returns.
    Done(T),
}

/// A Receive in progress (BRC-5).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Receive<M> {
    /// Until it is appended. A discarded one goes with the call: what dropping a message does is the
    /// user's, and must not happen where a shell holds a lock.
    message: Option<M>,
    at: ReceiveStep,
    /// Whether it holds the mutex.
    holds: bool,
    receipt: Receipt,
}

/// The step that a Receive takes next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiveStep {
    /// R1.
    Lock,
    /// R2.
    TestClosed,
    /// R3.
    Decide,
    /// R4.
    Remove,
    /// R5.
    Append,
    /// R6.
    Unlock,
}

impl<M> Receive<M> {
    /// A Receive about to take R1.
    pub const fn new(message: M) -> Self {
        Self {
            message: Some(message),
            at: ReceiveStep::Lock,
            holds: false,
            receipt: Receipt::Queued,
        }
    }

    /// The step that it takes next.
    pub const fn at(&self) -> ReceiveStep {
        self.at
    }

    /// Whether it holds the mutex.
    pub fn holds_mutex(&self) -> bool {
        self.holds
    }

    /// The cases among which the next step chooses; none if it does not choose.
    pub fn choices(&self, channel: &Channel<M>) -> Choices {
        match self.at {
            ReceiveStep::Decide => channel.intake(),
            _ => Choices::default(),
        }
    }

    /// Whether the next step would change nothing.
    pub fn is_blocked(&self, channel: &Channel<M>) -> bool {
        match self.at {
            ReceiveStep::Lock => channel.is_locked(),
            ReceiveStep::Remove => self.lacks_message(channel),
            _ => false,
        }
    }

    fn lacks_message(&self, channel: &Channel<M>) -> bool {
        let waits = channel.strategies.overflow == Overflow::OldestBlocking;
        waits && channel.pending().len() == 0
    }

    /// Takes the next step. `choose` picks among the cases of R3, of which at least one is possible.
    #[inline]
    pub fn advance(
        &mut self,
        channel: &mut Channel<M>,
        choose: impl FnOnce(Choices) -> Option<Choice>,
    ) -> Progress<M, Receipt> {
        match self.at {
            ReceiveStep::Lock => self.lock(channel),
            ReceiveStep::TestClosed => self.test_closed(channel),
            ReceiveStep::Decide => self.decide(channel, choose),
            ReceiveStep::Remove => self.remove(channel),
            ReceiveStep::Append => self.append(channel),
            ReceiveStep::Unlock => self.leave(channel),
        }
    }

    /// Takes every step from R1 up to R6, or up to the one at which it stops. As
    /// [`Receive::advance`] over and over; written out, since here each next step is known.
    #[inline]
    pub fn run(
        &mut self,
        channel: &mut Channel<M>,
        choose: impl FnOnce(Choices) -> Option<Choice>,
    ) -> Progress<M, Receipt> {
        let mut progress = self.lock(channel);
        if let Progress::More = progress {
            progress = self.test_closed(channel);
            if self.at == ReceiveStep::Decide {
                progress = self.decide(channel, choose);
            }
        }
        match progress {
            Progress::More | Progress::Appended => self.leave(channel),
            stopped => stopped,
        }
    }

    /// R1.
    #[inline(always)]
    fn lock(&mut self, channel: &mut Channel<M>) -> Progress<M, Receipt> {
        if !channel.try_lock() {
            return Progress::Blocked;
        }
        self.holds = true;
        channel.count_received();
        self.at = ReceiveStep::TestClosed;
        Progress::More
    }

    /// R2.
    #[inline(always)]
    fn test_closed(&mut self, channel: &mut Channel<M>) -> Progress<M, Receipt> {
        if channel.refuses() {
            self.reject(channel);
        } else {
            self.at = ReceiveStep::Decide;
        }
        Progress::More
    }

    /// R6.
    #[inline(always)]
    fn leave(&mut self, channel: &mut Channel<M>) -> Progress<M, Receipt> {
        self.unlock(channel);
        Progress::Done(self.receipt)
    }

    fn unlock(&mut self, channel: &mut Channel<M>) {
        if std::mem::take(&mut self.holds) {
            channel.unlock();
        }
    }

    fn reject(&mut self, channel: &mut Channel<M>) {
        channel.count_rejected();
        self.discard(Receipt::Rejected);
    }

    fn discard(&mut self, receipt: Receipt) {
        self.receipt = receipt;
        self.at = ReceiveStep::Unlock;
    }

    /// R3.
    #[inline(always)]
    fn decide(
        &mut self,
        channel: &mut Channel<M>,
        choose: impl FnOnce(Choices) -> Option<Choice>,
    ) -> Progress<M, Receipt> {
        let cases = channel.intake();
        if cases.is_empty() {
            return self.full(channel);
        }
        match choose(cases).filter(|choice| cases.contains(*choice)) {
            Some(Choice::Queue) => self.append(channel),
            Some(Choice::Reject) => {
                self.reject(channel);
                Progress::More
            }
            _ => Progress::Undecided,
        }
    }

    fn full(&mut self, channel: &mut Channel<M>) -> Progress<M, Receipt> {
        match channel.strategies.overflow {
            Overflow::Newest => {
                channel.count_dropped();
                self.discard(Receipt::DroppedNewest);
                return Progress::More;
            }
            Overflow::OldestUnlocked => self.unlock(channel),
            Overflow::Oldest | Overflow::OldestIfStillFull | Overflow::OldestBlocking => {}
        }
        self.at = ReceiveStep::Remove;
        Progress::Full
    }

    /// R4.
    fn remove(&mut self, channel: &mut Channel<M>) -> Progress<M, Receipt> {
        if self.lacks_message(channel) {
            return Progress::Blocked;
        }
        if channel.strategies.overflow == Overflow::OldestIfStillFull && channel.has_room() {
            return self.append(channel);
        }
        let removed = channel.remove_oldest();
        if removed.is_some() {
            self.receipt = Receipt::DroppedOldest;
        }
        self.at = ReceiveStep::Append;
        Progress::Removed(removed)
    }

    /// R5, or the append of R3.
    #[inline(always)]
    fn append(&mut self, channel: &mut Channel<M>) -> Progress<M, Receipt> {
        let message = self.message.take();
        match channel.append(message.expect("a message is appended once")) {
            Err(abort) => Progress::Aborted(abort),
            Ok(()) => {
                self.at = ReceiveStep::Unlock;
                Progress::Appended
            }
        }
    }
}

/// A Next in progress (BRC-6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Next {
    at: NextStep,
}

/// The step that a Next takes next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// N1.
    Choose,
    /// N1, having found no case ([`Waiting::Unchecked`] only).
    Park,
    /// N1, until woken.
    Parked,
    /// N2.
    Lock,
    /// N3.
    Close,
    /// N4.
    Unlock,
}

impl Next {
    /// A Next about to take N1.
    pub const fn new() -> Self {
        Self {
            at: NextStep::Choose,
        }
    }

    /// The step that it takes next.
    pub const fn at(&self) -> NextStep {
        self.at
    }

    /// Whether it waits to be woken.
    pub fn is_parked(&self) -> bool {
        self.at == NextStep::Parked
    }

    /// Whether it holds the mutex, or closes without it.
    pub fn is_closing(&self) -> bool {
        matches!(self.at, NextStep::Close | NextStep::Unlock)
    }

    /// Lets it look again, if it is parked.
    pub fn wake(&mut self) {
        if self.is_parked() {
            self.at = NextStep::Choose;
        }
    }

    /// The cases among which the next step chooses; none if it does not choose.
    pub fn choices<M>(&self, channel: &Channel<M>, caller: Option<Reason>) -> Choices {
        match self.at {
            NextStep::Choose => channel.offer().with(Choice::Caller, caller.is_some()),
            _ => Choices::default(),
        }
    }

    /// Whether the next step would change nothing.
    pub fn is_blocked<M>(&self, channel: &Channel<M>) -> bool {
        self.is_parked() || self.at == NextStep::Lock && channel.is_locked()
    }

    /// Takes the next step. `choose` picks among the cases of N1, of which at least one is possible;
    /// `caller` is the reason of the caller's signal, once set.
    #[inline]
    pub fn advance<M>(
        &mut self,
        channel: &mut Channel<M>,
        caller: Option<Reason>,
        choose: impl FnOnce(Choices) -> Option<Choice>,
    ) -> Progress<M, Result<Taken<M>, Stop>> {
        match self.at {
            NextStep::Choose => return self.choose(channel, caller, choose),
            NextStep::Parked => return Progress::Parked,
            NextStep::Park => {
                self.at = NextStep::Parked;
                return Progress::Parked;
            }
            NextStep::Lock if !channel.try_lock() => return Progress::Blocked,
            NextStep::Lock => self.at = NextStep::Close,
            NextStep::Close => {
                if let Err(abort) = channel.close() {
                    return Progress::Aborted(abort);
                }
                self.at = NextStep::Unlock;
                return Progress::Closed;
            }
            NextStep::Unlock => {
                if closes_locked(channel) {
                    channel.unlock();
                }
                return ended(channel);
            }
        }
        Progress::More
    }

    /// N1.
    #[inline]
    fn choose<M>(
        &mut self,
        channel: &mut Channel<M>,
        caller: Option<Reason>,
        choose: impl FnOnce(Choices) -> Option<Choice>,
    ) -> Progress<M, Result<Taken<M>, Stop>> {
        let cases = self.choices(channel, caller);
        if cases.is_empty() {
            return self.park(channel.strategies.waiting);
        }
        match (
            choose(cases).filter(|choice| cases.contains(*choice)),
            caller,
        ) {
            (Some(Choice::Data), _) => {
                let (message, missed) = channel.take();
                Progress::Done(Ok(Taken { message, missed }))
            }
            (Some(Choice::Caller), Some(reason)) => Progress::Done(Err(Stop::Caller(reason))),
            (Some(Choice::Parent), _) => {
                self.at = if closes_locked(channel) {
                    NextStep::Lock
                } else {
                    NextStep::Close
                };
                Progress::More
            }
            _ => Progress::Undecided,
        }
    }

    fn park<M>(&mut self, waiting: Waiting) -> Progress<M, Result<Taken<M>, Stop>> {
        match waiting {
            Waiting::Atomic => {
                self.at = NextStep::Parked;
                Progress::Parked
            }
            Waiting::Unchecked => {
                self.at = NextStep::Park;
                Progress::More
            }
        }
    }
}

impl Default for Next {
    fn default() -> Self {
        Self::new()
    }
}

fn closes_locked<M>(channel: &Channel<M>) -> bool {
    matches!(channel.strategies.close, Close::Locked | Close::Repeated)
}

fn ended<M>(channel: &Channel<M>) -> Progress<M, Result<Taken<M>, Stop>> {
    Progress::Done(Err(match channel.strategies.shutdown {
        Shutdown::Cancelled => Stop::Cancelled,
        Shutdown::End => Stop::Ended,
    }))
}
