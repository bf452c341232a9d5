//! What properties remember of a run: the fate of every message, and what the last step did.

use concord_systems::broadcast::{
    Call, CallId, NextStep, Output, Receipt, ReceiveStep, State, Stop, Taken,
};
use serde::Serialize;

use super::oracle::{self, Event, Fate};

/// What has happened so far.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub(super) struct History {
    /// What became of messages, in order.
    pub(super) events: Vec<Event>,
    /// What the last step did.
    seen: Seen,
}

/// Something that a step did. The first six must not happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fact {
    /// A Next returned neither a message nor an error.
    Phantom,
    /// A Receive ended, neither cancelled nor closed, and its message is gone.
    NewestLost,
    /// A message was dropped while there was room.
    DroppedWithRoom,
    /// A message was appended to a closed queue.
    AppendedAfterClose,
    /// A closed queue was opened.
    Reopened,
    /// A Next told another number of dropped messages than were dropped since the one before.
    Mistold,
    /// A parked Next was woken by a message.
    WokenByMessage,
    /// A parked Next was woken by the cancellation.
    WokenByCancel,
    /// A parked Next was woken by its caller.
    WokenByCaller,
    /// A Receive that had found the queue full appended its message without dropping one.
    AppendRetried,
    /// A Receive was rejected by the closed queue.
    RejectedByClosed,
    /// A Receive was rejected by the cancellation, before the queue was closed.
    RejectedByCancellation,
    /// A Next returned a message after the cancellation.
    DeliveredAfterCancel,
    /// A Next told of the cancellation while a message was pending.
    WithheldAfterCancel,
    /// A Next told of dropped messages.
    ToldOfLosses,
    /// A Next closed a queue that was closed already.
    ClosedAgain,
}

/// A set of facts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
struct Seen(u32);

impl Seen {
    fn add(&mut self, fact: Fact, holds: bool) {
        self.0 |= u32::from(holds) << fact as u32;
    }
}

impl History {
    /// Forgets what the step before did.
    pub(super) fn begin_step(&mut self) {
        self.seen = Seen::default();
    }

    /// Whether the last step did this.
    pub(super) fn saw(&self, fact: Fact) -> bool {
        self.seen.0 & 1 << fact as u32 != 0
    }

    /// Notes what a step did. `message` is the message of a Receive.
    pub(super) fn note(
        &mut self,
        last: &State<u8>,
        next: &State<u8>,
        outputs: &[Output<u8>],
        message: impl Fn(CallId) -> Option<u8>,
    ) {
        self.note_mutex(last, next, &message);
        self.note_queue(last, next);
        self.note_rejected(last, next);
        self.note_woken(last, next);
        for output in outputs {
            self.note_output(last, next, output, &message);
        }
    }

    fn became(&mut self, message: u8, fate: Fate) {
        self.events.push(Event { message, fate });
    }

    /// The mutex was taken by a Receive.
    fn note_mutex(
        &mut self,
        last: &State<u8>,
        next: &State<u8>,
        message: impl Fn(CallId) -> Option<u8>,
    ) {
        for (call, _) in next.calls() {
            if holds(next, call)
                && !holds(last, call)
                && let Some(message) = message(call)
            {
                self.became(message, Fate::Held);
            }
        }
    }

    fn note_queue(&mut self, last: &State<u8>, next: &State<u8>) {
        let was_closed = last.channel().is_closed();
        let grew = pending(next) > pending(last);
        let removal = |call: &Call<u8>| matches!(call, Call::Receive(receive) if receive.at() == ReceiveStep::Remove);
        let close =
            |call: &Call<u8>| matches!(call, Call::Next(next, _) if next.at() == NextStep::Close);
        let seen = &mut self.seen;
        seen.add(Fact::AppendedAfterClose, was_closed && grew);
        seen.add(Fact::Reopened, was_closed && !next.channel().is_closed());
        seen.add(Fact::ClosedAgain, was_closed && left(last, next, close));
        seen.add(Fact::AppendRetried, grew && left(last, next, removal));
    }

