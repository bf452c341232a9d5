//! The delta log (13.3, 13.4).

use serde_json::{Value, json};

use super::catalog::Mutation;
use super::json::{self as form, told_delta, told_mutations, told_snapshot};
use super::records::{self, Delta, delta_key, encode_delta, encode_number};
use super::{Code, FLOOR_KEY, Node, Oracle, Snapshot, Store};

impl Store {
    pub(in super::super) fn delta_floor(&self, ts: u64) -> Result<u64, Code> {
        match self.get(FLOOR_KEY, ts)? {
            Some(raw) => records::decode_floor(&raw),
            None => Ok(0),
        }
    }

    pub(super) fn delta_mutations(&self, ts: u64, delta: &Delta) -> Result<Vec<Mutation>, Code> {
        records::validate_delta(delta)?;
        if self.version_at(ts)? != delta.previous {
            return Err("catalog_delta_base_mismatch");
        }
        let old = self.delta_floor(ts)?;
        let mut new = match (old, delta.previous) {
            (0, 0) => 1,
            (0, _) => delta.version,
            (old, _) => old,
        };
        if delta.version >= 1024 {
            new = new.max(delta.version - 1023);
        }
        let mut mutations = vec![
            (delta_key(delta.version), Some(encode_delta(delta)?)),
            (FLOOR_KEY.to_vec(), Some(encode_number(new))),
        ];
        if old != 0 {
            let gone = (old..new).take(1024);
            mutations.extend(gone.map(|version| (delta_key(version), None)));
        }
        Ok(mutations)
    }

    pub(super) fn changes_since(
        &self,
        cursor: u64,
        limit: i64,
    ) -> Result<(Vec<Delta>, Option<Snapshot>), Code> {
        if limit <= 0 {
            return Err("catalog_delta_limit_invalid");
        }
        let ts = self.last;
        let current = self.version_at(ts)?;
        if cursor > current {
            return Err("catalog_delta_version_future");
        }
        if cursor == current {
            return Ok((Vec::new(), None));
        }
        let floor = self.delta_floor(ts)?;
        if floor > current {
            return Err("catalog_invalid_delta_record");
        }
        if floor == 0 || cursor + 1 < floor {
            return Ok((Vec::new(), Some(self.snapshot_at(ts, 2)?)));
        }
        let mut deltas = Vec::new();
        for version in cursor + 1..=current {
            if deltas.len() as u64 == limit.unsigned_abs() {
                break;
            }
            const GAP: Code = "catalog_delta_version_gap";
            let raw = self.get(&delta_key(version), ts)?.ok_or(GAP)?;
            let delta = records::decode_delta(&raw)?;
            if delta.version != version {
                return Err(GAP);
            }
            deltas.push(delta);
        }
        Ok((deltas, None))
    }
}

impl Oracle {
    pub(super) fn on_deltas(
        &mut self,
        _node: &mut Node,
        op: &str,
        args: &Value,
    ) -> Option<Result<Value, Code>> {
        let store = &self.store;
        Some(match op {
            "delta_floor" => store.delta_floor(store.last).map(|floor| json!(floor)),
            "changes_since" => {
                let cursor = form::number(args, "after_version");
                let changes = store.changes_since(cursor, form::int(args, "limit"));
                changes.map(|(deltas, reset)| {
                    let deltas: Value = deltas.iter().map(told_delta).collect();
                    let reset = reset.map(|reset| told_snapshot(&reset, 2));
                    json!({"deltas": deltas, "reset": reset})
                })
            }
            "build_delta_mutations" => {
                let ts = form::number(args, "read_ts");
                let mutations = store.delta_mutations(ts, &form::delta(args));
                mutations.map(|mutations| told_mutations(&mutations))
            }
            _ => return None,
        })
    }
}
