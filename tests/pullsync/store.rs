//! The storage contract and pages (3).

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use concord::systems::pullsync::limits::{BINS, MAX};
use concord::systems::pullsync::store::{Failing, Recording, collect, interval_key};
use concord::systems::pullsync::{
    Address, ArgumentError, Chunk, Disk, IntervalSet, Mode, Page, PageError, Placed, Real, Small,
    SmallData, Storage, StoreError, chunk as bmt,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::common::cases;
use crate::small::{REFERENCE, chunk, holding, invalid, unstamped};

fn new_in(bin: u8, bin_id: u64) -> Placed {
    Placed {
        bin,
        bin_id: Some(bin_id),
        exists: false,
    }
}

fn old_in(bin: u8, bin_id: u64) -> Placed {
    Placed {
        exists: true,
        ..new_in(bin, bin_id)
    }
}

fn entries(disk: &Disk<Small>, bin: u8) -> Vec<(u64, u8)> {
    disk.entries(bin).collect()
}

fn cursors(disk: &Disk<Small>) -> Vec<u64> {
    disk.cursors().unwrap()
}

#[test]
fn the_numbers_of_each_bin_are_dense_from_1() {
    let mut disk = Disk::new(1, REFERENCE);
    let chunks = [0x21, 0x11, 0x22, 0x12].map(chunk);
    let placed = disk.put(Mode::Upload, &chunks).unwrap();
    assert_eq!(
        placed,
        [new_in(2, 1), new_in(1, 1), new_in(2, 2), new_in(1, 2)]
    );
    assert_eq!(
        disk.put(Mode::Sync, &[chunk(0x20)]).unwrap(),
        [new_in(2, 3)]
    );
    assert_eq!(entries(&disk, 2), [(1, 0x21), (2, 0x22), (3, 0x20)]);
    assert_eq!(entries(&disk, 1), [(1, 0x11), (2, 0x12)]);
    assert_eq!(entries(&disk, 0), []);
}

#[test]
fn an_indexed_chunk_keeps_number_data_and_stamp() {
    let mut disk = holding(&[0x11, 0x12], REFERENCE);
    let before = disk.clone();
    for mode in [Mode::Upload, Mode::Sync, Mode::Cache] {
        for again in [invalid(0x12), unstamped(0x12)] {
            assert_eq!(disk.put(mode, &[again]).unwrap(), [old_in(1, 2)]);
        }
    }
    assert_eq!(disk, before);
}

#[test]
fn the_same_chunk_twice_in_one_put_is_stored_once() {
    let mut disk = Disk::new(1, REFERENCE);
    let placed = disk.put(Mode::Sync, &[chunk(0x11), unstamped(0x11)]);
    assert_eq!(placed.unwrap(), [new_in(1, 1), old_in(1, 1)]);
    assert_eq!(disk.chunk(&0x11).unwrap(), Some(chunk(0x11)));
}

#[test]
fn a_cached_chunk_is_held_and_not_in_the_pull_index() {
    let mut disk = Disk::new(1, REFERENCE);
    let placed = |exists| Placed {
        bin: 1,
        bin_id: None,
        exists,
    };
    let cached = disk.put(Mode::Cache, &[chunk(0x11), chunk(0x11)]);
    assert_eq!(cached.unwrap(), [placed(false), placed(true)]);
    assert!(!disk.has(&0x11).unwrap());
    assert_eq!(disk.chunk(&0x11).unwrap(), Some(chunk(0x11)));
    assert_eq!(entries(&disk, 1), []);
    assert_eq!(cursors(&disk), [0; 32]);
}

#[test]
fn a_cached_chunk_is_promoted_with_the_data_given_then() {
    for mode in [Mode::Upload, Mode::Sync] {
        let mut disk = Disk::new(1, REFERENCE);
        disk.put(Mode::Cache, &[invalid(0x11)]).unwrap();
        assert_eq!(disk.put(mode, &[chunk(0x11)]).unwrap(), [new_in(1, 1)]);
        assert!(disk.has(&0x11).unwrap());
        assert_eq!(disk.chunk(&0x11).unwrap(), Some(chunk(0x11)));
    }
}

#[test]
fn a_deleted_chunk_leaves_a_hole() {
    let mut disk = holding(&[0x11, 0x12, 0x13], REFERENCE);
    assert!(disk.delete(&0x13).unwrap());
    assert!(!disk.has(&0x13).unwrap());
    assert_eq!(disk.chunk(&0x13).unwrap(), None);
    assert_eq!(entries(&disk, 1), [(1, 0x11), (2, 0x12)]);
    assert_eq!(cursors(&disk)[1], 3);
    assert_eq!(
        disk.put(Mode::Sync, &[chunk(0x13)]).unwrap(),
        [new_in(1, 4)]
    );
    assert_eq!(entries(&disk, 1), [(1, 0x11), (2, 0x12), (4, 0x13)]);
}

#[test]
fn a_delete_says_whether_there_was_anything() {
    let mut disk = Disk::new(1, REFERENCE);
    assert!(!disk.delete(&0x11).unwrap());
    disk.put(Mode::Cache, &[chunk(0x11)]).unwrap();
    assert!(disk.delete(&0x11).unwrap());
    assert_eq!(disk, Disk::new(1, REFERENCE));
}

#[test]
fn a_scan_is_limited_to_bin_range_and_number() {
    let disk = holding(&[0x11, 0x21, 0x12, 0x22, 0x13, 0x31], REFERENCE);
    let scan = |from, to, limit| disk.scan(1, from, to, limit).unwrap();
    assert_eq!(scan(0, MAX, 9).entries, [(1, 0x11), (2, 0x12), (3, 0x13)]);
    assert_eq!(scan(2, 2, 9).entries, [(2, 0x12)]);
    assert_eq!(scan(1, MAX, 2).entries, [(1, 0x11), (2, 0x12)]);
    assert_eq!(scan(4, 9, 9).entries, []);
    assert_eq!(scan(4, 9, 9).counter, 3);
}

#[test]
fn a_real_chunk_is_in_the_bin_of_its_proximity_to_the_overlay() {
    let (address, data) = bmt::new(b"foo").unwrap();
    let stamp = Bytes::from_static(&[5; 97]);
    let foo = Chunk {
        address,
        data,
        stamp,
    };
    for bin in [0, 1, 7, 8, 30, 31] {
        let mut overlay = address;
        overlay.0[usize::from(bin) / 8] ^= 0x80 >> (bin % 8);
        let mut disk = Disk::<Real>::new(overlay, REFERENCE);
        let placed = disk.put(Mode::Upload, std::slice::from_ref(&foo));
        assert_eq!(placed.unwrap(), [new_in(bin, 1)]);
        assert!(disk.entries(bin).eq([(1, address)]));
    }
}

#[test]
fn interval_sets_are_kept_by_peer_and_bin() {
    let (one, other) = (IntervalSet::new(1), IntervalSet::new(5));
    let mut disk = Disk::<Small>::new(1, REFERENCE);
    assert_eq!(disk.intervals(&7, 2).unwrap(), None);
    disk.set_intervals(&7, 2, &one).unwrap();
    disk.set_intervals(&8, 2, &one).unwrap();
    disk.set_intervals(&7, 2, &other).unwrap();
    assert_eq!(disk.intervals(&7, 2).unwrap(), Some(other));
    assert_eq!(disk.intervals(&8, 2).unwrap(), Some(one));
    assert_eq!(disk.intervals(&7, 3).unwrap(), None);
    assert!(disk.remove_intervals(&7, 2).unwrap());
    assert!(!disk.remove_intervals(&7, 2).unwrap());
    assert_eq!(disk.sets().count(), 1);
}

#[test]
fn a_reset_deletes_what_peer_and_bound_say() {
    let mut full = Disk::<Small>::new(1, REFERENCE);
    for (peer, bin) in [(7, 1), (7, 2), (7, 10), (8, 1), (8, 31)] {
        full.set_intervals(&peer, bin, &IntervalSet::new(1))
            .unwrap();
    }
    let left = |peer: Option<u8>, below| {
        let mut disk = full.clone();
        let count = disk.reset_intervals(peer.as_ref(), below).unwrap();
        let left: Vec<_> = disk.sets().map(|(key, _)| *key).collect();
        assert_eq!(count as usize + left.len(), 5);
        left
    };
    assert!(left(None, None).is_empty());
    assert_eq!(left(Some(7), None), [(8, 1), (8, 31)]);
    assert_eq!(left(None, Some(2)), [(7, 2), (7, 10), (8, 31)]);
    assert_eq!(left(Some(8), Some(31)), [(7, 1), (7, 2), (7, 10), (8, 31)]);
    assert_eq!(left(Some(9), None).len(), 5);
    assert_eq!(left(None, Some(0)).len(), 5);
}

#[test]
fn a_key_is_the_overlay_in_hex_and_the_bin() {
    let mut peer = [0xa0; 32];
    peer[31] = 0x0f;
    let hex = format!("{}0f", "a0".repeat(31));
    assert_eq!(interval_key(&Address(peer), 7), format!("{hex}|7"));
    assert_eq!(interval_key(&Address(peer), 31), format!("{hex}|31"));
    assert_eq!(interval_key(&Address(peer), -1), format!("{hex}|-1"));
}

fn page(disk: &Disk<Small>, (from, to): (u64, u64), limit: usize, idle: bool) -> Page<Small> {
    collect(disk, (1, from, to), limit, idle, &REFERENCE).unwrap()
}

fn complete(topmost: u64, addresses: &[u8]) -> Page<Small> {
    let addresses = addresses.to_vec();
    Page::Complete { topmost, addresses }
}

#[test]
fn the_bin_is_checked_before_the_range() {
    let disk = holding(&[0x11], REFERENCE);
    let error =
        |bin, from, to| collect(&disk, (bin, from, to), 2, false, &REFERENCE).expect_err("refused");
    for bin in [-1, 32, 256, i32::MIN, i32::MAX] {
        for (from, to) in [(1, 1), (5, 3), (0, 0)] {
            let refused = ArgumentError::BinOutOfRange(bin);
            assert_eq!(error(bin, from, to), PageError::Argument(refused));
        }
    }
    for (from, to) in [(5, 3), (0, 0), (1, 0), (MAX, 1)] {
        let refused = ArgumentError::InvalidRange { from, to };
        assert_eq!(error(31, from, to), PageError::Argument(refused));
    }
}

#[test]
fn from_0_is_from_1() {
    let disk = holding(&[0x11, 0x12], REFERENCE);
    for idle in [false, true] {
        assert_eq!(page(&disk, (0, 2), 9, idle), complete(2, &[0x11, 0x12]));
    }
}

#[test]
fn a_full_page_ends_at_its_last_entry() {
    let disk = holding(&[0x11, 0x12, 0x13], REFERENCE);
    for idle in [false, true] {
        for to in [2, 3, 9, MAX] {
            assert_eq!(page(&disk, (1, to), 2, idle), complete(2, &[0x11, 0x12]));
            assert_eq!(page(&disk, (2, to), 1, idle), complete(2, &[0x12]));
        }
    }
}

#[test]
fn a_closed_range_is_complete_however_few_survive() {
    let mut disk = holding(&[0x11, 0x12, 0x13], REFERENCE);
    for address in [0x12, 0x13] {
        disk.delete(&address).unwrap();
    }
    for idle in [false, true] {
        assert_eq!(page(&disk, (1, 3), 9, idle), complete(3, &[0x11]));
        assert_eq!(page(&disk, (2, 3), 9, idle), complete(3, &[]));
        assert_eq!(page(&disk, (3, 3), 1, idle), complete(3, &[]));
        assert_eq!(page(&disk, (1, 3), 1, idle), complete(1, &[0x11]));
    }
}

#[test]
fn an_open_range_waits_for_entries_and_then_for_the_timer() {
    let disk = holding(&[0x11, 0x12], REFERENCE);
    for to in [3, MAX] {
        for idle in [false, true] {
            assert_eq!(page(&disk, (3, to), 9, idle), Page::Waiting { found: 0 });
        }
        assert_eq!(page(&disk, (1, to), 9, false), Page::Waiting { found: 2 });
        assert_eq!(page(&disk, (1, to), 9, true), complete(2, &[0x11, 0x12]));
    }
}

/// A disk with its recording.
struct Recorder {
    disk: Disk<Small>,
    copy: Disk<Small>,
    failing: Cell<Option<Failing>>,
}

impl Recorder {
    fn new() -> Self {
        let disk = Disk::new(1, REFERENCE);
        Self {
            copy: disk.clone(),
            disk,
            failing: Cell::new(None),
        }
    }

    /// Acts, carries the writes out on the copy, and says how many there were.
    fn act<T>(&mut self, act: impl FnOnce(&mut Recording<'_, Small>) -> T) -> (T, usize) {
        let mut writes = Vec::new();
        let answer = act(&mut Recording {
            disk: &mut self.disk,
            writes: &mut writes,
            failing: &self.failing,
        });
        for write in &writes {
            self.copy.apply(write);
        }
        assert_eq!(self.copy, self.disk);
        (answer, writes.len())
    }
}

#[test]
fn what_changes_nothing_is_not_noted() {
    let mut recorder = Recorder::new();
    let both = [chunk(0x11), chunk(0x12)];
    let sizes = [
        recorder.act(|to| to.put(Mode::Sync, &both[..1])).1,
        recorder.act(|to| to.put(Mode::Sync, &both)).1,
        recorder.act(|to| to.put(Mode::Upload, &both)).1,
        recorder.act(|to| to.put(Mode::Cache, &both)).1,
        recorder.act(|to| to.put(Mode::Upload, &[])).1,
        recorder.act(|to| to.delete(&0x12)).1,
        recorder.act(|to| to.delete(&0x12)).1,
    ];
    assert_eq!(sizes, [1, 1, 0, 0, 0, 1, 0]);
    let (one, other) = (IntervalSet::new(1), IntervalSet::new(2));
    let sizes = [
        recorder.act(|to| to.set_intervals(&7, 1, &one)).1,
        recorder.act(|to| to.set_intervals(&7, 1, &one)).1,
        recorder.act(|to| to.set_intervals(&7, 1, &other)).1,
        recorder.act(|to| to.remove_intervals(&7, 2)).1,
        recorder.act(|to| to.remove_intervals(&7, 1)).1,
        recorder.act(|to| to.reset_intervals(None, None)).1,
    ];
    assert_eq!(sizes, [1, 0, 1, 0, 1, 0]);
}

#[test]
fn a_failure_on_demand_comes_once_and_changes_nothing() {
    let mut recorder = Recorder::new();
    recorder.failing.set(Some(Failing::Put));
    recorder.act(|to| assert!(to.scan(1, 1, 9, 9).is_ok()));
    recorder.act(|to| assert!(to.delete(&0x11).is_ok()));
    let put = |to: &mut Recording<'_, Small>| to.put(Mode::Sync, &[chunk(0x11)]);
    assert!(matches!(recorder.act(put), (Err(StoreError(_)), 0)));
    assert_eq!(recorder.act(put), (Ok(vec![new_in(1, 1)]), 1));

    recorder.failing.set(Some(Failing::Scan));
    let live = |to: &mut Recording<'_, Small>| collect(to, (1, 1, MAX), 9, true, &REFERENCE);
    assert!(matches!(recorder.act(live), (Err(PageError::Store(_)), 0)));
    assert_eq!(recorder.act(live), (Ok(complete(1, &[0x11])), 0));
}

/// What happens to a storage.
#[derive(Clone, Debug)]
enum Act {
    Put(Mode, Vec<Chunk<Small>>),
    Delete(u8),
    Set(u8, u8, u64),
    Remove(u8, u8),
    Reset(Option<u8>, Option<u8>),
    Fail(Failing),
}

/// Few addresses in two bins, so that they meet again.
fn some_address() -> impl Strategy<Value = u8> {
    select(vec![0x11, 0x12, 0x13, 0x14, 0x21, 0x22, 0x23])
}

fn some_chunk() -> impl Strategy<Value = Chunk<Small>> {
    let data = select(vec![SmallData::Valid, SmallData::Invalid]);
    (some_address(), data, any::<bool>()).prop_map(|(address, data, stamp)| Chunk {
        address,
        data,
        stamp,
    })
}

fn some_act() -> impl Strategy<Value = Act> {
    let mode = select(vec![Mode::Upload, Mode::Sync, Mode::Cache]);
    let chunks = prop::collection::vec(some_chunk(), 0..4);
    prop_oneof![
        6 => (mode, chunks).prop_map(|(mode, chunks)| Act::Put(mode, chunks)),
        3 => some_address().prop_map(Act::Delete),
        2 => (7u8..9, 0u8..20, 1u64..3).prop_map(|(peer, bin, start)| Act::Set(peer, bin, start)),
        1 => (7u8..9, 0u8..20).prop_map(|(peer, bin)| Act::Remove(peer, bin)),
        1 => (prop::option::of(7u8..9), prop::option::of(0u8..20))
            .prop_map(|(peer, below)| Act::Reset(peer, below)),
        1 => select(vec![Failing::Put, Failing::Scan]).prop_map(Act::Fail),
    ]
}

/// A storage by its definition: everything that ever happened, looked through for each answer.
#[derive(Default)]
struct Slow {
    /// Who got the numbers of a bin: the first got 1.
    assigned: BTreeMap<u8, Vec<u8>>,
    held: BTreeMap<u8, Chunk<Small>>,
    numbers: BTreeMap<u8, u64>,
    sets: BTreeMap<(u8, u8), u64>,
}

impl Slow {
    fn put(&mut self, mode: Mode, chunk: &Chunk<Small>) -> Placed {
        let (address, bin) = (chunk.address, chunk.address >> 4);
        let exists = match mode {
            Mode::Cache => self.held.contains_key(&address),
            Mode::Upload | Mode::Sync => self.numbers.contains_key(&address),
        };
        if !exists {
            self.held.insert(address, chunk.clone());
        }
        if !exists && mode != Mode::Cache {
            let assigned = self.assigned.entry(bin).or_default();
            assigned.push(address);
            self.numbers.insert(address, assigned.len() as u64);
        }
        Placed {
            bin,
            bin_id: self.numbers.get(&address).copied(),
            exists,
        }
    }

    fn entries(&self, bin: u8) -> Vec<(u64, u8)> {
        let numbers = self.numbers.iter();
        let inside = numbers.filter(|(address, _)| **address >> 4 == bin);
        let sorted: BTreeSet<_> = inside.map(|(address, id)| (*id, *address)).collect();
        sorted.into_iter().collect()
    }

    fn cursors(&self) -> Vec<u64> {
        let ever = |bin| self.assigned.get(&bin).map_or(0, Vec::len) as u64;
        (0..BINS).map(ever).collect()
    }
}

/// Runs the acts on a recorded disk and by definition, and compares all there is to ask after each.
fn agrees_with_the_definition(acts: &[Act]) -> (Disk<Small>, Slow) {
    let (mut recorder, mut slow) = (Recorder::new(), Slow::default());
    for act in acts {
        match act.clone() {
            Act::Put(mode, chunks) => {
                let fails = recorder.failing.get() == Some(Failing::Put);
                let (placed, _) = recorder.act(|to| to.put(mode, &chunks));
                assert_eq!(placed.is_err(), fails);
                if let Ok(placed) = placed {
                    let expected: Vec<_> = chunks.iter().map(|one| slow.put(mode, one)).collect();
                    assert_eq!(placed, expected);
                }
            }
            Act::Delete(address) => {
                let existed = slow.held.remove(&address).is_some();
                slow.numbers.remove(&address);
                assert_eq!(recorder.act(|to| to.delete(&address)).0, Ok(existed));
            }
            Act::Set(peer, bin, start) => {
                let set = IntervalSet::new(start);
                recorder.act(|to| to.set_intervals(&peer, bin, &set).unwrap());
                slow.sets.insert((peer, bin), start);
            }
            Act::Remove(peer, bin) => {
                let existed = slow.sets.remove(&(peer, bin)).is_some();
                let removed = recorder.act(|to| to.remove_intervals(&peer, bin)).0;
                assert_eq!(removed, Ok(existed));
            }
            Act::Reset(peer, below) => {
                let before = slow.sets.len();
                slow.sets.retain(|(owner, bin), _| {
                    peer.is_some_and(|peer| peer != *owner) || below.is_some_and(|b| *bin >= b)
                });
                let count = (before - slow.sets.len()) as u64;
                let reset = recorder.act(|to| to.reset_intervals(peer.as_ref(), below));
                assert_eq!(reset.0, Ok(count));
            }
            Act::Fail(failing) => recorder.failing.set(Some(failing)),
        }
        let disk = &recorder.disk;
        assert_eq!(cursors(disk), slow.cursors());
        for bin in 0..4 {
            assert_eq!(entries(disk, bin), slow.entries(bin));
        }
        for address in 0x10..0x25 {
            assert_eq!(disk.has(&address), Ok(slow.numbers.contains_key(&address)));
            assert_eq!(
                disk.chunk(&address).unwrap().as_ref(),
                slow.held.get(&address)
            );
        }
        assert!(disk.held().eq(slow.held.keys()));
        let sets = disk.sets().map(|(key, set)| (key, set.start()));
        assert!(sets.eq(slow.sets.iter().map(|(key, start)| (key, *start))));
    }
    (recorder.disk, slow)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_recorded_disk_agrees_with_the_definition(acts in prop::collection::vec(some_act(), 0..40)) {
        agrees_with_the_definition(&acts);
    }

    #[test]
    fn a_put_of_present_chunks_changes_nothing(
        acts in prop::collection::vec(some_act(), 0..20),
        mode in select(vec![Mode::Upload, Mode::Sync]),
        chunks in prop::collection::vec(some_chunk(), 1..6),
    ) {
        let (mut disk, _) = agrees_with_the_definition(&acts);
        let first = disk.put(mode, &chunks).unwrap();
        let before = disk.clone();
        let again = disk.put(mode, &chunks).unwrap();
        prop_assert_eq!(&before, &disk);
        prop_assert!(again.iter().all(|placed| placed.exists));
        let numbers = |placed: &[Placed]| placed.iter().map(|one| one.bin_id).collect::<Vec<_>>();
        prop_assert_eq!(numbers(&first), numbers(&again));
    }

    #[test]
    fn cursors_never_decrease(
        acts in prop::collection::vec(some_act(), 0..20), more in prop::collection::vec(some_act(), 1..20)
    ) {
        let (before, _) = agrees_with_the_definition(&acts);
        let all = [acts, more].concat();
        let (after, _) = agrees_with_the_definition(&all);
        prop_assert!(cursors(&before).iter().zip(cursors(&after)).all(|(old, new)| *old <= new));
    }

    #[test]
    fn a_page_holds_what_survives_up_to_its_topmost(
        acts in prop::collection::vec(some_act(), 0..30),
        from in 0u64..8, length in prop_oneof![0u64..6, Just(MAX - 8)],
        limit in 1usize..4, idle: bool,
    ) {
        let (disk, slow) = agrees_with_the_definition(&acts);
        let to = (from + length).max(1);
        let inside = |to: u64| -> Vec<u8> {
            let entries = slow.entries(1).into_iter();
            entries.filter(|(id, _)| (from..=to).contains(id)).map(|(_, address)| address).collect()
        };
        let closed = to <= slow.cursors()[1];
        match page(&disk, (from, to), limit, idle) {
            Page::Complete { topmost, addresses } => {
                prop_assert!(from <= topmost && topmost <= to && topmost != MAX);
                prop_assert!(topmost <= slow.cursors()[1]);
                prop_assert!(addresses.len() <= limit);
                prop_assert_eq!(&addresses, &inside(topmost));
                prop_assert!(closed || idle || addresses.len() == limit);
            }
            Page::Waiting { found } => {
                prop_assert!(!closed && found < limit && (found == 0 || !idle));
                prop_assert_eq!(found, inside(to).len());
            }
        }
    }
}