    fn note_rejected(&mut self, last: &State<u8>, next: &State<u8>) {
        if next.channel().counts().rejected == last.channel().counts().rejected {
            return;
        }
        let at = |step: ReceiveStep| {
            left(
                last,
                next,
                |call| matches!(call, Call::Receive(receive) if receive.at() == step),
            )
        };
        let is_open = !last.channel().is_closed();
        let seen = &mut self.seen;
        seen.add(Fact::RejectedByClosed, at(ReceiveStep::TestClosed));
        seen.add(
            Fact::RejectedByCancellation,
            is_open && at(ReceiveStep::Decide),
        );
    }

    fn note_woken(&mut self, last: &State<u8>, next: &State<u8>) {
        let parked = |call: &Call<u8>| matches!(call, Call::Next(next, _) if next.is_parked());
        if !left(last, next, parked) {
            return;
        }
        let message = pending(next) > pending(last);
        let cancel = next.channel().is_cancelled() && !last.channel().is_cancelled();
        self.seen.add(Fact::WokenByMessage, message);
        self.seen.add(Fact::WokenByCancel, cancel);
        self.seen.add(Fact::WokenByCaller, !message && !cancel);
    }

    fn note_output(
        &mut self,
        last: &State<u8>,
        next: &State<u8>,
        output: &Output<u8>,
        message: impl Fn(CallId) -> Option<u8>,
    ) {
        match output {
            Output::Removed(_, Some(message)) => {
                self.became(*message, Fate::Dropped);
                let has_room = pending(last) < last.channel().capacity();
                self.seen.add(Fact::DroppedWithRoom, has_room);
            }
            Output::Received(call, receipt) => {
                if let Some(message) = message(*call) {
                    self.note_received(next, message, *receipt);
                }
            }
            Output::Taken(_, Ok(taken)) => self.note_taken(next, *taken),
            Output::Taken(_, Err(Stop::Cancelled | Stop::Ended)) => {
                self.seen.add(Fact::WithheldAfterCancel, pending(next) > 0);
            }
            _ => {}
        }
    }

    fn note_received(&mut self, next: &State<u8>, message: u8, receipt: Receipt) {
        match receipt {
            Receipt::Rejected => self.became(message, Fate::Rejected),
            Receipt::DroppedNewest => self.became(message, Fate::Dropped),
            Receipt::Queued | Receipt::DroppedOldest => {}
        }
        let channel = next.channel();
        let is_over = channel.is_cancelled() || channel.is_closed();
        let is_kept = channel.pending().any(|kept| *kept == message)
            || oracle::was_taken(&self.events, message);
        self.seen.add(Fact::NewestLost, !is_over && !is_kept);
    }

    fn note_taken(&mut self, next: &State<u8>, taken: Taken<u8>) {
        let Some(message) = taken.message else {
            self.seen.add(Fact::Phantom, true);
            return;
        };
        let is_told = taken.missed == oracle::missed(&self.events);
        self.became(message, Fate::Taken);
        let seen = &mut self.seen;
        seen.add(Fact::Mistold, !is_told);
        seen.add(Fact::ToldOfLosses, taken.missed > 0);
        seen.add(Fact::DeliveredAfterCancel, next.channel().is_cancelled());
    }
}

fn pending(state: &State<u8>) -> u64 {
    state.channel().pending().len() as u64
}

fn holds(state: &State<u8>, call: CallId) -> bool {
    matches!(state.call(call), Some(Call::Receive(receive)) if receive.holds_mutex())
}

/// Whether a call that was like this is not any more.
fn left(last: &State<u8>, next: &State<u8>, is: impl Fn(&Call<u8>) -> bool) -> bool {
    let mut calls = last.calls();
    calls.any(|(call, state)| is(state) && !next.call(call).is_some_and(&is))
}
