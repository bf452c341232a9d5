//! What must be pending, told and in order, recomputed from what became of every message: slow,
//! obvious, and independent of the queue and its counts.

use serde::Serialize;

/// Something that became of a message. Messages are distinct.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) enum Event {
    /// Its Receive took the mutex.
    Held(u8),
    /// A Next returned it.
    Taken(u8),
    /// It was dropped because the queue was full.
    Dropped(u8),
    /// It was discarded because the broadcaster is cancelled or closed.
    Rejected(u8),
}

/// What there must be when no Receive is in progress.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Account {
    pub(super) received: u64,
    pub(super) returned: u64,
    pub(super) dropped: u64,
    pub(super) rejected: u64,
    /// Ascending.
    pub(super) pending: Vec<u8>,
}

fn all(events: &[Event], of: fn(&Event) -> Option<u8>) -> Vec<u8> {
    events.iter().filter_map(of).collect()
}

fn held(events: &[Event]) -> Vec<u8> {
    all(events, |event| match event {
        Event::Held(message) => Some(*message),
        _ => None,
    })
}

fn taken(events: &[Event]) -> Vec<u8> {
    all(events, |event| match event {
        Event::Taken(message) => Some(*message),
        _ => None,
    })
}

fn dropped(events: &[Event]) -> Vec<u8> {
    all(events, |event| match event {
        Event::Dropped(message) => Some(*message),
        _ => None,
    })
}

fn rejected(events: &[Event]) -> Vec<u8> {
    all(events, |event| match event {
        Event::Rejected(message) => Some(*message),
        _ => None,
    })
}

/// Whether a Next returned this message.
pub(super) fn was_taken(events: &[Event], message: u8) -> bool {
    taken(events).contains(&message)
}

/// Whether the Receive of this message has taken the mutex.
pub(super) fn was_held(events: &[Event], message: u8) -> bool {
    held(events).contains(&message)
}

/// Whether messages were returned in the order in which their Receives held the mutex, with gaps.
pub(super) fn in_order(events: &[Event]) -> bool {
    let held = held(events);
    let position = |message: &u8| held.iter().position(|other| other == message);
    taken(events)
        .windows(2)
        .all(|pair| position(&pair[0]) <= position(&pair[1]))
}

/// Whether each message was returned at most once, and only what was received.
pub(super) fn once(events: &[Event]) -> bool {
    let (held, taken) = (held(events), taken(events));
    let times = |message: &u8| taken.iter().filter(|other| *other == message).count();
    taken
        .iter()
        .all(|message| held.contains(message) && times(message) == 1)
}

/// How many messages were dropped since one was last returned.
pub(super) fn missed(events: &[Event]) -> u64 {
    let is_taken = |event: &Event| matches!(event, Event::Taken(_));
    let since = events.rsplit(is_taken).next().unwrap_or_default();
    dropped(since).len() as u64
}

/// The account of all messages.
pub(super) fn account(events: &[Event]) -> Account {
    let gone = [taken(events), dropped(events), rejected(events)];
    let is_gone = |message: &u8| gone.iter().any(|gone| gone.contains(message));
    let mut pending = held(events);
    pending.retain(|message| !is_gone(message));
    pending.sort_unstable();
    let [returned, dropped, rejected] = gone.map(|gone| gone.len() as u64);
    Account {
        received: held(events).len() as u64,
        returned,
        dropped,
        rejected,
        pending,
    }
}
