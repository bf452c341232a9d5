//! The shell does what the core does: the same operations, one after the other, give the same
//! results, counts and pending messages.

use std::future::Future;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use concord::systems::broadcast::{
    Broadcaster, CallId, Choice, Inbox, Input, NextMessage, Output, PubSub, Reason, Receipt,
    Signal, State, Stop, Strategies, Taken,
};
use concord::systems::machine::Machine;
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::common::cases;

type Message = u16;
type Result = std::result::Result<Taken<Message>, Stop>;
type Published = std::result::Result<(), Message>;

/// What a caller of the shell may do without waiting.
#[derive(Clone, Debug)]
enum Op {
    /// With these cases preferred, if any.
    Receive(Message, Vec<Choice>),
    /// With a signal that is set or not, and these cases preferred, if it need not wait.
    Next(Option<Reason>, Vec<Choice>),
    TryNext,
    /// Polls a future, a new one if need be.
    Poll(usize),
    /// Drops a future.
    Drop(usize),
    /// Sets the signal of a future, which may not have been polled yet.
    Set(usize, Reason),
    Cancel,
    Broadcast(Message),
}

/// How many futures there are at a time.
const TASKS: usize = 3;

fn op() -> impl Strategy<Value = Op> {
    let order = |cases: &[Choice]| {
        let cases = cases.to_vec();
        let count = cases.len();
        subsequence(cases, 0..=count).prop_shuffle()
    };
    let intake = order(&[Choice::Queue, Choice::Reject]);
    let offer = order(&[Choice::Data, Choice::Caller, Choice::Parent]);
    let reason = || prop::sample::select(&[Reason::Cancelled, Reason::Expired][..]);
    let future = || 0..TASKS;
    prop_oneof![
        40 => (any::<Message>(), intake).prop_map(|(message, order)| Op::Receive(message, order)),
        15 => (prop::option::weighted(0.3, reason()), offer)
            .prop_map(|(signal, order)| Op::Next(signal, order)),
        5 => Just(Op::TryNext),
        20 => future().prop_map(Op::Poll),
        5 => future().prop_map(Op::Drop),
        2 => (future(), reason()).prop_map(|(future, reason)| Op::Set(future, reason)),
        1 => Just(Op::Cancel),
        3 => any::<Message>().prop_map(Op::Broadcast),
    ]
}

/// What the shell documents as its preferences.
const INTAKE: [Choice; 2] = [Choice::Reject, Choice::Queue];
const OFFER: [Choice; 3] = [Choice::Data, Choice::Caller, Choice::Parent];

/// The core, driven by its inputs.
struct Core(State<Message>);

/// The call of an operation that ends at once.
const NOW: CallId = TASKS as CallId;

/// The call of a task.
fn call(at: usize) -> CallId {
    at as CallId
}

impl Core {
    fn input(&mut self, input: Input<Message>) -> Option<Output<Message>> {
        let mut outputs = Vec::new();
        self.0.step(input, &mut outputs);
        assert!(outputs.len() < 2, "{outputs:?}");
        outputs.pop()
    }

    /// Takes steps until the call tells something, with the first possible case of `order`.
    fn run(&mut self, call: CallId, order: &[Choice]) -> Output<Message> {
        loop {
            let cases = self.0.choices(call);
            let preferred = order.iter().copied().find(|choice| cases.contains(*choice));
            let choice = preferred.or_else(|| cases.iter().next());
            if let Some(output) = self.input(Input::Advance { call, choice }) {
                return output;
            }
        }
    }

    fn receive(&mut self, message: Message, order: &[Choice]) -> Receipt {
        let call = NOW;
        self.input(Input::Receive { call, message });
        loop {
            match self.run(call, order) {
                Output::Received(_, receipt) => return receipt,
                output => assert!(matches!(output, Output::Full(_) | Output::Removed(..))),
            }
        }
    }

    /// One look of a Next; none if it would wait.
    fn look(&mut self, call: CallId, caller: Option<Reason>, order: &[Choice]) -> Option<Result> {
        if self.0.call(call).is_none() {
            self.input(Input::Next { call });
        }
        if let Some(reason) = caller {
            self.input(Input::Signal { call, reason });
        }
        match self.run(call, order) {
            Output::Taken(_, result) => Some(result),
            output => {
                assert_eq!(output, Output::Parked(call));
                None
            }
        }
    }

    /// As [`Core::look`], and does not wait.
    fn try_look(&mut self, caller: Option<Reason>, order: &[Choice]) -> Option<Result> {
        let result = self.look(NOW, caller, order);
        self.input(Input::Withdraw { call: NOW });
        result
    }

    fn broadcast(&mut self, message: Message, ok: bool) -> Option<Output<Message>> {
        let call = NOW;
        self.input(Input::Broadcast { call, message });
        let output = self.run(call, &[]);
        assert_eq!(output, Output::Publish { call, message });
        self.input(Input::Published { call, ok })
    }
}

/// Takes even messages.
struct Publisher;

impl PubSub<Message> for Publisher {
    type Error = Message;

    fn subscribe(&self, _: &str, _: Box<dyn Fn(Message) + Send + Sync>) -> Published {
        Ok(())
    }

