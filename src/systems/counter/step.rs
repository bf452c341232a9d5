//! What a counter replica does with each input.

use crate::machine::Machine;
use crate::merkle;

use super::message::{CallId, Direction, Failure, Input, Output, QueryEnd};
use super::space::Space;
use super::state::{Pending, Publication, Read, State, Writer};
use super::strategy::{ClosedReads, Commit, Lock, PublishFailure, Snapshot, TotalSource};

impl<S: Space> Machine for State<S> {
    type Input = Input<S>;
    type Output = Output<S>;

    fn step(&mut self, input: Input<S>, outputs: &mut Vec<Output<S>>) {
        match input {
            Input::Bump {
                call,
                direction,
                key,
                unreadable,
            } => {
                if let Commit::Grouped(acknowledged) = self.strategies.commit {
                    return self.count_bump(call, (direction, key), acknowledged, outputs);
                }
                let write = Pending::Bump {
                    direction,
                    key,
                    unreadable,
                    total: 0,
                };
                self.enqueue(Writer { call, write }, outputs);
            }
            Input::Count {
                direction,
                key,
                total,
            } => self.count((direction, key), total),
            Input::Flush { call } => self.flush(call, outputs),
            Input::RawPut { call, key, value } => {
                let write = Pending::Raw { key, value };
                self.enqueue(Writer { call, write }, outputs);
            }
            Input::Read { call, key } => {
                if self.closed && self.strategies.closed_reads == ClosedReads::Refused {
                    return outputs.push(returned(call, Err(Failure::Closed)));
                }
                self.reads.insert(call, Read { key, incr: None });
                outputs.push(Output::Query { call });
            }
            Input::Queried { call, end } => self.queried(call, end, outputs),
            Input::Published { call, ok } => self.published(call, ok, outputs),
            Input::Store(input) => self.store_step(input, outputs),
            Input::Close => {
                self.closed = true;
                for writer in std::mem::take(&mut self.waiting) {
                    writer.write.end(writer.call, Err(Failure::Closed), outputs);
                }
                for call in std::mem::take(&mut self.callers) {
                    outputs.push(returned(call, Err(Failure::Closed)));
                }
            }
        }
    }
}

pub(super) fn returned<S: Space>(call: CallId, result: Result<Option<u64>, Failure>) -> Output<S> {
    Output::Returned { call, result }
}

impl<S: Space> State<S> {
    pub(super) fn enqueue(&mut self, writer: Writer<S>, outputs: &mut Vec<Output<S>>) {
        if self.closed {
            return outputs.push(returned(writer.call, Err(Failure::Closed)));
        }
        self.waiting.push_back(writer);
        self.grant(outputs);
    }

    /// Gives the mutex to the caller that has waited longest (CTR-8 step 1).
    fn grant(&mut self, outputs: &mut Vec<Output<S>>) {
        if self.holder.is_some() || self.closed {
            return;
        }
        let Some(mut writer) = self.waiting.pop_front() else {
            return;
        };
        let input = match &mut writer.write {
            Pending::Raw { key, value } => merkle::Input::Put {
                key: key.clone(),
                value: value.clone(),
            },
            Pending::Bump {
                direction,
                key,
                unreadable,
                total,
            } => {
                let full = self.own_key(*direction, key);
                *total = self
                    .base(*direction, key, &full, *unreadable)
                    .wrapping_add(1);
                self.events += 1;
                merkle::Input::Put {
                    key: full,
                    value: S::encode(*total),
                }
            }
            Pending::Flush(flush) => match self.begin(flush) {
                Some(writes) => merkle::Input::PutAll(writes),
                None => {
                    writer.write.end(writer.call, Ok(None), outputs);
                    return self.grant(outputs);
                }
            },
        };
        self.holder = Some(writer);
        self.store_step(input, outputs);
    }

    pub(super) fn own_key(&self, direction: Direction, key: &S::DataKey) -> S::Key {
        let generation = match self.strategies.total {
            TotalSource::Events => S::event(&self.generation, self.events),
            _ => self.generation,
        };
        S::full(direction, key, &self.node, &generation)
    }

