//! Received messages that are not delivered, indexed by what they wait for (6.4).

mod waiters;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{Hash, Hasher};

use smallvec::SmallVec;

use super::Message;
use super::clock::{Clock, Node};
use super::strategy::{Dependencies, Duplicates};
use waiters::Waiters;

/// In which order the scan of the receive log acts (6.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub enum Scan {
    /// After each action again from the oldest entry: text.
    Restart,
    /// Passes from the oldest to the newest until one does nothing: framed.
    Sweep,
}

/// What [`Pending::next`] found; the entry is out of the index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found<T> {
    /// Deliver it: then the clock's entry of its sender must be raised, and [`Pending::delivered`] be
    /// told, before `next` is called again.
    Apply {
        /// Number of the entry.
        id: u64,
        /// What was put in.
        item: T,
    },
    /// Delivered before: purge it.
    Duplicate {
        /// Number of the entry.
        id: u64,
        /// What was put in.
        item: T,
    },
}

/// Entries in order of arrival, each waiting for one message that it misses.
///
/// Gives what the scan of 6.4 gives, in the same order, without going through the entries that wait:
/// it looks only at an entry that is new, or whose missing message was delivered since. As a clock
/// only grows, it then goes on in the stamp where it stopped. Memory is proportional to the largest
/// number of entries there were.
///
/// Equality and hash are those of the sequence of items, not of the index.
#[derive(Clone, Debug)]
pub struct Pending<T> {
    scan: Scan,
    duplicates: Duplicates,
    dependencies: Dependencies,
    slots: Vec<Slot<T>>,
    /// Slots without an item.
    free: Vec<u32>,
    waiters: Waiters,
    /// From this entry on the scan goes on; 0 unless it sweeps.
    position: u64,
    /// Entries to look at from the position on, and the slots in which they are.
    ahead: BinaryHeap<Reverse<(u64, u32)>>,
    /// Likewise before the position.
    behind: BinaryHeap<Reverse<(u64, u32)>>,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    id: u64,
    seq: u64,
    sender: Node,
    /// The other entries of its stamp before this place are reached.
    reached: u16,
    /// Whether it is in one of the heaps.
    is_candidate: bool,
    item: Option<T>,
}

/// What the scan does with an entry.
enum Look {
    Apply,
    Duplicate,
    /// It waits for message `seq` of `node`.
    Misses {
        node: Node,
        seq: u64,
    },
    /// It waits for nothing that can come (D1).
    Stuck,
}

/// The two links of a slot: for the message that its entry misses, and for another message of the same
/// number from the same sender, which makes a duplicate of it.
#[derive(Clone, Copy)]
enum LinkOf {
    Missing,
    Twin,
}

impl LinkOf {
    const fn slot(self, slot: u32) -> u32 {
        2 * slot + self as u32
    }
}

impl<T: AsRef<Message>> Pending<T> {
    /// Appends entry `id`, which is above all before it, `clock` being that of the node. O(1) amortised
    /// but for the clock test.
    pub fn push(&mut self, id: u64, item: T, clock: &Clock) {
        let message = item.as_ref();
        let slot = Slot {
            id,
            seq: message.seq(),
            sender: message.sender,
            reached: 0,
            is_candidate: false,
            item: Some(item),
        };
        let at = match self.free.pop() {
            Some(at) => {
                self.slots[at as usize] = slot;
                at
            }
            None => {
                self.slots.push(slot);
                u32::try_from(self.slots.len() - 1).expect("entries of 2^31 slots fill the memory")
            }
        };
        match self.look(at, clock) {
            Look::Apply | Look::Duplicate => {
                self.slots[at as usize].is_candidate = true;
                self.ahead.push(Reverse((id, at)));
            }
            Look::Misses { node, seq } => self.wait(at, node, seq),
            Look::Stuck => (),
        }
    }

    /// Begins a run at the oldest entry (sweep: a new pass).
    pub fn rewind(&mut self) {
        self.position = 0;
        self.ahead.append(&mut self.behind);
    }

    /// The next entry that the scan acts on, given the node's clock; none if all wait. O(log n) but for
    /// clock tests, of which there is one for each message that made an entry wait.
    pub fn next(&mut self, clock: &Clock) -> Option<Found<T>> {
        loop {
            let (id, at) = self.candidate()?;
            match self.look(at, clock) {
                Look::Misses { node, seq } => self.wait(at, node, seq),
                Look::Stuck => (),
                Look::Apply => {
                    let item = self.take(at);
                    return Some(Found::Apply { id, item });
                }
                Look::Duplicate => {
                    let item = self.take(at);
                    return Some(Found::Duplicate { id, item });
                }
            }
        }
    }

    /// Whether an entry that waits stands, in order of the scan, before the one that `next` would give,
    /// or before its end if it would give none (D16). O(n).
    pub fn blocked(&self, clock: &Clock) -> bool {
        let ids = self.occupied().map(|(at, slot)| (slot.id, at));
        // The first entry from the position on; behind the last one the next pass begins.
        let first = ids.min_by_key(|(id, _)| (*id < self.position, *id));
        let looks = first.map(|(_, at)| self.looked(at, clock).0);
        matches!(looks, Some(Look::Misses { .. } | Look::Stuck))
    }

