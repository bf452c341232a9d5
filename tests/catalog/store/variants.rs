//! Strategies of the store in memory: what each defect or mutant does.

use concord::systems::catalog::strategy::{
    Batch, Compaction, Conflicts, Expiry, LastCommit, ReadGuard, Rollback, ScanEnd,
};
use concord::systems::catalog::{Error, Memory, Store, Strategies};

use super::{all, delete, exactly, key, put, scan, unknown};

fn memory(change: impl FnOnce(&mut Strategies)) -> Memory {
    let mut strategies = Strategies::REFERENCE;
    change(&mut strategies);
    Memory::new(strategies)
}

/// D6.
#[test]
fn half_a_batch_is_written_up_to_its_unknown_kind() {
    let mut store = memory(|how| how.batch = Batch::Half);
    let batch = [put("a", "x"), unknown("b"), put("c", "x")];
    assert_eq!(
        exactly(&mut store, &batch, 0, 7),
        Err(Error::UnknownOp { index: 1 })
    );
    assert_eq!(all(&store, 7).unwrap(), ["a=x"]);
    assert_eq!(store.last_commit_ts(), Ok(7));
    // Conflicts are looked for before anything is written.
    let batch = [put("d", "x"), put("a", "y")];
    let error = exactly(&mut store, &batch, 0, 9).unwrap_err();
    assert_eq!(error.code(), "write_conflict");
    assert_eq!(store.last_commit_ts(), Ok(7));
}

/// D7.
#[test]
fn an_inclusive_scan_returns_its_end() {
    let mut store = memory(|how| how.scan_end = ScanEnd::Included);
    for name in ["a", "b", "c"] {
        store.put_at(key(name), key("x"), 1, 0).unwrap();
    }
    assert_eq!(scan(&store, "a", Some("b"), 1).unwrap(), ["a=x", "b=x"]);
    assert_eq!(scan(&store, "b", Some("b"), 1).unwrap(), ["b=x"]);
    assert_eq!(scan(&store, "c", Some("b"), 1).unwrap(), [""; 0]);
}

/// C4.
#[test]
fn a_lost_watermark_falls_and_never_rises() {
    let mut store = memory(|_| {});
    store.put_at(key("a"), key("x"), 5, 0).unwrap();
    store.lose_watermark(9);
    assert_eq!(store.last_commit_ts(), Ok(5));
    store.lose_watermark(2);
    assert_eq!(store.last_commit_ts(), Ok(2));
    assert_eq!(store.latest_commit_ts(b"a"), Ok(Some(5)));
}

#[test]
fn compaction_of_all_older_versions_loses_what_is_visible() {
    let mut store = memory(|how| how.compaction = Compaction::Older);
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    store.compact(2).unwrap();
    assert_eq!(all(&store, 2), Ok(vec![]));
    assert_eq!(store.latest_commit_ts(b"a"), Ok(None));
}

#[test]
fn a_conflict_check_that_looks_at_values_overlooks_tombstones() {
    let mut store = memory(|how| how.conflicts = Conflicts::Values);
    exactly(&mut store, &[delete("a")], 0, 3).unwrap();
    assert_eq!(exactly(&mut store, &[put("a", "x")], 1, 4), Ok(4));
    let error = exactly(&mut store, &[put("a", "x")], 1, 5).unwrap_err();
    assert_eq!(error.code(), "write_conflict");
}

#[test]
fn without_a_read_guard_old_reads_are_answered() {
    let mut store = memory(|how| how.read_guard = ReadGuard::Answers);
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    store.put_at(key("a"), key("y"), 3, 0).unwrap();
    store.compact(3).unwrap();
    assert_eq!(store.get_at(b"a", 2), Err(Error::KeyNotFound));
}

#[test]
fn an_expired_version_may_uncover_older_ones() {
    let mut store = memory(|how| how.expiry = Expiry::Uncovers);
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    store.put_at(key("a"), key("y"), 2, 3).unwrap();
    assert_eq!(all(&store, 2).unwrap(), ["a=y"]);
    assert_eq!(all(&store, 3).unwrap(), ["a=x"]);
}

#[test]
fn a_last_commit_that_is_replaced_falls() {
    let mut store = memory(|how| how.last_commit = LastCommit::Replaced);
    store.put_at(key("a"), key("x"), 5, 0).unwrap();
    store.delete_at(key("b"), 2).unwrap();
    assert_eq!(store.last_commit_ts(), Ok(2));
}

#[test]
fn a_rollback_of_versions_keeps_the_numbers() {
    let mut store = memory(|how| how.rollback = Rollback::Versions);
    let empty = store.checkpoint().unwrap();
    store.put_at(key("a"), key("x"), 5, 0).unwrap();
    store.set_min_retained_ts(3).unwrap();
    store.rollback(&empty).unwrap();
    assert_eq!(all(&store, 5), Ok(vec![]));
    assert_eq!(store.last_commit_ts(), Ok(5));
    assert_eq!(store.min_retained_ts(), Ok(3));
}
