//! Submit, flush and ack (6.2, 6.3).

use std::sync::Arc;

use bytes::Bytes;

use super::faulty;
use crate::causal::clock::{Clock, Node};
use crate::causal::error::{AckError, FlushError, SubmitError};
use crate::causal::group::Profile;
use crate::causal::local::Request;
use crate::causal::log::{LogName, framed_record};
use crate::causal::message::{
    Change, Entry, Flushed, Message, Operation, Output, Submitted, Write,
};
use crate::causal::state::{Settings, State};
use crate::causal::strategy::{
    Confirmation, Overflow, Removal, Representable, Sending, SubmitOrder,
};
use crate::causal::{framed, text};

/// A payload that passed its preconditions.
pub(super) enum Payload {
    Text(Bytes, Option<text::Operation>),
    Framed(Box<framed::Msg>),
}

/// A stamped message and its record of the send log, without framing.
pub(super) struct Draft {
    pub(super) message: Arc<Message>,
    pub(super) record: Bytes,
}

impl State {
    /// 6.2.
    pub(super) fn submit(&mut self, request: &Request, outputs: &mut Vec<Output>) {
        let draft = self
            .payload(request)
            .and_then(|payload| self.draft(payload));
        match draft {
            Ok(draft) => self.commit(draft, outputs),
            Err(error) => outputs.push(Output::Submitted(Err(error))),
        }
    }

    /// Checks the arguments and preconditions of a request (7.3).
    fn payload(&self, request: &Request) -> Result<Payload, SubmitError> {
        let user = request.user();
        let sets = user.and_then(|user| self.disk.record.payload.user(user));
        match (self.settings.profile, request) {
            (Profile::Text, Request::Text(request)) => {
                let representable = self.settings.strategies.representable;
                let (payload, operation) = request.payload(sets, representable)?;
                Ok(Payload::Text(payload, operation))
            }
            (Profile::Framed, Request::Framed(request)) => {
                Ok(Payload::Framed(Box::new(request.msg(sets)?)))
            }
            (Profile::Text, Request::Framed(_)) | (Profile::Framed, Request::Text(_)) => {
                Err(SubmitError::WrongProfile)
            }
        }
    }

    /// Stamps a payload (rules 1 to 3).
    fn draft(&self, payload: Payload) -> Result<Draft, SubmitError> {
        let late = self.settings.stamps_late();
        let ahead = if late { faulty::unstamped(self) } else { 0 };
        let last = self.own().saturating_add(ahead);
        let mut stamp = self.disk.record.clock.clone();
        stamp.set(self.settings.me, self.settings.after(last)?);
        self.settings.stamped(payload, stamp)
    }

    /// Makes a message durable, then answers.
    fn commit(&mut self, draft: Draft, outputs: &mut Vec<Output>) {
        let submitted = Submitted {
            seq: draft.message.seq(),
            clock: draft.message.stamp.clone(),
            wire: self.settings.wire_of(&draft),
        };
        let message = Arc::clone(&draft.message);
        match self.settings.strategies.submit_order {
            _ if self.settings.stamps_late() => faulty::commit_unstamped(self, draft, outputs),
            SubmitOrder::LogFirst => {
                self.log_own(draft, outputs);
                self.take_own(message, outputs);
            }
            SubmitOrder::ClockFirst => faulty::commit_clock_first(self, draft, outputs),
            SubmitOrder::StateFirst => {
                self.take_own(message, outputs);
                self.log_own(draft, outputs);
            }
        }
        outputs.push(Output::Submitted(match self.halt {
            None => Ok(submitted),
            Some(_) => Err(SubmitError::NodeDown),
        }));
    }

    /// Appends an own message to the send log and syncs it.
    pub(super) fn log_own(&mut self, draft: Draft, outputs: &mut Vec<Output>) {
        let Draft { message, record } = draft;
        let bytes = framed_record(self.settings.profile, &record);
        let ids = self.append(LogName::Send, bytes, outputs);
        outputs.push(Output::Sync);
        // One, but for faulty strategies: a glued tail (D7), a line feed in a payload (D20).
        for record in ids.filter_map(|id| self.disk.send_log.get(id)) {
            let message = Arc::clone(&message);
            self.sent.push_back(Entry { record, message });
        }
    }

