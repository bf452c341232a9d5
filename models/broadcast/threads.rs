//! Threads that make calls on one broadcaster. Every atomic step of section 3 is an action, with every
//! case that it may choose, so anything may come between two steps of a call.

use std::num::NonZeroU64;

use concord_systems::broadcast::{
    Broadcast, Call as InCall, CallId, Choice, Choices, Input, NextStep, Output, Reason, Receipt,
    ReceiveStep, State, Stop, Strategies, Taken,
};
use concord_systems::machine::Machine as _;
use serde::{Deserialize, Serialize};
use stateright::{Model, Property as Peer};

use crate::checker::{self, Checkable as _};

use super::history::History;
use super::oracle::Event;

/// Threads and the broadcaster that they share.
#[derive(Clone, Debug)]
pub struct Threads {
    /// Of the queue.
    pub capacity: NonZeroU64,
    /// Of the broadcaster.
    pub strategies: Strategies,
    /// What each thread does.
    pub programs: Vec<Program>,
    /// Messages received before, as many as there is room for.
    pub pending: Vec<u8>,
    /// Whether the parent was cancelled before, once those were received.
    pub cancelled: bool,
    /// When publications end.
    pub publications: Publications,
    /// Which of several possible cases is taken: the first that stands here, or any if none does.
    pub order: Vec<Choice>,
    /// Whether the state keeps what each call returned.
    pub keeps_returns: bool,
    /// Whether liveness is judged under fairness.
    pub fair: bool,
}

/// What one thread does.
#[derive(Clone, Debug)]
pub struct Program {
    /// For people.
    pub name: &'static str,
    /// Its calls, one after the other.
    pub calls: Vec<Call>,
    /// Whether it starts over. Then it ends only when a Next tells that there will be no more, or
    /// that its caller gave up: the loop of the store.
    pub repeats: bool,
}

/// A call of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// BRC-5. Messages of one model are distinct.
    Receive(u8),
    /// BRC-6, with a signal that is the thread's own.
    Next,
    /// BRC-4.
    Broadcast(u8),
    /// X.
    Cancel,
    /// Sets the signal of the thread with this index.
    Signal(u8),
}

/// When publications end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Publications {
    /// At any time, or never.
    Whenever,
    /// Once every thread that does not publish has ended.
    Last,
}

/// What a call returned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub enum Returned {
    /// A Receive.
    Received(Receipt),
    /// A Next.
    Taken(Result<Taken<u8>, Stop>),
    /// A Broadcast, a cancellation or the setting of a signal.
    Done,
}

/// The broadcaster, where its threads are, and what properties remember.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Process {
    pub(super) core: State<u8>,
    pub(super) threads: Vec<Thread>,
    pub(super) history: History,
}

/// Where a thread is. Its call in progress stands in the core, under its index.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Thread {
    /// Index of the call that it makes, or makes next.
    at: u8,
    pub(super) end: Option<End>,
    /// Its signal, once set.
    signal: Option<Reason>,
    /// Only where the model keeps them.
    pub(super) returns: Vec<Returned>,
}

/// How a thread ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum End {
    /// It made its last call.
    Done,
    /// A Next told it not to call again.
    Stopped(Stop),
    /// Its publication never ends.
    Stuck,
}

/// What can happen. Each names the index of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It begins its next call. Cancelling and setting a signal is done at once.
    Begin(u8),
    /// Its Receive takes this step, with this case.
    Receive(u8, ReceiveStep, Option<Choice>),
    /// Its Next takes this step, with this case.
    Next(u8, NextStep, Option<Choice>),
    /// Its Broadcast takes the next step.
    Broadcast(u8),
    /// Its publication ends.
    Published(u8),
    /// Its publication never ends.
    Stuck(u8),
}

/// Under which messages are received before.
const SETUP: CallId = CallId::MAX;

impl Threads {
    /// The call that a thread makes, or makes next.
    fn call(&self, process: &Process, thread: u8) -> Option<Call> {
        let state = process.threads.get(usize::from(thread))?;
        if state.end.is_some() {
            return None;
        }
        let calls = &self.programs[usize::from(thread)].calls;
        calls.get(usize::from(state.at)).copied()
    }

    /// Whether some thread sets a signal.
    pub(super) fn has_signals(&self) -> bool {
        let mut calls = self.programs.iter().flat_map(|program| &program.calls);
        calls.any(|call| matches!(call, Call::Signal(_)))
    }