    /// Looks at an entry, and remembers how far its stamp is reached.
    fn look(&mut self, at: u32, clock: &Clock) -> Look {
        let (look, reached) = self.looked(at, clock);
        self.slots[at as usize].reached = reached;
        look
    }

    fn looked(&self, at: u32, clock: &Clock) -> (Look, u16) {
        let slot = &self.slots[at as usize];
        let delivered = clock.get(slot.sender);
        if slot.seq <= delivered && self.duplicates == Duplicates::AtOrBelow {
            return (Look::Duplicate, slot.reached);
        }
        if slot.seq < delivered {
            return (Look::Stuck, slot.reached);
        }
        if slot.seq - delivered > 1 {
            let before = Look::Misses {
                node: slot.sender,
                seq: slot.seq - 1,
            };
            return (before, slot.reached);
        }
        let missing = match (self.dependencies, &slot.item) {
            (Dependencies::All, Some(item)) => {
                let stamp = &item.as_ref().stamp;
                let missing = clock.unreached(slot.sender, stamp, slot.reached.into());
                missing.map(|node| (node, stamp.get(node)))
            }
            (Dependencies::OwnOnly, _) | (Dependencies::All, None) => None,
        };
        match missing {
            Some((node, seq)) => (Look::Misses { node, seq }, node.0),
            None if slot.seq > delivered => (Look::Apply, u16::MAX),
            None => (Look::Duplicate, u16::MAX),
        }
    }

    fn wait(&mut self, at: u32, node: Node, seq: u64) {
        self.waiters.wait(LinkOf::Missing.slot(at), node, seq);
        let slot = &self.slots[at as usize];
        let twin = LinkOf::Twin.slot(at);
        // One that misses its predecessor cannot have a twin delivered before that.
        if node != slot.sender
            && self.duplicates == Duplicates::AtOrBelow
            && !self.waiters.is_waiting(twin)
        {
            self.waiters.wait(twin, slot.sender, slot.seq);
        }
    }

    fn take(&mut self, at: u32) -> T {
        self.waiters.forget(LinkOf::Missing.slot(at));
        self.waiters.forget(LinkOf::Twin.slot(at));
        self.free.push(at);
        let item = self.slots[at as usize].item.take();
        item.expect("only slots with items are entries to look at")
    }
}

impl<T> Pending<T> {
    /// Empty; allocates nothing.
    pub const fn new(scan: Scan, duplicates: Duplicates, dependencies: Dependencies) -> Self {
        Self {
            scan,
            duplicates,
            dependencies,
            slots: Vec::new(),
            free: Vec::new(),
            waiters: Waiters::new(),
            position: 0,
            ahead: BinaryHeap::new(),
            behind: BinaryHeap::new(),
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells that the clock's entry of `sender` was raised to `seq` by delivering the entry found last
    /// (or locally): wakes who waited. O(log n) for each of them.
    pub fn delivered(&mut self, sender: Node, seq: u64) {
        let Self {
            slots,
            waiters,
            position,
            ahead,
            behind,
            ..
        } = self;
        waiters.wake(sender, seq, |link| {
            let at = link / 2;
            let slot = &mut slots[at as usize];
            if !slot.is_candidate {
                slot.is_candidate = true;
                let is_ahead = slot.id >= *position;
                let heap = if is_ahead { &mut *ahead } else { &mut *behind };
                heap.push(Reverse((slot.id, at)));
            }
        });
    }

    /// The entries in order of arrival. O(n log n).
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let mut items: SmallVec<[(u64, &T); 8]> = self
            .occupied()
            .filter_map(|(_, slot)| Some((slot.id, slot.item.as_ref()?)))
            .collect();
        items.sort_unstable_by_key(|(id, _)| *id);
        items.into_iter()
    }

    fn occupied(&self) -> impl Iterator<Item = (u32, &Slot<T>)> {
        let slots = (0..).zip(&self.slots);
        slots.filter(|(_, slot)| slot.item.is_some())
    }

    /// The next entry to look at, of which the position is then behind.
    fn candidate(&mut self) -> Option<(u64, u32)> {
        if self.ahead.is_empty() {
            std::mem::swap(&mut self.ahead, &mut self.behind);
        }
        let Reverse((id, at)) = self.ahead.pop()?;
        self.slots[at as usize].is_candidate = false;
        if self.scan == Scan::Sweep {
            self.position = id + 1;
        }
        Some((id, at))
    }
}

impl<T: PartialEq> PartialEq for Pending<T> {
    fn eq(&self, other: &Self) -> bool {
        let items = self.iter().map(|(_, item)| item);
        self.len() == other.len() && items.eq(other.iter().map(|(_, item)| item))
    }
}

impl<T: Eq> Eq for Pending<T> {}

impl<T: Hash> Hash for Pending<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        self.iter().for_each(|(_, item)| item.hash(state));
    }
}