    /// The total on which a bump builds.
    fn base(&self, direction: Direction, key: &S::DataKey, full: &S::Key, unreadable: bool) -> u64 {
        let stored = || {
            let entry = self.store.disk().entries.get(full);
            entry.map_or(0, |entry| S::decode(&entry.value))
        };
        let cached = self.totals.get(&(direction, key.clone())).copied();
        match self.strategies.total {
            TotalSource::Remembered => cached.unwrap_or(0),
            TotalSource::ReadBack if unreadable => 0,
            TotalSource::ReadBack => stored(),
            TotalSource::Seeded => cached.unwrap_or_else(stored),
            TotalSource::Events => 0,
        }
    }

    /// Hands an input to the store and goes on with what comes back.
    fn store_step(&mut self, input: merkle::Input<S>, outputs: &mut Vec<Output<S>>) {
        let mut stored = Vec::new();
        self.store.step(input, &mut stored);
        for output in stored {
            match output {
                merkle::Output::Put(block) => self.put_done(block, outputs),
                output => outputs.push(Output::Store(output)),
            }
        }
    }

    /// The local steps of CTR-17 are done, or step 2 failed.
    fn put_done(&mut self, block: Option<S::Address>, outputs: &mut Vec<Output<S>>) {
        let holder = self.holder.take();
        let Writer { call, write } = holder.expect("a put is made by the holder of the mutex");
        let Some(block) = block else {
            let failure = match write {
                Pending::Flush(_) => Failure::FlushFailed,
                Pending::Bump { .. } | Pending::Raw { .. } => Failure::WriteFailed,
            };
            write.end(call, Err(failure), outputs);
            return self.grant(outputs);
        };
        if let Pending::Flush(flush) = &write {
            self.flushed_now(flush);
        } else if self.strategies.publish_failure == PublishFailure::KeepsTotal {
            self.remember(&write);
        }
        if self.strategies.lock == Lock::AcrossPublication {
            let write = write.clone();
            self.holder = Some(Writer { call, write });
        }
        self.publishing.insert(call, Publication { block, write });
        outputs.push(Output::Publish { call, block });
        self.grant(outputs);
    }

    /// CTR-8 step 3.
    fn remember(&mut self, write: &Pending<S>) {
        if let Pending::Bump {
            direction,
            key,
            total,
            ..
        } = write
        {
            self.totals.insert((*direction, key.clone()), *total);
        }
    }

    /// A publication ended. One that is not awaited is ignored.
    fn published(&mut self, call: CallId, ok: bool, outputs: &mut Vec<Output<S>>) {
        let Some(publication) = self.publishing.remove(&call) else {
            return;
        };
        if ok && self.strategies.publish_failure == PublishFailure::ForgetsTotal {
            self.remember(&publication.write);
        }
        if self.strategies.lock == Lock::AcrossPublication {
            self.holder = None;
        }
        let result = ok.then_some(None).ok_or(Failure::PublishFailed);
        publication.write.end(call, result, outputs);
        self.grant(outputs);
    }

    /// A query of a read ran (CTR-9). One that was not asked for is ignored.
    fn queried(&mut self, call: CallId, end: QueryEnd, outputs: &mut Vec<Output<S>>) {
        let Some(read) = self.reads.remove(&call) else {
            return;
        };
        let limit = match end {
            QueryEnd::Complete => usize::MAX,
            QueryEnd::Cut(entries) if self.strategies.closed_reads == ClosedReads::Truncated => {
                entries
            }
            QueryEnd::Cut(_) => return outputs.push(returned(call, Err(Failure::Closed))),
            QueryEnd::Failed => return outputs.push(returned(call, Err(Failure::QueryFailed))),
        };
        let incr = match (read.incr, self.strategies.snapshot) {
            (Some(incr), _) => incr,
            (None, Snapshot::Shared) => self.sum_of_first(Direction::Incr, &read.key, limit),
            (None, Snapshot::PerQuery) => {
                let incr = self.sum_of_first(Direction::Incr, &read.key, limit);
                let incr = Some(incr);
                self.reads.insert(call, Read { incr, ..read });
                return outputs.push(Output::Query { call });
            }
        };
        let decr = self.sum_of_first(Direction::Decr, &read.key, limit);
        let result = self.difference(&read.key, incr, decr);
        outputs.push(returned(call, result.map(Some)));
    }
}
