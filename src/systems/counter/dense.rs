//! A grow-only counter as structure of arrays.

use std::cmp::Ordering;

/// The totals of sub-counters: for each id the largest that was met. What an id stands for, a node
/// and a generation, is the caller's affair.
///
/// Ids and totals stand in arrays of their own, so sums and merges of equal sets of ids run through
/// memory in order, many at a time.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Totals {
    /// Strictly ascending.
    ids: Vec<u64>,
    /// As many as ids.
    totals: Vec<u64>,
}

impl Totals {
    /// No sub-counter; allocates nothing.
    pub const fn new() -> Self {
        Self {
            ids: Vec::new(),
            totals: Vec::new(),
        }
    }

    /// The sub-counters of `entries`, each an id and a total. O(n).
    ///
    /// # Panics
    /// If ids do not strictly ascend.
    pub fn from_sorted(entries: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let (ids, totals): (Vec<u64>, Vec<u64>) = entries.into_iter().unzip();
        let ascend = ids.is_sorted_by(|before, after| before < after);
        assert!(ascend, "ids of sub-counters must strictly ascend");
        Self { ids, totals }
    }

    /// Number of sub-counters.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no sub-counter.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The total of `id`; absent is 0. O(log n).
    pub fn get(&self, id: u64) -> u64 {
        let at = self.ids.binary_search(&id);
        at.map_or(0, |at| self.totals[at])
    }

    /// All ids with their totals, ids ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.ids.iter().copied().zip(self.totals.iter().copied())
    }

    /// The sum, modulo 2^64 (CTR-7). O(n).
    pub fn sum(&self) -> u64 {
        self.totals.iter().copied().fold(0, u64::wrapping_add)
    }

    /// Raises the total of `id` to `total`, unless it is as large already, and returns by how much
    /// that raised the sum. O(log n) for a known id, else O(n).
    pub fn apply(&mut self, id: u64, total: u64) -> u64 {
        match self.ids.binary_search(&id) {
            Ok(at) => {
                let before = self.totals[at];
                self.totals[at] = before.max(total);
                self.totals[at] - before
            }
            Err(at) => {
                self.ids.insert(at, id);
                self.totals.insert(at, total);
                total
            }
        }
    }

    /// Takes from every sub-counter the larger total: the join of both (commutative, associative,
    /// idempotent). O(n) without allocation if `other` has the same ids, else O(n + m).
    pub fn merge(&mut self, other: &Self) {
        if self.ids == other.ids {
            let totals = self.totals.iter_mut().zip(&other.totals);
            totals.for_each(|(mine, theirs)| *mine = (*mine).max(*theirs));
        } else {
            *self = self.joined(other);
        }
    }

    fn joined(&self, other: &Self) -> Self {
        let room = self.len() + other.len();
        let mut ids = Vec::with_capacity(room);
        let mut totals = Vec::with_capacity(room);
        let (mut a, mut b) = (0, 0);
        while a < self.len() && b < other.len() {
            let (mine, theirs) = (self.ids[a], other.ids[b]);
            let (from_mine, from_theirs) = (self.totals[a], other.totals[b]);
            let order = mine.cmp(&theirs);
            ids.push(mine.min(theirs));
            totals.push(match order {
                Ordering::Less => from_mine,
                Ordering::Equal => from_mine.max(from_theirs),
                Ordering::Greater => from_theirs,
            });
            a += usize::from(order.is_le());
            b += usize::from(order.is_ge());
        }
        for (rest, at) in [(self, a), (other, b)] {
            ids.extend_from_slice(&rest.ids[at..]);
            totals.extend_from_slice(&rest.totals[at..]);
        }
        Self { ids, totals }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Entries = BTreeMap<u64, u64>;

    /// Few ids, so that sets meet; totals of any size, so that sums wrap.
    fn entries() -> impl Strategy<Value = Entries> {
        let total = prop_oneof![0..9_u64, any::<u64>()];
        prop::collection::btree_map(0..40_u64, total, 0..40)
    }

    fn totals(entries: &Entries) -> Totals {
        Totals::from_sorted(entries.iter().map(|(id, total)| (*id, *total)))
    }

    fn raise(entries: &mut Entries, id: u64, total: u64) {
        let known = entries.entry(id).or_insert(total);
        *known = total.max(*known);
    }

    fn agree(totals: &Totals, entries: &Entries) -> Result<(), TestCaseError> {
        prop_assert!(
            totals
                .iter()
                .eq(entries.iter().map(|(id, total)| (*id, *total)))
        );
        let sum = entries
            .values()
            .fold(0_u64, |sum, total| sum.wrapping_add(*total));
        prop_assert_eq!(totals.sum(), sum);
        prop_assert_eq!(totals.len(), entries.len());
        for id in 0..41 {
            prop_assert_eq!(totals.get(id), entries.get(&id).copied().unwrap_or(0));
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn merges_take_the_larger_total(mine in entries(), theirs in entries(), same in any::<bool>()) {
            let theirs = if same {
                let all = mine.keys().zip(theirs.values().chain([&7]).cycle());
                all.map(|(id, total)| (*id, *total)).collect()
            } else {
                theirs
            };
            let mut joined = totals(&mine);
            joined.merge(&totals(&theirs));
            let mut expected = mine.clone();
            for (id, total) in &theirs {
                raise(&mut expected, *id, *total);
            }
            agree(&joined, &expected)?;
            let mut other_way = totals(&theirs);
            other_way.merge(&totals(&mine));
            prop_assert_eq!(&other_way, &joined);
            other_way.merge(&joined);
            prop_assert_eq!(other_way, joined);
        }

        #[test]
        fn applied_totals_raise_the_sum_by_what_is_returned(
            start in entries(),
            ops in prop::collection::vec((0..40_u64, prop_oneof![0..9_u64, any::<u64>()]), 0..40),
        ) {
            let mut dense = totals(&start);
            let mut expected = start;
            let mut sum = dense.sum();
            for (id, total) in ops {
                sum = sum.wrapping_add(dense.apply(id, total));
                raise(&mut expected, id, total);
                agree(&dense, &expected)?;
                prop_assert_eq!(dense.sum(), sum);
            }
        }
    }

    #[test]
    #[should_panic(expected = "must strictly ascend")]
    fn ids_that_do_not_ascend_are_refused() {
        Totals::from_sorted([(1, 1), (1, 2)]);
    }
}
