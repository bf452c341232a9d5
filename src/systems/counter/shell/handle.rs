//! What a thread holds to count or read one data key.

use crate::counter::Direction;
use crate::sync::Arc;

use super::cell::{Cell, Collect, PaddedSlot};

/// Counts one direction of one data key. A clone counts the same elsewhere in memory, so give every
/// thread its own.
#[derive(Debug)]
pub struct Handle {
    slot: Arc<PaddedSlot>,
    cell: Arc<Cell>,
    direction: Direction,
}

impl Handle {
    pub(super) fn new(cell: Arc<Cell>, direction: Direction) -> Self {
        let slot = cell.side(direction).hand_out();
        Self {
            slot,
            cell,
            direction,
        }
    }

    /// Counts one: a single atomic addition (CTR-8 steps 1 and 3; the flush is step 2).
    #[inline]
    pub fn add_one(&self) {
        self.slot.count.add_one();
    }

    /// The value of the counter; see [`Reader::value`].
    #[inline]
    pub fn value(&self) -> u64 {
        self.cell.value(Collect::Double)
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.cell), self.direction)
    }
}

/// Reads one data key.
#[derive(Clone, Debug)]
pub struct Reader {
    cell: Arc<Cell>,
}

impl Reader {
    pub(super) fn new(cell: Arc<Cell>) -> Self {
        Self { cell }
    }

    /// The value of the counter (CTR-9, CTR-10) at some instant of the call. Lock-free, allocates
    /// nothing; linear in the number of threads that count this key at a time, at most 16, and
    /// independent of the number of sub-counters.
    #[inline]
    pub fn value(&self) -> u64 {
        self.value_by(Collect::Double)
    }

    /// As [`Self::value`], with a choice of how.
    #[inline]
    pub fn value_by(&self, collect: Collect) -> u64 {
        self.cell.value(collect)
    }
}
