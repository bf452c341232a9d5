//! Durable images that a crash leaves in pieces (D9, D10), and logs with foreign records.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::super::wire::text_operation;
use crate::causal::clock::Clock;
use crate::causal::clock_file;
use crate::causal::log::{Log, LogName};
use crate::causal::message::{Change, Entry, Message, Output, Write};
use crate::causal::state::{Disk, Halt, Settings, State};
use crate::causal::strategy::{Malformed, Overflow, Removal, Representable, TornTail};

/// Copies the rest of a log to its front, then cuts it: two writes (D9).
pub(in crate::causal::step) fn remove_in_place(
    state: &mut State,
    log: LogName,
    remove: impl FnOnce(&mut Log),
    outputs: &mut Vec<Output>,
) {
    let before = state.disk.log(log).bytes();
    remove(state.disk.log_mut(log));
    let rest = state.disk.log(log).bytes();
    let copied = [&rest, &before[rest.len()..]].concat().into();
    for bytes in [copied, rest] {
        outputs.push(Output::Write(Write::Overwrite { log, bytes }));
    }
}

/// Before the state record takes a new clock, its file is overwritten in place: a crash leaves one
/// that lacks its last entry, or its last digit (D10).
pub(in crate::causal::step) fn tear_clock_file(
    disk: &Disk,
    settings: &Settings,
    change: &Change,
    outputs: &mut Vec<Output>,
) {
    let mut after = disk.record.clone();
    if !after.change(change, &settings.strategies) || after.clock == disk.record.clock {
        return;
    }
    let file = settings.clock_file(&after.clock);
    let last_entry = file.iter().rposition(|byte| *byte == b';').unwrap_or(0);
    for kept in [last_entry, file.len().saturating_sub(1)] {
        let torn = Write::ClockFile(file.slice(..kept));
        outputs.push(Output::Write(torn));
    }
}

/// Takes the clock from its file: entries that it lacks are 0, and a node whose file cannot be parsed
/// dies (D10).
pub(in crate::causal::step) fn read_clock_file(state: &mut State, outputs: &mut Vec<Output>) {
    let Some(file) = state.disk.clock_file.clone() else {
        return;
    };
    let Ok(entries) = clock_file::parse(&file, state.settings.profile) else {
        state.halt = Some(Halt::Died);
        return;
    };
    for node in state.settings.group.nodes() {
        let entry = entries.get(state.settings.group.name(node));
        let value = entry.map_or(0, |entry| u64::try_from(*entry).unwrap_or(0));
        if state.disk.record.clock.get(node) != value {
            state.write(Write::Change(Change::Clock { node, value }), outputs);
        }
    }
}

/// The records of a send log in which anything may stand.
pub(in crate::causal::step) fn sent(settings: &Settings, disk: &Disk) -> VecDeque<Entry> {
    let mut sent: VecDeque<Entry> = VecDeque::new();
    for (_, record) in disk.send_log.iter() {
        let last = sent.back().map(|entry| &*entry.message);
        let message = if settings.stamps_late() {
            settings.unstamped(&disk.record.clock, sent.len() as u64 + 1, &record)
        } else {
            let garbage = |_| settings.garbage(last, &disk.record.clock);
            settings.own_message(&record).unwrap_or_else(garbage)
        };
        let message = Arc::new(message);
        sent.push_back(Entry { record, message });
    }
    sent
}

impl Settings {
    /// Whether complete records of the own logs may be no messages of this node.
    pub(in crate::causal::step) fn has_foreign_records(&self) -> bool {
        let strategies = &self.strategies;
        strategies.malformed == Malformed::Fatal
            || strategies.torn_tail == TornTail::Kept
            || strategies.removal == Removal::InPlace
            || strategies.representable == Representable::Unchecked
            || strategies.overflow == Overflow::Wraps
            || self.stamps_late()
    }

    /// The clock file of a clock (5).
    pub(in crate::causal) fn clock_file(&self, clock: &Clock) -> Bytes {
        let file = clock_file::format(&self.named(clock, u64::cast_signed));
        file.expect("members of a group have legal names").into()
    }

    /// A payload that gets its stamp when it is sent, `ahead` messages from now.
    fn unstamped(&self, clock: &Clock, ahead: u64, payload: &Bytes) -> Message {
        let mut stamp = clock.clone();
        stamp.set(self.me, clock.get(self.me).saturating_add(ahead));
        Message {
            sender: self.me,
            stamp,
            operation: text_operation(payload),
        }
    }

    /// A record that is no message is sent along with the one before it.
    fn garbage(&self, last: Option<&Message>, clock: &Clock) -> Message {
        let stamp = last.map_or(clock, |message| &message.stamp).clone();
        Message {
            sender: self.me,
            stamp,
            operation: None,
        }
    }
}
