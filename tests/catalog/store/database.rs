//! What only the store on the database promises: durability, and refusal of what it did not write.

use concord::adapters::Error as FileError;
use concord::adapters::catalog::MvccStore;
use concord::systems::catalog::{CommitAt, Error, KeyRange, Store};
use redb::TableDefinition;

use super::{CACHE, all, exactly, key, put};
use crate::simulated::{Flush, Simulated};

const VERSIONS: TableDefinition<'_, (&[u8], u64), &[u8]> = TableDefinition::new("versions");

fn reason(error: Error) -> String {
    match error {
        Error::Backend { reason } => reason.to_string(),
        other => panic!("{other} is not of the backend"),
    }
}

#[test]
fn versions_and_numbers_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("versions.redb");
    let mut store = MvccStore::open(&file, CACHE).unwrap();
    exactly(&mut store, &[put("a", "x"), put("b", "y")], 0, 7).unwrap();
    store.set_min_retained_ts(3).unwrap();
    store.close().unwrap();
    let store = MvccStore::open(&file, CACHE).unwrap();
    assert_eq!(all(&store, 7).unwrap(), ["a=x", "b=y"]);
    assert_eq!(store.last_commit_ts(), Ok(7));
    assert_eq!(store.min_retained_ts(), Ok(3));
}

#[test]
fn what_is_acknowledged_needs_no_good_order() {
    let disk = Simulated::new(Vec::new(), u64::MAX, Flush::Kept);
    let mut store = MvccStore::with_backend("simulated", disk.clone(), CACHE).unwrap();
    store.put_at(key("a"), key("x"), 7, 0).unwrap();
    disk.crash();
    let disk = Simulated::new(disk.flushed(), u64::MAX, Flush::Kept);
    let store = MvccStore::with_backend("simulated", disk, CACHE).unwrap();
    assert_eq!(all(&store, 7).unwrap(), ["a=x"]);
    assert_eq!(store.last_commit_ts(), Ok(7));
}

#[test]
fn a_failed_commit_stops_the_store() {
    let mut failed = 0;
    for left in 1..20 {
        let disk = Simulated::new(Vec::new(), u64::MAX, Flush::Kept);
        let mut store = MvccStore::with_backend("simulated", disk.clone(), CACHE).unwrap();
        store.put_at(key("a"), key("x"), 1, 0).unwrap();
        disk.crash_after(left);
        let Err(error) = store.put_at(key("b"), key("x"), 2, 0) else {
            continue;
        };
        failed += 1;
        assert_eq!(store.failure(), Some(&error));
        // The disk works again, but what it holds is not known.
        disk.crash_after(u64::MAX);
        assert_eq!(store.get_at(b"a", 1), Err(error.clone()));
        assert_eq!(store.delete_at(key("a"), 3), Err(error.clone()));
        assert_eq!(store.clone().last_commit_ts(), Err(error.clone()));
        assert_eq!(store.checkpoint().err(), Some(error.clone()));
        assert!(reason(error).starts_with("simulated: "));
    }
    assert!(failed > 3, "{failed}");
}

#[test]
fn what_the_contract_refuses_does_not_stop_the_store() {
    let disk = Simulated::new(Vec::new(), u64::MAX, Flush::Kept);
    let mut store = MvccStore::with_backend("simulated", disk, CACHE).unwrap();
    store.put_at(key("a"), key("x"), 2, 0).unwrap();
    let conflict = store.apply(&[put("a", "y")], 1, CommitAt::After(0));
    assert_eq!(conflict.unwrap_err().code(), "write_conflict");
    assert_eq!(store.get_at(b"b", 1), Err(Error::KeyNotFound));
    assert_eq!(store.failure(), None);
    store.put_at(key("a"), key("z"), 3, 0).unwrap();
}

