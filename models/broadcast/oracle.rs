//! What must be pending, told and in order, recomputed from what became of every message: slow,
//! obvious, and independent of the queue and its counts.

use serde::Serialize;

/// Something that became of a message. Messages are distinct.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) struct Event {
    pub(super) message: u8,
    pub(super) fate: Fate,
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) enum Fate {
    /// Its Receive took the mutex.
    Held,
    /// A Next returned it.
    Taken,
    /// It was dropped because the queue was full.
    Dropped,
    /// It was discarded because the broadcaster is cancelled or closed.
    Rejected,
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

/// The messages of which this became, in order.
fn all(events: &[Event], fate: Fate) -> Vec<u8> {
    let events = events.iter().filter(|event| event.fate == fate);
    events.map(|event| event.message).collect()
}

/// Whether a Next returned this message.
pub(super) fn was_taken(events: &[Event], message: u8) -> bool {
    all(events, Fate::Taken).contains(&message)
}

/// Whether the Receive of this message has taken the mutex.
pub(super) fn was_held(events: &[Event], message: u8) -> bool {
    all(events, Fate::Held).contains(&message)
}

/// Whether messages were returned in the order in which their Receives held the mutex, with gaps.
pub(super) fn in_order(events: &[Event]) -> bool {
    let held = all(events, Fate::Held);
    let position = |message: &u8| held.iter().position(|other| other == message);
    let taken = all(events, Fate::Taken);
    let mut pairs = taken.windows(2);
    pairs.all(|pair| position(&pair[0]) <= position(&pair[1]))
}

/// Whether each message was returned at most once, and only what was received.
pub(super) fn once(events: &[Event]) -> bool {
    let (held, taken) = (all(events, Fate::Held), all(events, Fate::Taken));
    let times = |message: &u8| taken.iter().filter(|other| *other == message).count();
    taken
        .iter()
        .all(|message| held.contains(message) && times(message) == 1)
}

/// How many messages were dropped since one was last returned.
pub(super) fn missed(events: &[Event]) -> u64 {
    let is_taken = |event: &Event| event.fate == Fate::Taken;
    let since = events.rsplit(is_taken).next().unwrap_or_default();
    all(since, Fate::Dropped).len() as u64
}

/// The account of all messages.
pub(super) fn account(events: &[Event]) -> Account {
    let gone = [Fate::Taken, Fate::Dropped, Fate::Rejected].map(|fate| all(events, fate));
    let is_gone = |message: &u8| gone.iter().any(|gone| gone.contains(message));
    let mut pending = all(events, Fate::Held);
    let received = pending.len() as u64;
    pending.retain(|message| !is_gone(message));
    pending.sort_unstable();
    let [returned, dropped, rejected] = gone.map(|gone| gone.len() as u64);
    Account {
        received,
        returned,
        dropped,
        rejected,
        pending,
    }
}
