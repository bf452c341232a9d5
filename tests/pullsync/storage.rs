//! The database under the storage contract: answers as those of the value that models and traces use,
//! whatever is asked, reopened at any time.

use std::fmt::Debug;
use std::path::Path;

use bytes::Bytes;
use concord::adapters::Error;
use concord::adapters::pullsync::{ChunkStore, Synced};
use concord::systems::pullsync::limits::{BINS, MAX};
use concord::systems::pullsync::{
    Address, Chunk, Disk, IntervalSet, Mode, Real, Storage, Strategies,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::common::cases;

const OVERLAY: Address = Address([0x5a; 32]);

/// Enough for a page of the database.
const CACHE: usize = 1 << 16;

/// One call of the contract, or a way to end a life of the store.
#[derive(Clone, Debug)]
enum Call {
    Has(Address),
    Chunk(Address),
    Scan(u8, u64, u64, usize),
    Cursors,
    Put(Mode, Vec<Chunk<Real>>),
    Delete(Address),
    Intervals(Address, u8),
    SetIntervals(Address, u8, Vec<(u64, u64)>),
    ResetIntervals(Option<Address>, Option<u8>),
    RemoveIntervals(Address, u8),
    /// The file is closed and opened again.
    Reopen,
}

/// What a storage answers, as text.
fn answer(storage: &mut impl Storage<Real>, call: &Call) -> String {
    fn told(answer: impl Debug) -> String {
        format!("{answer:?}")
    }
    match call {
        Call::Has(address) => told(storage.has(address)),
        Call::Chunk(address) => told(storage.chunk(address)),
        Call::Scan(bin, from, to, limit) => told(storage.scan(*bin, *from, *to, *limit)),
        Call::Cursors => told(storage.cursors()),
        Call::Put(mode, chunks) => told(storage.put(*mode, chunks)),
        Call::Delete(address) => told(storage.delete(address)),
        Call::Intervals(peer, bin) => told(storage.intervals(peer, *bin)),
        Call::SetIntervals(peer, bin, ranges) => {
            told(storage.set_intervals(peer, *bin, &set(ranges)))
        }
        Call::ResetIntervals(peer, below) => told(storage.reset_intervals(peer.as_ref(), *below)),
        Call::RemoveIntervals(peer, bin) => told(storage.remove_intervals(peer, *bin)),
        Call::Reopen => String::new(),
    }
}

fn set(ranges: &[(u64, u64)]) -> IntervalSet {
    let mut set = IntervalSet::new(1);
    for (one, other) in ranges {
        set.add(*one.min(other), *one.max(other))
            .expect("no range is inverted");
    }
    set
}

/// Addresses of few bins, so that calls meet each other.
fn address() -> impl Strategy<Value = Address> {
    (0..4_u8, 0..4_u8).prop_map(|(bin, last)| {
        let mut address = OVERLAY;
        address.0[0] ^= 0x80_u8 >> bin;
        address.0[31] = last;
        address
    })
}

fn chunk() -> impl Strategy<Value = Chunk<Real>> {
    let stamp = vec(any::<u8>(), 0..4);
    let short = vec(any::<u8>(), 0..20);
    let long = (any::<u8>(), 4000..=4104_usize).prop_map(|(byte, length)| vec![byte; length]);
    (address(), prop_oneof![3 => short, 1 => long], stamp).prop_map(|(address, data, stamp)| {
        Chunk {
            address,
            data: Bytes::from(data),
            stamp: Bytes::from(stamp),
        }
    })
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Upload), Just(Mode::Sync), Just(Mode::Cache)]
}

/// Bins whose numbers begin alike (D45) among them.
fn bin() -> impl Strategy<Value = u8> {
    prop_oneof![0..4_u8, Just(10), Just(31)]
}

fn peer() -> impl Strategy<Value = Address> {
    (0..3_u8).prop_map(|peer| Address([peer; 32]))
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0..6_u64, 1 => Just(MAX)]
}

fn call() -> impl Strategy<Value = Call> {
    let ranges = vec((1..60_u64, 1..60_u64), 0..4);
    prop_oneof![
        2 => address().prop_map(Call::Has),
        2 => address().prop_map(Call::Chunk),
        3 => (bin(), number(), number(), 1..4_usize)
            .prop_map(|(bin, from, to, limit)| Call::Scan(bin, from, to, limit)),
        1 => Just(Call::Cursors),
        6 => (mode(), vec(chunk(), 0..4)).prop_map(|(mode, chunks)| Call::Put(mode, chunks)),
        2 => address().prop_map(Call::Delete),
        2 => (peer(), bin()).prop_map(|(peer, bin)| Call::Intervals(peer, bin)),
        3 => (peer(), bin(), ranges)
            .prop_map(|(peer, bin, ranges)| Call::SetIntervals(peer, bin, ranges)),
        1 => (option::of(peer()), option::of(bin()))
            .prop_map(|(peer, below)| Call::ResetIntervals(peer, below)),
        1 => (peer(), bin()).prop_map(|(peer, bin)| Call::RemoveIntervals(peer, bin)),
        1 => Just(Call::Reopen),
    ]
}

