//! Runs of apply (6.4).

use std::num::NonZeroU64;
use std::sync::Arc;

use super::faulty;
use crate::causal::delivery::Found;
use crate::causal::error::Refusal;
use crate::causal::log::{Log, LogName};
use crate::causal::message::{Applied, Change, Delivery, Entry, Output, Write};
use crate::causal::state::{Halt, State};
use crate::causal::strategy::{
    DeliveredEntries, DeliveryOrder, Malformed, Overflow, Receivers, Removal, WaitingEntry,
};

/// What a run did so far.
#[derive(Default)]
struct Run {
    applied: Vec<Delivery>,
    purged: usize,
    /// Entries that were done with and stay (D17).
    kept: Vec<u64>,
}

impl State {
    /// Acts on the entries of the receive log, as the profile's scan finds them, until all wait or
    /// `limit` messages are delivered.
    pub(super) fn apply(&mut self, limit: Option<NonZeroU64>, outputs: &mut Vec<Output>) {
        let before = outputs.len();
        let mut run = Run::default();
        self.rewind();
        while limit.is_none_or(|limit| (run.applied.len() as u64) < limit.get())
            && let Some(found) = self.found()
        {
            match found {
                Found::Duplicate { id, .. } => {
                    run.purged += 1;
                    self.remove_received(id, &mut run, outputs);
                }
                Found::Apply { id, item } => self.deliver(id, &item, &mut run, outputs),
            }
            if self.halt.is_some() {
                break;
            }
        }
        if !run.kept.is_empty() {
            let done = std::mem::take(&mut run.kept);
            self.write(Write::Areas { done }, outputs);
        }
        if outputs.len() > before {
            outputs.push(Output::Sync);
        }
        outputs.push(Output::Applied(match self.halt {
            Some(_) => Err(Refusal),
            None => Ok(Applied {
                applied: run.applied,
                purged: run.purged,
                log: self.disk.receive_log.len(),
                clock: self.disk.record.clock.clone(),
            }),
        }));
    }

    fn rewind(&mut self) {
        self.pending.rewind();
        self.volatile.rewind();
        self.obstacles.rewind();
    }

    /// The next entry to act on; none if all wait, or the node halts.
    fn found(&mut self) -> Option<Found<Entry>> {
        let strategies = &self.settings.strategies;
        let plain = self.obstacles.is_clear()
            && self.disk.receive_log.tail().is_empty()
            && strategies.waiting_entry == WaitingEntry::Passed
            && strategies.receivers == Receivers::One
            && strategies.overflow == Overflow::Refused;
        if plain {
            self.pending.next(&self.disk.record.clock)
        } else {
            faulty::found(self)
        }
    }

    /// Effect and clock in one atomic write, then the removal of the entry.
    fn deliver(&mut self, id: u64, entry: &Entry, run: &mut Run, outputs: &mut Vec<Output>) {
        let message = &entry.message;
        let strategies = &self.settings.strategies;
        let opaque = message.operation.is_none();
        if opaque && strategies.malformed == Malformed::Fatal {
            self.halt = Some(Halt::Died);
            return;
        }
        let survives = match strategies.delivery_order {
            DeliveryOrder::Together => self.change(Change::Delivered(Arc::clone(message)), outputs),
            DeliveryOrder::EffectFirst => faulty::deliver_effect_first(self, message, outputs),
        };
        if !survives {
            return;
        }
        let (sender, seq) = (message.sender, message.seq());
        self.pending.delivered(sender, seq);
        self.volatile.delivered(sender, seq);
        run.applied.push(Delivery {
            sender,
            seq,
            opaque,
        });
        self.remove_received(id, run, outputs);
    }

    /// Removes an entry that was delivered, now or before.
    fn remove_received(&mut self, id: u64, run: &mut Run, outputs: &mut Vec<Output>) {
        let strategies = &self.settings.strategies;
        match (strategies.delivered_entries, strategies.removal) {
            (DeliveredEntries::Kept, _) => run.kept.push(id),
            (DeliveredEntries::Removed, Removal::Atomic) => {
                self.write(Write::Purge { id }, outputs);
            }
            (DeliveredEntries::Removed, Removal::InPlace) => {
                let remove = |log: &mut Log| log.remove(id);
                faulty::remove_in_place(self, LogName::Receive, remove, outputs);
            }
        }
    }
}
