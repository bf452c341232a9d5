//! What the properties of causal remember: which messages each node delivered, across crashes.

use std::sync::Arc;

use bytes::Bytes;
use concord_systems::causal::strategy::{Identity, Stamping};
use concord_systems::causal::{Change, Clock, Disk, Log, Message, Node, Settings, State, Write};
use concord_systems::map::{SortedMap, SortedSet};
use serde::Serialize;

use crate::cluster::{Cause, Effect, Event, Seen};

use super::oracle;
use super::protocol::{Applies, Call, Causal, Packet, Tick};
use super::records::{self, decoded};

/// A message: who sent it, and which of the sender's it is.
pub(super) type Id = (Node, u64);

/// What properties must remember.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct History {
    /// What each node delivered or submitted, as far as it is durable.
    pub delivered: Vec<SortedSet<Id>>,
    /// Every message that any node delivered or submitted.
    pub messages: SortedMap<Id, Arc<Message>>,
    /// What the sender of each message had delivered or submitted before.
    past: SortedMap<Id, SortedSet<Id>>,
    /// Each message as it first travelled.
    wires: SortedMap<Id, Bytes>,
    /// Messages whose submit answered, or whose record is complete in the send log.
    pub promised: SortedSet<Id>,
    /// The clock of each node when it last ran and was not crashing.
    clocks: Vec<Option<Clock>>,
    /// What was broken.
    pub(super) broken: Broken,
}

/// What was broken, once and for all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub(super) struct Broken {
    /// A message was delivered before one that its sender had delivered first.
    pub causal_order: bool,
    /// A message was delivered twice.
    pub exactly_once: bool,
    /// A message was delivered that is not next from its sender.
    pub no_gap: bool,
    /// A clock entry fell.
    pub clock_monotone: bool,
    /// Two messages travelled under one number, or a number was left out.
    pub stamp_unique: bool,
    /// A run of apply left an entry that does not wait.
    pub log_drains: bool,
    /// A flush left out what the peer had not confirmed.
    pub flush_offers_all: bool,
    /// A message that travels does not say what was submitted.
    pub codec_round_trip: bool,
    /// A promised message was in no log that it must be in.
    pub no_loss: bool,
    /// A cursor stood above what its peer has durably stored.
    pub ack_honest: bool,
}

impl History {
    pub(super) fn note(&mut self, protocol: &Causal, seen: &Seen<'_, Causal>) {
        let members = protocol.settings.len();
        self.delivered.resize_with(members, SortedSet::new);
        self.clocks.resize(members, None);
        let settings = &protocol.settings[seen.node];
        let mut delivers = false;
        for write in durable_writes(settings, seen) {
            if let Write::Change(Change::Delivered(message) | Change::Effect(message)) = write {
                self.note_delivery(seen.node, message, settings);
                delivers = true;
            }
        }
        let strategies = &settings.strategies;
        // Where tags are the only identity, elements do not say who added them.
        if delivers && strategies.identity == Identity::Dot {
            self.note_effects(seen);
        }
        self.note_clock(seen);
        self.note_promises(seen, settings);
        self.note_sends(seen, protocol);
        // Where messages are stamped late, the send log does not say which they are.
        if may_lose(seen) && strategies.stamping == Stamping::AtSubmit {
            let held = Held::of(protocol, seen, &self.delivered);
            self.broken.no_loss |= !held.keeps(&self.promised);
            self.broken.ack_honest |= !held.is_acked_honestly(protocol, seen);
        }
        match seen.cause {
            Cause::Event(Event::Tick(Tick::Flush(peer))) => self.note_flush(seen, *peer),
            Cause::Event(event) if runs(protocol, event) => self.note_run(seen),
            _ => {}
        }
    }

