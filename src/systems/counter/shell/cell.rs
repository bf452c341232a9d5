//! The counts of one data key, and how they are read without a lock.

use crossbeam_utils::CachePadded;

use crate::counter::{DataKey, Direction, Totals};
use crate::sync::{Arc, Mutex, OnceLock, SeqCstU64, lock};

/// Most slots of one side: threads beyond share them.
const STRIPES: u64 = 16;

/// How a read collects counts that change meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Collect {
    /// Until two collects agree. What is returned was the value at some instant of the call (CTR-S9).
    Double,
    /// Once. The value returned may never have been (C-3). A mutant.
    Once,
}

/// The counts of one data key.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) key: DataKey,
    incr: Side,
    decr: Side,
}

impl Cell {
    pub(super) fn new(key: DataKey) -> Self {
        Self {
            key,
            incr: Side::new(),
            decr: Side::new(),
        }
    }

    pub(super) fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Incr => &self.incr,
            Direction::Decr => &self.decr,
        }
    }

    /// The clamped difference (CTR-9, CTR-10). Two equal sums of decrements with one of increments
    /// between them: sums only grow, so the decrements stood still from one to the other, and the
    /// difference was the value at the instant at which the increments had their sum. Repeats only
    /// if a decrement or merge came between: lock-free.
    #[inline]
    pub(super) fn value(&self, collect: Collect) -> u64 {
        let mut decr = self.decr.sum(collect);
        loop {
            let incr = self.incr.sum(collect);
            let again = match collect {
                Collect::Double => self.decr.sum(collect),
                Collect::Once => decr,
            };
            if again == decr {
                return incr.saturating_sub(decr);
            }
            decr = again;
        }
    }
}

/// One direction of a data key.
#[derive(Debug)]
pub(super) struct Side {
    /// Sum of all sub-counters but the own one.
    others: SeqCstU64,
    /// How many slots reads must visit; raised before the newest of them counts anything.
    slots: SeqCstU64,
    /// Begins the list of slots.
    first: OnceLock<Arc<PaddedSlot>>,
    admin: Mutex<Admin>,
}

/// What only merges and new handles touch.
#[derive(Debug, Default)]
struct Admin {
    /// The sub-counters behind `others`, as far as this side was told them one by one.
    totals: Totals,
    /// What `others` holds.
    sum: u64,
    /// The slot shared next, once there are as many as there may be.
    next: u64,
}

/// Away from the memory that other threads write.
pub(super) type PaddedSlot = CachePadded<Slot>;

/// What one thread counted, or several that share the slot.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) count: SeqCstU64,
    next: OnceLock<Arc<PaddedSlot>>,
}

impl Side {
    fn new() -> Self {
        Self {
            others: SeqCstU64::new(0),
            slots: SeqCstU64::new(0),
            first: OnceLock::new(),
            admin: Mutex::new(Admin::default()),
        }
    }

    /// The own total: a value that it had at some instant of the call. Slots grow by ones, so from
    /// the first load to the last the total passes every number between what it was and what it
    /// became, and what is returned is one of these. O(slots).
    #[inline]
    pub(super) fn own(&self) -> u64 {
        let mut slot = &self.first;
        let mut sum = 0_u64;
        for _ in 0..self.slots.load() {
            let at = slot.get().expect("slots are counted once they are there");
            sum = sum.wrapping_add(at.count.load());
            slot = &at.next;
        }
        sum
    }

    /// The sum of this direction: a value that it had at some instant of the call. Merges raise it
    /// by more than one, so the argument of [`Self::own`] needs that none came between.
    #[inline]
    fn sum(&self, collect: Collect) -> u64 {
        let mut others = self.others.load();
        loop {
            let own = self.own();
            let again = match collect {
                Collect::Double => self.others.load(),
                Collect::Once => others,
            };
            if again == others {
                return others.wrapping_add(own);
            }
            others = again;
        }
    }

    /// A slot that no other handle has, as long as the bound allows it.
    pub(super) fn hand_out(&self) -> Arc<PaddedSlot> {
        let mut admin = lock(&self.admin);
        let mut slot = &self.first;
        let mut passed = 0;
        while let Some(at) = slot.get() {
            // The list holds one.
            if Arc::strong_count(at) == 1 {
                return Arc::clone(at);
            }
            passed += 1;
            slot = &at.next;
        }
        if passed < STRIPES {
            return self.append(slot, passed + 1);
        }
        let shared = self.nth(admin.next);
        admin.next = (admin.next + 1) % STRIPES;
        shared
    }

    fn append(&self, end: &OnceLock<Arc<PaddedSlot>>, slots: u64) -> Arc<PaddedSlot> {
        let slot = Arc::new(CachePadded::new(Slot {
            count: SeqCstU64::new(0),
            next: OnceLock::new(),
        }));
        let set = end.set(Arc::clone(&slot));
        assert!(set.is_ok(), "slots are appended under the lock");
        self.slots.store(slots);
        slot
    }

    fn nth(&self, nth: u64) -> Arc<PaddedSlot> {
        let first = self.first.get();
        let mut slot = first.expect("there are as many slots as there may be");
        for _ in 0..nth {
            let next = slot.next.get();
            slot = next.expect("there are as many slots as there may be");
        }
        Arc::clone(slot)
    }

    /// The sum of all other sub-counters is now `sum`.
    pub(super) fn merged(&self, sum: u64) {
        self.tell(&mut lock(&self.admin), sum);
    }

    /// Merges sub-counters other than the own one.
    pub(super) fn merge(&self, totals: &Totals) {
        let mut admin = lock(&self.admin);
        admin.totals.merge(totals);
        let sum = admin.totals.sum();
        self.tell(&mut admin, sum);
    }

    /// Merges one sub-counter other than the own one.
    pub(super) fn apply(&self, id: u32, total: u64) {
        let mut admin = lock(&self.admin);
        let raised = admin.totals.apply(id, total);
        let sum = admin.sum.wrapping_add(raised);
        self.tell(&mut admin, sum);
    }

    fn tell(&self, admin: &mut Admin, sum: u64) {
        if admin.sum != sum {
            admin.sum = sum;
            self.others.store(sum);
        }
    }
}
