//! What a store must answer (5), by going through a flat list of its writes for every question.

use bytes::Bytes;
use concord_systems::catalog::{CommitAt, Mutation, Op, Pair};
use serde::Serialize;

/// The writes to a store that were neither replaced nor dropped, and its numbers. Failures are codes of 15.8.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct History {
    /// Sorted, so that histories that tell the same are equal.
    writes: Vec<Write>,
    last_commit_ts: u64,
    min_retained_ts: u64,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
struct Write {
    key: Bytes,
    ts: u64,
    value: Option<Bytes>,
    expire_at: u64,
}

impl History {
    /// A value is written; `expire_at` 0: it never expires.
    pub fn put(&mut self, key: &Bytes, value: &Bytes, ts: u64, expire_at: u64) {
        self.last_commit_ts = self.last_commit_ts.max(ts);
        self.write(key, Some(value.clone()), ts, expire_at);
    }

    /// A tombstone is written.
    pub fn delete(&mut self, key: &Bytes, ts: u64) {
        self.last_commit_ts = self.last_commit_ts.max(ts);
        self.write(key, None, ts, 0);
    }

    /// A batch is committed, and where, or why it is not.
    pub fn commit(
        &mut self,
        batch: &[Mutation],
        start_ts: u64,
        at: CommitAt,
    ) -> Result<u64, &'static str> {
        let ts = match at {
            CommitAt::Exactly(ts) => ts,
            CommitAt::After(_) if self.last_commit_ts == u64::MAX => {
                return Err("catalog_version_overflow");
            }
            CommitAt::After(ts) => ts.max(self.last_commit_ts + 1),
        };
        let is_late = |write: &Write| {
            write.ts > start_ts && batch.iter().any(|mutation| mutation.key == write.key)
        };
        if self.writes.iter().any(is_late) {
            return Err("write_conflict");
        }
        if batch.iter().any(|mutation| mutation.op == Op::Unknown) {
            return Err("unknown_op");
        }
        self.last_commit_ts = self.last_commit_ts.max(ts);
        for mutation in batch {
            match &mutation.op {
                Op::Put { value, expire_at } => {
                    self.write(&mutation.key, Some(value.clone()), ts, *expire_at);
                }
                Op::Delete => self.write(&mutation.key, None, ts, 0),
                Op::Unknown => {}
            }
        }
        Ok(ts)
    }

    /// Versions below another one that is not above `min_ts` are dropped.
    pub fn compact(&mut self, min_ts: u64) {
        let all = self.writes.clone();
        self.writes.retain(|write| {
            let mut others = all.iter();
            !others.any(|other| other.key == write.key && write.ts < other.ts && other.ts <= min_ts)
        });
        self.set_min_retained_ts(min_ts);
    }

    /// Older reads are refused.
    pub fn set_min_retained_ts(&mut self, ts: u64) {
        self.min_retained_ts = self.min_retained_ts.max(ts);
    }

    /// What stands under a key.
    pub fn get(&self, key: &[u8], ts: u64) -> Result<Bytes, &'static str> {
        self.guard(ts)?;
        self.visible(key, ts).ok_or("key_not_found")
    }

    /// Whether anything stands under a key.
    pub fn exists(&self, key: &[u8], ts: u64) -> Result<bool, &'static str> {
        self.guard(ts)?;
        Ok(self.visible(key, ts).is_some())
    }

    /// What stands under the keys of a range.
    pub fn scan(
        &self,
        start: &[u8],
        end: Option<&[u8]>,
        limit: usize,
        ts: u64,
    ) -> Result<Vec<Pair>, &'static str> {
        let mut pairs = self.pairs(start, end, ts)?;
        pairs.truncate(limit);
        Ok(pairs)
    }

    /// The same from the top.
    pub fn reverse_scan(
        &self,
        start: &[u8],
        end: Option<&[u8]>,
        limit: usize,
        ts: u64,
    ) -> Result<Vec<Pair>, &'static str> {
        let mut pairs = self.pairs(start, end, ts)?;
        pairs.reverse();
        pairs.truncate(limit);
        Ok(pairs)
    }

    /// When a key was written last.
    pub fn latest_commit_ts(&self, key: &[u8]) -> Option<u64> {
        let writes = self.writes.iter().filter(|write| write.key == key);
        writes.map(|write| write.ts).max()
    }

    /// The larger of all timestamps of writes and batches.
    pub fn last_commit_ts(&self) -> u64 {
        self.last_commit_ts
    }

    /// The largest bound below which reads are refused.
    pub fn min_retained_ts(&self) -> u64 {
        self.min_retained_ts
    }

    /// Whether the newest version at this timestamp has expired, with others below it.
    pub fn hides_by_expiry(&self, key: &[u8], ts: u64) -> bool {
        let writes = || self.writes.iter().filter(|write| write.key == key);
        let newest = writes().filter(|write| write.ts <= ts).max();
        newest.is_some_and(|newest| {
            newest.expire_at != 0
                && newest.expire_at <= ts
                && writes().any(|write| write.ts < newest.ts)
        })
    }

    fn write(&mut self, key: &Bytes, value: Option<Bytes>, ts: u64, expire_at: u64) {
        let is_same = |write: &Write| write.key == key && write.ts == ts;
        self.writes.retain(|write| !is_same(write));
        self.writes.push(Write {
            key: key.clone(),
            ts,
            value,
            expire_at,
        });
        self.writes.sort();
    }

    fn guard(&self, ts: u64) -> Result<(), &'static str> {
        match ts {
            0 | u64::MAX => Ok(()),
            ts if ts < self.min_retained_ts => Err("read_ts_compacted"),
            _ => Ok(()),
        }
    }

    fn visible(&self, key: &[u8], ts: u64) -> Option<Bytes> {
        let writes = self.writes.iter();
        let writes = writes.filter(|write| write.key == key && write.ts <= ts);
        let newest = writes.max_by_key(|write| write.ts)?;
        let is_expired = newest.expire_at != 0 && newest.expire_at <= ts;
        newest.value.clone().filter(|_| !is_expired)
    }

    fn pairs(&self, start: &[u8], end: Option<&[u8]>, ts: u64) -> Result<Vec<Pair>, &'static str> {
        self.guard(ts)?;
        let mut keys: Vec<&Bytes> = self.writes.iter().map(|write| &write.key).collect();
        keys.dedup();
        keys.retain(|key| start <= key.as_ref() && end.is_none_or(|end| key.as_ref() < end));
        let pair = |key: &Bytes| {
            let value = self.visible(key, ts)?;
            let key = key.clone();
            Some(Pair { key, value })
        };
        Ok(keys.into_iter().filter_map(pair).collect())
    }
}