    /// Takes the effect and the clock of an own message into the state record and syncs it.
    fn take_own(&mut self, message: Arc<Message>, outputs: &mut Vec<Output>) {
        let (me, seq) = (message.sender, message.seq());
        self.deliver_own(message, outputs);
        outputs.push(Output::Sync);
        self.pending.delivered(me, seq);
    }

    /// Takes the effect and the clock of an own message into the state record.
    pub(super) fn deliver_own(&mut self, message: Arc<Message>, outputs: &mut Vec<Output>) {
        let seq = message.seq();
        if self.change(Change::Delivered(message), outputs) && self.own() != seq {
            faulty::wrap_clock(self, seq, outputs);
        }
    }

    /// 6.3. Changes nothing.
    pub(super) fn flush(&mut self, peer: Node, outputs: &mut Vec<Output>) {
        if !self.settings.is_peer(peer) {
            return outputs.push(Output::Flushed(Err(FlushError::UnknownPeer)));
        }
        if self.settings.stamps_late() {
            faulty::stamp_all(self, outputs);
        }
        let cursor = self.disk.record.cursors.get(peer);
        let flushed = if self.must_wait_for_others(peer) {
            let wire = Vec::new();
            Flushed { upto: cursor, wire }
        } else {
            self.transfer_above(cursor)
        };
        let upto = flushed.upto;
        outputs.push(Output::Flushed(Ok(flushed)));
        if self.settings.strategies.confirmation == Confirmation::OnWrite {
            self.confirm(peer, upto, outputs);
        }
    }

    /// All entries of the send log above a cursor.
    fn transfer_above(&self, cursor: u64) -> Flushed {
        let settings = &self.settings;
        let confirmed = |entry: &Entry| !settings.is_above(entry.message.seq(), cursor);
        let entries = self.sent.range(self.sent.partition_point(confirmed)..);
        let upto = entries.clone().next_back();
        let upto = upto.map_or(cursor, |entry| entry.message.seq());
        let wire = match settings.profile {
            Profile::Text => entries
                .map(|entry| text::connection_of(&settings.line_of(&entry.message, &entry.record)))
                .collect(),
            Profile::Framed if entries.len() == 0 => Vec::new(),
            Profile::Framed => {
                let frames: Vec<Bytes> =
                    entries.map(|entry| framed::frame(&entry.record)).collect();
                vec![frames.concat().into()]
            }
        };
        Flushed { upto, wire }
    }

    /// Whether a peer before this one has not confirmed everything (D12).
    fn must_wait_for_others(&self, peer: Node) -> bool {
        let settings = &self.settings;
        let cursors = &self.disk.record.cursors;
        settings.strategies.sending == Sending::InTurn
            && settings
                .group
                .peers(settings.me)
                .take_while(|other| *other != peer)
                .any(|other| settings.is_above(self.own(), cursors.get(other)))
    }

    /// 6.3.
    pub(super) fn ack(&mut self, peer: Node, seq: u64, outputs: &mut Vec<Output>) {
        let last = self.own();
        if !self.settings.is_peer(peer) {
            return outputs.push(Output::Acked(Err(AckError::UnknownPeer)));
        }
        if self.settings.is_above(seq, last) {
            return outputs.push(Output::Acked(Err(AckError::AckBeyondLog { seq, last })));
        }
        self.confirm(peer, seq, outputs);
        outputs.push(Output::Acked(Ok(self.disk.send_log.len())));
    }

    /// Moves a cursor, and removes from the send log what all peers have.
    fn confirm(&mut self, peer: Node, seq: u64, outputs: &mut Vec<Output>) {
        if !self
            .settings
            .is_above(seq, self.disk.record.cursors.get(peer))
        {
            return;
        }
        self.change(Change::Cursor { peer, seq }, outputs);
        self.remove_confirmed(outputs);
        outputs.push(Output::Sync);
    }

