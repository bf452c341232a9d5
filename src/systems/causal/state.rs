//! A running node, and what it left on its disk (6.1).

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use serde::ser::{Serialize, SerializeTuple as _, Serializer};

use super::clock::{Clock, Node};
use super::delivery::{Pending, Scan};
use super::group::{Group, Profile};
use super::log::{Log, LogName};
use super::message::{Entry, Write};
use super::record::Record;
use super::step::{Obstacles, Volatile};
use super::strategy::{ClockSave, Strategies};
use crate::map::SortedSet;

/// What never changes of a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Settings {
    /// Its profile.
    pub profile: Profile,
    /// Its group.
    pub group: Group,
    /// Which member it is.
    pub me: Node,
    /// The clock that the group started with: one entry for each member.
    pub initial: Clock,
    /// Its choices.
    pub strategies: Strategies,
}

/// The durable image.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Disk {
    /// The state record.
    pub record: Record,
    /// Own messages not confirmed by all.
    pub send_log: Log,
    /// Received messages not delivered.
    pub receive_log: Log,
    /// The clock file beside the record, once written: faulty variants only (D10).
    pub clock_file: Option<Bytes>,
    /// Records of the receive log that are done with: faulty variants only (D17).
    pub areas: SortedSet<u64>,
}

/// Why a node does nothing any more. All but `Stopped` need a faulty strategy.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub enum Halt {
    /// Shut down in order.
    Stopped,
    /// It ended itself because of what it received or holds (D6, D8, D10, D19, D29).
    Died,
    /// It looks at one entry for ever (D16).
    Spins,
}

/// What recovery found (6.6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovered {
    /// The clock.
    pub clock: Clock,
    /// Entries of the receive log.
    pub log: usize,
    /// Entries of the send log.
    pub send_log: usize,
    /// Bytes cut from both logs.
    pub discarded: usize,
}

/// A running node. Equality, hash and serialization are those of the durable image that it believes
/// in and of what is volatile; the rest follows from them and from its settings.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) settings: Arc<Settings>,
    pub(super) disk: Disk,
    /// Index of the receive log.
    pub(super) pending: Pending<Entry>,
    /// The records of the send log, decoded.
    pub(super) sent: VecDeque<Entry>,
    pub(super) halt: Option<Halt>,
    /// What only faulty strategies need.
    pub(super) volatile: Volatile,
    /// Where only faulty strategies stop.
    pub(super) obstacles: Obstacles,
}

impl Settings {
    /// The order in which the profile looks at its receive log (6.4).
    pub(super) const fn scan(&self) -> Scan {
        match self.profile {
            Profile::Text => Scan::Restart,
            Profile::Framed => Scan::Sweep,
        }
    }

    /// Whether `node` is another member of the group.
    pub(super) fn is_peer(&self, node: Node) -> bool {
        node != self.me && node.index() < self.group.size()
    }

    pub(super) fn no_entries(&self) -> Pending<Entry> {
        let Strategies {
            duplicates,
            dependencies,
            ..
        } = self.strategies;
        Pending::new(self.scan(), duplicates, dependencies)
    }
}

impl Disk {
    /// Of a node that was never started.
    pub fn new(settings: &Settings) -> Self {
        Self::read(settings, None, Bytes::new(), Bytes::new())
    }

    /// From the state record, if one was ever saved, and the bytes of the logs.
    pub fn read(
        settings: &Settings,
        record: Option<Record>,
        send_log: Bytes,
        receive_log: Bytes,
    ) -> Self {
        let fresh = || Record::new(settings.initial.clone(), settings.me);
        Self {
            record: record.unwrap_or_else(fresh),
            send_log: Log::read(settings.profile, send_log),
            receive_log: Log::read(settings.profile, receive_log),
            clock_file: None,
            areas: SortedSet::new(),
        }
    }

    /// Carries out one write of a node with these settings.
    pub fn apply(&mut self, write: &Write, settings: &Settings) {
        match write {
            Write::Append { log, bytes } => {
                self.log_mut(*log).append(bytes);
            }
            Write::Purge { id } => self.receive_log.remove(*id),
            Write::Truncate { count } => self.send_log.truncate_front(*count),
            Write::Change(change) => {
                self.record.change(change, &settings.strategies);
                if settings.strategies.clock_save == ClockSave::InPlace {
                    self.clock_file = Some(settings.clock_file(&self.record.clock));
                }
            }
            Write::Cut { log } => {
                self.log_mut(*log).cut();
            }
            Write::Overwrite { log, bytes } => {
                *self.log_mut(*log) = Log::read(settings.profile, bytes.clone());
            }
            Write::ClockFile(bytes) => self.clock_file = Some(bytes.clone()),
            Write::Areas { done } => {
                for id in done {
                    self.areas.insert(*id, ());
                }
            }
        }
    }

    /// A log.
    pub const fn log(&self, log: LogName) -> &Log {
        match log {
            LogName::Send => &self.send_log,
            LogName::Receive => &self.receive_log,
        }
    }

    pub(super) const fn log_mut(&mut self, log: LogName) -> &mut Log {
        match log {
            LogName::Send => &mut self.send_log,
            LogName::Receive => &mut self.receive_log,
        }
    }
}

impl State {
    /// What never changes.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The durable image with all writes that it gave.
    pub const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The state record.
    pub const fn record(&self) -> &Record {
        &self.disk.record
    }

    /// Why it does nothing any more, if so.
    pub const fn halted(&self) -> Option<Halt> {
        self.halt
    }

    /// Entries of the receive log in order of arrival.
    pub fn received(&self) -> impl Iterator<Item = &Entry> {
        let lanes = self.volatile.received();
        self.pending.iter().map(|(_, entry)| entry).chain(lanes)
    }

    /// Entries of the send log, oldest first.
    pub fn unconfirmed(&self) -> impl Iterator<Item = &Entry> {
        self.sent.iter()
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.disk == other.disk && self.halt == other.halt && self.volatile == other.volatile
    }
}

impl Eq for State {}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.disk.hash(state);
        self.halt.hash(state);
        self.volatile.hash(state);
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_tuple(3)?;
        parts.serialize_element(&self.disk)?;
        parts.serialize_element(&self.halt)?;
        parts.serialize_element(&self.volatile)?;
        parts.end()
    }
}
