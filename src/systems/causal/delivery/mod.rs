//! Received messages that are not delivered, indexed by what they wait for (6.4).

mod agenda;
mod waiters;

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::mem;

use smallvec::SmallVec;

use super::Message;
use super::clock::{Clock, Node};
use super::strategy::{Dependencies, Duplicates};
use agenda::Agenda;
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

/// Entries in order of arrival, each new or waiting for one message that it misses.
///
/// Gives what the scan of 6.4 gives, in the same order, without going through the entries that wait:
/// it looks only at an entry that is new, or whose missing message was delivered since. As a clock
/// only grows, it then goes on in the stamp where it stopped. Memory is proportional to the largest
/// number of entries that there were.
///
/// Equality and hash are those of the sequence of items, not of the index.
#[derive(Clone, Debug)]
pub struct Pending<T> {
    scan: Scan,
    rules: Rules,
    /// Entries that were not looked at yet, with their numbers. All others are older.
    new: VecDeque<(u64, T)>,
    slots: Vec<Slot<T>>,
    /// Slots that can be used again.
    free: Vec<u32>,
    /// Number of slots with an entry.
    held: usize,
    /// Slots by the message that their entry misses.
    waiters: Waiters,
    /// By sender: how many entries are its next message but wait for another one. If a twin with another
    /// stamp is delivered first, they are duplicates.
    in_line: Vec<u32>,
    /// From this entry on the scan goes on; 0 unless it sweeps.
    position: u64,
    /// Slots to look at again, from the position on.
    ahead: Agenda,
    /// Slots to look at again, before the position.
    behind: Agenda,
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    duplicates: Duplicates,
    dependencies: Dependencies,
}

/// A place for an entry that was looked at.
#[derive(Clone, Debug)]
struct Slot<T> {
    id: u64,
    item: Option<T>,
    sender: Node,
    /// The other entries of its stamp before this place are reached.
    reached: u16,
    is_in_line: bool,
}

/// What the scan does with an entry.
enum Look {
    Apply,
    Duplicate,
    Waits(Missing),
}

/// What an entry waits for: message `seq` of `node`, or nothing that can come (D1).
type Missing = Option<(Node, u64)>;

impl<T: AsRef<Message>> Pending<T> {
    /// The next entry that the scan acts on, given the node's clock; none if all wait. O(log n) but for
    /// clock tests: one for each new entry, and one for each that was woken.
    pub fn next(&mut self, clock: &Clock) -> Option<Found<T>> {
        loop {
            if let Some((id, at)) = self.ahead.pop() {
                self.pass(id);
                let slot = &mut self.slots[at as usize];
                let item = slot.item.as_ref().expect("what is due is held");
                let look = self.rules.look(item.as_ref(), &mut slot.reached, clock);
                match look {
                    Look::Apply => {
                        return Some(Found::Apply {
                            id,
                            item: self.take(at),
                        });
                    }
                    Look::Duplicate => {
                        return Some(Found::Duplicate {
                            id,
                            item: self.take(at),
                        });
                    }
                    Look::Waits(missing) => self.wait(at, missing),
                }
            } else if let Some((id, item)) = self.new.pop_front() {
                self.pass(id);
                let mut reached = 0;
                let look = self.rules.look(item.as_ref(), &mut reached, clock);
                match look {
                    Look::Apply => return Some(Found::Apply { id, item }),
                    Look::Duplicate => return Some(Found::Duplicate { id, item }),
                    Look::Waits(missing) => {
                        let at = self.hold(id, item, reached);
                        self.wait(at, missing);
                    }
                }
            } else if self.behind.is_empty() {
                return None;
            } else {
                mem::swap(&mut self.ahead, &mut self.behind);
            }
        }
    }

    /// Whether an entry that waits stands, in order of the scan, before the one that `next` would give,
    /// or before its end if it would give none (D16). O(n).
    pub fn blocked(&self, clock: &Clock) -> bool {
        let held = self.slots.iter();
        let held = held.filter_map(|slot| Some((slot.id, slot.item.as_ref()?)));
        let new = self.new.iter().map(|(id, item)| (*id, item));
        // The first entry from the position on; behind the last one the next pass begins.
        let first = held
            .chain(new)
            .min_by_key(|(id, _)| (*id < self.position, *id));
        let look = first.map(|(_, item)| self.rules.look(item.as_ref(), &mut 0, clock));
        matches!(look, Some(Look::Waits(_)))
    }

    fn wait(&mut self, at: u32, missing: Missing) {
        let Some((node, seq)) = missing else {
            return;
        };
        self.waiters.wait(at, node, seq);
        let slot = &mut self.slots[at as usize];
        // One that misses its predecessor cannot have a twin delivered before that.
        if node != slot.sender && self.rules.duplicates == Duplicates::AtOrBelow {
            let sender = slot.sender.index();
            if self.in_line.len() <= sender {
                self.in_line.resize(sender + 1, 0);
            }
            slot.is_in_line = true;
            self.in_line[sender] += 1;
        }
    }

