//! Recovery (6.6).

use std::collections::VecDeque;
use std::sync::Arc;

use super::faulty;
use super::wire::Admitted;
use super::{Obstacles, Volatile};
use crate::causal::error::RecoverError;
use crate::causal::log::LogName;
use crate::causal::message::{Entry, Message, Output, Write};
use crate::causal::state::{Disk, Recovered, Settings, State};
use crate::causal::strategy::{ClockSave, TornTail};

impl State {
    /// Recovers a node from its disk. The outputs are its writes; nothing is delivered. Interrupted
    /// after any of its writes and run again, it ends in the same state.
    ///
    /// # Errors
    /// If the disk is none that this node left behind; then there are no outputs.
    pub fn recover(
        settings: Arc<Settings>,
        disk: Disk,
        outputs: &mut Vec<Output>,
    ) -> Result<(Self, Recovered), RecoverError> {
        settings.check_clocks(&disk)?;
        let sent = settings.sent(&disk)?;
        let received = settings.received(&disk)?;
        let pending = settings.no_entries();
        let mut state = Self {
            volatile: Volatile::new(&settings, &disk.record.clock),
            settings,
            disk,
            pending,
            sent,
            halt: None,
            obstacles: Obstacles::default(),
        };
        let before = outputs.len();
        let discarded = state.cut_tails(outputs);
        if state.settings.strategies.clock_save == ClockSave::InPlace {
            faulty::read_clock_file(&mut state, outputs);
        }
        if state.halt.is_none() {
            state.redo(outputs);
            state.remove_confirmed(outputs);
        }
        if outputs.len() > before {
            outputs.push(Output::Sync);
        }
        for (id, admitted) in received {
            state.index(id, admitted);
        }
        let recovered = Recovered {
            clock: state.disk.record.clock.clone(),
            log: state.disk.receive_log.len(),
            send_log: state.disk.send_log.len(),
            discarded,
        };
        Ok((state, recovered))
    }

    /// Step 1.
    fn cut_tails(&mut self, outputs: &mut Vec<Output>) -> usize {
        if self.settings.strategies.torn_tail == TornTail::Kept {
            return 0;
        }
        let mut discarded = 0;
        for log in [LogName::Send, LogName::Receive] {
            let torn = self.disk.log(log).tail().len();
            if torn > 0 {
                discarded += torn;
                self.write(Write::Cut { log }, outputs);
            }
        }
        discarded
    }

    /// Step 3.
    fn redo(&mut self, outputs: &mut Vec<Output>) {
        if self.settings.stamps_late() {
            return;
        }
        let logged = self.sent.iter().map(|entry| Arc::clone(&entry.message));
        for message in logged.collect::<Vec<_>>() {
            if self.halt.is_none() && self.settings.is_above(message.seq(), self.own()) {
                self.deliver_own(message, outputs);
            }
        }
    }
}

impl Settings {
    /// Clocks are those of the group and of the profile.
    fn check_clocks(&self, disk: &Disk) -> Result<(), RecoverError> {
        let (expected, largest) = (self.group.size(), self.profile.largest());
        for clock in [&disk.record.clock, &disk.record.cursors] {
            let found = clock.entries().len();
            if found != expected {
                return Err(RecoverError::Members { found, expected });
            }
            if let Some(entry) = clock.entries().iter().find(|entry| **entry > largest) {
                let found = *entry;
                return Err(RecoverError::Range { found, largest });
            }
        }
        Ok(())
    }

    /// The records of the send log, decoded.
    fn sent(&self, disk: &Disk) -> Result<VecDeque<Entry>, RecoverError> {
        if self.has_foreign_records() {
            return Ok(faulty::sent(self, disk));
        }
        let mut sent: VecDeque<Entry> = VecDeque::with_capacity(disk.send_log.len());
        for (at, (_, record)) in disk.send_log.iter().enumerate() {
            let message = self
                .own_message(&record)
                .map_err(|code| RecoverError::Foreign {
                    log: LogName::Send,
                    record: at,
                    code,
                    expected: "a message of this node",
                })?;
            if let Some(last) = sent.back().map(|entry| entry.message.seq())
                && !self.is_above(message.seq(), last)
            {
                return Err(RecoverError::Order {
                    record: at,
                    seq: message.seq(),
                    above: last,
                });
            }
            let message = Arc::new(message);
            sent.push_back(Entry { record, message });
        }
        Ok(sent)
    }

    /// A record of the send log as an own message.
    pub(super) fn own_message(&self, record: &bytes::Bytes) -> Result<Message, &'static str> {
        let decoded = self.decode(record).map_err(|error| error.code())?;
        if self.group.node(&decoded.sender) != Some(self.me) {
            return Err("unknown_sender");
        }
        let message = self.message(0, self.me, decoded);
        message.map_err(|error| error.code())
    }

    /// The records of the receive log, decoded, with their numbers.
    fn received(&self, disk: &Disk) -> Result<Vec<(u64, Admitted)>, RecoverError> {
        let records = disk.receive_log.iter().enumerate();
        let pending = records.filter(|(_, (id, _))| !disk.areas.contains(id));
        pending
            .map(|(at, (id, record))| match self.admitted(&record) {
                Ok(admitted) => Ok((id, admitted)),
                Err(_) if self.has_foreign_records() => Ok((id, Admitted::Undecodable)),
                Err(error) => Err(RecoverError::Foreign {
                    log: LogName::Receive,
                    record: at,
                    code: error.code(),
                    expected: "a message of another member",
                }),
            })
            .collect()
    }
}
