//! Grouped commits: bumps raise totals in memory, a flush makes all of them durable together.
//!
//! Claim: what a completed flush covers survives a crash, entries are those that writing each bump
//! would have left, and a flush that fails or is interrupted loses nothing but what was counted in
//! memory. A flush writes absolute totals, as one group of puts with one sync; only then is it
//! announced, and only then do the calls that wait for it return. When to flush is the driver's
//! choice. Models: `counter/grouped`, `counter/deferred`.

use super::message::{CallId, Direction, Failure, Output};
use super::space::Space;
use super::state::{Flush, Pending, State, Writer};
use super::step::returned;
use super::strategy::{Acknowledged, Commit, FlushedTotal};

/// A sub-counter of this generation.
type Own<S> = (Direction, <S as Space>::DataKey);

impl<S: Space> State<S> {
    /// This generation's total of a counter, flushed or not. O(log n).
    pub fn counted(&self, direction: Direction, key: &S::DataKey) -> u64 {
        let counted = self.counted.get(&(direction, key.clone())).copied();
        counted.unwrap_or_else(|| self.total(direction, key))
    }

    /// This generation's total of a counter as the last completed flush left it: durable. O(log n).
    pub fn flushed(&self, direction: Direction, key: &S::DataKey) -> u64 {
        self.total(direction, key)
    }

    /// Whether anything is counted that no completed flush covers.
    pub fn has_unflushed(&self) -> bool {
        !self.counted.is_empty()
    }

    /// Whether a flush holds the mutex. What is counted now is left to the next.
    pub fn is_flushing(&self) -> bool {
        self.flush_under_way().is_some()
    }

    /// Calls that the flush under way will let return, and calls that the next one will.
    pub fn flush_callers(&self) -> [&[CallId]; 2] {
        let flush = self.flush_under_way();
        let now = flush.map_or(&[][..], |flush| &flush.callers);
        [now, &self.callers]
    }

    /// The value of a counter with what is counted and not flushed: as [`State::value`], the own
    /// entry replaced by the counted total. The same as [`State::value`] unless commits are grouped.
    ///
    /// # Errors
    /// As [`State::value`].
    pub fn live_value(&self, key: &S::DataKey) -> Result<u64, Failure> {
        let [incr, decr] = [Direction::Incr, Direction::Decr].map(|direction| {
            let sum = self.sum(direction, key);
            sum.wrapping_add(self.unwritten(direction, key))
        });
        self.difference(key, incr, decr)
    }

    /// By how much the counted total is ahead of the own entry. Modulo 2^64.
    fn unwritten(&self, direction: Direction, key: &S::DataKey) -> u64 {
        if self.strategies.commit == Commit::EachBump {
            return 0;
        }
        let entries = &self.store.disk().entries;
        let entry = entries.get(&self.own_key(direction, key));
        let written = entry.map_or(0, |entry| S::decode(&entry.value));
        self.counted(direction, key).wrapping_sub(written)
    }

    fn flush_under_way(&self) -> Option<&Flush<S>> {
        match &self.holder {
            Some(Writer {
                write: Pending::Flush(flush),
                ..
            }) => Some(flush),
            _ => None,
        }
    }

    pub(super) fn count_bump(
        &mut self,
        call: CallId,
        own: Own<S>,
        acknowledged: Acknowledged,
        outputs: &mut Vec<Output<S>>,
    ) {
        if self.closed {
            return outputs.push(returned(call, Err(Failure::Closed)));
        }
        let total = self.counted(own.0, &own.1).wrapping_add(1);
        self.counted.insert(own, total);
        let under_way = self.holder.as_mut().map(|writer| &mut writer.write);
        match (acknowledged, under_way) {
            (Acknowledged::Counted, _) => outputs.push(returned(call, Ok(None))),
            (Acknowledged::AnyFlush, Some(Pending::Flush(flush))) => flush.callers.push(call),
            (Acknowledged::Flushed | Acknowledged::AnyFlush, _) => self.callers.push(call),
        }
    }

    pub(super) fn count(&mut self, own: Own<S>, total: u64) {
        assert_ne!(
            self.strategies.commit,
            Commit::EachBump,
            "totals are counted outside only where commits are grouped"
        );
        // Compared as serial numbers (RFC 1982), since a total wraps.
        let ahead = total
            .wrapping_sub(self.counted(own.0, &own.1))
            .cast_signed();
        if ahead > 0 && !self.closed {
            self.counted.insert(own, total);
        }
    }

    pub(super) fn flush(&mut self, call: CallId, outputs: &mut Vec<Output<S>>) {
        if self.closed {
            return outputs.push(returned(call, Err(Failure::Closed)));
        }
        self.callers.push(call);
        let is_flush = |writer: &Writer<S>| matches!(writer.write, Pending::Flush(_));
        if !self.waiting.iter().any(is_flush) {
            let write = Pending::Flush(Flush {
                totals: Vec::new(),
                callers: Vec::new(),
            });
            self.enqueue(Writer { call, write }, outputs);
        }
    }

    /// What a flush that has just been given the mutex writes, if anything: all that is counted now,
    /// for every call that waits now.
    pub(super) fn begin(&mut self, flush: &mut Flush<S>) -> Option<Vec<(S::Key, S::Value)>> {
        flush.callers = std::mem::take(&mut self.callers);
        let counted = self.counted.iter();
        flush.totals = counted.map(|(own, total)| (own.clone(), *total)).collect();
        let mut writes = Vec::with_capacity(flush.totals.len());
        for ((direction, key), counted) in &flush.totals {
            self.events += 1;
            let before = self.flushed(*direction, key);
            let total = match self.strategies.flushed {
                FlushedTotal::Counted => *counted,
                FlushedTotal::Stale => before,
                FlushedTotal::Difference => counted.wrapping_sub(before),
            };
            writes.push((self.own_key(*direction, key), S::encode(total)));
        }
        (!writes.is_empty()).then_some(writes)
    }

    /// A flush is durable. What was counted during it stays counted.
    pub(super) fn flushed_now(&mut self, flush: &Flush<S>) {
        for (own, total) in &flush.totals {
            if self.counted.get(own) == Some(total) {
                self.counted.remove(own);
            }
            self.totals.insert(own.clone(), *total);
        }
    }
}

impl<S: Space> Pending<S> {
    /// Lets the calls of this write return: those that its flush covers, else `call`.
    pub(super) fn end(
        &self,
        call: CallId,
        result: Result<Option<u64>, Failure>,
        outputs: &mut Vec<Output<S>>,
    ) {
        match self {
            Self::Flush(flush) => {
                let callers = flush.callers.iter();
                outputs.extend(callers.map(|call| returned(*call, result)));
            }
            Self::Bump { .. } | Self::Raw { .. } => outputs.push(returned(call, result)),
        }
    }
}