    /// Removes the entries of the send log that all peers have confirmed.
    pub(super) fn remove_confirmed(&mut self, outputs: &mut Vec<Output>) {
        let settings = &self.settings;
        let cursors = &self.disk.record.cursors;
        let peers = settings.group.peers(settings.me);
        let Some(smallest) = peers.map(|peer| cursors.get(peer)).min() else {
            return;
        };
        let confirmed = |entry: &Entry| !settings.is_above(entry.message.seq(), smallest);
        let count = if settings.stamps_late() {
            faulty::stamped_and_confirmed(self, smallest)
        } else {
            self.sent.partition_point(confirmed)
        };
        if count == 0 {
            return;
        }
        self.sent.drain(..count);
        match self.settings.strategies.removal {
            Removal::Atomic => self.write(Write::Truncate { count }, outputs),
            Removal::InPlace => {
                let remove = |log: &mut crate::causal::Log| log.truncate_front(count);
                faulty::remove_in_place(self, LogName::Send, remove, outputs);
            }
        }
    }

    /// The own clock entry.
    pub(super) fn own(&self) -> u64 {
        self.disk.record.clock.get(self.settings.me)
    }
}

impl Settings {
    /// Rule 1, and rule 3.
    pub(super) fn after(&self, last: u64) -> Result<u64, SubmitError> {
        match self.strategies.overflow {
            _ if last < self.profile.largest() => Ok(last + 1),
            Overflow::Refused => Err(SubmitError::ClockOverflow(last)),
            Overflow::Wraps => Ok(0),
        }
    }

    /// Whether the message `seq` comes after the message `last` of the same sender.
    pub(super) const fn is_above(&self, seq: u64, last: u64) -> bool {
        match self.strategies.overflow {
            Overflow::Refused => seq > last,
            Overflow::Wraps => faulty::is_above_wrapped(seq, last, self.profile.largest()),
        }
    }

    /// A payload with a stamp: its message and its record.
    fn stamped(&self, payload: Payload, stamp: Clock) -> Result<Draft, SubmitError> {
        let (record, operation) = match payload {
            Payload::Text(payload, operation) => {
                let record = if self.stamps_late() {
                    payload
                } else {
                    self.line(&stamp, payload)?
                };
                (record, operation.map(Operation::Text))
            }
            Payload::Framed(mut msg) => {
                msg.replica = self.group.name(self.me).clone();
                // No entry is above the largest of the profile, which has 32 bits.
                msg.vclock = self.named(&stamp, |value| value as u32);
                (msg.encode(), msg.operation().map(Operation::Framed))
            }
        };
        let message = Arc::new(Message {
            sender: self.me,
            stamp,
            operation,
        });
        Ok(Draft { message, record })
    }

    /// The message line of the text profile (3.1).
    fn line(&self, stamp: &Clock, payload: Bytes) -> Result<Bytes, SubmitError> {
        let line = self.text_line(stamp, payload);
        match self.strategies.representable {
            Representable::Checked => {
                text::format_message(&line).map_err(|_| SubmitError::UnrepresentableField {
                    what: "payload",
                    why: "expected UTF-8 without CR and LF",
                })
            }
            Representable::Unchecked => Ok(faulty::unchecked_line(&line)),
        }
    }

    /// A message line, not formatted yet.
    pub(super) fn text_line(&self, stamp: &Clock, payload: Bytes) -> text::Line {
        text::Line {
            sender: self.group.name(self.me).clone(),
            clock: self.named(stamp, u64::cast_signed),
            payload,
        }
    }

    /// The line of a record of the send log.
    fn line_of(&self, message: &Message, record: &Bytes) -> Bytes {
        if self.stamps_late() {
            faulty::stamped_line(self, message, record)
        } else {
            record.clone()
        }
    }

    /// What a submit shows: text: the line without its terminator; framed: its frame.
    fn wire_of(&self, draft: &Draft) -> Bytes {
        match self.profile {
            Profile::Text => self.line_of(&draft.message, &draft.record),
            Profile::Framed => framed::frame(&draft.record),
        }
    }
}
