//! Handing totals to the one who makes them durable.

use crate::counter::{DataKey, Direction};
use crate::sync::{Arc, MutexGuard};

use super::cell::Cell;
use super::live::Live;

/// The total of a sub-counter of this life.
pub type Counted = ((Direction, DataKey), u64);

/// What is known durable.
#[derive(Debug, Default)]
pub(super) struct Flushed {
    /// Every cell there was at the last flush, in the order of the table.
    cells: Vec<Arc<Cell>>,
    /// Of each cell, by direction.
    durable: Vec<[u64; 2]>,
}

/// A flush under way; there is one at a time, so what later ones take is at least as large.
///
/// Dropped without [`Self::done`], as after a failed write, it leaves everything as it was: the next
/// flush takes the same totals or larger ones.
#[derive(Debug)]
pub struct Flush<'a> {
    flushed: MutexGuard<'a, Flushed>,
    /// What was taken: place of the cell, direction, total.
    taken: Vec<(usize, Direction, u64)>,
}

impl<'a> Flush<'a> {
    pub(super) fn new(live: &Live, mut flushed: MutexGuard<'a, Flushed>) -> Self {
        live.with_table(|table| {
            let known = flushed.cells.len();
            flushed.cells.extend_from_slice(&table.cells[known..]);
        });
        let cells = flushed.cells.len();
        flushed.durable.resize(cells, [0; 2]);
        let taken = Vec::new();
        Self { flushed, taken }
    }

    /// Appends to `out` the totals of this life that changed since the last completed flush,
    /// ascending by direction and key. Absolute: nothing is lost by leaving earlier ones out. None
    /// exceeds what was counted. O(keys + changed log changed).
    pub fn counted(&mut self, out: &mut Vec<Counted>) {
        let from = out.len();
        let Flushed { cells, durable } = &*self.flushed;
        self.taken.clear();
        self.taken
            .extend(totals(cells).filter(|(at, direction, total)| {
                let durable = durable[*at][*direction as usize];
                *total != durable
            }));
        let taken = self.taken.iter();
        out.extend(taken.map(|(at, direction, total)| {
            let key = cells[*at].key.clone();
            ((*direction, key), *total)
        }));
        out[from..].sort_unstable();
    }

    /// What was last taken is durable.
    pub fn done(mut self) {
        for (at, direction, total) in self.taken.drain(..) {
            self.flushed.durable[at][direction as usize] = total;
        }
    }
}

/// The own totals of every cell: its place, the direction, the total.
pub(super) fn totals(cells: &[Arc<Cell>]) -> impl Iterator<Item = (usize, Direction, u64)> {
    cells.iter().enumerate().flat_map(|(at, cell)| {
        let directions = [Direction::Incr, Direction::Decr];
        directions.map(|direction| (at, direction, cell.side(direction).own()))
    })
}
