//! What the broadcaster promises, section 4 of its spec, and the cases that must occur.

use std::num::NonZeroU64;

use concord_systems::broadcast::{Call, CallId, Next, NextStep, ReceiveStep, Stop};

use crate::checker::{Claim, Fairness};
use crate::registry::Property;

use super::history::Fact;
use super::oracle::{self, Account};
use super::threads::{End, Process, Threads};

/// The threads that consume, in every model.
const CONSUMERS: [CallId; 2] = [0, 1];

type Is = Claim<Threads>;

/// Every claim.
pub(super) fn claims(threads: &Threads) -> Vec<Is> {
    let weak = |weak| Fairness {
        weak: if threads.fair { weak } else { &[] },
        strong: &[],
    };
    let mut claims = safety();
    if can_fill_again(threads.capacity) {
        let predicate =
            |_: &Threads, process: &Process| !process.history.saw(Fact::DroppedWithRoom);
        claims.push(Is::always("drop_only_when_full", predicate));
    }
    claims.extend([
        Is::leads_to(
            "receive_returns",
            receive_holds,
            |threads, process| !receive_holds(threads, process),
            weak(&["receive"]),
        ),
        Is::leads_to(
            "consumer_wakes",
            |_, process| is_ready(process, CONSUMERS[0]),
            |_, process| !is_ready(process, CONSUMERS[0]),
            weak(&["next"]),
        ),
        Is::leads_to(
            "other_consumer_wakes",
            |_, process| is_ready(process, CONSUMERS[1]),
            |_, process| !is_ready(process, CONSUMERS[1]),
            weak(&["next"]),
        ),
        // Nothing goes round for ever once the only publication does not end: no fairness is needed.
        Is::leads_to(
            "publication_delays_nobody",
            |_, process| publishes_for_ever(process) && is_busy(process),
            |_, process| !is_busy(process),
            Fairness::default(),
        ),
        Is::leads_to(
            "shutdown_ends",
            |_, process| process.core.channel().is_cancelled(),
            |_, process| consumers(process).all(|end| end.is_some()),
            weak(&["receive", "begin_next", "next"]),
        ),
    ]);
    claims.extend(occurrences());
    if threads.has_signals() {
        claims.extend(occurrences_with_signals());
    }
    claims
}

/// Whether a queue can have room and still hold a message. Where it cannot, nothing that is dropped
/// is dropped with room.
fn can_fill_again(capacity: NonZeroU64) -> bool {
    capacity > NonZeroU64::MIN
}

fn safety() -> Vec<Is> {
    vec![
        Is::always("no_panic", |_, process| process.core.aborted().is_none()),
        Is::always("bounded", bounded),
        Is::always("newest_kept", |_, process| {
            !process.history.saw(Fact::NewestLost)
        }),
        Is::always("fifo", |_, process| {
            oracle::in_order(&process.history.events)
        }),
        Is::always("exactly_once_out", |_, process| {
            oracle::once(&process.history.events)
        }),
        Is::always("accounting", accounting),
        Is::always("close_final", |_, process| {
            !process.history.saw(Fact::AppendedAfterClose) && !process.history.saw(Fact::Reopened)
        }),
        Is::always("no_phantom", |_, process| {
            !process.history.saw(Fact::Phantom)
        }),
        Is::always("close_needs_cancel", |_, process| {
            let channel = process.core.channel();
            !channel.is_closed() || channel.is_cancelled()
        }),
        Is::always("losses_told", |_, process| {
            !process.history.saw(Fact::Mistold)
        }),
    ]
}

fn occurrences() -> Vec<Is> {
    vec![
        Is::sometimes("overflowed", |_, process| account(process).dropped > 0),
        Is::sometimes("several_returned", |_, process| {
            account(process).returned > 1
        }),
        Is::sometimes("every_fate", |_, process| {
            let account = account(process);
            account.returned > 0 && account.dropped > 0 && account.rejected > 0
        }),
        Is::sometimes("told_of_losses", |_, process| {
            process.history.saw(Fact::ToldOfLosses)
        }),
        Is::sometimes("drained_before_removal", drained_before_removal),
        Is::sometimes("append_retried", |_, process| {
            process.history.saw(Fact::AppendRetried)
        }),
        Is::sometimes("receive_waited_for_mutex", receive_waits_for_mutex),
        Is::sometimes("next_waited_to_close", next_waits_to_close),
        Is::sometimes("two_nexts_closed", |_, process| {
            process.history.saw(Fact::ClosedAgain)
        }),
        Is::sometimes("called_after_close", called_after_close),
        Is::sometimes("rejected_by_closed", |_, process| {
            process.history.saw(Fact::RejectedByClosed)
        }),
        Is::sometimes("rejected_by_cancellation", |_, process| {
            process.history.saw(Fact::RejectedByCancellation)
        }),
        Is::sometimes("woken_by_message", |_, process| {
            process.history.saw(Fact::WokenByMessage)
        }),
        Is::sometimes("woken_by_cancel", |_, process| {
            process.history.saw(Fact::WokenByCancel)
        }),
        Is::sometimes("stuck_publication_outlived", |_, process| {
            publishes_for_ever(process) && process.threads.iter().all(|thread| thread.end.is_some())
        }),
        Is::sometimes("pending_delivered_after_cancel", |_, process| {
            process.history.saw(Fact::DeliveredAfterCancel)
        }),
        Is::sometimes("pending_withheld_after_cancel", |_, process| {
            process.history.saw(Fact::WithheldAfterCancel)
        }),
    ]
}

