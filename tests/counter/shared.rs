//! The counter that threads share, as users hold it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use concord::adapters::{Address, Durability, Ids, Network, Offline, SharedCounter, Unreachable};
use concord::systems::counter::{Direction, Generation, Space};
use concord::systems::merkle::driver::Backend;
use concord::systems::merkle::{Disk, Image, Write};

const KEY: &str = "/LIKES/INCR/t1";

/// A disk in memory that can be looked at from outside: what is synced, and how often it was.
#[derive(Clone, Default)]
struct Watched(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    written: Disk<Ids>,
    synced: Disk<Ids>,
    syncs: u64,
}

impl Backend<Disk<Ids>, Write<Ids>> for Watched {
    type Error = Infallible;

    fn load(&mut self) -> Result<Disk<Ids>, Infallible> {
        Ok(self.contents().synced.clone())
    }

    fn write(&mut self, write: &Write<Ids>) -> Result<(), Infallible> {
        Image::apply(&mut self.contents().written, write);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Infallible> {
        let mut contents = self.contents();
        contents.synced = contents.written.clone();
        contents.syncs += 1;
        Ok(())
    }

    fn wipe(&mut self) -> Result<(), Infallible> {
        *self.contents() = Contents::default();
        Ok(())
    }
}

impl Watched {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().expect("nothing panics while it is looked at")
    }

    /// The sum of all synced sub-counters, and the number of syncs.
    fn durable(&self) -> (u64, u64) {
        let contents = self.contents();
        let entries = contents.synced.entries.values();
        let sum = entries.map(|entry| Ids::decode(&entry.value)).sum();
        (sum, contents.syncs)
    }

    fn open(&self, life: u8, durability: Durability) -> SharedCounter<Self, Offline> {
        let generation = Generation([life; 16]);
        let counter = SharedCounter::on(self.clone(), "a", generation, Offline, durability);
        counter.expect("memory can be read")
    }
}

#[test]
fn an_increment_that_returned_is_durable_and_threads_share_syncs() {
    let disk = Watched::default();
    let counter = disk.open(1, Durability::EachIncrement);
    let acknowledged = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut writer = counter.writer();
                for _ in 0..50 {
                    writer.increment(KEY).expect("memory takes it");
                    let mut acknowledged = acknowledged.lock().unwrap();
                    *acknowledged += 1;
                    assert!(disk.durable().0 >= *acknowledged);
                }
            });
        }
    });
    let (durable, syncs) = disk.durable();
    assert_eq!((durable, counter.read(KEY)), (400, 400));
    assert!(syncs <= 400, "{syncs} syncs for 400 increments");
}

#[test]
fn nothing_is_durable_on_demand_before_it_is_asked_for() {
    let disk = Watched::default();
    let counter = disk.open(1, Durability::OnDemand);
    let mut writer = counter.writer();
    for _ in 0..100 {
        writer.increment(KEY).expect("it waits for nothing");
    }
    writer.decrement(KEY).expect("it waits for nothing");
    let handle = counter.handle(KEY, Direction::Incr);
    handle.add_one();
    assert_eq!((disk.durable(), counter.read(KEY)), ((0, 0), 100));
    counter.commit().expect("memory takes it");
    assert_eq!(disk.durable(), (102, 1));
    counter.commit().expect("there is nothing to write");
    assert_eq!(disk.durable(), (102, 1));
}

#[test]
fn a_timer_commits_what_was_counted() {
    let disk = Watched::default();
    let counter = disk.open(1, Durability::Every(Duration::from_millis(1)));
    counter
        .writer()
        .increment(KEY)
        .expect("it waits for nothing");
    while disk.durable().0 == 0 {
        thread::yield_now();
    }
    assert_eq!(disk.durable().0, 1);
}

/// CTR-13: a new life starts from what was synced, and adds a sub-counter of its own.
#[test]
fn a_new_life_reads_what_the_former_committed() {
    let disk = Watched::default();
    let counter = disk.open(1, Durability::OnDemand);
    let handle = counter.handle(KEY, Direction::Incr);
    handle.add_one();
    counter.commit().expect("memory takes it");
    handle.add_one();
    // A crash: what is open commits no more into the disk that is found.
    let found = Watched::default();
    {
        let mut contents = found.contents();
        contents.synced = disk.contents().synced.clone();
        contents.written = contents.synced.clone();
    }
    let counter = found.open(2, Durability::OnDemand);
    assert_eq!(counter.read(KEY), 1);
    counter.handle(KEY, Direction::Incr).add_one();
    assert_eq!(counter.read(KEY), 2);
    counter.commit().expect("memory takes it");
    let entries = &found.contents().synced.entries;
    assert_eq!(entries.keys().count(), 2);
}

#[test]
fn dropping_commits() {
    let disk = Watched::default();
    let counter = disk.open(1, Durability::OnDemand);
    counter.handle(KEY, Direction::Incr).add_one();
    drop(counter);
    assert_eq!(disk.durable().0, 1);
}

/// The blocks of one peer, as they were when it was asked.
struct Peer(BTreeMap<Address, Vec<u8>>);

impl Network for Peer {
    fn announce(&mut self, _: &[Address]) -> Result<(), Unreachable> {
        Err(Unreachable)
    }

    fn fetch(&mut self, block: &Address) -> Option<Vec<u8>> {
        self.0.get(block).cloned()
    }
}

/// Merged counts are read at once, beside those counted here; that nothing could be announced costs
/// no durability.
#[test]
fn what_a_peer_counted_is_read_once_it_is_merged() {
    let disk = Watched::default();
    let a = disk.open(1, Durability::OnDemand);
    let mut writer = a.writer();
    for key in [KEY, KEY, "/"] {
        writer.increment(key).expect("it waits for nothing");
    }
    a.commit().expect("memory takes it");
    let heads = a.announcements();
    let blocks: Vec<Address> = disk
        .0
        .lock()
        .unwrap()
        .synced
        .blocks
        .keys()
        .copied()
        .collect();
    let blocks = blocks
        .into_iter()
        .map(|block| (block, a.block(&block).expect("it is stored")));
    let peer = Peer(blocks.collect());

    let generation = Generation([9; 16]);
    let durability = Durability::EachIncrement;
    let b = SharedCounter::on(Watched::default(), "b", generation, peer, durability);
    let b = b.expect("memory can be read");
    b.writer()
        .increment(KEY)
        .expect("durable, though not announced");
    assert_eq!((b.read(KEY), b.read("/")), (1, 0));
    let merged = b.receive(&heads).expect("memory takes it");
    assert_eq!((merged.merged.len(), b.read(KEY), b.read("/")), (2, 3, 1));
}

#[test]
fn a_file_is_opened_again_by_a_new_life() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shared.redb");
    let open = || SharedCounter::open(&file, "a", Offline, Durability::EachIncrement);
    let counter = open().expect("a new file");
    counter.writer().increment(KEY).expect("durable");
    let generation = counter.generation();
    counter.close().expect("in good order");
    let counter = open().expect("it was closed");
    assert_ne!(counter.generation(), generation);
    assert_eq!(counter.read(KEY), 1);
}
