//! Tables of routes, and structures that find the owner of a key in them: ours, those of other crates, and what the
//! original does.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Bound::{Included, Unbounded};
use std::sync::RwLock;

use bytes::Bytes;
use concord::systems::catalog::engine::table;
use concord::systems::catalog::shell::{Reader, SharedEngine};
use concord::systems::catalog::{EngineRoute, Level, Route, Settings};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rangemap::RangeMap;

/// The two shapes of keys. Both have a length of their own, as some peers need it.
pub(super) trait Shape:
    blart::OrderedBytes + blart::NoPrefixesBytes + Copy + Ord + for<'a> TryFrom<&'a [u8]>
{
    const NAME: &'static str;
    const SMALLEST: Self;

    fn random(random: &mut ChaCha8Rng) -> Self;

    fn bytes(&self) -> &[u8];
}

/// Random bytes.
impl Shape for [u8; 16] {
    const NAME: &'static str = "16 random bytes";
    const SMALLEST: Self = [0; 16];

    fn random(random: &mut ChaCha8Rng) -> Self {
        random.random()
    }

    fn bytes(&self) -> &[u8] {
        self
    }
}

/// A long beginning that all keys share, two numbers and more that they share in between.
impl Shape for [u8; 28] {
    const NAME: &'static str = "tenants and users";
    const SMALLEST: Self = [0; 28];

    fn random(random: &mut ChaCha8Rng) -> Self {
        let (tenant, user) = (
            random.random_range(0..1_000_u32),
            random.random_range(0..1_000_000_000_u32),
        );
        let key = format!("/tenant/{tenant:05}/user/{user:09}").into_bytes();
        key.try_into().expect("it is as long as it is")
    }

    fn bytes(&self) -> &[u8] {
        self
    }
}

/// So many routes without gaps; the first begins with the empty key.
pub(super) fn routes<K: Shape>(count: usize) -> Vec<Route> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut starts: Vec<K> = Vec::new();
    while starts.len() + 1 < count {
        starts.extend((starts.len() + 1..count).map(|_| K::random(&mut random)));
        starts.sort_unstable();
        starts.dedup();
    }
    let bytes = |key: &K| Bytes::copy_from_slice(key.bytes());
    let ends = starts.iter().map(bytes).map(Some).chain([None]);
    let starts = [Bytes::new()].into_iter().chain(starts.iter().map(bytes));
    let ranges = (1..).zip(starts.zip(ends));
    ranges
        .map(|(id, (start, end))| Route {
            id,
            start,
            end,
            group: id,
            state: 0,
            parent: 0,
            split_at: 0,
        })
        .collect()
}

/// Anywhere; one of sixteen where a route begins.
pub(super) fn asked<K: Shape>(routes: &[Route], count: usize) -> Vec<K> {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut key = |at: usize| {
        let start = &routes[random.random_range(0..routes.len())].start;
        let start = K::try_from(&start[..])
            .ok()
            .filter(|_| at.is_multiple_of(16));
        start.unwrap_or_else(|| K::random(&mut random))
    };
    (0..count).map(&mut key).collect()
}

/// What finds the id of the route that owns a key.
pub(super) trait Table<K> {
    fn of(routes: &[Route]) -> Self;

    fn owner(&self, key: &K) -> Option<u64>;
}

/// The engine that threads share.
impl<K: Shape> Table<K> for SharedEngine {
    fn of(routes: &[Route]) -> Self {
        let engine = Self::new(Settings::strict(Level::One), false, 0, 2);
        engine.apply_snapshot(1, routes).expect("they are sound");
        engine
    }

    fn owner(&self, key: &K) -> Option<u64> {
        self.lookup(key.bytes()).map(|found| found.id())
    }
}

/// What one of these threads holds.
pub(super) struct Ours(RefCell<Reader>);

impl<K: Shape> Table<K> for Ours {
    fn of(routes: &[Route]) -> Self {
        let engine = <SharedEngine as Table<K>>::of(routes);
        Self(RefCell::new(engine.reader()))
    }

