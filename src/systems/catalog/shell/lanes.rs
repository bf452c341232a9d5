//! Counts of accesses, one array for each lane.

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicU64, Count, Ordering, fence};

/// Counts in a block. Blocks do not share lines, so lanes do not either, however few counts they have.
const BLOCK: usize = 8;

/// Within a crossing of the threshold, lanes may count this part of it before one of them looks.
const LATE: u64 = 8;

/// How accesses are counted. [`Strategies::REFERENCE`] is what users run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Strategies {
    /// One access.
    pub counting: Counting,
    /// The load of a route.
    pub collect: Collect,
}

impl Strategies {
    /// Loses nothing, and sees nothing that was not.
    pub const REFERENCE: Self = Self {
        counting: Counting::Add,
        collect: Collect::Double,
    };
}

/// How an access is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counting {
    /// So that nothing can come between.
    Add,
    /// By reading the count and writing it back, in a lane that others share (C1). A mutant.
    ReadAndWrite,
}

/// How counts that change meanwhile make a load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Collect {
    /// Until nothing was taken while they were added up.
    Double,
    /// Once: what is returned may never have been. A mutant.
    Once,
}

/// Where an accessor counts: in the lane that it shares with others, or in one of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lane(usize);

impl Lane {
    pub(super) const SHARED: Self = Self(0);

    /// So many lanes that are not shared.
    pub(super) fn own(lanes: usize) -> impl DoubleEndedIterator<Item = Self> {
        (1..=lanes).map(Self)
    }
}

/// The counts of some slots, lane by lane; behind them what refused splits took from each slot.
#[derive(Debug)]
pub(super) struct Lanes {
    blocks: Vec<CachePadded<[Counted; BLOCK]>>,
    /// Blocks of a lane.
    stride: usize,
    /// With the shared one; 0 if nothing is counted.
    lanes: usize,
    slots: usize,
}

/// What one lane counted in one slot.
#[derive(Debug, Default)]
struct Counted {
    count: Count,
    /// The count at which the lane next looks at the load. What other threads see of it does not matter.
    look: AtomicU64,
}

/// Accesses after which a route is split.
#[derive(Clone, Copy, Debug)]
pub(super) struct Threshold(pub(super) u64);

impl Lanes {
    /// Zeros. O(lanes slots).
    pub(super) fn new(lanes: usize, slots: usize) -> Self {
        let stride = slots.div_ceil(BLOCK);
        let blocks = match lanes {
            0 => 0,
            _ => (lanes + 1) * stride,
        };
        Self {
            blocks: (0..blocks).map(|_| CachePadded::default()).collect(),
            stride,
            lanes,
            slots,
        }
    }

    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    #[inline]
    fn at(&self, lane: usize, slot: usize) -> &Counted {
        &self.blocks[lane * self.stride + slot / BLOCK][slot % BLOCK]
    }

    fn taken(&self, slot: usize) -> &Count {
        &self.at(self.lanes, slot).count
    }

    /// Counts an access, and returns the load if it is time to look at it.
    ///
    /// Below 16 accesses for each lane it always is, as it is if one lane alone counts, once the threshold is
    /// reached. Otherwise a lane looks again once it counted its part of what is missing. Of two lanes that look, the
    /// later one sees what the other had counted by then, so nobody sees of the others at most what they allowed
    /// themselves since: all together less than an eighth of the threshold.
    #[inline]
    pub(super) fn count(
        &self,
        lane: Lane,
        slot: usize,
        threshold: Threshold,
        how: Strategies,
    ) -> Option<u64> {
        if self.lanes == 0 {
            return None;
        }
        let Counted { count, look } = self.at(lane.0, slot);
        let counted = match how.counting {
            _ if lane != Lane::SHARED => count.add_alone(1),
            Counting::Add => count.add(1),
            Counting::ReadAndWrite => {
                let counted = count.load().wrapping_add(1);
                count.store(counted);
                counted
            }
        };
        if threshold.0 == 0 {
            return None;
        }
        let parts = LATE * self.lanes as u64;
        if threshold.0 / parts < 2 {
            return Some(self.load(slot, how.collect));
        }
        if counted < look.load(Ordering::Relaxed) {
            return None;
        }
        let load = self.load(slot, how.collect);
        let part = threshold.0.saturating_sub(load) / parts;
        look.store(counted.saturating_add(part), Ordering::Relaxed);
        Some(load)
    }

    /// The load of a slot at some instant of the call: counts grow by ones, so their sum passes every number between
    /// what it was and what it became. Of two threads that count and then call this, the one or the other sees both.
    /// O(lanes).
    pub(super) fn load(&self, slot: usize, collect: Collect) -> u64 {
        if self.lanes == 0 {
            return 0;
        }
        fence();
        let taken = self.taken(slot);
        let mut before = taken.load();
        loop {
            let counts = (0..self.lanes).map(|lane| self.at(lane, slot).count.load());
            let sum = counts.fold(0, u64::wrapping_add);
            let after = match collect {
                Collect::Double => taken.load(),
                Collect::Once => before,
            };
            if after == before {
                return sum.wrapping_sub(after);
            }
            before = after;
        }
    }

    /// Takes so much from the load of a slot. Only one thread at a time may do so.
    pub(super) fn take(&self, slot: usize, load: u64) {
        self.taken(slot).add_alone(load);
    }
}
