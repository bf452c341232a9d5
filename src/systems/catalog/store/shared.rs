//! A store in memory that is copied when it is written to.

use std::sync::Arc;

use bytes::Bytes;

use super::{CommitAt, KeyRange, Memory, Mutation, Pair, Store};
use crate::catalog::error::Error;

/// Reads share the store with its other owners, writes part from them. So states of models share what a
/// step leaves alone.
impl Store for Arc<Memory> {
    type Checkpoint = Self;

    fn get_at(&self, key: &[u8], ts: u64) -> Result<Bytes, Error> {
        self.as_ref().get_at(key, ts)
    }

    fn exists_at(&self, key: &[u8], ts: u64) -> Result<bool, Error> {
        self.as_ref().exists_at(key, ts)
    }

    fn scan_at(&self, range: KeyRange<'_>, limit: usize, ts: u64) -> Result<Vec<Pair>, Error> {
        self.as_ref().scan_at(range, limit, ts)
    }

    fn reverse_scan_at(
        &self,
        range: KeyRange<'_>,
        limit: usize,
        ts: u64,
    ) -> Result<Vec<Pair>, Error> {
        self.as_ref().reverse_scan_at(range, limit, ts)
    }

    fn latest_commit_ts(&self, key: &[u8]) -> Result<Option<u64>, Error> {
        self.as_ref().latest_commit_ts(key)
    }

    fn last_commit_ts(&self) -> Result<u64, Error> {
        self.as_ref().last_commit_ts()
    }

    fn min_retained_ts(&self) -> Result<u64, Error> {
        self.as_ref().min_retained_ts()
    }

    fn put_at(
        &mut self,
        key: Bytes,
        value: Bytes,
        commit_ts: u64,
        expire_at: u64,
    ) -> Result<(), Error> {
        Self::make_mut(self).put_at(key, value, commit_ts, expire_at)
    }

    fn delete_at(&mut self, key: Bytes, commit_ts: u64) -> Result<(), Error> {
        Self::make_mut(self).delete_at(key, commit_ts)
    }

    fn apply(&mut self, mutations: &[Mutation], start_ts: u64, at: CommitAt) -> Result<u64, Error> {
        Self::make_mut(self).apply(mutations, start_ts, at)
    }

    fn apply_built(
        &mut self,
        start_ts: u64,
        at: CommitAt,
        build: impl FnOnce(&Self, u64) -> Result<Vec<Mutation>, Error>,
    ) -> Result<u64, Error> {
        let commit_ts = at.choose(self.last_commit_ts()?)?;
        let mutations = build(self, commit_ts)?;
        self.apply(&mutations, start_ts, CommitAt::Exactly(commit_ts))
    }

    fn compact(&mut self, min_ts: u64) -> Result<(), Error> {
        Self::make_mut(self).compact(min_ts)
    }

    fn set_min_retained_ts(&mut self, ts: u64) -> Result<(), Error> {
        Self::make_mut(self).set_min_retained_ts(ts)
    }

    fn checkpoint(&mut self) -> Result<Self, Error> {
        Ok(Self::clone(self))
    }

    fn rollback(&mut self, to: &Self) -> Result<(), Error> {
        Self::make_mut(self).rollback(to)
    }
}
