//! What saves and splits must do, worked out anew each time from all tables ever committed.

use std::collections::{BTreeMap, BTreeSet};

use concord::systems::catalog::{Admission, Level, Mutation, Op, Route, Settings};

/// All tables ever committed; the first is the empty one of version 0.
pub(super) struct Oracle {
    settings: Settings,
    pub(super) tables: Vec<Vec<Route>>,
    /// What others wrote as the next id.
    foreign: BTreeSet<u64>,
}

/// What is to be committed.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Planned {
    pub(super) table: Vec<Route>,
    /// Keys with their values, none if deleted.
    pub(super) batch: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Oracle {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            tables: vec![Vec::new()],
            foreign: BTreeSet::new(),
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.tables.len() as u64 - 1
    }

    pub(super) fn table(&self) -> &[Route] {
        self.tables.last().expect("that of version 0")
    }

    /// Larger than every id ever committed, and at least what others wrote.
    pub(super) fn next_id(&self) -> u64 {
        let ids = self.tables.iter().flatten().map(|route| route.id + 1);
        ids.chain(self.foreign.iter().copied())
            .max()
            .unwrap_or(1)
            .max(1)
    }

    pub(super) fn foreign_next_id(&mut self, id: u64) {
        self.foreign.insert(id);
    }

    pub(super) fn committed(&mut self, planned: Planned) {
        self.tables.push(planned.table);
    }

    pub(super) fn save(&self, expected: u64, desired: &[Route]) -> Result<Planned, &'static str> {
        let table = sorted(desired)?;
        let strict = self.settings.admission == Admission::Strict;
        if strict && any_overlap(&table) {
            return Err("catalog_route_overlap");
        }
        if expected != self.version() {
            return Err("catalog_version_mismatch");
        }
        let present = |id| self.table().iter().find(|route| route.id == id);
        let is_new = |route: &&Route| present(route.id).is_none();
        let mut new = table.iter().filter(is_new);
        if strict && new.any(|route| route.id < self.next_id()) {
            return Err("catalog_route_id_retired");
        }
        let gone = self
            .table()
            .iter()
            .filter(|route| table.iter().all(|kept| kept.id != route.id));
        let changed = table
            .iter()
            .filter(|route| present(route.id) != Some(*route));
        let mut batch: Vec<_> = gone
            .clone()
            .map(|route| (route_key(route.id), None))
            .collect();
        batch.extend(changed.clone().map(|route| self.put(route)));
        if self.settings.level == Level::Two {
            let gone = gone.map(|route| (route.id, None));
            let changes = gone
                .chain(changed.map(|route| (route.id, Some(route))))
                .collect();
            batch.extend(self.delta(changes));
        }
        let ids = table
            .iter()
            .map(|route| route.id + 1)
            .chain([self.next_id()]);
        batch.extend(numbers(expected + 1, ids.max().expect("at least one")));
        Ok(Planned { table, batch })
    }

    /// `commit_ts` is of level 2.
    pub(super) fn split(
        &self,
        expected: u64,
        id: u64,
        key: &str,
        commit_ts: u64,
    ) -> Result<Planned, &'static str> {
        if expected != self.version() {
            return Err("distribution_catalog_conflict");
        }
        let key = bytes::Bytes::copy_from_slice(key.as_bytes());
        let parent = self.table().iter().find(|route| route.id == id);
        let parent = parent.ok_or("distribution_unknown_route")?;
        if parent.start == key || parent.end.as_ref() == Some(&key) {
            return Err("distribution_split_key_at_boundary");
        }
        if key < parent.start || parent.end.as_ref().is_some_and(|end| key > *end) {
            return Err("distribution_invalid_split_key");
        }
        let two = self.settings.level == Level::Two;
        let mut left = parent.clone();
        left.id = self.next_id();
        left.parent = id;
        left.split_at = if two { commit_ts } else { 0 };
        let mut right = left.clone();
        right.id += 1;
        left.end = Some(key.clone());
        right.start = key;

        let mut batch = vec![(route_key(id), None), self.put(&left), self.put(&right)];
        batch.extend(numbers(expected + 1, right.id + 1));
        if two {
            let changes = [(id, None), (left.id, Some(&left)), (right.id, Some(&right))];
            batch.extend(self.delta(BTreeMap::from(changes)));
        }
        let others = self.table().iter().filter(|route| route.id != id).cloned();
        let table = others.chain([left, right]).collect::<Vec<_>>();
        let table = sorted(&table).expect("children of a good route");
        Ok(Planned { table, batch })
    }

    fn put(&self, route: &Route) -> (Vec<u8>, Option<Vec<u8>>) {
        (route_key(route.id), Some(self.record(route)))
    }

    fn record(&self, route: &Route) -> Vec<u8> {
        let two = self.settings.level == Level::Two;
        let mut record = vec![if two { 2 } else { 1 }];
        record.extend(route.id.to_be_bytes());
        record.extend(route.group.to_be_bytes());
        record.push(route.state);
        record.extend(route.parent.to_be_bytes());
        record.extend((route.start.len() as u64).to_be_bytes());
        record.extend(&route.start);
        match &route.end {
            None => record.push(0),
            Some(end) => {
                record.push(1);
                record.extend((end.len() as u64).to_be_bytes());
                record.extend(end);
            }
        }
        if two {
            record.extend(route.split_at.to_be_bytes());
        }
        record
    }

    /// Of a log that is no longer than its window.
    fn delta(&self, changes: BTreeMap<u64, Option<&Route>>) -> [(Vec<u8>, Option<Vec<u8>>); 2] {
        let version = self.version() + 1;
        let mut record = vec![1];
        record.extend(self.version().to_be_bytes());
        record.extend(version.to_be_bytes());
        record.extend((changes.len() as u64).to_be_bytes());
        for (id, route) in changes {
            let payload = route.map_or_else(Vec::new, |route| self.record(route));
            record.push(if route.is_some() { 1 } else { 2 });
            record.extend(id.to_be_bytes());
            record.extend((payload.len() as u64).to_be_bytes());
            record.extend(payload);
        }
        let key = [b"!dist|delta|".as_slice(), &version.to_be_bytes()].concat();
        [
            (key, Some(record)),
            put_number(b"!dist|meta|delta_floor", 1),
        ]
    }
}

