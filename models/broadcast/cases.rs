//! The interleavings of section 5, W1 to W9, and everything that each may end in.
//!
//! [`outcomes`] explores every order of atomic steps of [`super::Threads`]. A checker of the shell
//! runs the same threads on real primitives and compares: the two sets are equal, if both prefer the
//! same cases.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::num::NonZeroU64;

use concord_systems::broadcast::{Abort, Choice, Receipt, Stop, Strategies, Taken};
use stateright::Model as _;

pub use super::threads::{Call, Returned};
use super::threads::{Process, Program, Publications, Threads};

/// Threads that each make a few calls on one broadcaster.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// As in the spec, with a letter where that lists several.
    pub name: &'static str,
    /// Of the queue.
    pub capacity: NonZeroU64,
    /// Messages received before, one after the other; as many as there is room for.
    pub pending: &'static [u8],
    /// Whether the parent was cancelled after that.
    pub cancelled: bool,
    /// The calls of each thread. A Next of a thread is given the signal of that thread, which
    /// [`Call::Signal`] names by its index and sets to [`concord_systems::broadcast::Reason::Cancelled`].
    /// A publication ends once all threads that do not publish have ended.
    pub threads: &'static [&'static [Call]],
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Outcome {
    /// What the calls of each thread returned, in order; fewer than its calls if it never ended.
    pub calls: Vec<Vec<Returned>>,
    /// Whether the queue is closed.
    pub closed: bool,
    /// How many messages were dropped.
    pub dropped: u64,
    /// How many messages were rejected.
    pub rejected: u64,
    /// What is pending, oldest first.
    pub pending: Vec<u8>,
    /// Why the process aborted, if it did.
    pub aborted: Option<Abort>,
}

/// Every way in which a case can end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcomes {
    /// With all threads ended.
    pub ended: BTreeSet<Outcome>,
    /// With threads that wait for ever, or with an abort.
    pub stuck: BTreeSet<Outcome>,
}

const ONE: NonZeroU64 = NonZeroU64::MIN;
const TWO: NonZeroU64 = NonZeroU64::new(2).expect("two is not zero");

use Call::{Broadcast, Cancel, Next, Receive, Signal};

const fn case(
    name: &'static str,
    capacity: NonZeroU64,
    pending: &'static [u8],
    threads: &'static [&'static [Call]],
) -> Case {
    Case {
        name,
        capacity,
        pending,
        cancelled: false,
        threads,
    }
}

/// Receive ∥ Next on a full queue of one.
pub const W1: Case = case("W1", ONE, &[1], &[&[Receive(2)], &[Next]]);
/// Receive ∥ Receive ∥ Next on a full queue of one.
pub const W2: Case = case("W2", ONE, &[1], &[&[Receive(2)], &[Receive(3)], &[Next]]);
/// Receive ∥ Next, Next on a full queue of two.
pub const W3: Case = case("W3", TWO, &[1, 2], &[&[Receive(3)], &[Next, Next]]);
/// Receive ∥ Next on a full queue of two.
pub const W4: Case = case("W4", TWO, &[1, 2], &[&[Receive(3)], &[Next]]);
/// Receive ∥ cancel ∥ Next on a full queue of one.
pub const W5: Case = case("W5", ONE, &[1], &[&[Receive(2)], &[Cancel], &[Next]]);
/// Receive ∥ cancel ∥ Next on an empty queue of one.
pub const W6: Case = case("W6", ONE, &[], &[&[Receive(1)], &[Cancel], &[Next]]);
/// Next ∥ Next, cancelled before.
pub const W7: Case = Case {
    cancelled: true,
    ..case("W7", ONE, &[], &[&[Next], &[Next]])
};
/// A Next that may wait ∥ Receive.
pub const W8A: Case = case("W8a", ONE, &[], &[&[Next], &[Receive(1)]]);
/// A Next that may wait ∥ cancel.
pub const W8B: Case = case("W8b", ONE, &[], &[&[Next], &[Cancel]]);
/// A Next that may wait ∥ its caller's signal.
pub const W8C: Case = case("W8c", ONE, &[], &[&[Next], &[Signal(0)]]);
/// A Next that may wait ∥ cancel, then a Next that closes.
pub const W8D: Case = case("W8d", ONE, &[], &[&[Next], &[Cancel, Next]]);
/// Broadcast ∥ Receive ∥ cancel, Next on a full queue of one.
pub const W9: Case = case(
    "W9",
    ONE,
    &[1],
    &[&[Broadcast(9)], &[Receive(2)], &[Cancel, Next]],
);

