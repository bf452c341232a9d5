//! What a node does with each input (section 6).

mod apply;
mod faulty;
mod recover;
mod send;
mod wire;

use bytes::Bytes;

use super::error::{AckError, FlushError, ReceiveError, Refusal, SubmitError};
use super::log::LogName;
use super::message::{Change, Entry, Input, Output, Received, Stopped, Write};
use super::state::{Halt, State};
use super::strategy::{ClockSave, Confirmation, Receivers};
use crate::machine::Machine;

pub(super) use faulty::{Obstacles, Volatile};
use wire::{Admitted, Transfer};

impl Machine for State {
    type Input = Input;
    type Output = Output;

    fn step(&mut self, input: Input, outputs: &mut Vec<Output>) {
        if self.halt.is_some() {
            return outputs.push(refusal(&input));
        }
        match input {
            Input::Submit(request) => self.submit(&request, outputs),
            Input::Flush { peer } => self.flush(peer, outputs),
            Input::Ack { peer, seq } => self.ack(peer, seq, outputs),
            Input::Receive { wire } => self.receive(&wire, outputs),
            Input::Apply { limit } => self.apply(limit, outputs),
            Input::Shutdown => self.shutdown(outputs),
        }
    }
}

/// What a node that is down answers (6.7).
const fn refusal(input: &Input) -> Output {
    match input {
        Input::Submit(_) => Output::Submitted(Err(SubmitError::NodeDown)),
        Input::Flush { .. } => Output::Flushed(Err(FlushError::NodeDown)),
        Input::Ack { .. } => Output::Acked(Err(AckError::NodeDown)),
        Input::Receive { .. } => Output::Received(Err(ReceiveError::NodeDown)),
        Input::Apply { .. } => Output::Applied(Err(Refusal)),
        Input::Shutdown => Output::Stopped(Err(Refusal)),
    }
}

impl State {
    /// 6.3: everything is validated first, then stored, then confirmed.
    fn receive(&mut self, wire: &Bytes, outputs: &mut Vec<Output>) {
        let transfer = match self.settings.transfer(wire) {
            Ok(transfer) => transfer,
            Err(error) => return outputs.push(Output::Received(Err(error))),
        };
        let stored = transfer.messages.len();
        let writes = !transfer.append.is_empty();
        if writes {
            self.store(transfer, outputs);
        }
        let answer = Output::Received(Ok(Received {
            stored,
            log: self.disk.receive_log.len(),
        }));
        match self.settings.strategies.confirmation {
            _ if !writes => outputs.push(answer),
            Confirmation::BeforeSync => outputs.extend([answer, Output::Sync]),
            Confirmation::AfterSync | Confirmation::OnWrite => {
                outputs.extend([Output::Sync, answer]);
            }
        }
    }

    /// Appends a transfer to the receive log and indexes it.
    fn store(&mut self, transfer: Transfer, outputs: &mut Vec<Output>) {
        let glues = !self.disk.receive_log.tail().is_empty();
        let ids = self.append(LogName::Receive, transfer.append, outputs);
        if glues || ids.end - ids.start != transfer.messages.len() as u64 {
            faulty::index_again(self, ids);
        } else {
            for (id, admitted) in ids.zip(transfer.messages) {
                self.index(id, admitted);
            }
        }
        self.volatile.turn_to_next();
    }

    /// Indexes a record of the receive log.
    fn index(&mut self, id: u64, admitted: Admitted) {
        let message = match admitted {
            Admitted::Message(message) => message,
            Admitted::Never => return self.obstacles.never(id),
            Admitted::Undecodable => return self.obstacles.undecodable(id),
        };
        let Some(record) = self.disk.receive_log.get(id) else {
            return;
        };
        let entry = Entry { record, message };
        if self.settings.strategies.receivers == Receivers::PerPeer {
            return faulty::push_to_lane(self, id, entry);
        }
        self.pending.push(id, entry);
    }

    /// 6.7.
    fn shutdown(&mut self, outputs: &mut Vec<Output>) {
        self.halt = Some(Halt::Stopped);
        outputs.push(Output::Stopped(Ok(Stopped {
            log: self.disk.receive_log.len(),
            send_log: self.disk.send_log.len(),
        })));
    }

    /// Writes, in memory as well.
    fn write(&mut self, write: Write, outputs: &mut Vec<Output>) {
        self.disk.apply(&write, &self.settings);
        outputs.push(Output::Write(write));
    }

    /// Appends to a log, in memory as well, and gives the numbers of the new records.
    fn append(
        &mut self,
        log: LogName,
        bytes: Bytes,
        outputs: &mut Vec<Output>,
    ) -> std::ops::Range<u64> {
        let ids = self.disk.log_mut(log).append(&bytes);
        outputs.push(Output::Write(Write::Append { log, bytes }));
        ids
    }

    /// Changes the state record, in memory as well. False, and the node is dead, if a faulty strategy
    /// makes the effect fatal (D29).
    fn change(&mut self, change: Change, outputs: &mut Vec<Output>) -> bool {
        let settings = &*self.settings;
        if settings.strategies.clock_save == ClockSave::InPlace {
            faulty::tear_clock_file(&self.disk, settings, &change, outputs);
        }
        if !self.disk.record.change(&change, &settings.strategies) {
            self.halt = Some(Halt::Died);
            return false;
        }
        if settings.strategies.clock_save == ClockSave::InPlace {
            self.disk.clock_file = Some(settings.clock_file(&self.disk.record.clock));
        }
        outputs.push(Output::Write(Write::Change(change)));
        true
    }
}
