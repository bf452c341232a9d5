//! What a case is run with.

use concord::models::broadcast::cases::{Call, Case};

use crate::broadcast::{Choice, Strategies};

/// How a Next waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Drive {
    Thread,
    /// As a future, which prefers as users' futures do.
    Task,
}

/// A case on a broadcaster of some kind.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) case: Case,
    pub(super) strategies: Strategies,
    pub(super) drive: Drive,
    /// For each call of each thread: what it takes if several cases are possible, that among them.
    pub(super) choices: Vec<Vec<Choice>>,
    /// How often the channel is looked at while the threads run.
    pub(super) looks: usize,
}

/// For each call of each thread, the cases that can be possible at once with others.
pub(super) fn options(case: &Case, drive: Drive) -> Vec<Vec<&'static [Choice]>> {
    let of_thread = |(thread, calls): (usize, &&[Call])| {
        let is_signalled = is_signalled(case, thread);
        let of_call = |call: &Call| match call {
            Call::Receive(_) if cancels(case) => &[Choice::Queue, Choice::Reject][..],
            Call::Next if drive == Drive::Task => &[Choice::Data],
            Call::Next if is_signalled => &[Choice::Data, Choice::Caller],
            Call::Next if cancels(case) => &[Choice::Data, Choice::Parent],
            _ => &[Choice::Data],
        };
        calls.iter().map(of_call).collect()
    };
    let threads = case.threads.iter().enumerate();
    let options = threads.map(of_thread).collect();
    assert!(
        !(cancels(case) && (0..case.threads.len()).any(|thread| is_signalled(case, thread))),
        "{}: a Next has two cases at the most",
        case.name
    );
    options
}

/// Every way to take one of the options for each call.
pub(super) fn choices(options: &[Vec<&[Choice]>]) -> Vec<Vec<Vec<Choice>>> {
    let threads = options
        .iter()
        .map(|calls| product(calls))
        .collect::<Vec<_>>();
    let threads: Vec<&[_]> = threads.iter().map(Vec::as_slice).collect();
    product(&threads)
}

fn product<T: Clone>(places: &[&[T]]) -> Vec<Vec<T>> {
    places.iter().fold(vec![Vec::new()], |lists, options| {
        let longer = |list: &Vec<T>| {
            let list = list.clone();
            let option = |option: &T| [list.as_slice(), std::slice::from_ref(option)].concat();
            options.iter().map(option).collect::<Vec<_>>()
        };
        lists.iter().flat_map(longer).collect()
    })
}

pub(super) fn calls(case: &Case) -> impl Iterator<Item = Call> {
    case.threads.iter().flat_map(|calls| calls.iter().copied())
}

pub(super) fn cancels(case: &Case) -> bool {
    case.cancelled || calls(case).any(|call| call == Call::Cancel)
}

pub(super) fn is_signalled(case: &Case, thread: usize) -> bool {
    calls(case).any(|call| matches!(call, Call::Signal(other) if usize::from(other) == thread))
}

pub(super) fn publishes(calls: &[Call]) -> bool {
    calls.iter().any(|call| matches!(call, Call::Broadcast(_)))
}

#[test]
fn every_choice_is_made() {
    use concord::models::broadcast::cases::{W5, W8C};

    let made = choices(&options(&W5, Drive::Thread));
    let made: Vec<_> = made.iter().map(|threads| threads.concat()).collect();
    use Choice::{Caller, Data, Parent, Queue, Reject};
    let expected = [
        [Queue, Data, Data],
        [Queue, Data, Parent],
        [Reject, Data, Data],
        [Reject, Data, Parent],
    ];
    assert_eq!(made, expected);
    assert_eq!(options(&W8C, Drive::Thread)[0], [[Data, Caller]]);
}
