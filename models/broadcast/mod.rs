//! Models of the broadcaster: threads that make calls on one of them.

pub mod cases;
mod faults;
mod history;
mod oracle;
mod properties;
#[cfg(test)]
mod tests;
mod text;
mod threads;

use std::num::NonZeroU64;

use concord_systems::broadcast::{Strategies, trace};

use crate::registry::{Budget, Family, NotExpressible, Subject, System};

pub use threads::{Action, Call, End, Process, Program, Publications, Returned, Thread, Threads};

/// The broadcaster.
pub const SYSTEM: System = System {
    name: "broadcast",
    summary: "Gossip broadcaster: a drop-oldest queue between network and store, with cancellation",
    models: || {
        vec![
            family("broadcast/capacity_one", |variant, budget| {
                faults::build(capacity_one(budget), variant)
            }),
            family("broadcast/capacity_two", |variant, budget| {
                faults::build(capacity_two(budget), variant)
            }),
        ]
    },
    replay: |source| trace::replay(source),
    not_expressible: &[
        NotExpressible {
            id: "B-4",
            reason: "Both ways are allowed and break no property; that both occur is shown by pending_delivered_after_cancel and pending_withheld_after_cancel.",
        },
        NotExpressible {
            id: "B-6",
            reason: "It happens one layer below, in the gossip service. Here the network calls Receive whenever it likes.",
        },
        NotExpressible {
            id: "B-H1",
            reason: "It happens one layer above, in wrapping and subscribing. The broadcaster passes messages on as they are and breaks no property.",
        },
    ],
};

const ONE: NonZeroU64 = NonZeroU64::MIN;
const TWO: NonZeroU64 = NonZeroU64::new(2).expect("two is not zero");

fn family(name: &'static str, build: fn(Option<&str>, Budget) -> Threads) -> Box<dyn Subject> {
    let correct = build(None, Budget::Quick);
    Box::new(Family {
        name,
        properties: properties::properties(&correct),
        faults: faults::faults(correct.capacity),
        build,
    })
}

/// With a caller that gives up.
fn capacity_one(budget: Budget) -> Threads {
    let mut threads = match budget {
        Budget::Quick => loops(ONE, &[1], [&[2], &[3]]),
        Budget::Full => loops(ONE, &[], [&[1, 2], &[3, 4]]),
    };
    let calls = [Call::Signal(0)];
    threads.programs.push(program("caller", &calls, false));
    threads
}

/// Where messages can be dropped with room.
fn capacity_two(budget: Budget) -> Threads {
    match budget {
        Budget::Quick => loops(TWO, &[1, 2], [&[3], &[4]]),
        Budget::Full => loops(TWO, &[], [&[1, 2], &[3, 4]]),
    }
}

/// Two consumers that loop as the store does, two senders, a publisher that goes on for ever, and one
/// cancellation.
fn loops(capacity: NonZeroU64, pending: &[u8], senders: [&[u8]; 2]) -> Threads {
    let sender = |name, messages: &[u8]| {
        let calls: Vec<_> = messages.iter().copied().map(Call::Receive).collect();
        program(name, &calls, false)
    };
    Threads {
        capacity,
        strategies: Strategies::REMEDIED,
        programs: vec![
            program("consumer", &[Call::Next], true),
            program("other consumer", &[Call::Next], true),
            sender("sender", senders[0]),
            sender("other sender", senders[1]),
            program("publisher", &[Call::Broadcast(0)], true),
            program("canceller", &[Call::Cancel], false),
        ],
        pending: pending.to_vec(),
        cancelled: false,
        publications: Publications::Whenever,
        order: Vec::new(),
        keeps_returns: false,
        fair: true,
    }
}

fn program(name: &'static str, calls: &[Call], repeats: bool) -> Program {
    Program {
        name,
        calls: calls.to_vec(),
        repeats,
    }
}