#[test]
fn a_record_that_nobody_writes_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("versions.redb");
    let mut store = MvccStore::open(&file, CACHE).unwrap();
    store.put_at(key("b"), key("x"), 1, 0).unwrap();
    store.close().unwrap();
    for (at, record) in [&[][..], &[0, 1], &[1, 0, 0, 0], &[7]].iter().enumerate() {
        let raw = redb::Database::open(&file).unwrap();
        let transaction = raw.begin_write().unwrap();
        let mut table = transaction.open_table(VERSIONS).unwrap();
        table.insert((b"a\xff".as_slice(), 5), *record).unwrap();
        drop(table);
        transaction.commit().unwrap();
        drop(raw);

        let store = MvccStore::open(&file, CACHE).unwrap();
        let told = reason(store.get_at(b"a\xff", 9).unwrap_err());
        assert!(told.contains("versions.redb"), "{told}");
        assert!(told.contains("version 5 of key 61ff: "), "{told}");
        assert!(told.contains("expected"), "{at}: {told}");
        assert_eq!(reason(all(&store, 9).unwrap_err()), told);
        // Nothing else is lost.
        assert_eq!(store.get_at(b"b", 9), Ok(key("x")));
        assert_eq!(all(&store, 4).unwrap(), ["b=x"]);
        assert_eq!(store.latest_commit_ts(b"a\xff"), Ok(Some(5)));
        store.close().unwrap();
    }
}

#[test]
fn a_file_of_another_kind_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.redb");
    let raw = redb::Database::create(&file).unwrap();
    let transaction = raw.begin_write().unwrap();
    transaction.open_table(VERSIONS).unwrap();
    transaction.commit().unwrap();
    drop(raw);
    let before = std::fs::read(&file).unwrap();
    let refused = MvccStore::open(&file, CACHE).unwrap_err();
    assert!(
        matches!(refused, FileError::OtherFormat { .. }),
        "{refused}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn only_one_has_the_file_and_the_last_clone_closes_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("versions.redb");
    let store = MvccStore::open(&file, CACHE).unwrap();
    let clone = store.clone();
    let refused = MvccStore::open(&file, CACHE).unwrap_err();
    assert!(matches!(refused, FileError::InUse { .. }), "{refused}");
    store.close().unwrap();
    assert_eq!(all(&clone, 1), Ok(vec![]));
    clone.close().unwrap();
    MvccStore::open(&file, CACHE).unwrap();
}

#[test]
fn a_checkpoint_ends_with_the_process() {
    let disk = Simulated::new(Vec::new(), u64::MAX, Flush::Kept);
    let mut store = MvccStore::with_backend("simulated", disk.clone(), CACHE).unwrap();
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    let checkpoint = store.checkpoint().unwrap();
    store.close().unwrap();
    let mut store = MvccStore::with_backend("simulated", disk, CACHE).unwrap();
    store.put_at(key("a"), key("y"), 2, 0).unwrap();
    reason(store.rollback(&checkpoint).unwrap_err());
    drop(store);
}

/// Many versions of many keys, beyond the cache.
#[test]
fn a_store_larger_than_its_cache_is_read_and_compacted() {
    let disk = Simulated::new(Vec::new(), u64::MAX, Flush::Kept);
    let mut store = MvccStore::with_backend("simulated", disk, CACHE).unwrap();
    let name = |at: u32| bytes::Bytes::from(at.to_be_bytes().to_vec());
    let value = bytes::Bytes::from(vec![7; 1000]);
    for ts in 1..=5 {
        let batch = |at| concord::systems::catalog::Mutation::put(name(at), value.clone());
        let batch: Vec<_> = (0..200).map(batch).collect();
        exactly(&mut store, &batch, ts, ts).unwrap();
    }
    let everything = KeyRange {
        start: b"",
        end: None,
    };
    let before = store.scan_at(everything, usize::MAX, 5).unwrap();
    assert_eq!(before.len(), 200);
    store.compact(5).unwrap();
    assert_eq!(store.scan_at(everything, usize::MAX, 5).unwrap(), before);
    assert_eq!(
        store.get_at(&name(3), 4),
        Err(Error::ReadTsCompacted { ts: 4, retained: 5 })
    );
    assert!(store.latest_commit_ts(&name(199)).unwrap() == Some(5));
}