    fn hold(&mut self, id: u64, item: T, reached: u16) -> u32 {
        let slot = Slot {
            id,
            sender: item.as_ref().sender,
            item: Some(item),
            reached,
            is_in_line: false,
        };
        self.held += 1;
        if let Some(at) = self.free.pop() {
            self.slots[at as usize] = slot;
            return at;
        }
        self.slots.push(slot);
        u32::try_from(self.slots.len() - 1).expect("entries of 2^32 slots fill the memory")
    }
}

impl Rules {
    /// What the scan does with a message (rule 4), of whose stamp the entries before `reached`, but for
    /// the sender's, are known to be reached.
    #[inline(always)]
    fn look(self, message: &Message, reached: &mut u16, clock: &Clock) -> Look {
        let (sender, stamp) = (message.sender, &message.stamp);
        let (seq, delivered) = (stamp.get(sender), clock.get(sender));
        if seq <= delivered {
            match self.duplicates {
                Duplicates::AtOrBelow => return Look::Duplicate,
                Duplicates::EqualOnly if seq < delivered => return Look::Waits(None),
                Duplicates::EqualOnly => (),
            }
        } else if seq - delivered > 1 {
            return Look::Waits(Some((sender, seq - 1)));
        }
        if self.dependencies == Dependencies::All
            && let Some(node) = clock.unreached(sender, stamp, (*reached).into())
        {
            *reached = node.0;
            return Look::Waits(Some((node, stamp.get(node))));
        }
        if seq > delivered {
            Look::Apply
        } else {
            Look::Duplicate
        }
    }
}

impl<T> Pending<T> {
    /// Empty; allocates nothing.
    pub const fn new(scan: Scan, duplicates: Duplicates, dependencies: Dependencies) -> Self {
        Self {
            scan,
            rules: Rules {
                duplicates,
                dependencies,
            },
            new: VecDeque::new(),
            slots: Vec::new(),
            free: Vec::new(),
            held: 0,
            waiters: Waiters::new(),
            in_line: Vec::new(),
            position: 0,
            ahead: Agenda::new(),
            behind: Agenda::new(),
        }
    }

    /// Appends entry `id`, which is above all before it. O(1) amortised.
    pub fn push(&mut self, id: u64, item: T) {
        self.new.push_back((id, item));
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.held + self.new.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins a run at the oldest entry (sweep: a new pass).
    pub fn rewind(&mut self) {
        self.position = 0;
        if !self.behind.is_empty() {
            self.ahead.append(&mut self.behind);
        }
    }

    /// Tells that the clock's entry of `sender` was raised to `seq` by delivering the entry found last
    /// (or locally): wakes who waited. O(log n) for each of them; O(n) if a message of the same number
    /// but with another stamp waits, as only faulty senders let it.
    pub fn delivered(&mut self, sender: Node, seq: u64) {
        let Self {
            slots,
            waiters,
            in_line,
            position,
            ahead,
            behind,
            ..
        } = self;
        waiters.wake(sender, seq, |at| {
            let slot = &mut slots[at as usize];
            if mem::take(&mut slot.is_in_line) {
                in_line[slot.sender.index()] -= 1;
            }
            let is_ahead = slot.id >= *position;
            let agenda = if is_ahead { &mut *ahead } else { &mut *behind };
            agenda.push((slot.id, at));
        });
        if in_line.get(sender.index()).is_some_and(|count| *count > 0) {
            self.wake_twins(sender);
        }
    }

    /// The entries in order of arrival. O(n log n).
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let held = self.slots.iter();
        let held = held.filter_map(|slot| Some((slot.id, slot.item.as_ref()?)));
        let mut held: SmallVec<[(u64, &T); 8]> = held.collect();
        held.sort_unstable_by_key(|(id, _)| *id);
        let new = self.new.iter().map(|(id, item)| (*id, item));
        held.into_iter().chain(new)
    }

    /// The scan is behind this entry.
    fn pass(&mut self, id: u64) {
        if self.scan == Scan::Sweep {
            self.position = id + 1;
        }
    }

    fn take(&mut self, at: u32) -> T {
        self.held -= 1;
        self.free.push(at);
        let item = self.slots[at as usize].item.take();
        item.expect("what is due is held")
    }

    /// Wakes what stands in line of this sender.
    #[cold]
    fn wake_twins(&mut self, sender: Node) {
        self.in_line[sender.index()] = 0;
        for (at, slot) in (0..).zip(&mut self.slots) {
            if slot.is_in_line && slot.sender == sender {
                slot.is_in_line = false;
                self.waiters.forget(at);
                let is_ahead = slot.id >= self.position;
                let agenda = if is_ahead {
                    &mut self.ahead
                } else {
                    &mut self.behind
                };
                agenda.push((slot.id, at));
            }
        }
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