    /// `causal_order`, `exactly_once`, `no_gap`.
    fn note_delivery(&mut self, node: usize, message: &Arc<Message>, settings: &Settings) {
        let id = (message.sender, message.seq());
        let before = &self.delivered[node];
        if message.sender.index() == node {
            self.past.insert(id, before.clone());
        }
        let is_known = |earlier: &Id| before.contains(earlier);
        let first = settings.initial.get(id.0) + 1;
        self.broken.exactly_once |= before.contains(&id);
        self.broken.no_gap |= id.1 > first && !is_known(&(id.0, id.1 - 1));
        if let Some(past) = self.past.get(&id) {
            self.broken.causal_order |= !past.keys().all(is_known);
        }
        self.delivered[node].insert(id, ());
        self.messages.insert(id, Arc::clone(message));
    }

    /// The rest of `exactly_once`.
    fn note_effects(&mut self, seen: &Seen<'_, Causal>) {
        let delivered = self.delivered[seen.node].keys();
        let messages = delivered.filter_map(|id| self.messages.get(id));
        let messages: Vec<&Message> = messages.map(|message| &**message).collect();
        let payload = &seen.disk.record.payload;
        self.broken.exactly_once |= oracle::expected(&messages) != oracle::observed(payload);
    }

    fn note_clock(&mut self, seen: &Seen<'_, Causal>) {
        let Some(machine) = seen.after else {
            return;
        };
        let clock = &machine.record().clock;
        let last = self.clocks[seen.node].replace(clock.clone());
        let fell = |last: &Clock| {
            last.entries()
                .iter()
                .zip(clock.entries())
                .any(|(l, c)| c < l)
        };
        self.broken.clock_monotone |= last.as_ref().is_some_and(fell);
    }

    fn note_promises(&mut self, seen: &Seen<'_, Causal>, settings: &Settings) {
        for (_, record) in seen.disk.send_log.iter() {
            if let Some(message) = decoded(settings, &record) {
                let id = (message.sender, message.seq());
                self.promised.insert(id, ());
            }
        }
        let submits = matches!(
            seen.cause,
            Cause::Event(Event::Call {
                call: Call::Submit(_),
                ..
            })
        );
        let answered =
            |effect: &Effect<Causal>| matches!(effect, Effect::Reply { reply: true, .. });
        if let Some(machine) = seen.after.filter(|_| submits)
            && seen.effects.iter().any(answered)
        {
            let me = machine.settings().me;
            self.promised
                .insert((me, machine.record().clock.get(me)), ());
        }
    }

    /// `stamp_unique`.
    fn note_sends(&mut self, seen: &Seen<'_, Causal>, protocol: &Causal) {
        for effect in seen.effects {
            let Effect::Send {
                message: Packet::Transfer { wire, .. },
                ..
            } = effect
            else {
                continue;
            };
            let settings = &protocol.settings[seen.node];
            for record in records::of_wire(settings.profile, &wire.0) {
                match decoded(settings, &record) {
                    Some(message) => {
                        let id = (message.sender, message.seq());
                        let said = self.messages.get(&id);
                        self.broken.codec_round_trip |= said.is_some_and(|said| **said != message);
                        self.note_wire(id, record, settings);
                    }
                    None => self.broken.codec_round_trip = true,
                }
            }
        }
    }

    fn note_wire(&mut self, id: Id, record: Bytes, settings: &Settings) {
        let first = settings.initial.get(id.0) + 1;
        let is_skipped = id.1 > first && !self.wires.contains(&(id.0, id.1 - 1));
        self.broken.stamp_unique |= is_skipped;
        match self.wires.get(&id) {
            Some(earlier) => self.broken.stamp_unique |= *earlier != record,
            None => {
                self.wires.insert(id, record);
            }
        }
    }

    /// `log_drains`.
    fn note_run(&mut self, seen: &Seen<'_, Causal>) {
        if let Some(machine) = seen.after {
            self.broken.log_drains |= is_actionable(machine) && machine.halted().is_none();
        }
    }

    fn note_flush(&mut self, seen: &Seen<'_, Causal>, peer: Node) {
        let sends = |effect: &Effect<Causal>| matches!(effect, Effect::Send { to, .. } if *to == peer.index());
        self.broken.flush_offers_all |= !seen.crashed && !seen.effects.iter().any(sends);
    }
}

