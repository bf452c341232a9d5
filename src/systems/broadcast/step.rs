//! What a broadcaster does with each input.

use std::fmt::Debug;
use std::hash::Hash;

use crate::machine::Machine;

use super::call::{Next, Progress, Receive, ReceiveStep};
use super::channel::{Channel, Choices};
use super::message::{CallId, Choice, Input, Output, Reason};
use super::state::{Broadcast, Call, State};
use super::strategy::Publication;

impl<M: Clone + Eq + Hash + Debug> Machine for State<M> {
    type Input = Input<M>;
    type Output = Output<M>;

    /// Begins a call, or lets one take an atomic step. The name of a call in progress must not be
    /// given to another. An input for a call that is not in progress is ignored.
    fn step(&mut self, input: Input<M>, outputs: &mut Vec<Output<M>>) {
        if self.aborted.is_some() {
            return;
        }
        let before = outputs.len();
        match input {
            Input::Receive { call, message } => {
                self.calls
                    .insert(call, Call::Receive(Receive::new(message)));
            }
            Input::Next { call } => {
                self.calls.insert(call, Call::Next(Next::new(), None));
            }
            Input::Broadcast { call, message } => {
                let broadcast = self.begin_broadcast(message);
                self.calls.insert(call, Call::Broadcast(broadcast));
            }
            Input::Cancel => {
                self.channel.cancel();
                self.wake();
            }
            Input::Signal { call, reason } => self.signal(call, reason),
            Input::Published { call, ok } => self.published(call, ok, outputs),
            Input::Withdraw { call } => self.withdraw(call),
            Input::Advance { call, choice } => self.advance(call, choice, outputs),
        }
        let told = outputs.get(before..).unwrap_or_default();
        told.iter().for_each(|output| self.channel.mutate(output));
    }
}

/// Takes the case that is named, or the only one.
fn chosen(choice: Option<Choice>) -> impl FnOnce(Choices) -> Option<Choice> {
    move |cases| choice.or_else(|| cases.only())
}

impl<M> State<M> {
    fn wake(&mut self) {
        self.calls.change_each(|call| {
            if let Call::Next(next, _) = call {
                next.wake();
            }
        });
    }

    fn signal(&mut self, call: CallId, reason: Reason) {
        if let Some(Call::Next(next, caller)) = self.calls.get_mut(&call) {
            *caller = Some(reason);
            next.wake();
        }
    }

    fn published(&mut self, call: CallId, ok: bool, outputs: &mut Vec<Output<M>>) {
        let state = self.calls.get(&call);
        if !matches!(state, Some(Call::Broadcast(Broadcast::Publishing))) {
            return;
        }
        self.calls.remove(&call);
        if self.channel.strategies().publication == Publication::Locked {
            self.channel.unlock();
        }
        outputs.push(Output::Broadcast(call, ok));
    }

    fn withdraw(&mut self, call: CallId) {
        let unchanged = match self.calls.get(&call) {
            Some(Call::Receive(receive)) => receive.at() == ReceiveStep::Lock,
            Some(Call::Next(next, _)) => !next.is_closing(),
            Some(Call::Broadcast(_)) | None => false,
        };
        if unchanged {
            self.calls.remove(&call);
        }
    }

    fn advance(&mut self, call: CallId, choice: Option<Choice>, outputs: &mut Vec<Output<M>>) {
        let Some(mut state) = self.calls.remove(&call) else {
            return;
        };
        let channel = &mut self.channel;
        let returned = match &mut state {
            Call::Receive(receive) => {
                let progress = receive.advance(channel, chosen(choice));
                self.tell(call, progress, Output::Received, outputs)
            }
            Call::Next(next, caller) => {
                let progress = next.advance(channel, *caller, chosen(choice));
                self.tell(call, progress, Output::Taken, outputs)
            }
            Call::Broadcast(broadcast) => {
                outputs.extend(broadcast.advance(call, channel));
                false
            }
        };
        if !returned {
            self.calls.insert(call, state);
        }
    }

    /// Says what came of a step, and whether the call returned by it.
    fn tell<T>(
        &mut self,
        call: CallId,
        progress: Progress<M, T>,
        returned: fn(CallId, T) -> Output<M>,
        outputs: &mut Vec<Output<M>>,
    ) -> bool {
        outputs.push(match progress {
            Progress::More => return false,
            Progress::Appended | Progress::Closed => {
                self.wake();
                return false;
            }
            Progress::Full => Output::Full(call),
            Progress::Removed(message) => Output::Removed(call, message),
            Progress::Parked => Output::Parked(call),
            Progress::Blocked => Output::Blocked(call),
            Progress::Undecided => Output::Undecided(call),
            Progress::Aborted(abort) => {
                self.aborted = Some(abort);
                Output::Aborted(abort)
            }
            Progress::Done(result) => {
                outputs.push(returned(call, result));
                return true;
            }
        });
        false
    }
}

impl<M> Broadcast<M> {
    /// Takes the next step: the mutex, or the publication.
    fn advance(&mut self, call: CallId, channel: &mut Channel<M>) -> Option<Output<M>> {
        match std::mem::replace(self, Self::Publishing) {
            Self::Locking(message) if channel.try_lock() => *self = Self::Ready(message),
            Self::Locking(message) => {
                *self = Self::Locking(message);
                return Some(Output::Blocked(call));
            }
            Self::Ready(message) => return Some(Output::Publish { call, message }),
            Self::Publishing => return Some(Output::Blocked(call)),
        }
        None
    }
}
