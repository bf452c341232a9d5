//! A grow-only counter as structure of arrays.

use std::ops::Range;

use multiversion::multiversion;

use crate::lanes::raise;

/// The totals of sub-counters: for each id the largest that was met. What an id stands for, a node
/// and a generation, is the caller's affair, who numbers these in any order. 32 bits are enough: so
/// many sub-counters of a single data key would take 48 GiB.
///
/// Ids and totals stand in arrays of their own, so sums and merges of equal sets of ids run through
/// memory in order, many at a time. Ids are half as long as totals, as what large merges take is the
/// time to fetch their bytes: two replicas of up to 87 000 sub-counters fit into a cache of 2 MiB.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Totals {
    /// Strictly ascending.
    ids: Vec<u32>,
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
    pub fn from_sorted(entries: impl IntoIterator<Item = (u32, u64)>) -> Self {
        let (ids, totals): (Vec<u32>, Vec<u64>) = entries.into_iter().unzip();
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
    pub fn get(&self, id: u32) -> u64 {
        let at = self.ids.binary_search(&id);
        at.map_or(0, |at| self.totals[at])
    }

    /// All ids with their totals, ids ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u64)> {
        self.ids.iter().copied().zip(self.totals.iter().copied())
    }

    /// The sum, modulo 2^64 (CTR-7). O(n).
    pub fn sum(&self) -> u64 {
        sum(&self.totals)
    }

    /// Raises the total of `id` to `total`, unless it is as large already, and returns by how much
    /// that raised the sum. O(log n) for a known id, else O(n).
    pub fn apply(&mut self, id: u32, total: u64) -> u64 {
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
            raise(&mut self.totals, &other.totals);
        } else {
            *self = self.joined(other);
        }
    }

    /// Each step waits for the comparison of the step before, so two halves that share no id are
    /// joined side by side.
    fn joined(&self, other: &Self) -> Self {
        let [mine, theirs] = [self, other].map(|totals| Part {
            ids: &totals.ids,
            totals: &totals.totals,
        });
        let [my_low, my_high] = mine.split_at(mine.ids.len() / 2);
        let at = match my_high.ids.first() {
            Some(pivot) => theirs.ids.partition_point(|id| id < pivot),
            None => 0,
        };
        let [their_low, their_high] = theirs.split_at(at);
        let room = self.len() + other.len();
        let mut ids = vec![0; room];
        let mut totals = vec![0; room];
        let middle = my_low.ids.len() + at;
        let (low_ids, high_ids) = ids.split_at_mut(middle);
        let (low_totals, high_totals) = totals.split_at_mut(middle);
        let mut low = Join::new(my_low, their_low, low_ids, low_totals);
        let mut high = Join::new(my_high, their_high, high_ids, high_totals);
        while low.has_both() && high.has_both() {
            low.step();
            high.step();
        }
        let [low, high] = [low.finish(), high.finish()];
        close_gap(&mut ids, low, middle..middle + high);
        close_gap(&mut totals, low, middle..middle + high);
        Self { ids, totals }
    }
}

// Wider vectors than the build assumes, if the processor has them: half the time in the caches.
#[multiversion(targets("x86_64+avx2"))]
fn sum(totals: &[u64]) -> u64 {
    // Additions that do not wait for each other.
    let (chunks, rest) = totals.as_chunks::<16>();
    let mut sums = [0_u64; 16];
    for chunk in chunks {
        let pairs = sums.iter_mut().zip(chunk);
        pairs.for_each(|(sum, total)| *sum = sum.wrapping_add(*total));
    }
    let sums = sums.iter().chain(rest);
    sums.copied().fold(0, u64::wrapping_add)
}

/// Moves what is at `high` behind the first `low` and drops the rest.
fn close_gap<T: Copy>(numbers: &mut Vec<T>, low: usize, high: Range<usize>) {
    let len = low + high.len();
    numbers.copy_within(high, low);
    numbers.truncate(len);
}

/// Some sub-counters of [`Totals`].
#[derive(Clone, Copy)]
struct Part<'a> {
    ids: &'a [u32],
    totals: &'a [u64],
}

impl Part<'_> {
    fn split_at(self, at: usize) -> [Self; 2] {
        let (low_ids, high_ids) = self.ids.split_at(at);
        let (low_totals, high_totals) = self.totals.split_at(at);
        [(low_ids, low_totals), (high_ids, high_totals)].map(|(ids, totals)| Self { ids, totals })
    }
}

/// Two parts that are being joined.
struct Join<'a> {
    mine: Part<'a>,
    theirs: Part<'a>,
    /// How much of each is done.
    my_done: usize,
    their_done: usize,
    /// Where they go, with room for both.
    ids: &'a mut [u32],
    totals: &'a mut [u64],
    len: usize,
}

// Steps that are called instead of inlined keep their places in memory and wait for them: 1.4 times
// as long.
impl<'a> Join<'a> {
    fn new(mine: Part<'a>, theirs: Part<'a>, ids: &'a mut [u32], totals: &'a mut [u64]) -> Self {
        Self {
            mine,
            theirs,
            my_done: 0,
            their_done: 0,
            ids,
            totals,
            len: 0,
        }
    }

    #[inline(always)]
    fn has_both(&self) -> bool {
        self.my_done < self.mine.ids.len() && self.their_done < self.theirs.ids.len()
    }

    /// Which id comes first cannot be foreseen, so nothing branches on it.
    #[inline(always)]
    fn step(&mut self) {
        let (mine, theirs) = (
            self.mine.ids[self.my_done],
            self.theirs.ids[self.their_done],
        );
        let (takes_mine, takes_theirs) = (mine <= theirs, theirs <= mine);
        let my_total = self.mine.totals[self.my_done] & u64::from(takes_mine).wrapping_neg();
        let their_total =
            self.theirs.totals[self.their_done] & u64::from(takes_theirs).wrapping_neg();
        self.ids[self.len] = mine.min(theirs);
        self.totals[self.len] = my_total.max(their_total);
        self.len += 1;
        self.my_done += usize::from(takes_mine);
        self.their_done += usize::from(takes_theirs);
    }

    /// How many there are in the end.
    fn finish(mut self) -> usize {
        while self.has_both() {
            self.step();
        }
        let rests = [(self.mine, self.my_done), (self.theirs, self.their_done)];
        for (part, done) in rests {
            let end = self.len + part.ids.len() - done;
            self.ids[self.len..end].copy_from_slice(&part.ids[done..]);
            self.totals[self.len..end].copy_from_slice(&part.totals[done..]);
            self.len = end;
        }
        self.len
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Entries = BTreeMap<u32, u64>;

    /// Few ids, so that sets meet; totals of any size, so that sums wrap.
    fn entries() -> impl Strategy<Value = Entries> {
        let total = prop_oneof![0..9_u64, any::<u64>()];
        prop::collection::btree_map(0..40_u32, total, 0..40)
    }

    fn totals(entries: &Entries) -> Totals {
        Totals::from_sorted(entries.iter().map(|(id, total)| (*id, *total)))
    }

    fn raise(entries: &mut Entries, id: u32, total: u64) {
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
            ops in prop::collection::vec((0..40_u32, prop_oneof![0..9_u64, any::<u64>()]), 0..40),
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