fn occurrences_with_signals() -> [Is; 2] {
    [
        Is::sometimes("woken_by_caller", |_, process| {
            process.history.saw(Fact::WokenByCaller)
        }),
        Is::sometimes("caller_gave_up", |_, process| {
            let gave_up = |end| matches!(end, Some(End::Stopped(Stop::Caller(_))));
            consumers(process).any(gave_up)
        }),
    ]
}

fn account(process: &Process) -> Account {
    oracle::account(&process.history.events)
}

/// How each consumer ended, if it did.
fn consumers(process: &Process) -> impl Iterator<Item = Option<End>> {
    CONSUMERS
        .into_iter()
        .map(|thread| process.threads[thread as usize].end)
}

fn bounded(_: &Threads, process: &Process) -> bool {
    let channel = process.core.channel();
    channel.pending().len() as u64 <= channel.capacity()
}

fn accounting(threads: &Threads, process: &Process) -> bool {
    let mut calls = process.core.calls();
    let begun = |(call, state): (CallId, &Call<u8>)| {
        let message = threads.message(process, call);
        let is_held = |message| oracle::was_held(&process.history.events, message);
        matches!(state, Call::Receive(_)) && message.is_some_and(is_held)
    };
    if calls.any(begun) {
        return true;
    }
    let channel = process.core.channel();
    let counts = channel.counts();
    let mut pending: Vec<u8> = channel.pending().copied().collect();
    pending.sort_unstable();
    let is = Account {
        received: counts.received,
        returned: counts.returned,
        dropped: counts.dropped,
        rejected: counts.rejected,
        pending,
    };
    is == account(process)
}

fn nexts(process: &Process) -> impl Iterator<Item = &Next> {
    process.core.calls().filter_map(|(_, call)| match call {
        Call::Next(next, _) => Some(next),
        Call::Receive(_) | Call::Broadcast(_) => None,
    })
}

fn receive_holds(_: &Threads, process: &Process) -> bool {
    let mut calls = process.core.calls();
    calls.any(|(_, call)| matches!(call, Call::Receive(receive) if receive.holds_mutex()))
}

/// A thread is in a Next that waits, or is about to choose, although there is something to choose.
fn is_ready(process: &Process, thread: CallId) -> bool {
    let Some(Call::Next(next, caller)) = process.core.call(thread) else {
        return false;
    };
    let mut woken = *next;
    woken.wake();
    !woken.choices(process.core.channel(), *caller).is_empty()
}

fn publishes_for_ever(process: &Process) -> bool {
    let mut ends = process.threads.iter().map(|thread| thread.end);
    ends.any(|end| end == Some(End::Stuck))
}

/// Someone is in a Receive, has a case to choose, or closes.
fn is_busy(process: &Process) -> bool {
    let mut calls = process.core.calls();
    CONSUMERS.iter().any(|thread| is_ready(process, *thread))
        || calls.any(|(_, call)| matches!(call, Call::Receive(_)))
        || nexts(process).any(|next| next.at() == NextStep::Lock || next.is_closing())
}

fn drained_before_removal(_: &Threads, process: &Process) -> bool {
    let mut calls = process.core.calls();
    let decided = |call: &Call<u8>| matches!(call, Call::Receive(receive) if receive.at() == ReceiveStep::Remove);
    process.core.channel().pending().len() == 0 && calls.any(|(_, call)| decided(call))
}

fn receive_waits_for_mutex(_: &Threads, process: &Process) -> bool {
    let mut calls = process.core.calls();
    let channel = process.core.channel();
    calls.any(|(_, call)| {
        matches!(call, Call::Receive(receive) if receive.is_blocked(channel) && !receive.holds_mutex())
    })
}

fn next_waits_to_close(_: &Threads, process: &Process) -> bool {
    let channel = process.core.channel();
    nexts(process).any(|next| next.at() == NextStep::Lock && next.is_blocked(channel))
}

fn called_after_close(_: &Threads, process: &Process) -> bool {
    let channel = process.core.channel();
    let is_drained = channel.is_closed() && channel.pending().len() == 0;
    is_drained && nexts(process).any(|next| next.at() == NextStep::Choose)
}

