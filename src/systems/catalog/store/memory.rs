//! The store as a plain value.
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;
use serde::Serialize;

use super::{CommitAt, KeyRange, Mutation, Pair, Store};
use crate::catalog::error::Error;
use crate::catalog::strategy::Strategies;
use crate::map::SortedMap;

/// A store in memory.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Memory {
    /// Versions ascending by timestamp, never empty.
    keys: SortedMap<Bytes, Vec<Version>>,
    last_commit_ts: u64,
    min_retained_ts: u64,
    how: Strategies,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Version {
    ts: u64,
    /// None for a tombstone.
    value: Option<Bytes>,
    /// 0: never.
    expire_at: u64,
}

impl Memory {
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
}

#[allow(unused_variables, reason = "skeleton")]
impl Store for Memory {
    type Checkpoint = Self;

    fn get_at(&self, key: &[u8], ts: u64) -> Result<Bytes, Error> {
        todo!()
    }

    fn exists_at(&self, key: &[u8], ts: u64) -> Result<bool, Error> {
        todo!()
    }

    fn scan_at(&self, range: KeyRange<'_>, limit: usize, ts: u64) -> Result<Vec<Pair>, Error> {
        todo!()
    }

    fn reverse_scan_at(
        &self,
        range: KeyRange<'_>,
        limit: usize,
        ts: u64,
    ) -> Result<Vec<Pair>, Error> {
        todo!()
    }

    fn latest_commit_ts(&self, key: &[u8]) -> Result<Option<u64>, Error> {
        todo!()
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
        todo!()
    }

    fn delete_at(&mut self, key: Bytes, commit_ts: u64) -> Result<(), Error> {
        todo!()
    }

    fn apply(&mut self, mutations: &[Mutation], start_ts: u64, at: CommitAt) -> Result<u64, Error> {
        todo!()
    }

    fn compact(&mut self, min_ts: u64) -> Result<(), Error> {
        todo!()
    }

    fn set_min_retained_ts(&mut self, ts: u64) -> Result<(), Error> {
        todo!()
    }

    fn checkpoint(&mut self) -> Result<Self, Error> {
        Ok(self.clone())
    }

    fn rollback(&mut self, to: &Self) -> Result<(), Error> {
        self.clone_from(to);
        Ok(())
    }
}
