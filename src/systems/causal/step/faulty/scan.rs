//! Scans that stop, several receivers, and deliveries in another order (D5, D6, D11, D16, D18).

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::super::wire::Admitted;
use crate::causal::clock::{Clock, Node};
use crate::causal::delivery::{Found, Pending, Scan};
use crate::causal::group::Profile;
use crate::causal::message::{Change, Entry, Message, Output};
use crate::causal::state::{Halt, Settings, State};
use crate::causal::strategy::{Overflow, Receivers, WaitingEntry};

/// What of a faulty node is lost in a crash. Empty in the reference.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub(in crate::causal) struct Volatile {
    /// One receiver for each peer (D11).
    lanes: Vec<Lane>,
    /// Which of them takes the next transfer.
    turn: usize,
    /// Stamps given at sending, of the oldest entries of the send log (D3).
    pub(super) stamps: VecDeque<Arc<Message>>,
}

/// A receiver with a clock of its own. After a crash all start from the clock of the node, and the
/// first one has the log: kinder than upstream, whose receivers have a log each.
#[derive(Clone, Debug)]
struct Lane {
    clock: Clock,
    pending: Pending<Entry>,
    /// Whether the entry found last is its own.
    active: bool,
}

/// Records of the receive log at which a faulty scan stops, and where it is. They follow from the log.
#[derive(Clone, Debug, Default)]
pub(in crate::causal) struct Obstacles {
    /// The oldest record that is no message.
    undecodable: Option<u64>,
    /// The oldest message that is never deliverable (D33).
    never: Option<u64>,
    /// The entry found last in this run.
    position: Option<u64>,
}

/// The next entry to act on; none if all wait, or the node halts.
pub(in crate::causal::step) fn found(state: &mut State) -> Option<Found<Entry>> {
    if let Some(found) = wrapped(state) {
        return Some(found);
    }
    let forever = state.settings.strategies.waiting_entry == WaitingEntry::LookedAtForever;
    let spins = forever && state.pending.blocked(&state.disk.record.clock);
    let next = if spins { None } else { next(state) };
    let id = next
        .as_ref()
        .map(|(Found::Apply { id, .. } | Found::Duplicate { id, .. })| *id);
    if let Some(obstacle) = obstacle(state)
        && passes(state, obstacle, id)
    {
        state.halt = Some(Halt::Died);
        return None;
    }
    let never = state.obstacles.never;
    let at_never = never.is_some_and(|never| passes(state, never, id));
    if forever && (spins || at_never || (id.is_none() && state.received().next().is_some())) {
        state.halt = Some(Halt::Spins);
        return None;
    }
    state.obstacles.position = id;
    next
}

fn next(state: &mut State) -> Option<Found<Entry>> {
    let clock = &state.disk.record.clock;
    if state.settings.strategies.receivers == Receivers::One {
        return state.pending.next(clock);
    }
    let me = state.settings.me;
    let own = clock.get(me);
    state.volatile.lanes.iter_mut().find_map(|lane| {
        lane.clock.set(me, own);
        let found = lane.pending.next(&lane.clock);
        lane.active = found.is_some();
        found
    })
}

/// The oldest record that kills the node: one that is no message, or bytes behind the last frame that
/// begin none (D6, D8).
fn obstacle(state: &State) -> Option<u64> {
    let has_tail = !state.disk.receive_log.tail().is_empty();
    let tail = (state.settings.profile == Profile::Framed && has_tail).then_some(u64::MAX);
    state.obstacles.undecodable.or(tail)
}

/// Whether the scan comes to `obstacle` before it acts on the entry `found`.
fn passes(state: &State, obstacle: u64, found: Option<u64>) -> bool {
    let Some(found) = found else {
        return true;
    };
    let begins_again = state.obstacles.position.is_some_and(|last| found < last);
    found > obstacle || (state.settings.scan() == Scan::Sweep && begins_again)
}

/// The message 0 after the largest number: its receivers take it for the next one (D18).
fn wrapped(state: &mut State) -> Option<Found<Entry>> {
    let settings = &state.settings;
    if settings.strategies.overflow == Overflow::Refused {
        return None;
    }
    let clock = &state.disk.record.clock;
    let is_next = |message: &Message| {
        let reached = |node| node == message.sender || message.stamp.get(node) <= clock.get(node);
        message.seq() == 0
            && clock.get(message.sender) == settings.profile.largest()
            && settings.group.nodes().all(reached)
    };
    let (id, _) = state
        .pending
        .iter()
        .find(|(_, entry)| is_next(&entry.message))?;
    let mut item = None;
    let mut pending = settings.no_entries();
    for (other, entry) in state.pending.iter() {
        if other == id {
            item = Some(entry.clone());
        } else {
            pending.push(other, entry.clone());
        }
    }
    state.pending = pending;
    Some(Found::Apply { id, item: item? })
}

