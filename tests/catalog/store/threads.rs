//! Clones of one store in many threads.

use std::thread;

use bytes::Bytes;
use concord::adapters::catalog::MvccStore;
use concord::systems::catalog::{CommitAt, Error, KeyRange, Mutation, Store};

use super::{CACHE, key};
use crate::simulated::{Flush, Simulated};

fn store() -> MvccStore {
    let disk = Simulated::new(Vec::new(), u64::MAX, Flush::Kept);
    MvccStore::with_backend("simulated", disk, CACHE).unwrap()
}

fn number(value: &Bytes) -> u64 {
    u64::from_be_bytes(value.as_ref().try_into().unwrap())
}

fn write(name: &'static str, value: u64) -> Mutation {
    Mutation::put(key(name), value.to_be_bytes().to_vec().into())
}

/// Reads a number, adds one, writes it back; how often that was refused.
fn add(store: &mut MvccStore, times: u64) -> u64 {
    let mut refused = 0;
    let mut added = 0;
    while added < times {
        let read_ts = store.last_commit_ts().unwrap();
        let before = match store.get_at(b"sum", read_ts) {
            Ok(value) => number(&value),
            Err(error) => {
                assert_eq!(error, Error::KeyNotFound);
                0
            }
        };
        match store.apply(&[write("sum", before + 1)], read_ts, CommitAt::After(0)) {
            Ok(_) => added += 1,
            Err(error) => {
                assert_eq!(error.code(), "write_conflict");
                refused += 1;
            }
        }
    }
    refused
}

#[test]
fn no_update_of_another_thread_is_lost() {
    let mut store = store();
    let threads = 4;
    let each = 25;
    thread::scope(|scope| {
        for _ in 0..threads {
            let mut clone = store.clone();
            scope.spawn(move || add(&mut clone, each));
        }
    });
    let sum = store.get_at(b"sum", u64::MAX).unwrap();
    assert_eq!(number(&sum), threads * each);
    assert_eq!(store.last_commit_ts(), Ok(threads * each));
    add(&mut store, 1);
}

#[test]
fn a_scan_at_the_last_commit_never_sees_half_a_batch() {
    let mut store = store();
    let reader = store.clone();
    let batches = 100;
    thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for value in 1..=batches {
                let batch = [write("a", value), write("b", value)];
                store.apply(&batch, u64::MAX, CommitAt::After(0)).unwrap();
            }
        });
        let everything = KeyRange {
            start: b"",
            end: None,
        };
        loop {
            let is_last = writer.is_finished();
            let read_ts = reader.last_commit_ts().unwrap();
            let pairs = reader.scan_at(everything, usize::MAX, read_ts).unwrap();
            let values: Vec<u64> = pairs.iter().map(|pair| number(&pair.value)).collect();
            // Batch n commits at n.
            let expected = if read_ts == 0 {
                vec![]
            } else {
                vec![read_ts; 2]
            };
            assert_eq!(values, expected);
            if is_last {
                assert_eq!(read_ts, batches);
                break;
            }
        }
    });
}
