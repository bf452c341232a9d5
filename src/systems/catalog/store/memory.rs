//! The store as a plain value.

use std::ops::Bound;

use bytes::Bytes;
use serde::Serialize;

use super::rules::{self, Version};
use super::{CommitAt, KeyRange, Mutation, Op, Pair, Store};
use crate::catalog::error::Error;
use crate::catalog::strategy::{
    Batch, Compaction, Conflicts, Expiry, LastCommit, ReadGuard, Rollback, ScanEnd, Strategies,
};
use crate::map::SortedMap;

/// A store in memory. Reads and writes of one key take O(log n) in the number of keys plus O(log v) in
/// that of its versions, a write below existing versions O(v); scans O(log n) plus what they pass over.
/// A checkpoint is a copy; keys and values are shared.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Memory {
    /// Versions ascending by timestamp, each timestamp once; never empty.
    keys: SortedMap<Bytes, Vec<Version>>,
    last_commit_ts: u64,
    min_retained_ts: u64,
    how: Strategies,
}

impl Memory {
    /// An empty store, both numbers 0 (5.1). It takes the strategies that concern stores.
    pub fn new(how: Strategies) -> Self {
        Self {
            keys: SortedMap::new(),
            last_commit_ts: 0,
            min_retained_ts: 0,
            how,
        }
    }

    /// The last commit timestamp was not durable and falls back (C4). Of variants only.
    pub fn lose_watermark(&mut self, to: u64) {
        self.last_commit_ts = self.last_commit_ts.min(to);
    }

    fn refuse_if_compacted(&self, ts: u64) -> Result<(), Error> {
        match self.how.read_guard {
            ReadGuard::Refuses => rules::check_read(ts, self.min_retained_ts),
            ReadGuard::Answers => Ok(()),
        }
    }

    fn visible(&self, key: &[u8], ts: u64) -> Option<&Bytes> {
        value_at(self.keys.get(key)?, ts, self.how.expiry)
    }

    /// The visible pairs of a range; `to` is its end.
    fn pairs<'a>(
        &'a self,
        range: KeyRange<'a>,
        to: Bound<&'a [u8]>,
        ts: u64,
    ) -> impl DoubleEndedIterator<Item = Pair> + 'a {
        let keys = self.keys.iter_within(Bound::Included(range.start), to);
        keys.filter_map(move |(key, versions)| {
            let value = value_at(versions, ts, self.how.expiry)?;
            Some(Pair {
                key: key.clone(),
                value: value.clone(),
            })
        })
    }

    /// The timestamp that a batch conflicts with, if larger than its start.
    fn conflicting(&self, key: &[u8]) -> Option<u64> {
        let mut newest_first = self.keys.get(key)?.iter().rev();
        let version = match self.how.conflicts {
            Conflicts::Any => newest_first.next(),
            Conflicts::Values => newest_first.find(|version| version.value.is_some()),
        };
        version.map(|version| version.ts)
    }

    fn write(&mut self, key: Bytes, version: Version) {
        let versions = self.keys.or_default(key);
        match versions.binary_search_by_key(&version.ts, |version| version.ts) {
            Ok(at) => versions[at] = version,
            Err(at) => versions.insert(at, version),
        }
    }

    fn write_alone(&mut self, key: Bytes, version: Version) {
        self.last_commit_ts = match self.how.last_commit {
            LastCommit::Raised => self.last_commit_ts.max(version.ts),
            LastCommit::Replaced => version.ts,
        };
        self.write(key, version);
    }
}

impl Store for Memory {
    type Checkpoint = Self;

    fn get_at(&self, key: &[u8], ts: u64) -> Result<Bytes, Error> {
        self.refuse_if_compacted(ts)?;
        self.visible(key, ts).cloned().ok_or(Error::KeyNotFound)
    }

    fn exists_at(&self, key: &[u8], ts: u64) -> Result<bool, Error> {
        self.refuse_if_compacted(ts)?;
        Ok(self.visible(key, ts).is_some())
    }

