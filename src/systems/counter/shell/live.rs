//! The table of data keys.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::counter::{DataKey, Direction, Totals};
use crate::sync::{Arc, Mutex, lock};

use super::cell::{Cell, Collect};
use super::flush::{Counted, Flush, Flushed, totals};
use super::handle::{Handle, Reader};
use super::writer::Writer;

/// The live counts of one process life. Clones share them.
///
/// Nothing is ever removed: memory grows with the number of different data keys in normal form.
#[derive(Clone, Debug)]
pub struct Live {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    table: Mutex<Table>,
    flushed: Mutex<Flushed>,
}

/// Data keys by name and in the order in which they were first met.
#[derive(Debug, Default)]
pub(super) struct Table {
    index: HashMap<DataKey, usize, FixedState>,
    pub(super) cells: Vec<Arc<Cell>>,
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Live {
    /// Nothing was counted yet (CTR-12).
    pub fn new() -> Self {
        let shared = Shared {
            table: Mutex::new(Table::default()),
            flushed: Mutex::new(Flushed::default()),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// To count one direction of `key`. Takes a lock and may allocate: keep it.
    pub fn handle(&self, key: &DataKey, direction: Direction) -> Handle {
        Handle::new(self.cell(key), direction)
    }

    /// To count by name, for one thread.
    pub fn writer(&self) -> Writer {
        Writer::new(self.clone())
    }

    /// To read `key`. Takes a lock and may allocate: keep it.
    pub fn reader(&self, key: &DataKey) -> Reader {
        Reader::new(self.cell(key))
    }

    /// The value of `key` (CTR-9), 0 if nobody named it. Looks it up under a lock; apart from that
    /// as [`Reader::value`].
    pub fn read(&self, key: &DataKey) -> u64 {
        let cell = lock(&self.shared.table).find(key);
        cell.map_or(0, |cell| cell.value(Collect::Double))
    }

    /// Tells the sum of all sub-counters of `key` but the own one, former generations of this node
    /// included. For callers that keep the entries themselves: call it under the lock that guards
    /// these, so that sums are told in the order in which they came to be.
    pub fn merged(&self, key: &DataKey, direction: Direction, sum_of_others: u64) {
        self.cell(key).side(direction).merged(sum_of_others);
    }

    /// Merges sub-counters of `key`, the own one not among them. Not for keys whose sums are told by
    /// [`Self::merged`]. O(sub-counters).
    pub fn merge(&self, key: &DataKey, direction: Direction, others: &Totals) {
        self.cell(key).side(direction).merge(others);
    }

    /// Merges one sub-counter of `key`, as [`Self::merge`] does many. O(log sub-counters) for a known
    /// one.
    pub fn apply(&self, key: &DataKey, direction: Direction, id: u32, total: u64) {
        self.cell(key).side(direction).apply(id, total);
    }

    /// Begins a flush, once no other is under way.
    pub fn flush(&self) -> Flush<'_> {
        Flush::new(self, lock(&self.shared.flushed))
    }

    /// Appends to `out` all totals of this life that are not 0, ascending. Nothing orders them with
    /// flushes or with each other.
    pub fn totals(&self, out: &mut Vec<Counted>) {
        let cells = lock(&self.shared.table).cells.clone();
        let from = out.len();
        let counted = totals(&cells).filter(|(.., total)| *total != 0);
        out.extend(
            counted.map(|(at, direction, total)| ((direction, cells[at].key.clone()), total)),
        );
        out[from..].sort_unstable();
    }

    pub(super) fn with_table<T>(&self, use_table: impl FnOnce(&Table) -> T) -> T {
        use_table(&lock(&self.shared.table))
    }

    /// The cell of `key`, made if it is not there.
    pub(super) fn cell(&self, key: &DataKey) -> Arc<Cell> {
        lock(&self.shared.table).intern(key)
    }
}

impl Table {
    fn find(&self, key: &DataKey) -> Option<Arc<Cell>> {
        let at = *self.index.get(key)?;
        Some(Arc::clone(&self.cells[at]))
    }

    fn intern(&mut self, key: &DataKey) -> Arc<Cell> {
        self.find(key).unwrap_or_else(|| {
            let cell = Arc::new(Cell::new(key.clone()));
            self.index.insert(key.clone(), self.cells.len());
            self.cells.push(Arc::clone(&cell));
            cell
        })
    }
}