fn open(file: &Path) -> ChunkStore {
    ChunkStore::open(file, OVERLAY, CACHE).expect("the file is ours")
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn the_database_answers_as_the_disk_of_models_does(calls in vec(call(), 1..60)) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("chunks.redb");
        let mut database = open(&file);
        let mut disk = Disk::<Real>::new(OVERLAY, Strategies::REFERENCE);
        for call in &calls {
            if let Call::Reopen = call {
                database.close().expect("it did not fail");
                database = open(&file);
            }
            prop_assert_eq!(answer(&mut database, call), answer(&mut disk, call), "{:?}", call);
        }
        let sets: Vec<_> = disk.sets().map(|((peer, bin), set)| (*peer, *bin, set.clone())).collect();
        let mut found = database.sets().expect("it can be read");
        found.sort_by_key(|(peer, bin, _)| (*peer, *bin));
        prop_assert_eq!(found, sets);
        prop_assert_eq!(database.held().expect("it can be read"), disk.held().count() as u64);
        let indexed: usize = (0..BINS).map(|bin| disk.entries(bin).count()).sum();
        prop_assert_eq!(database.indexed().expect("it can be read"), indexed as u64);
    }
}

fn small(last: u8) -> Chunk<Real> {
    let mut address = OVERLAY;
    address.0[31] ^= last;
    address.0[0] ^= 1;
    Chunk {
        address,
        data: Bytes::from(vec![last; 8]),
        stamp: Bytes::new(),
    }
}

#[test]
fn a_crash_takes_no_put_and_at_most_the_seals_after_the_last_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, left) = (folder.path().join("one"), folder.path().join("other"));
    let mut store = open(&file);
    let peer = Address([1; 32]);
    let chunks = [small(1), small(2)];
    store.put(Mode::Sync, &chunks[..1]).expect("it is stored");
    store
        .set_intervals(&peer, 7, &set(&[(1, 1)]))
        .expect("it is kept");
    store.put(Mode::Sync, &chunks).expect("it is stored");
    store
        .set_intervals(&peer, 7, &set(&[(1, 2)]))
        .expect("it is kept");
    // What a killed process leaves.
    std::fs::copy(&file, &left).expect("the file is there");
    drop(store);

    let mut found = open(&left);
    assert_eq!(found.cursors().expect("readable")[7], 2);
    assert_eq!(found.has(&chunks[1].address), Ok(true));
    let kept = found.intervals(&peer, 7).expect("readable").expect("a set");
    assert!(
        [set(&[(1, 1)]), set(&[(1, 2)])].contains(&kept),
        "{kept:?} is none that was written"
    );
    let synced = Synced { new: 2, again: 1 };
    assert_eq!(found.synced(), Ok(synced), "as durable as the puts");
    // A removal is at once, so it cannot be forgotten after what it forbids to vouch for.
    assert_eq!(found.reset_intervals(None, None), Ok(1));
    let again = folder.path().join("again");
    std::fs::copy(&left, &again).expect("the file is there");
    drop(found);
    assert_eq!(open(&again).intervals(&peer, 7), Ok(None));
}

#[test]
fn a_store_is_that_of_one_node_and_of_one_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("chunks.redb");
    let mut store = open(&file);
    store.put(Mode::Upload, &[small(1)]).expect("it is stored");
    let second = ChunkStore::open(&file, OVERLAY, CACHE).expect_err("it is in use");
    assert!(matches!(second, Error::InUse { .. }), "{second}");
    store.close().expect("it did not fail");
    let before = std::fs::read(&file).expect("it is there");
    let other = ChunkStore::open(&file, Address([7; 32]), CACHE).expect_err("another's");
    assert!(matches!(other, Error::OtherFormat { .. }), "{other}");
    assert_eq!(std::fs::read(&file).expect("it is there"), before);
}

#[test]
fn a_storage_that_failed_to_write_does_nothing_more_and_says_why() {
    let storage = failing::Memory::default();
    let mut store = ChunkStore::with_backend("memory", storage.clone(), OVERLAY, CACHE)
        .expect("nothing fails yet");
    store.put(Mode::Upload, &[small(1)]).expect("it is stored");
    assert_eq!(store.failure(), None);
    storage.fail();
    let failed = store.put(Mode::Upload, &[small(2)]);
    let failed = failed.expect_err("the storage fails");
    assert!(failed.to_string().contains("memory"), "{failed}");
    assert_eq!(store.failure(), Some(&failed));
    assert_eq!(store.has(&small(1).address), Err(failed));
}

mod failing {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use redb::StorageBackend;
    use redb::backends::InMemoryBackend;

    /// A storage in memory whose writes fail from some moment on.
    #[derive(Clone, Debug, Default)]
    pub(super) struct Memory(Arc<(InMemoryBackend, AtomicBool)>);

    impl Memory {
        pub(super) fn fail(&self) {
            self.0.1.store(true, Ordering::SeqCst);
        }

        fn works(&self) -> io::Result<&InMemoryBackend> {
            match self.0.1.load(Ordering::SeqCst) {
                true => Err(io::Error::other("no room")),
                false => Ok(&self.0.0),
            }
        }
    }

    impl StorageBackend for Memory {
        fn len(&self) -> io::Result<u64> {
            self.0.0.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.0.0.read(offset, out)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.works()?.set_len(len)
        }

        fn sync_data(&self) -> io::Result<()> {
            self.works()?.sync_data()
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.works()?.write(offset, data)
        }
    }
}
