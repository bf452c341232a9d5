//! The core under any inputs, sensible or not.

use std::fmt::Debug;
use std::hash::Hash;
use std::num::NonZeroU64;

use concord::systems::broadcast::{
    Abort, CallId, Choice, Close, Drained, Input, Losses, Output, Overflow, Publication, Reason,
    Receipt, Shutdown, State, Stop, Strategies, Taken, Waiting,
};
use concord::systems::machine::Machine;
use proptest::prelude::*;
use proptest::sample::select;

use super::common::cases;

fn state<M>(capacity: u64, strategies: Strategies) -> State<M> {
    let capacity = NonZeroU64::new(capacity).expect("tests ask for room");
    State::new(capacity, strategies)
}

fn step<M: Clone + Eq + Hash + Debug>(state: &mut State<M>, input: Input<M>) -> Vec<Output<M>> {
    let mut outputs = Vec::new();
    state.step(input, &mut outputs);
    outputs
}

fn advance(call: CallId) -> Input<u8> {
    let choice = None;
    Input::Advance { call, choice }
}

/// A broadcaster of capacity 1 after these inputs.
fn after(strategies: Strategies, inputs: &[Input<u8>]) -> State<u8> {
    let mut state = state(1, strategies);
    for input in inputs {
        step(&mut state, input.clone());
    }
    state
}

/// Nothing is answered and nothing changes.
#[track_caller]
fn is_ignored(state: &State<u8>, input: Input<u8>) {
    let mut same = state.clone();
    assert_eq!(step(&mut same, input), []);
    assert_eq!(&same, state);
}

fn receive(call: CallId, message: u8) -> Input<u8> {
    Input::Receive { call, message }
}

const UNKNOWN: CallId = 9;

#[test]
fn inputs_for_calls_that_are_not_in_progress_are_ignored() {
    let call = UNKNOWN;
    let reason = Reason::Expired;
    let inputs = [
        advance(call),
        Input::Signal { call, reason },
        Input::Published { call, ok: true },
        Input::Withdraw { call },
    ];
    let states = [
        after(Strategies::REFERENCE, &[]),
        after(Strategies::REMEDIED, &[receive(0, 1), advance(0)]),
        after(
            Strategies::REMEDIED,
            &[Input::Next { call: 1 }, Input::Cancel],
        ),
    ];
    for (state, input) in states
        .iter()
        .flat_map(|state| inputs.iter().map(move |i| (state, i)))
    {
        is_ignored(state, input.clone());
    }
}

#[test]
fn inputs_for_calls_of_another_kind_are_ignored() {
    let (call, reason, ok) = (0, Reason::Cancelled, true);
    let receives = after(Strategies::REMEDIED, &[receive(call, 1)]);
    is_ignored(&receives, Input::Signal { call, reason });
    is_ignored(&receives, Input::Published { call, ok });
    let waits = after(Strategies::REMEDIED, &[Input::Next { call }]);
    is_ignored(&waits, Input::Published { call, ok });
    let message = 1;
    let broadcasts = after(Strategies::REMEDIED, &[Input::Broadcast { call, message }]);
    is_ignored(&broadcasts, Input::Signal { call, reason });
    is_ignored(&broadcasts, Input::Published { call, ok });
    is_ignored(&broadcasts, Input::Withdraw { call });
}

#[test]
fn a_call_that_changed_something_is_not_withdrawn() {
    let call = 0;
    let mut locked = after(Strategies::REMEDIED, &[receive(call, 1), advance(call)]);
    is_ignored(&locked, Input::Withdraw { call });
    step(&mut locked, advance(call));
    step(&mut locked, advance(call));
    is_ignored(&locked, Input::Withdraw { call });
    let next = Input::Next { call };
    let ended = [Input::Cancel, next, advance(call), advance(call)];
    for steps in [4, 3] {
        // With the mutex; and chosen, but still without it.
        let mut state = after(Strategies::REMEDIED, &ended[..steps]);
        let before = state.clone();
        step(&mut state, Input::Withdraw { call });
        assert_eq!(state == before, steps == 4);
        assert_eq!(state.call(call).is_none(), steps == 3);
    }
}

#[test]
fn a_blocked_or_undecided_step_changes_nothing() {
    let inputs = [receive(0, 1), advance(0), receive(1, 2)];
    let state = after(Strategies::REFERENCE, &inputs);
    let mut same = state.clone();
    assert_eq!(step(&mut same, advance(1)), [Output::Blocked(1)]);
    assert_eq!(same, state);

    let inputs = [Input::Cancel, receive(0, 1), advance(0), advance(0)];
    let state = after(Strategies::REFERENCE, &inputs);
    for choice in [None, Some(Choice::Data)] {
        let mut same = state.clone();
        let outputs = step(&mut same, Input::Advance { call: 0, choice });
        assert_eq!(outputs, [Output::Undecided(0)]);
        assert_eq!(same, state);
    }
}

#[test]
fn after_an_abort_every_input_is_ignored() {
    let strategies = Strategies {
        close: Close::Once,
        ..Strategies::REFERENCE
    };
    let next = Input::Next { call: 1 };
    let inputs = [Input::Cancel, next, advance(1), advance(1), receive(0, 1)];
    let mut state = after(strategies, &inputs);
    step(&mut state, advance(0));
    step(&mut state, advance(0));
    let choice = Some(Choice::Queue);
    let outputs = step(&mut state, Input::Advance { call: 0, choice });
    assert_eq!(outputs, [Output::Aborted(Abort::AppendToClosed)]);
    assert_eq!(state.aborted(), Some(Abort::AppendToClosed));
    for input in [
        receive(5, 1),
        advance(0),
        Input::Cancel,
        Input::Next { call: 6 },
    ] {
        is_ignored(&state, input);
    }
}