    /// The message of a Receive.
    pub(super) fn message(&self, process: &Process, call: CallId) -> Option<u8> {
        match self.call(process, call as u8)? {
            Call::Receive(message) => Some(message),
            _ => None,
        }
    }

    fn steps(&self, process: &Process, thread: u8, actions: &mut Vec<Action>) {
        let id = CallId::from(thread);
        let core = &process.core;
        match core.call(id) {
            None if self.call(process, thread).is_some() => actions.push(Action::Begin(thread)),
            Some(InCall::Broadcast(Broadcast::Publishing)) => {
                self.publication_ends(process, thread, actions);
            }
            Some(_) if !core.can_advance(id) => {}
            Some(InCall::Broadcast(_)) => actions.push(Action::Broadcast(thread)),
            Some(InCall::Receive(receive)) => self.each_case(core.choices(id), |choice| {
                actions.push(Action::Receive(thread, receive.at(), choice));
            }),
            Some(InCall::Next(next, _)) => self.each_case(core.choices(id), |choice| {
                actions.push(Action::Next(thread, next.at(), choice));
            }),
            None => {}
        }
    }

    fn publication_ends(&self, process: &Process, thread: u8, actions: &mut Vec<Action>) {
        if process.threads[usize::from(thread)].end.is_some() {
            return;
        }
        let goes_on = |other| {
            let call = self.call(process, other);
            call.is_some_and(|call| !matches!(call, Call::Broadcast(_)))
        };
        match self.publications {
            Publications::Whenever => {
                actions.extend([Action::Published(thread), Action::Stuck(thread)]);
            }
            Publications::Last if (0..self.programs.len() as u8).any(goes_on) => {}
            Publications::Last => actions.push(Action::Published(thread)),
        }
    }

    /// Every way to choose.
    fn each_case(&self, cases: Choices, mut each: impl FnMut(Option<Choice>)) {
        let mut order = self.order.iter().copied();
        if cases.is_empty() {
            each(None);
        } else if let Some(first) = order.find(|choice| cases.contains(*choice)) {
            each(Some(first));
        } else {
            cases.iter().for_each(|choice| each(Some(choice)));
        }
    }

    fn begin(&self, last: &State<u8>, process: &mut Process, thread: u8) -> Option<()> {
        let call = CallId::from(thread);
        match self.call(process, thread)? {
            Call::Receive(message) => self.step(last, process, Input::Receive { call, message }),
            Call::Broadcast(message) => {
                self.step(last, process, Input::Broadcast { call, message });
            }
            Call::Next => {
                self.step(last, process, Input::Next { call });
                if let Some(reason) = process.threads[usize::from(thread)].signal {
                    self.step(last, process, Input::Signal { call, reason });
                }
            }
            Call::Cancel => {
                self.step(last, process, Input::Cancel);
                self.returned(process, thread, Returned::Done);
            }
            Call::Signal(other) => {
                let reason = Reason::Cancelled;
                process.threads[usize::from(other)].signal = Some(reason);
                let call = CallId::from(other);
                self.step(last, process, Input::Signal { call, reason });
                self.returned(process, thread, Returned::Done);
            }
        }
        Some(())
    }

    /// Takes a step of a thread's call if it is at that step.
    fn advance(
        &self,
        last: &State<u8>,
        process: &mut Process,
        thread: u8,
        choice: Option<Choice>,
        is_at: impl FnOnce(&InCall<u8>) -> bool,
    ) -> Option<()> {
        let call = CallId::from(thread);
        let cases = last.choices(call);
        let is_possible = match choice {
            Some(choice) => cases.contains(choice),
            None => cases.is_empty(),
        };
        if !is_possible || !last.can_advance(call) || !last.call(call).is_some_and(is_at) {
            return None;
        }
        self.step(last, process, Input::Advance { call, choice });
        Some(())
    }

    fn step(&self, last: &State<u8>, process: &mut Process, input: Input<u8>) {
        let mut outputs = Vec::new();
        process.core.step(input, &mut outputs);
        let mut history = std::mem::take(&mut process.history);
        let message = |call| self.message(process, call);
        history.note(last, &process.core, &outputs, message);
        process.history = history;
        for output in outputs {
            let (call, returned) = match output {
                Output::Received(call, receipt) => (call, Returned::Received(receipt)),
                Output::Taken(call, result) => (call, Returned::Taken(result)),
                Output::Broadcast(call, _) => (call, Returned::Done),
                _ => continue,
            };
            self.returned(process, call as u8, returned);
        }
    }