    fn owner(&self, key: &K) -> Option<u64> {
        let mut reader = self.0.borrow_mut();
        reader.lookup(key.bytes()).map(|found| found.id())
    }
}

/// One list under a lock, as the original has it.
pub(super) struct Locked(pub(super) RwLock<Vec<EngineRoute>>);

impl<K: Shape> Table<K> for Locked {
    fn of(routes: &[Route]) -> Self {
        Self(RwLock::new(routes.iter().map(EngineRoute::from).collect()))
    }

    fn owner(&self, key: &K) -> Option<u64> {
        let routes = self.0.read().expect("nobody panics with it");
        table::owner(&routes, key.bytes()).map(|at| routes[at].id)
    }
}

/// An end and an id.
type Owner = (Option<Bytes>, u64);

fn reaches(owner: &Owner, key: &[u8]) -> Option<u64> {
    let (end, id) = owner;
    end.as_ref().is_none_or(|end| end > key).then_some(*id)
}

/// An ordered map under a lock.
pub(super) struct Tree(RwLock<BTreeMap<Bytes, Owner>>);

impl<K: Shape> Table<K> for Tree {
    fn of(routes: &[Route]) -> Self {
        let routes = routes.iter();
        let routes = routes.map(|route| (route.start.clone(), (route.end.clone(), route.id)));
        Self(RwLock::new(routes.collect()))
    }

    fn owner(&self, key: &K) -> Option<u64> {
        let routes = self.0.read().expect("nobody panics with it");
        let (_, owner) = routes
            .range::<[u8], _>((Unbounded, Included(key.bytes())))
            .next_back()?;
        reaches(owner, key.bytes())
    }
}

/// A map of ranges, with the keys of a catalog, which have any length.
pub(super) struct Ranges(RangeMap<Bytes, u64>);

impl Table<Bytes> for Ranges {
    fn of(routes: &[Route]) -> Self {
        let behind_all = Bytes::from_static(&[0xff; 64]);
        let ranges = routes.iter().map(|route| {
            let end = route.end.as_ref().unwrap_or(&behind_all);
            (route.start.clone()..end.clone(), route.id)
        });
        Self(ranges.collect())
    }

    fn owner(&self, key: &Bytes) -> Option<u64> {
        self.0.get(key).copied()
    }
}

impl<K: Shape> Table<K> for blart::TreeMap<K, Owner> {
    fn of(routes: &[Route]) -> Self {
        let mut map = Self::new();
        for route in routes {
            let start = K::try_from(&route.start[..]).unwrap_or(K::SMALLEST);
            let replaced = map.try_insert(start, (route.end.clone(), route.id));
            assert!(matches!(replaced, Ok(None)));
        }
        map
    }

    fn owner(&self, key: &K) -> Option<u64> {
        let (_, owner) = self.range(..=*key).next_back()?;
        reaches(owner, key.bytes())
    }
}

/// What no search over as many numbers can do much better: bare numbers in Eytzinger's order, and no keys.
pub(super) struct Limit(Vec<u64>);

/// Random ones.
pub(super) fn numbers(count: usize) -> Vec<u64> {
    let mut random = ChaCha8Rng::seed_from_u64(count as u64);
    (0..count).map(|_| random.random()).collect()
}

impl Limit {
    pub(super) fn of(count: usize) -> Self {
        let mut numbers = numbers(count);
        numbers.sort_unstable();
        let mut limit = Self(vec![0; count + 1]);
        limit.fill(&mut numbers.into_iter(), 1);
        limit
    }

    fn fill(&mut self, numbers: &mut impl Iterator<Item = u64>, at: usize) {
        if at < self.0.len() {
            self.fill(numbers, 2 * at);
            self.0[at] = numbers.next().expect("there are as many");
            self.fill(numbers, 2 * at + 1);
        }
    }

    pub(super) fn search(&self, number: u64) -> usize {
        let mut at = 1;
        while at < self.0.len() {
            at = 2 * at + usize::from(self.0[at] <= number);
        }
        at >> (at.trailing_ones() + 1)
    }
}