/// Documentation of everything that a model claims.
pub(super) fn properties(threads: &Threads) -> Vec<Property> {
    let claims = claims(threads);
    let is_claimed = |property: &Property| claims.iter().any(|claim| claim.name == property.name);
    let mut properties = documentation();
    properties.retain(is_claimed);
    properties
}

fn documentation() -> Vec<Property> {
    let of = |name, id, witness, statement| Property {
        name,
        id,
        statement,
        witness,
    };
    let promise = |name, id, witness, statement| of(name, Some(id), Some(witness), statement);
    let occurs = |name, statement| of(name, None, None, statement);
    vec![
        promise(
            "no_panic",
            "BRC-S1",
            "rejected_by_closed",
            "No interleaving appends to a closed queue or closes it twice.",
        ),
        promise(
            "bounded",
            "BRC-S2",
            "overflowed",
            "No more messages are pending than the capacity allows.",
        ),
        promise(
            "newest_kept",
            "BRC-S3",
            "overflowed",
            "A Receive that ends before cancellation and close leaves its message queued or already taken.",
        ),
        promise(
            "fifo",
            "BRC-S4",
            "several_returned",
            "Messages come out in the order in which their Receives held the mutex, with gaps.",
        ),
        promise(
            "exactly_once_out",
            "BRC-S5",
            "several_returned",
            "Each message is returned by at most one Next, and only what was received.",
        ),
        promise(
            "accounting",
            "BRC-S6",
            "every_fate",
            "While no Receive is in progress, counts and queue are those of the messages received, returned, dropped and rejected.",
        ),
        promise(
            "drop_only_when_full",
            "BRC-S7",
            "append_retried",
            "A message is dropped only while the queue is full.",
        ),
        promise(
            "close_final",
            "BRC-S8",
            "rejected_by_closed",
            "A closed queue stays closed and takes no message.",
        ),
        promise(
            "no_phantom",
            "BRC-S9",
            "called_after_close",
            "A Next returns a message or an error.",
        ),
        promise(
            "close_needs_cancel",
            "BRC-S10",
            "woken_by_cancel",
            "The queue is closed only after the cancellation.",
        ),
        of(
            "losses_told",
            None,
            Some("told_of_losses"),
            "A Next that returns a message tells how many were dropped since one was returned before.",
        ),
        promise(
            "receive_returns",
            "BRC-L1",
            "drained_before_removal",
            "A Receive that has the mutex ends by its own steps, whatever others do.",
        ),
        promise(
            "consumer_wakes",
            "BRC-L2",
            "woken_by_message",
            "A Next of the first consumer goes on once a case is ready.",
        ),
        promise(
            "other_consumer_wakes",
            "BRC-L2",
            "woken_by_message",
            "A Next of the second consumer goes on once a case is ready.",
        ),
        promise(
            "publication_delays_nobody",
            "BRC-L3",
            "stuck_publication_outlived",
            "While a publication goes on for ever, Receives end, Nexts with a ready case go on and those that close return.",
        ),
        promise(
            "shutdown_ends",
            "BRC-L4",
            "pending_withheld_after_cancel",
            "After the cancellation every consumer that calls Next again and again learns of the end, whatever cases are chosen.",
        ),
        occurs(
            "overflowed",
            "A message was dropped because the queue was full.",
        ),
        occurs("several_returned", "More than one message was returned."),
        occurs(
            "every_fate",
            "Messages were returned, dropped and rejected.",
        ),
        occurs("told_of_losses", "A Next told of dropped messages."),
        occurs(
            "drained_before_removal",
            "The queue is empty before a Receive that found it full drops a message.",
        ),
        occurs(
            "append_retried",
            "A Receive that had found the queue full appended its message without dropping one.",
        ),
        occurs("receive_waited_for_mutex", "A Receive waits for the mutex."),
        occurs(
            "next_waited_to_close",
            "A Next waits for the mutex, in order to close.",
        ),
        occurs("two_nexts_closed", "Two Nexts closed the queue."),
        occurs(
            "called_after_close",
            "A Next is about to choose on a closed queue without messages.",
        ),
        occurs(
            "rejected_by_closed",
            "A Receive was rejected because the queue was closed.",
        ),
        occurs(
            "rejected_by_cancellation",
            "A Receive was rejected before the queue was closed.",
        ),
        occurs("woken_by_message", "A message woke a Next."),
        occurs("woken_by_cancel", "The cancellation woke a Next."),
        occurs("woken_by_caller", "Its caller woke a Next."),
        occurs(
            "caller_gave_up",
            "A Next returned because its caller gave up.",
        ),
        occurs(
            "stuck_publication_outlived",
            "Every thread has ended but one, whose publication never ends.",
        ),
        occurs(
            "pending_delivered_after_cancel",
            "A message was returned after the cancellation.",
        ),
        occurs(
            "pending_withheld_after_cancel",
            "A Next told of the cancellation while a message was pending.",
        ),
    ]
}
