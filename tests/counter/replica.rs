//! The durable counter as users hold it.

use concord::adapters::{
    Address, Applied, CallError, Counter, Error, Ids, Network, Offline, Unreachable,
};
use concord::systems::counter::{Failure, Generation};
use concord::systems::merkle::driver::Backend;
use concord::systems::merkle::{Disk, Memory, Write};

/// One peer in the same process.
struct Peer<'a>(&'a Counter);

impl Network for Peer<'_> {
    fn announce(&mut self, _: &[Address]) -> Result<(), Unreachable> {
        Ok(())
    }

    fn fetch(&mut self, block: &Address) -> Option<Vec<u8>> {
        self.0.block(block)
    }
}

/// Announcements fail, and what is fetched is not what was asked for.
struct Broken;

impl Network for Broken {
    fn announce(&mut self, _: &[Address]) -> Result<(), Unreachable> {
        Err(Unreachable)
    }

    fn fetch(&mut self, _: &Address) -> Option<Vec<u8>> {
        Some(vec![1; 40])
    }
}

#[test]
fn two_counters_exchange_blocks_and_outlive_their_processes() {
    let folder = tempfile::tempdir().expect("a folder");
    let [a_file, b_file] = ["a", "b"].map(|name| folder.path().join(name));
    let mut a = Counter::open(&a_file, "a").expect("a new file");
    let mut b = Counter::open(&b_file, "b").expect("a new file");
    a.increment("/LIKES/INCR/t1", &mut Offline)
        .expect("applied");
    a.increment("LIKES//INCR/t1/", &mut Offline)
        .expect("applied");
    let announced = a.announcements();
    assert_eq!(announced, a.heads());
    let done = b.receive(&announced, &mut Peer(&a)).expect("merged");
    assert_eq!(
        (done.merged.len(), done.missing.len(), done.dirty),
        (2, 0, false)
    );
    b.decrement("/LIKES/INCR/t1", &mut Offline)
        .expect("applied");
    a.receive(&b.heads(), &mut Peer(&b)).expect("merged");
    assert_eq!(a.read("/LIKES/INCR/t1").expect("a sum"), 1);
    assert_eq!(a.heads(), b.heads());
    assert_ne!(a.generation(), b.generation());

    let generation = a.generation();
    a.close().expect("in good order");
    drop(b);
    let mut a = Counter::open(&a_file, "a").expect("it was closed");
    let mut b = Counter::open(&b_file, "b").expect("it was dropped");
    assert_ne!(a.generation(), generation);
    assert_eq!(a.read("/LIKES/INCR/t1").expect("a sum"), 1);
    assert_eq!(b.read("/LIKES/INCR/t1").expect("a sum"), 1);
}

/// CTR-14: a lost disk comes back as far as some peer has it, and the new generation adds to it.
#[test]
fn what_a_peer_fetched_survives_a_total_loss() {
    let folder = tempfile::tempdir().expect("a folder");
    let [a_file, b_file] = ["a", "b"].map(|name| folder.path().join(name));
    let mut a = Counter::open(&a_file, "a").expect("a new file");
    let mut b = Counter::open(&b_file, "b").expect("a new file");
    for _ in 0..3 {
        a.increment("/k", &mut Offline).expect("applied");
    }
    b.receive(&a.heads(), &mut Peer(&a)).expect("merged");
    a.increment("/k", &mut Offline).expect("applied");
    drop(a);
    std::fs::remove_file(&a_file).expect("it is there");
    let mut a = Counter::open(&a_file, "a").expect("a new file");
    a.increment("/k", &mut Offline).expect("applied");
    a.receive(&b.heads(), &mut Peer(&b)).expect("merged");
    assert_eq!(a.read("/k").expect("a sum"), 4);
}