/// Every case.
pub const ALL: [Case; 12] = [W1, W2, W3, W4, W5, W6, W7, W8A, W8B, W8C, W8D, W9];

/// Everything that `case` can end in. Of several possible cases of a step the one that `order` names
/// first is taken, as by the shell's `_preferring` calls; with an empty `order`, any.
///
/// # Panics
/// If more than 2^20 states are reached: a case is small.
pub fn outcomes(case: &Case, strategies: Strategies, order: &[Choice]) -> Outcomes {
    let threads = Threads::of(case, strategies, order);
    let mut outcomes = Outcomes::default();
    let mut seen = HashSet::new();
    let mut open = threads.init_states();
    let mut actions = Vec::new();
    while let Some(process) = open.pop() {
        assert!(seen.len() < 1 << 20, "{} is large", case.name);
        threads.actions(&process, &mut actions);
        if actions.is_empty() {
            outcomes.add(&process);
        }
        let next = actions.drain(..);
        let next = next.filter_map(|action| threads.next_state(&process, action));
        open.extend(next.filter(|next| seen.insert(next.clone())));
    }
    outcomes
}

impl Threads {
    fn of(case: &Case, strategies: Strategies, order: &[Choice]) -> Self {
        let program = |calls: &&[Call]| Program {
            name: "",
            calls: calls.to_vec(),
            repeats: false,
        };
        Self {
            capacity: case.capacity,
            strategies,
            programs: case.threads.iter().map(program).collect(),
            pending: case.pending.to_vec(),
            cancelled: case.cancelled,
            publications: Publications::Last,
            order: order.to_vec(),
            keeps_returns: true,
            fair: true,
        }
    }
}

impl Outcomes {
    fn add(&mut self, process: &Process) {
        let channel = process.core.channel();
        let counts = channel.counts();
        let calls = process.threads.iter().map(|thread| thread.returns.clone());
        let outcome = Outcome {
            calls: calls.collect(),
            closed: channel.is_closed(),
            dropped: counts.dropped,
            rejected: counts.rejected,
            pending: channel.pending().copied().collect(),
            aborted: process.core.aborted(),
        };
        let ended = process.threads.iter().all(|thread| thread.end.is_some());
        if ended && outcome.aborted.is_none() {
            self.ended.insert(outcome);
        } else {
            self.stuck.insert(outcome);
        }
    }
}

impl fmt::Display for Outcome {
    /// For example `a: queued | b: 1, 2 (1 missed) | dropped 1, rejected 0, pending [3]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (thread, calls) in ('a'..).zip(&self.calls) {
            let calls: Vec<_> = calls.iter().map(Returned::to_string).collect();
            write!(f, "{thread}: {} | ", calls.join(", "))?;
        }
        if self.closed {
            write!(f, "closed, ")?;
        }
        let (dropped, rejected) = (self.dropped, self.rejected);
        write!(f, "dropped {dropped}, rejected {rejected}, ")?;
        write!(f, "pending {:?}", self.pending)?;
        match self.aborted {
            Some(abort) => write!(f, ", aborted: {abort}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Received(Receipt::Queued) => "queued",
            Self::Received(Receipt::DroppedOldest) => "queued, oldest dropped",
            Self::Received(Receipt::Rejected) => "rejected",
            Self::Received(Receipt::DroppedNewest) => "dropped",
            Self::Taken(Ok(taken)) => return write_taken(f, *taken),
            Self::Taken(Err(Stop::Caller(reason))) => return write!(f, "caller {reason}"),
            Self::Taken(Err(Stop::Cancelled)) => "cancelled",
            Self::Taken(Err(Stop::Ended)) => "ended",
            Self::Done => "done",
        };
        f.write_str(text)
    }
}

fn write_taken(f: &mut fmt::Formatter<'_>, taken: Taken<u8>) -> fmt::Result {
    match (taken.message, taken.missed) {
        (None, _) => write!(f, "no message"),
        (Some(message), 0) => write!(f, "{message}"),
        (Some(message), missed) => write!(f, "{message} ({missed} missed)"),
    }
}
