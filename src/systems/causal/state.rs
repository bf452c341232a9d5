//! A running node, and what it left on its disk (6.1, 6.6).

use std::sync::Arc;

use bytes::Bytes;

use super::clock::{Clock, Node};
use super::delivery::Pending;
use super::group::{Group, Profile};
use super::log::{Log, LogName};
use super::message::{Entry, Output, Write};
use super::record::Record;
use super::strategy::Strategies;

/// What never changes of a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Settings {
    /// Its profile.
    pub profile: Profile,
    /// Its group.
    pub group: Group,
    /// Which member it is.
    pub me: Node,
    /// The clock that the group started with.
    pub initial: Clock,
    /// Its choices.
    pub strategies: Strategies,
}

/// The durable image.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Disk {
    /// The state record; none if nothing was ever saved.
    pub record: Option<Record>,
    /// Own messages not confirmed by all.
    pub send_log: Log,
    /// Received messages not delivered.
    pub receive_log: Log,
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

/// A running node. Equality and hash are those of the durable image it believes in and of what
/// is volatile, not of the index.
#[derive(Clone, Debug)]
pub struct State {
    settings: Arc<Settings>,
    disk: Disk,
    /// Index of the receive log.
    pending: Pending<Entry>,
    halt: Option<Halt>,
}

impl Disk {
    /// Of a node that was never started.
    pub fn new(_settings: &Settings) -> Self {
        todo!()
    }
    /// From the bytes of the logs.
    pub fn read(
        _settings: &Settings,
        _record: Option<Record>,
        _send_log: Bytes,
        _receive_log: Bytes,
    ) -> Self {
        todo!()
    }
    /// Carries out one write.
    pub fn apply(&mut self, _write: &Write, _settings: &Settings) {
        todo!()
    }
    /// A log.
    pub fn log(&self, _log: LogName) -> &Log {
        todo!()
    }
}

impl State {
    /// Recovers a node from its disk (6.6). The outputs are its writes; nothing is delivered.
    pub fn recover(
        _settings: Arc<Settings>,
        _disk: Disk,
        _outputs: &mut Vec<Output>,
    ) -> (Self, Recovered) {
        todo!()
    }
    /// What never changes.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
    /// The durable image with all writes that it gave.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }
    /// The state record.
    pub fn record(&self) -> &Record {
        todo!()
    }
    /// Why it does nothing any more, if so.
    pub fn halted(&self) -> Option<Halt> {
        self.halt
    }
    /// Entries of the receive log in order of arrival.
    pub fn received(&self) -> impl Iterator<Item = &Entry> {
        self.pending.iter().map(|(_, entry)| entry)
    }
    /// Entries of the send log, oldest first.
    pub fn unconfirmed(&self) -> impl Iterator<Item = &Entry> {
        std::iter::empty()
    }
}