#[test]
fn a_missing_block_is_fetched_by_the_repair() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut a = Counter::open(folder.path().join("a"), "a").expect("a new file");
    let b_file = folder.path().join("b");
    let mut b = Counter::open(&b_file, "b").expect("a new file");
    a.increment("/k", &mut Offline).expect("applied");
    b.receive(&a.heads(), &mut Peer(&a)).expect("merged");
    a.increment("/u", &mut Offline).expect("applied");
    let middle = a.heads();
    a.increment("/k", &mut Offline).expect("applied");

    /// Has all but one block.
    struct Without<'a>(Peer<'a>, Address);
    impl Network for Without<'_> {
        fn announce(&mut self, _: &[Address]) -> Result<(), Unreachable> {
            Ok(())
        }
        fn fetch(&mut self, block: &Address) -> Option<Vec<u8>> {
            if *block == self.1 {
                None
            } else {
                self.0.fetch(block)
            }
        }
    }
    let mut network = Without(Peer(&a), middle[0]);
    let done = b.receive(&a.heads(), &mut network).expect("merged");
    assert_eq!(done.missing, middle);
    drop(b);
    let mut b = Counter::open(&b_file, "b").expect("it was dropped");
    assert!(b.needs_repair());
    b.repair(&mut Peer(&a)).expect("merged");
    assert_eq!(b.read("/u").expect("a sum"), 1);
    assert!(!b.needs_repair());
}

#[test]
fn a_failed_announcement_says_that_the_bump_was_applied() {
    let mut counter = Counter::on(Memory::default(), "a", Generation([1; 16])).expect("a node id");
    for expected in 1..3 {
        let failed = counter.increment("/k", &mut Broken);
        let failed = failed.expect_err("nobody could be reached");
        assert!(matches!(failed, CallError::Failed(Failure::PublishFailed)));
        assert!(failed.to_string().contains("applied here"), "{failed}");
        assert_eq!(counter.read("/k").expect("a sum"), expected);
    }
}

#[test]
fn a_forged_block_counts_as_missing() {
    let mut counter = Counter::on(Memory::default(), "a", Generation([1; 16])).expect("a node id");
    let done = counter
        .receive(&[[9; 32]], &mut Broken)
        .expect("nothing fails");
    assert_eq!(done.missing, [[9; 32]]);
    assert_eq!(counter.heads(), [[0; 32]; 0]);
}

#[test]
fn a_node_id_must_be_one_segment() {
    for id in ["", ".", "..", "a/b"] {
        let opened = Counter::on(Memory::<Disk<Ids>>::default(), id, Generation([1; 16]));
        assert!(opened.is_err(), "{id}");
    }
}

/// Fails from its `left`th write or sync on.
struct Failing(Memory<Disk<Ids>>, u32);

impl Failing {
    fn survives(&mut self) -> Result<(), Error> {
        self.1 = self.1.saturating_sub(1);
        if self.1 == 0 {
            let file = String::from("failing");
            return Err(Error::Stopped { file });
        }
        Ok(())
    }
}

impl Backend<Disk<Ids>, Write<Ids>> for Failing {
    type Error = Error;

    fn load(&mut self) -> Result<Disk<Ids>, Error> {
        Ok(Backend::<_, Write<Ids>>::load(&mut self.0).expect("memory does not fail"))
    }

    fn write(&mut self, write: &Write<Ids>) -> Result<(), Error> {
        self.survives()?;
        self.0.write(write).expect("memory does not fail");
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.survives()
    }

    fn wipe(&mut self) -> Result<(), Error> {
        self.survives()
    }
}

#[test]
fn a_database_error_stops_the_counter_and_says_what_was_applied() {
    // The block, steps 3 to 5 as one, the flush.
    for (at, expected) in [(1, Applied::No), (2, Applied::No), (3, Applied::Unknown)] {
        let disk = Failing(Memory::default(), at);
        let mut counter = Counter::on(disk, "a", Generation([1; 16])).expect("a node id");
        let failed = counter.increment("/k", &mut Offline);
        match failed.expect_err("the disk failed") {
            CallError::Database { applied, .. } => assert_eq!(applied, expected),
            other => panic!("{other}"),
        }
        let after = counter.read("/k");
        assert!(matches!(after, Err(CallError::Stopped)));
    }
}