/// Effect and clock in two writes (D5).
pub(in crate::causal::step) fn deliver_effect_first(
    state: &mut State,
    message: &Arc<Message>,
    outputs: &mut Vec<Output>,
) -> bool {
    if !state.change(Change::Effect(Arc::clone(message)), outputs) {
        return false;
    }
    outputs.push(Output::Sync);
    let (node, value) = (message.sender, message.seq());
    let value = value.max(state.disk.record.clock.get(node));
    let survives = state.change(Change::Clock { node, value }, outputs);
    outputs.push(Output::Sync);
    survives
}

/// Indexes records that are not those of the transfer, since it was glued to a tail or has none (D6 to
/// D8).
pub(in crate::causal::step) fn index_again(state: &mut State, ids: Range<u64>) {
    for id in ids {
        let record = state.disk.receive_log.get(id);
        let admitted = record.and_then(|record| state.settings.admitted(&record).ok());
        state.index(id, admitted.unwrap_or(Admitted::Undecodable));
    }
}

/// Hands an entry to the receiver whose turn it is (D11).
pub(in crate::causal::step) fn push_to_lane(state: &mut State, id: u64, entry: Entry) {
    let (me, own, turn) = (state.settings.me, state.own(), state.volatile.turn);
    if let Some(lane) = state.volatile.lanes.get_mut(turn) {
        lane.clock.set(me, own);
        lane.pending.push(id, entry);
    }
}

impl Volatile {
    pub(in crate::causal::step) fn new(settings: &Settings, clock: &Clock) -> Self {
        let lanes = match settings.strategies.receivers {
            Receivers::One => 0,
            Receivers::PerPeer => settings.group.size() - 1,
        };
        let lane = || Lane {
            clock: clock.clone(),
            pending: settings.no_entries(),
            active: false,
        };
        Self {
            lanes: std::iter::repeat_with(lane).take(lanes).collect(),
            ..Self::default()
        }
    }

    /// The entries of all lanes.
    pub(in crate::causal) fn received(&self) -> impl Iterator<Item = &Entry> {
        let lanes = self.lanes.iter();
        lanes.flat_map(|lane| lane.pending.iter().map(|(_, entry)| entry))
    }

    /// The next transfer reaches the next receiver, if there are several.
    pub(in crate::causal::step) fn turn_to_next(&mut self) {
        let next = (self.turn + 1).checked_rem(self.lanes.len());
        self.turn = next.unwrap_or(0);
    }

    pub(in crate::causal::step) fn rewind(&mut self) {
        for lane in &mut self.lanes {
            lane.pending.rewind();
        }
    }

    pub(in crate::causal::step) fn delivered(&mut self, sender: Node, seq: u64) {
        for lane in self.lanes.iter_mut().filter(|lane| lane.active) {
            lane.clock.set(sender, seq);
            lane.pending.delivered(sender, seq);
        }
    }
}

impl Obstacles {
    /// Whether there is none.
    pub(in crate::causal::step) const fn is_clear(&self) -> bool {
        self.undecodable.is_none() && self.never.is_none()
    }

    pub(in crate::causal::step) const fn rewind(&mut self) {
        self.position = None;
    }

    /// Records come in ascending order.
    pub(in crate::causal::step) const fn undecodable(&mut self, id: u64) {
        if self.undecodable.is_none() {
            self.undecodable = Some(id);
        }
    }

    /// Records come in ascending order.
    pub(in crate::causal::step) const fn never(&mut self, id: u64) {
        if self.never.is_none() {
            self.never = Some(id);
        }
    }
}

impl PartialEq for Lane {
    fn eq(&self, other: &Self) -> bool {
        self.clock == other.clock && self.entries().eq(other.entries())
    }
}

impl Eq for Lane {}

impl Hash for Lane {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.clock.hash(state);
        for entry in self.entries() {
            entry.hash(state);
        }
    }
}

impl Serialize for Lane {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let records = self.entries().map(|entry| &entry.record);
        (&self.clock, records.collect::<Vec<_>>()).serialize(serializer)
    }
}

impl Lane {
    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.pending.iter().map(|(_, entry)| entry)
    }
}