    fn scan_at(&self, range: KeyRange<'_>, limit: usize, ts: u64) -> Result<Vec<Pair>, Error> {
        self.refuse_if_compacted(ts)?;
        let to = match (range.end, self.how.scan_end) {
            (None, _) => Bound::Unbounded,
            (Some(end), ScanEnd::Excluded) => Bound::Excluded(end),
            (Some(end), ScanEnd::Included) => Bound::Included(end),
        };
        Ok(self.pairs(range, to, ts).take(limit).collect())
    }

    fn reverse_scan_at(
        &self,
        range: KeyRange<'_>,
        limit: usize,
        ts: u64,
    ) -> Result<Vec<Pair>, Error> {
        self.refuse_if_compacted(ts)?;
        let to = range.end.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.pairs(range, to, ts).rev().take(limit).collect())
    }

    fn latest_commit_ts(&self, key: &[u8]) -> Result<Option<u64>, Error> {
        let newest = self.keys.get(key).and_then(|versions| versions.last());
        Ok(newest.map(|version| version.ts))
    }

    fn last_commit_ts(&self) -> Result<u64, Error> {
        Ok(self.last_commit_ts)
    }

    fn min_retained_ts(&self) -> Result<u64, Error> {
        Ok(self.min_retained_ts)
    }

    fn put_at(
        &mut self,
        key: Bytes,
        value: Bytes,
        commit_ts: u64,
        expire_at: u64,
    ) -> Result<(), Error> {
        self.write_alone(key, Version::put(commit_ts, value, expire_at));
        Ok(())
    }

    fn delete_at(&mut self, key: Bytes, commit_ts: u64) -> Result<(), Error> {
        self.write_alone(key, Version::tombstone(commit_ts));
        Ok(())
    }

    fn apply(&mut self, mutations: &[Mutation], start_ts: u64, at: CommitAt) -> Result<u64, Error> {
        let commit_ts = at.choose(self.last_commit_ts)?;
        rules::check_conflicts(mutations, start_ts, |key| Ok(self.conflicting(key)))?;
        let is_unknown = |mutation: &Mutation| mutation.op == Op::Unknown;
        if self.how.batch == Batch::Whole
            && let Some(index) = mutations.iter().position(is_unknown)
        {
            return Err(Error::UnknownOp { index });
        }
        self.last_commit_ts = self.last_commit_ts.max(commit_ts);
        for (index, mutation) in mutations.iter().enumerate() {
            let version = rules::version(index, mutation, commit_ts)?;
            self.write(mutation.key.clone(), version);
        }
        Ok(commit_ts)
    }

    fn apply_built(
        &mut self,
        start_ts: u64,
        at: CommitAt,
        build: impl FnOnce(&Self, u64) -> Result<Vec<Mutation>, Error>,
    ) -> Result<u64, Error> {
        let commit_ts = at.choose(self.last_commit_ts)?;
        let mutations = build(self, commit_ts)?;
        self.apply(&mutations, start_ts, CommitAt::Exactly(commit_ts))
    }

    fn compact(&mut self, min_ts: u64) -> Result<(), Error> {
        let how = self.how.compaction;
        self.keys.retain(|_, versions| {
            let old = versions.partition_point(|version| version.ts <= min_ts);
            let dropped = match how {
                Compaction::Shadowed => old.saturating_sub(1),
                Compaction::Older => old,
            };
            versions.drain(..dropped);
            !versions.is_empty()
        });
        self.set_min_retained_ts(min_ts)
    }

    fn set_min_retained_ts(&mut self, ts: u64) -> Result<(), Error> {
        self.min_retained_ts = self.min_retained_ts.max(ts);
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<Self, Error> {
        Ok(self.clone())
    }

    fn rollback(&mut self, to: &Self) -> Result<(), Error> {
        match self.how.rollback {
            Rollback::Whole => self.clone_from(to),
            Rollback::Versions => self.keys.clone_from(&to.keys),
        }
        Ok(())
    }
}

/// What is visible at `ts` of the versions of one key (5.2).
fn value_at(versions: &[Version], ts: u64, how: Expiry) -> Option<&Bytes> {
    let old = versions.partition_point(|version| version.ts <= ts);
    let mut newest_first = versions[..old].iter().rev();
    let visible = match how {
        Expiry::Hides => newest_first.next(),
        Expiry::Uncovers => newest_first.find(|version| !version.is_expired(ts)),
    };
    visible?.value_at(ts)
}
