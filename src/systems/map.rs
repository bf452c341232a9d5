//! An ordered map that is a sorted vector while small and a B-tree once large.
//!
//! Model states hold a handful of entries, where one flat allocation clones, hashes and compares
//! faster than a tree; users hold many, where a vector would shift half its length on every insert.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Bound;
use std::slice;

use serde::{Serialize, Serializer};

/// Largest number of entries kept in the sorted vector.
const FLAT_MAX: usize = 32;

/// An ordered map; equality and hash depend on its entries only, not on how they are held.
#[derive(Clone)]
pub struct SortedMap<K, V>(Form<K, V>);

#[derive(Clone)]
enum Form<K, V> {
    Flat(Vec<(K, V)>),
    Tree(BTreeMap<K, V>),
}

/// An ordered set.
pub type SortedSet<K> = SortedMap<K, ()>;

impl<K: Ord, V> SortedMap<K, V> {
    /// An empty map; allocates nothing.
    pub const fn new() -> Self {
        Self(Form::Flat(Vec::new()))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Flat(entries) => entries.len(),
            Form::Tree(entries) => entries.len(),
        }
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value under `key`. O(log n).
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        match &self.0 {
            Form::Flat(entries) => match entries.binary_search_by(|(k, _)| k.borrow().cmp(key)) {
                Ok(at) => Some(&entries[at].1),
                Err(_) => None,
            },
            Form::Tree(entries) => entries.get(key),
        }
    }

    /// The value under `key`, to be changed. O(log n).
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match &mut self.0 {
            Form::Flat(entries) => match entries.binary_search_by(|(k, _)| k.cmp(key)) {
                Ok(at) => Some(&mut entries[at].1),
                Err(_) => None,
            },
            Form::Tree(entries) => entries.get_mut(key),
        }
    }

    /// Changes every value, in ascending order of keys.
    pub fn change_each(&mut self, change: impl FnMut(&mut V)) {
        match &mut self.0 {
            Form::Flat(entries) => entries.iter_mut().map(|(_, value)| value).for_each(change),
            Form::Tree(entries) => entries.values_mut().for_each(change),
        }
    }

    /// The value under `key`, put there if there was none. O(log n) once large.
    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        if let Form::Flat(entries) = &mut self.0
            && entries.len() == FLAT_MAX
            && entries.binary_search_by(|(k, _)| k.cmp(&key)).is_err()
        {
            let tree = std::mem::take(entries).into_iter().collect();
            self.0 = Form::Tree(tree);
        }
        match &mut self.0 {
            Form::Flat(entries) => {
                let at = match entries.binary_search_by(|(k, _)| k.cmp(&key)) {
                    Ok(at) => at,
                    Err(at) => {
                        entries.insert(at, (key, V::default()));
                        at
                    }
                };
                &mut entries[at].1
            }
            Form::Tree(entries) => entries.entry(key).or_default(),
        }
    }

    /// Keeps the entries for which `keep` says so, in ascending order of keys; it may change values.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        match &mut self.0 {
            Form::Flat(entries) => entries.retain_mut(|(key, value)| keep(key, value)),
            Form::Tree(entries) => entries.retain(keep),
        }
    }

    /// Whether `key` is present. O(log n).
    pub fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Puts `value` under `key` and returns what was there before. O(log n) once large.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Form::Flat(entries) = &mut self.0 {
            match entries.binary_search_by(|(k, _)| k.cmp(&key)) {
                Ok(at) => return Some(std::mem::replace(&mut entries[at].1, value)),
                Err(at) if entries.len() < FLAT_MAX => {
                    entries.insert(at, (key, value));
                    return None;
                }
                Err(_) => {
                    let tree = std::mem::take(entries).into_iter().collect();
                    self.0 = Form::Tree(tree);
                }
            }
        }
        match &mut self.0 {
            Form::Tree(entries) => entries.insert(key, value),
            Form::Flat(_) => None,
        }
    }

    /// Takes out the entry under `key`. O(log n) once large.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        match &mut self.0 {
            Form::Flat(entries) => match entries.binary_search_by(|(k, _)| k.cmp(key)) {
                Ok(at) => Some(entries.remove(at).1),
                Err(_) => None,
            },
            Form::Tree(entries) => entries.remove(key),
        }
    }

    /// All entries in ascending order of keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        match &self.0 {
            Form::Flat(entries) => Iter::Flat(entries.iter()),
            Form::Tree(entries) => Iter::Tree(entries.range(..)),
        }
    }

    /// The entries whose key is at least `from`, in ascending order. O(log n) to the first.
    pub fn iter_from(&self, from: &K) -> Iter<'_, K, V> {
        self.iter_within(Bound::Included(from), Bound::Unbounded)
    }

    /// The entries between two bounds, in ascending order; none if the bounds are inverted. O(log n) to
    /// the first and to the last.
    pub fn iter_within<Q: Ord + ?Sized>(&self, from: Bound<&Q>, to: Bound<&Q>) -> Iter<'_, K, V>
    where
        K: Borrow<Q>,
    {
        match &self.0 {
            Form::Flat(entries) => {
                let first = entries.partition_point(|(key, _)| is_below(key.borrow(), from));
                let past = entries.partition_point(|(key, _)| !is_above(key.borrow(), to));
                Iter::Flat(entries.get(first..past).unwrap_or_default().iter())
            }
            // A tree panics if asked for these.
            Form::Tree(_) if is_inverted(from, to) => Iter::Flat([].iter()),
            Form::Tree(entries) => Iter::Tree(entries.range((from, to))),
        }
    }

    /// All keys in ascending order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values in ascending order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

