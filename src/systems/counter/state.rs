//! The data of a counter replica.

use std::collections::VecDeque;

use serde::Serialize;

use crate::merkle::driver::Host;
use crate::merkle::{self, Disk, SortedMap, Store};

use super::message::{CallId, Direction, Failure, Input, Output};
use super::space::{Place, Space};
use super::strategy::{Difference, EmptyRead, Isolation, Strategies};

/// One open replica (section 3): everything but its disk image is gone after a crash (CTR-13).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct State<S: Space> {
    pub(super) node: S::Node,
    pub(super) generation: S::Generation,
    pub(super) strategies: Strategies,
    pub(super) store: Store<S>,
    /// This generation's running totals as far as they are written; absent is 0.
    pub(super) totals: SortedMap<(Direction, S::DataKey), u64>,
    /// Totals counted in memory that are ahead of those written; absent is as written.
    pub(super) counted: SortedMap<(Direction, S::DataKey), u64>,
    /// Calls that return with the next flush to begin, oldest first.
    pub(super) callers: Vec<CallId>,
    /// The call that holds the mutex.
    pub(super) holder: Option<Writer<S>>,
    /// Calls waiting for the mutex, oldest first.
    pub(super) waiting: VecDeque<Writer<S>>,
    /// Calls whose write is done here and whose publication has not ended.
    pub(super) publishing: SortedMap<CallId, Publication<S>>,
    /// Reads under way; the sum of increments once it is known.
    pub(super) reads: SortedMap<CallId, Read<S>>,
    /// Writes of this life, for [`super::TotalSource::Events`].
    pub(super) events: u64,
    pub(super) closed: bool,
}

/// A call that writes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct Writer<S: Space> {
    pub(super) call: CallId,
    pub(super) write: Pending<S>,
}

/// What a call writes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) enum Pending<S: Space> {
    Bump {
        direction: Direction,
        key: S::DataKey,
        unreadable: bool,
        /// The total being written; 0 until the mutex is held.
        total: u64,
    },
    Raw {
        key: S::Key,
        value: S::Value,
    },
    Flush(Flush<S>),
}

/// What a flush covers; nothing until the mutex is held.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct Flush<S: Space> {
    /// The counted totals that it makes durable, ascending.
    pub(super) totals: Vec<((Direction, S::DataKey), u64)>,
    /// Calls that return with it.
    pub(super) callers: Vec<CallId>,
}

/// A write that waits for its publication.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct Publication<S: Space> {
    pub(super) block: S::Address,
    pub(super) write: Pending<S>,
}

/// A read under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct Read<S: Space> {
    pub(super) key: S::DataKey,
    pub(super) incr: Option<u64>,
}

impl<S: Space> State<S> {
    /// Opens the store (CTR-12) with a fresh generation, drawn by the caller (CTR-5).
    pub fn open(
        node: S::Node,
        generation: S::Generation,
        disk: Disk<S>,
        strategies: Strategies,
    ) -> Self {
        Self {
            node,
            generation,
            strategies,
            store: Store::open(disk, strategies.store),
            totals: SortedMap::new(),
            counted: SortedMap::new(),
            callers: Vec::new(),
            holder: None,
            waiting: VecDeque::new(),
            publishing: SortedMap::new(),
            reads: SortedMap::new(),
            events: 0,
            closed: false,
        }
    }

    /// The replicated store.
    pub fn store(&self) -> &Store<S> {
        &self.store
    }

    /// The node.
    pub fn node(&self) -> &S::Node {
        &self.node
    }

    /// The generation of this process life.
    pub fn generation(&self) -> S::Generation {
        self.generation
    }

    /// This generation's total of a counter, as remembered.
    pub fn total(&self, direction: Direction, key: &S::DataKey) -> u64 {
        let total = self.totals.get(&(direction, key.clone()));
        total.copied().unwrap_or(0)
    }

    /// Whether a call waits for the mutex.
    pub fn has_waiting_writers(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Publications whose end is awaited.
    pub fn publications(&self) -> impl Iterator<Item = (CallId, S::Address)> {
        let publishing = self.publishing.iter();
        publishing.map(|(call, publication)| (*call, publication.block))
    }

    /// Reads whose query has not run, and whether the first of two has.
    pub fn reads(&self) -> impl Iterator<Item = (CallId, bool)> {
        let reads = self.reads.iter();
        reads.map(|(call, read)| (*call, read.incr.is_some()))
    }

    /// Whether the store was closed in an orderly way.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// One sum of a read, over the entries as they are now (CTR-9). Linear in the entries below the
    /// prefix; allocates nothing per entry.
    pub fn sum(&self, direction: Direction, key: &S::DataKey) -> u64 {
        self.sum_of_first(direction, key, usize::MAX)
    }

    /// The value of a counter, as a read returns it. Linear in the entries below its prefixes.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for a key without entries, with [`EmptyRead::Error`] only.
    pub fn value(&self, key: &S::DataKey) -> Result<u64, Failure> {
        let incr = self.sum(Direction::Incr, key);
        self.difference(key, incr, self.sum(Direction::Decr, key))
    }

    pub(super) fn sum_of_first(&self, direction: Direction, key: &S::DataKey, limit: usize) -> u64 {
        let view = S::view(direction, key);
        let mut sum = 0_u64;
        let entries = self.store.disk().entries.iter_from(&S::floor(&view));
        for (full, entry) in entries.take(limit) {
            match S::place(&view, full) {
                Place::Outside => break,
                Place::Nested if self.strategies.isolation == Isolation::OwnSubCounters => {}
                Place::Nested | Place::Own => sum = sum.wrapping_add(S::decode(&entry.value)),
            }
        }
        sum
    }

    pub(super) fn difference(
        &self,
        key: &S::DataKey,
        incr: u64,
        decr: u64,
    ) -> Result<u64, Failure> {
        if self.strategies.empty_read == EmptyRead::Error && !self.has_entries(key) {
            return Err(Failure::NotFound);
        }
        Ok(match self.strategies.difference {
            Difference::Clamped => incr.saturating_sub(decr),
            Difference::Wrapping => incr.wrapping_sub(decr),
        })
    }

    fn has_entries(&self, key: &S::DataKey) -> bool {
        [Direction::Incr, Direction::Decr].iter().any(|direction| {
            let view = S::view(*direction, key);
            let entries = &self.store.disk().entries;
            let mut from = entries.iter_from(&S::floor(&view));
            from.next()
                .is_some_and(|(full, _)| S::place(&view, full) != Place::Outside)
        })
    }
}

impl<S: Space> Host for State<S> {
    type Ids = S;

    fn store(&self) -> Option<&Store<S>> {
        Some(&self.store)
    }

    fn wrap(input: merkle::Input<S>) -> Input<S> {
        Input::Store(input)
    }

    fn unwrap(output: Output<S>) -> Result<merkle::Output<S>, Output<S>> {
        match output {
            Output::Store(output) => Ok(output),
            output => Err(output),
        }
    }
}