/// Whether the node applies when this happens.
fn runs(protocol: &Causal, event: &Event<Causal>) -> bool {
    match event {
        Event::Tick(Tick::Apply) => true,
        Event::Deliver {
            message: Packet::Transfer { .. },
            ..
        } => protocol.applies == Applies::AtOnce,
        _ => false,
    }
}

/// Whether a step may have taken something from a log or raised a cursor: an append does neither.
fn may_lose(seen: &Seen<'_, Causal>) -> bool {
    let takes = |effect: &Effect<Causal>| match effect {
        Effect::Write(durable) => !matches!(durable.write, Write::Append { .. }),
        _ => false,
    };
    seen.crashed || matches!(seen.cause, Cause::Start) || seen.effects.iter().any(takes)
}

/// What each node durably holds: its send log, and what it has in its receive log or has delivered.
struct Held {
    sent: Vec<Vec<Id>>,
    stored: Vec<Vec<Id>>,
}

impl Held {
    fn of(protocol: &Causal, seen: &Seen<'_, Causal>, delivered: &[SortedSet<Id>]) -> Self {
        let ids = |log: &Log| -> Vec<Id> {
            let settings = &protocol.settings[0];
            let messages = log
                .iter()
                .filter_map(|(_, record)| decoded(settings, &record));
            messages
                .map(|message| (message.sender, message.seq()))
                .collect()
        };
        let disks = || seen.hosts.iter().map(|host| host.durable(protocol));
        let stored = disks().zip(delivered).map(|(disk, delivered)| {
            let mut stored = ids(&disk.receive_log);
            stored.extend(delivered.keys());
            stored
        });
        Self {
            stored: stored.collect(),
            sent: disks().map(|disk| ids(&disk.send_log)).collect(),
        }
    }

    fn keeps(&self, promised: &SortedSet<Id>) -> bool {
        promised.keys().all(|id| {
            let sender = id.0.index();
            let mut peers = (0..self.stored.len()).filter(|node| *node != sender);
            self.sent[sender].contains(id) || peers.all(|peer| self.stored[peer].contains(id))
        })
    }

    fn is_acked_honestly(&self, protocol: &Causal, seen: &Seen<'_, Causal>) -> bool {
        protocol
            .settings
            .iter()
            .zip(seen.hosts)
            .all(|(settings, host)| {
                let (me, cursors) = (settings.me, &host.durable(protocol).record.cursors);
                settings.group.peers(me).all(|peer| {
                    let stored = &self.stored[peer.index()];
                    let mut acked = settings.initial.get(me) + 1..=cursors.get(peer);
                    acked.all(|seq| stored.contains(&(me, seq)))
                })
            })
    }
}

/// Whether the receive log holds an entry that is to be delivered or purged (rule 4), said once more
/// from the rule.
pub(super) fn is_actionable(machine: &State) -> bool {
    let clock = machine.record().clock.entries();
    machine.received().any(|entry| {
        let stamp = entry.message.stamp.entries();
        let sender = entry.message.sender.index();
        let others = || (0..clock.len()).filter(|node| *node != sender);
        stamp[sender] <= clock[sender]
            || (stamp[sender] == clock[sender] + 1
                && others().all(|node| stamp[node] <= clock[node]))
    })
}

/// The writes of a step that are durable. After a crash only a prefix is: the longest that leads from
/// the image before to the image now.
fn durable_writes<'a>(settings: &Settings, seen: &'a Seen<'_, Causal>) -> Vec<&'a Write> {
    let writes = seen.effects.iter().filter_map(|effect| match effect {
        Effect::Write(durable) => Some(&durable.write),
        _ => None,
    });
    let mut writes: Vec<&Write> = writes.collect();
    if seen.crashed {
        let mut disk: Disk = seen.disk_before.clone();
        let mut kept = 0;
        for (at, write) in writes.iter().enumerate() {
            disk.apply(write, settings);
            if disk == *seen.disk {
                kept = at + 1;
            }
        }
        writes.truncate(kept);
    }
    writes
}