/// Whatever comes, a discarded message is kept no longer than its call.
#[test]
fn a_rejected_message_goes_with_its_call() {
    let message = std::sync::Arc::new(());
    let mut state = state(1, Strategies::REMEDIED);
    step(&mut state, Input::Cancel);
    let (call, held) = (0, message.clone());
    step(
        &mut state,
        Input::Receive {
            call,
            message: held,
        },
    );
    let choice = Some(Choice::Reject);
    let returned = (0..4)
        .flat_map(|_| step(&mut state, Input::Advance { call, choice }))
        .last();
    assert_eq!(returned, Some(Output::Received(0, Receipt::Rejected)));
    assert_eq!(std::sync::Arc::strong_count(&message), 1);
}

fn input() -> impl Strategy<Value = Input<u8>> {
    let call = || 0..4_u32;
    let reason = select(&[Reason::Cancelled, Reason::Expired][..]);
    let choice = select(
        &[
            None,
            Some(Choice::Queue),
            Some(Choice::Reject),
            Some(Choice::Data),
            Some(Choice::Caller),
            Some(Choice::Parent),
        ][..],
    );
    prop_oneof![
        15 => (call(), any::<u8>()).prop_map(|(call, message)| Input::Receive { call, message }),
        10 => call().prop_map(|call| Input::Next { call }),
        5 => (call(), any::<u8>()).prop_map(|(call, message)| Input::Broadcast { call, message }),
        1 => Just(Input::Cancel),
        2 => (call(), reason).prop_map(|(call, reason)| Input::Signal { call, reason }),
        5 => (call(), any::<bool>()).prop_map(|(call, ok)| Input::Published { call, ok }),
        2 => call().prop_map(|call| Input::Withdraw { call }),
        60 => (call(), choice).prop_map(|(call, choice)| Input::Advance { call, choice }),
    ]
}

fn strategies() -> impl Strategy<Value = Strategies> {
    let overflow = select(
        &[
            Overflow::Oldest,
            Overflow::OldestIfStillFull,
            Overflow::Newest,
            Overflow::OldestBlocking,
            Overflow::OldestUnlocked,
        ][..],
    );
    let close = select(
        &[
            Close::Locked,
            Close::Once,
            Close::Bare,
            Close::Unlocked,
            Close::Repeated,
        ][..],
    );
    let others = (any::<bool>(), any::<bool>(), any::<bool>());
    (overflow, close, others, any::<bool>(), any::<bool>()).prop_map(
        |(overflow, close, (drained, shutdown, losses), publication, waiting)| Strategies {
            overflow,
            drained: [Drained::NoMessage, Drained::Cancellation][usize::from(drained)],
            shutdown: [Shutdown::Cancelled, Shutdown::End][usize::from(shutdown)],
            losses: [Losses::Silent, Losses::Told][usize::from(losses)],
            close,
            publication: [Publication::Unlocked, Publication::Locked][usize::from(publication)],
            waiting: [Waiting::Atomic, Waiting::Unchecked][usize::from(waiting)],
            ..Strategies::REMEDIED
        },
    )
}

/// Messages under other names. Not one to one: the core cannot even tell them apart.
fn name(message: u8) -> String {
    format!("m{}", message / 2)
}

fn renamed_input(input: Input<u8>) -> Input<String> {
    match input {
        Input::Receive { call, message } => {
            let message = name(message);
            Input::Receive { call, message }
        }
        Input::Broadcast { call, message } => {
            let message = name(message);
            Input::Broadcast { call, message }
        }
        Input::Next { call } => Input::Next { call },
        Input::Cancel => Input::Cancel,
        Input::Signal { call, reason } => Input::Signal { call, reason },
        Input::Published { call, ok } => Input::Published { call, ok },
        Input::Withdraw { call } => Input::Withdraw { call },
        Input::Advance { call, choice } => Input::Advance { call, choice },
    }
}

fn renamed_output(output: Output<u8>) -> Output<String> {
    match output {
        Output::Publish { call, message } => {
            let message = name(message);
            Output::Publish { call, message }
        }
        Output::Removed(call, message) => Output::Removed(call, message.map(name)),
        Output::Taken(call, result) => {
            let renamed: Result<_, Stop> = result.map(|taken| Taken {
                message: taken.message.map(name),
                missed: taken.missed,
            });
            Output::Taken(call, renamed)
        }
        Output::Full(call) => Output::Full(call),
        Output::Received(call, receipt) => Output::Received(call, receipt),
        Output::Broadcast(call, ok) => Output::Broadcast(call, ok),
        Output::Parked(call) => Output::Parked(call),
        Output::Blocked(call) => Output::Blocked(call),
        Output::Undecided(call) => Output::Undecided(call),
        Output::Aborted(abort) => Output::Aborted(abort),
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// And no sequence of inputs panics.
    #[test]
    fn renaming_messages_commutes_with_step(
        capacity in 1..4_u64,
        strategies in strategies(),
        inputs in prop::collection::vec(input(), 1..200),
    ) {
        let mut numbers = state(capacity, strategies);
        let mut names = state(capacity, strategies);
        for input in inputs {
            let outputs = step(&mut names, renamed_input(input.clone()));
            let numbered: Vec<_> = step(&mut numbers, input).into_iter().map(renamed_output).collect();
            prop_assert_eq!(outputs, numbered);
            let (numbers, names) = (numbers.channel(), names.channel());
            let pending: Vec<String> = numbers.pending().copied().map(name).collect();
            prop_assert!(names.pending().eq(&pending));
            prop_assert_eq!(names.counts(), numbers.counts());
        }
    }
}