    fn publish(&self, _: &str, message: Message) -> Published {
        if message.is_multiple_of(2) {
            Ok(())
        } else {
            Err(message)
        }
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A future of the shell, which is also a call of the core.
struct Task<'a> {
    future: Pin<Box<NextMessage<'a, Message>>>,
    signal: &'a Signal<Message>,
    wakes: Arc<Wakes>,
    /// Whether it waits since it was polled, and need not look again.
    waits: bool,
    polled: bool,
}

impl<'a> Task<'a> {
    fn new(inbox: &'a Inbox<Message>, signal: &'a Signal<Message>) -> Self {
        Self {
            future: Box::pin(inbox.next(Some(signal))),
            signal,
            wakes: Arc::default(),
            waits: false,
            polled: false,
        }
    }

    fn poll(&mut self) -> Option<Result> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.wakes.0.store(0, Ordering::Relaxed);
        self.polled = true;
        match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => {
                self.waits = true;
                None
            }
        }
    }
}

/// Both, doing the same.
struct Both<'a> {
    broadcaster: &'a Broadcaster<Publisher, Message>,
    signals: slice::Iter<'a, Signal<Message>>,
    tasks: [Option<Task<'a>>; TASKS],
    core: Core,
}

impl<'a> Both<'a> {
    /// The task in a place, new if there is none.
    fn task(&mut self, at: usize) -> &mut Task<'a> {
        let (inbox, signals) = (self.broadcaster.inbox(), &mut self.signals);
        self.tasks[at].get_or_insert_with(|| {
            let signal = signals.next().expect("there is one for each operation");
            self.core.input(Input::Next { call: call(at) });
            Task::new(inbox, signal)
        })
    }

    fn perform(&mut self, op: &Op) {
        let inbox = self.broadcaster.inbox();
        match op {
            Op::Receive(message, order) => {
                let receipt = match order.is_empty() {
                    true => inbox.receive(*message),
                    false => inbox.receive_preferring(*message, order),
                };
                let order = if order.is_empty() {
                    &INTAKE
                } else {
                    &order[..]
                };
                assert_eq!(receipt, self.core.receive(*message, order));
            }
            Op::Next(reason, order) => {
                let signal = self
                    .signals
                    .next()
                    .expect("there is one for each operation");
                if let Some(reason) = reason {
                    self.set(signal, *reason);
                }
                if let Some(expected) = self.core.try_look(*reason, order) {
                    let result = inbox.blocking_next_preferring(Some(signal), order);
                    assert_eq!(result, expected);
                }
            }
            Op::TryNext => assert_eq!(inbox.try_next(), self.core.try_look(None, &OFFER)),
            Op::Poll(at) => {
                let result = self.task(*at).poll();
                assert_eq!(result, self.core.look(call(*at), None, &OFFER));
                if result.is_some() {
                    self.tasks[*at] = None;
                }
            }
            Op::Drop(at) => {
                self.tasks[*at] = None;
                self.core.input(Input::Withdraw { call: call(*at) });
            }
            Op::Set(at, reason) => {
                let signal = self.task(*at).signal;
                let reason = signal.reason().unwrap_or(*reason);
                self.set(signal, reason);
                let call = call(*at);
                self.core.input(Input::Signal { call, reason });
            }
            Op::Cancel => {
                inbox.cancel();
                self.core.input(Input::Cancel);
            }
            Op::Broadcast(message) => {
                let published = self.broadcaster.broadcast(*message);
                assert_eq!(published, Publisher.publish("", *message));
                let output = self.core.broadcast(*message, published.is_ok());
                assert_eq!(output, Some(Output::Broadcast(NOW, published.is_ok())));
            }
        }
    }

    /// Whoever waits looks at its signal.
    fn set(&mut self, signal: &Signal<Message>, reason: Reason) {
        signal.set(reason);
        assert_eq!(signal.reason(), Some(reason));
        for task in self.tasks.iter_mut().flatten() {
            task.waits = false;
        }
    }

    fn compare(&mut self) {
        let core = self.core.0.channel();
        self.broadcaster.inbox().inspect(|shell| {
            assert!(shell.pending().eq(core.pending()));
            assert_eq!(shell.counts(), core.counts());
            assert_eq!(shell.is_cancelled(), core.is_cancelled());
            assert_eq!(shell.is_closed(), core.is_closed());
        });
        for (at, task) in self.tasks.iter_mut().enumerate() {
            if let Some(task) = task {
                task.waits &= !self.core.0.can_advance(call(at));
                let woken = task.wakes.0.load(Ordering::Relaxed);
                let polled = task.polled;
                assert_eq!(woken, usize::from(polled && !task.waits), "task {at}");
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn the_shell_does_what_the_core_does(
        capacity in 1..4_u64,
        remedied: bool,
        ops in prop::collection::vec(op(), 1..120),
    ) {
        let strategies = if remedied { Strategies::REMEDIED } else { Strategies::REFERENCE };
        let capacity = NonZeroU64::new(capacity).expect("it is at least one");
        let inbox = Inbox::new(capacity, strategies);
        let signals: Vec<_> = ops.iter().map(|_| inbox.signal()).collect();
        let broadcaster = Broadcaster::new(Publisher, inbox);
        let mut both = Both {
            broadcaster: &broadcaster,
            signals: signals.iter(),
            tasks: Default::default(),
            core: Core(State::new(capacity, strategies)),
        };
        for op in &ops {
            both.perform(op);
            both.compare();
        }
    }
}
