//! The multi-version store (5).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::hex;
use super::json as form;
use super::{Bytes, Code, MAX};

/// Every version by key and timestamp: its value unless it is a tombstone, and when it expires.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in super::super) struct Store {
    pub(in super::super) versions: BTreeMap<Bytes, BTreeMap<u64, (Option<Bytes>, u64)>>,
    pub(in super::super) last: u64,
    pub(in super::super) retained: u64,
}

impl Store {
    pub(super) fn perform(&mut self, op: &str, args: &Value) -> Option<Result<Value, Code>> {
        let key = || form::bytes(args, "key");
        let number = |name| form::number(args, name);
        let ts = || number("ts");
        let null = |()| Value::Null;
        Some(match op {
            "put_at" => {
                let value = (Some(form::bytes(args, "value")), number("expire_at"));
                self.write(key(), number("commit_ts"), value);
                Ok(Value::Null)
            }
            "delete_at" => {
                self.write(key(), number("commit_ts"), (None, 0));
                Ok(Value::Null)
            }
            "get_at" => self.get(&key(), ts()).and_then(|found| {
                let value = found.ok_or("key_not_found")?;
                Ok(json!(hex(value)))
            }),
            "exists_at" => self.get(&key(), ts()).map(|found| json!(found.is_some())),
            "scan_at" | "reverse_scan_at" => self.scan_op(op == "reverse_scan_at", args),
            "latest_commit_ts" => Ok(json!(self.latest(&key()))),
            "last_commit_ts" => Ok(json!(self.last)),
            "min_retained_ts" => Ok(json!(self.retained)),
            "set_min_retained_ts" => {
                self.retained = self.retained.max(ts());
                Ok(Value::Null)
            }
            "compact" => {
                self.compact(number("min_ts"));
                Ok(Value::Null)
            }
            "apply_mutations" => {
                let mutations = args["mutations"].as_array().expect("a list");
                self.apply_op(mutations, number("start_ts"), number("commit_ts"))
                    .map(null)
            }
            _ => return None,
        })
    }

    fn guard(&self, ts: u64) -> Result<(), Code> {
        let exempt = self.retained == 0 || ts == 0 || ts == MAX;
        if !exempt && ts < self.retained {
            return Err("read_ts_compacted");
        }
        Ok(())
    }

    fn visible(versions: &BTreeMap<u64, (Option<Bytes>, u64)>, ts: u64) -> Option<&Bytes> {
        let (_, (value, expire)) = versions.iter().rfind(|(at, _)| **at <= ts)?;
        let expired = *expire != 0 && *expire <= ts;
        value.as_ref().filter(|_| !expired)
    }

    pub(super) fn get(&self, key: &[u8], ts: u64) -> Result<Option<Bytes>, Code> {
        self.guard(ts)?;
        let versions = self.versions.get(key);
        Ok(versions.and_then(|versions| Self::visible(versions, ts).cloned()))
    }

    /// All visible pairs of a range, ascending.
    pub(super) fn scan(
        &self,
        start: &[u8],
        end: Option<&[u8]>,
        ts: u64,
    ) -> Result<Vec<(Bytes, Bytes)>, Code> {
        self.guard(ts)?;
        let within = |key: &[u8]| key >= start && end.is_none_or(|end| key < end);
        let keys = self.versions.iter().filter(|(key, _)| within(key));
        let pairs = keys.filter_map(|(key, versions)| {
            let value = Self::visible(versions, ts)?;
            Some((key.clone(), value.clone()))
        });
        Ok(pairs.collect())
    }

    fn scan_op(&self, reverse: bool, args: &Value) -> Result<Value, Code> {
        let start = form::bytes_or_null(args, "start").unwrap_or_default();
        let end = form::bytes_or_null(args, "end");
        let mut pairs = self.scan(&start, end.as_deref(), form::number(args, "ts"))?;
        if reverse {
            pairs.reverse();
        }
        let limit = form::int(args, "limit").max(0).unsigned_abs();
        pairs.truncate(usize::try_from(limit).expect("64 bits"));
        let told = pairs
            .iter()
            .map(|(key, value)| json!({"key": hex(key), "value": hex(value)}));
        Ok(told.collect())
    }

    pub(in super::super) fn latest(&self, key: &[u8]) -> Option<u64> {
        let versions = self.versions.get(key)?;
        versions.keys().next_back().copied()
    }

    pub(in super::super) fn write(&mut self, key: Bytes, ts: u64, version: (Option<Bytes>, u64)) {
        self.versions.entry(key).or_default().insert(ts, version);
        self.last = self.last.max(ts);
    }

    fn compact(&mut self, ts: u64) {
        for versions in self.versions.values_mut() {
            let newest = versions.keys().filter(|at| **at <= ts).max().copied();
            if let Some(newest) = newest {
                versions.retain(|at, _| *at >= newest);
            }
        }
        self.retained = self.retained.max(ts);
    }

    /// Whether none of the keys was written after `start`.
    pub(super) fn check<'a>(
        &self,
        mut keys: impl Iterator<Item = &'a Bytes>,
        start: u64,
    ) -> Result<(), Code> {
        match keys.any(|key| self.latest(key).is_some_and(|latest| latest > start)) {
            true => Err("write_conflict"),
            false => Ok(()),
        }
    }

    fn apply_op(&mut self, mutations: &[Value], start: u64, commit: u64) -> Result<(), Code> {
        let keys: Vec<Bytes> = mutations
            .iter()
            .map(|one| form::bytes(one, "key"))
            .collect();
        self.check(keys.iter(), start)?;
        if mutations
            .iter()
            .any(|one| one["op"] != "put" && one["op"] != "delete")
        {
            return Err("unknown_op");
        }
        self.last = self.last.max(commit);
        for (key, one) in keys.into_iter().zip(mutations) {
            let version = match one["op"] == "put" {
                true => {
                    let value = form::bytes_or_null(one, "value").unwrap_or_default();
                    (Some(value), one["expire_at"].as_u64().unwrap_or(0))
                }
                false => (None, 0),
            };
            self.write(key, commit, version);
        }
        Ok(())
    }
}