/// Iterator over a [`SortedMap`].
pub enum Iter<'a, K, V> {
    /// Over the sorted vector.
    Flat(slice::Iter<'a, (K, V)>),
    /// Over the tree.
    Tree(btree_map::Range<'a, K, V>),
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Flat(entries) => entries.next().map(|(key, value)| (key, value)),
            Self::Tree(entries) => entries.next(),
        }
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match self {
            Self::Flat(entries) => entries.next_back().map(|(key, value)| (key, value)),
            Self::Tree(entries) => entries.next_back(),
        }
    }
}

fn is_below<Q: Ord + ?Sized>(key: &Q, from: Bound<&Q>) -> bool {
    match from {
        Bound::Included(from) => key < from,
        Bound::Excluded(from) => key <= from,
        Bound::Unbounded => false,
    }
}

fn is_above<Q: Ord + ?Sized>(key: &Q, to: Bound<&Q>) -> bool {
    match to {
        Bound::Included(to) => key > to,
        Bound::Excluded(to) => key >= to,
        Bound::Unbounded => false,
    }
}

fn is_inverted<Q: Ord + ?Sized>(from: Bound<&Q>, to: Bound<&Q>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (
            Bound::Included(from) | Bound::Excluded(from),
            Bound::Included(to) | Bound::Excluded(to),
        ) => from >= to,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
    }
}

impl<K: Ord, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(entries: T) -> Self {
        let mut map = Self::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<K: Ord, V: PartialEq> PartialEq for SortedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<K: Ord, V: Eq> Eq for SortedMap<K, V> {}

impl<K: Ord + Hash, V: Hash> Hash for SortedMap<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        for entry in self.iter() {
            entry.hash(state);
        }
    }
}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// As a list of pairs: keys need not be strings.
impl<K: Ord + Serialize, V: Serialize> Serialize for SortedMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bounds() -> impl Strategy<Value = Bound<u8>> {
        prop_oneof![
            (0u8..80).prop_map(Bound::Included),
            (0u8..80).prop_map(Bound::Excluded),
            Just(Bound::Unbounded),
        ]
    }

    proptest! {
        #[test]
        fn ranges_agree_with_filters(
            keys in prop::collection::vec(0u8..80, 0..90),
            from in bounds(),
            to in bounds(),
        ) {
            let map: SortedMap<u8, ()> = keys.iter().map(|key| (*key, ())).collect();
            let is_within = |key: &u8| {
                let lower = match from {
                    Bound::Included(from) => from <= *key,
                    Bound::Excluded(from) => from < *key,
                    Bound::Unbounded => true,
                };
                lower && match to {
                    Bound::Included(to) => *key <= to,
                    Bound::Excluded(to) => *key < to,
                    Bound::Unbounded => true,
                }
            };
            let expected: Vec<u8> = map.keys().copied().filter(is_within).collect();
            let found = map.iter_within(from.as_ref(), to.as_ref());
            let found: Vec<u8> = found.map(|(key, ())| *key).collect();
            prop_assert_eq!(&found, &expected);
            let back = map.iter_within(from.as_ref(), to.as_ref()).rev();
            let back: Vec<u8> = back.map(|(key, ())| *key).collect();
            prop_assert!(back.iter().eq(expected.iter().rev()));
        }

        #[test]
        fn agrees_with_a_tree(ops in prop::collection::vec((0u8..3, 0u8..80, any::<u8>()), 0..300), rest in any::<u8>()) {
            let mut map = SortedMap::new();
            let mut tree = BTreeMap::new();
            for (op, key, value) in ops {
                match op {
                    0 => prop_assert_eq!(map.insert(key, value), tree.insert(key, value)),
                    1 => prop_assert_eq!(map.remove(&key), tree.remove(&key)),
                    _ => {
                        let (ours, theirs) = (map.or_default(key), tree.entry(key).or_default());
                        prop_assert_eq!(&ours, &theirs);
                        (*ours, *theirs) = (value, value);
                    }
                }
                prop_assert_eq!(map.get(&key), tree.get(&key));
                prop_assert!(map.iter_from(&key).eq(tree.range(key..)));
            }
            prop_assert!(map.iter().eq(tree.iter()));
            map.retain(|key, value| { *value /= 2; *key < rest });
            tree.retain(|key, value| { *value /= 2; *key < rest });
            prop_assert!(map.iter().eq(tree.iter()));
            let flat: SortedMap<u8, u8> = tree.into_iter().collect();
            prop_assert_eq!(flat, map);
        }
    }
}