/// A batch in the oracle's terms.
pub(super) fn plain(batch: &[Mutation]) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let batch = batch.iter().map(|mutation| {
        let value = match &mutation.op {
            Op::Put {
                value,
                expire_at: 0,
            } => Some(value.to_vec()),
            Op::Delete => None,
            op => panic!("the catalog writes {op:?}"),
        };
        (mutation.key.to_vec(), value)
    });
    batch.collect()
}

/// The list in catalog order, or what is wrong with its first bad element.
fn sorted(routes: &[Route]) -> Result<Vec<Route>, &'static str> {
    for (at, route) in routes.iter().enumerate() {
        if route.id == 0 {
            return Err("catalog_route_id_required");
        }
        if route.group == 0 {
            return Err("catalog_group_id_required");
        }
        if !(0..=3).contains(&route.state) {
            return Err("catalog_invalid_route_state");
        }
        if route.end.as_ref().is_some_and(|end| *end <= route.start) {
            return Err("catalog_invalid_route_range");
        }
        if routes[..at].iter().any(|before| before.id == route.id) {
            return Err("catalog_duplicate_route_id");
        }
    }
    let mut routes = routes.to_vec();
    routes.sort_by_key(|route| {
        let end = route.end.clone();
        (route.start.clone(), end.is_none(), end, route.id)
    });
    Ok(routes)
}

/// Whether any two routes have a key in common.
fn any_overlap(routes: &[Route]) -> bool {
    let overlap = |one: &Route, other: &Route| {
        let from = one.start.clone().max(other.start.clone());
        let inside = |route: &Route| route.end.as_ref().is_none_or(|end| from < *end);
        inside(one) && inside(other)
    };
    let mut pairs = routes.iter().enumerate();
    pairs.any(|(at, one)| routes[..at].iter().any(|other| overlap(one, other)))
}

fn route_key(id: u64) -> Vec<u8> {
    [b"!dist|route|".as_slice(), &id.to_be_bytes()].concat()
}

fn numbers(version: u64, next_id: u64) -> [(Vec<u8>, Option<Vec<u8>>); 2] {
    [
        put_number(b"!dist|meta|version", version),
        put_number(b"!dist|meta|next_route_id", next_id),
    ]
}

fn put_number(key: &[u8], number: u64) -> (Vec<u8>, Option<Vec<u8>>) {
    let record = [&[1], number.to_be_bytes().as_slice()].concat();
    (key.to_vec(), Some(record))
}