    fn returned(&self, process: &mut Process, thread: u8, returned: Returned) {
        let program = &self.programs[usize::from(thread)];
        let thread = &mut process.threads[usize::from(thread)];
        if self.keeps_returns {
            thread.returns.push(returned);
        }
        thread.at += 1;
        let is_last = usize::from(thread.at) == program.calls.len();
        match returned {
            Returned::Taken(Err(stop @ (Stop::Ended | Stop::Caller(_)))) if program.repeats => {
                thread.end = Some(End::Stopped(stop));
            }
            _ if is_last && program.repeats => thread.at = 0,
            _ if is_last => thread.end = Some(End::Done),
            _ => {}
        }
    }
}

impl Model for Threads {
    type State = Process;
    type Action = Action;

    fn init_states(&self) -> Vec<Process> {
        let thread = Thread {
            at: 0,
            end: None,
            signal: None,
            returns: Vec::new(),
        };
        let mut core = State::new(self.capacity, self.strategies);
        let mut history = History::default();
        let mut drive = |input, message| {
            let last = core.clone();
            let mut outputs = Vec::new();
            core.step(input, &mut outputs);
            history.note(&last, &core, &outputs, |_| message);
            core.call(SETUP).is_some()
        };
        for message in self.pending.iter().copied() {
            let call = SETUP;
            let mut goes_on = drive(Input::Receive { call, message }, Some(message));
            while goes_on {
                let choice = None;
                goes_on = drive(Input::Advance { call, choice }, Some(message));
            }
        }
        if self.cancelled {
            drive(Input::Cancel, None);
        }
        vec![Process {
            core,
            threads: vec![thread; self.programs.len()],
            history,
        }]
    }

    fn actions(&self, process: &Process, actions: &mut Vec<Action>) {
        if process.core.aborted().is_none() {
            (0..self.programs.len() as u8).for_each(|thread| self.steps(process, thread, actions));
        }
    }

    fn next_state(&self, last: &Process, action: Action) -> Option<Process> {
        let mut process = last.clone();
        let next = &mut process;
        next.history.begin_step();
        let last = &last.core;
        match action {
            Action::Begin(thread) => {
                let is_free = last.call(CallId::from(thread)).is_none();
                is_free.then(|| self.begin(last, next, thread))??;
            }
            Action::Receive(thread, step, choice) => self.advance(
                last,
                next,
                thread,
                choice,
                |call| matches!(call, InCall::Receive(receive) if receive.at() == step),
            )?,
            Action::Next(thread, step, choice) => self.advance(
                last,
                next,
                thread,
                choice,
                |call| matches!(call, InCall::Next(next, _) if next.at() == step),
            )?,
            Action::Broadcast(thread) => self.advance(last, next, thread, None, |call| {
                matches!(call, InCall::Broadcast(_))
            })?,
            Action::Published(thread) => {
                is_publishing(next, thread)?;
                let call = CallId::from(thread);
                self.step(last, next, Input::Published { call, ok: true });
            }
            Action::Stuck(thread) => {
                is_publishing(next, thread)?;
                next.threads[usize::from(thread)].end = Some(End::Stuck);
            }
        }
        Some(process)
    }

    fn properties(&self) -> Vec<Peer<Self>> {
        checker::safety(&self.claims())
    }
}

impl Process {
    /// Heap bytes that it owns, calls and pending messages in the core estimated.
    pub(super) fn heap_bytes(&self) -> usize {
        let returns = self.threads.iter().map(|thread| thread.returns.capacity());
        let calls = self.core.calls().count() + self.core.channel().pending().len();
        self.threads.capacity() * size_of::<Thread>()
            + returns.sum::<usize>() * size_of::<Returned>()
            + self.history.events.capacity() * size_of::<Event>()
            + calls * size_of::<(CallId, InCall<u8>)>()
    }
}

fn is_publishing(process: &Process, thread: u8) -> Option<()> {
    let call = process.core.call(CallId::from(thread));
    let publishes = matches!(call, Some(InCall::Broadcast(Broadcast::Publishing)));
    let is_stuck = process.threads[usize::from(thread)].end.is_some();
    (publishes && !is_stuck).then_some(())
}
