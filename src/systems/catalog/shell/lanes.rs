//! Counts of accesses, one array for each lane.

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicU64, Ordering, SeqCstU64};

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
    /// By one addition that nothing can come between.
    Add,
    /// By reading the count and writing it back (C1). A mutant.
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

/// The counts of some slots, lane by lane; behind them what refused splits took from each slot.
#[derive(Debug)]
pub(super) struct Lanes {
    blocks: Vec<CachePadded<[Count; BLOCK]>>,
    /// Blocks of a lane.
    stride: usize,
    lanes: usize,
    slots: usize,
}

/// What one lane counted in one slot.
#[derive(Debug, Default)]
struct Count {
    count: SeqCstU64,
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
    fn at(&self, lane: usize, slot: usize) -> &Count {
        &self.blocks[lane * self.stride + slot / BLOCK][slot % BLOCK]
    }

    fn taken(&self, slot: usize) -> &SeqCstU64 {
        &self.at(self.lanes, slot).count
    }

    /// Counts an access, and returns the load if it is time to look at it.
    ///
    /// Below 16 accesses for each lane it always is, as it is if one lane alone counts, once the threshold is
    /// reached. Otherwise a lane looks again once it counted its part of what is missing: a lane that looks sees
    /// whatever was counted before, so the others have at most what they last allowed themselves, all together less
    /// than an eighth of the threshold.
    #[inline]
    pub(super) fn count(
        &self,
        lane: usize,
        slot: usize,
        threshold: Threshold,
        how: Strategies,
    ) -> Option<u64> {
        if self.lanes == 0 {
            return None;
        }
        let Count { count, look } = self.at(lane, slot);
        let counted = match how.counting {
            Counting::Add => count.increment(),
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
    /// what it was and what it became. O(lanes).
    pub(super) fn load(&self, slot: usize, collect: Collect) -> u64 {
        if self.lanes == 0 {
            return 0;
        }
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
        let taken = self.taken(slot);
        taken.store(taken.load().wrapping_add(load));
    }
}
