//! Handlers, registry, cancels (8).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use concord::systems::pullsync::limits::MAX;
use concord::systems::pullsync::{
    ArgumentError, Canceled, Disk, Ending, HandlerError, HandlerState, Mode, Opened, PageError,
    Placed, Ranged, Scan, Server, Small, Storage, StoreError, process_want,
};
use concord::systems::pullsync::{Chunk, IntervalSet};
use proptest::prelude::*;

use crate::common::cases;
use crate::small::{REFERENCE, chunk, holding};

/// A handler is named by its stream.
type Name = (u8, u32);

const A: Name = (7, 1);
const B: Name = (7, 2);
const C: Name = (8, 1);

fn server() -> Server<Small> {
    Server::new(2, 2, REFERENCE)
}

const OPENED: Opened<Small> = Opened {
    canceled: false,
    replaced: None,
};

const NOTED: Canceled<Small> = Canceled {
    canceled: None,
    pending: true,
};

fn ended(name: Name) -> Canceled<Small> {
    Canceled {
        canceled: Some(name),
        pending: false,
    }
}

fn offered(topmost: u64, hashes: &[u8]) -> Result<Ranged<Small>, HandlerError> {
    let hashes = hashes.to_vec();
    Ok(Ranged::Offered { topmost, hashes })
}

fn registered(server: &Server<Small>) -> Vec<(u8, u32, Name)> {
    let all = server.registered();
    all.map(|((peer, ruid), stream)| (*peer, *ruid, *stream))
        .collect()
}

/// A server with one handler at each step: A open, B waiting, C offered.
fn busy(disk: &Disk<Small>) -> Server<Small> {
    let mut server = server();
    for (name, ruid) in [(A, 1), (B, 2), (C, 1)] {
        assert_eq!(server.open(name, name.0, ruid), Ok(OPENED));
    }
    let waiting = server.range(disk, B, (2, 1, MAX), true);
    assert_eq!(waiting, Ok(Ranged::Waiting { found: 0 }));
    assert_eq!(
        server.range(disk, C, (1, 1, 2), false),
        offered(2, &[0x11, 0x12])
    );
    server
}

fn two() -> Disk<Small> {
    holding(&[0x11, 0x12], REFERENCE)
}

#[test]
fn a_handler_offers_delivers_and_unregisters() {
    let disk = two();
    let mut server = server();
    assert_eq!(server.open(A, 7, 5), Ok(OPENED));
    assert_eq!(registered(&server), [(7, 5, A)]);
    assert_eq!(
        server.range(&disk, A, (1, 1, 2), false),
        offered(2, &[0x11, 0x12])
    );
    let ending = Ending {
        deliveries: vec![chunk(0x12)],
        missing: vec![],
    };
    assert_eq!(server.want(&disk, A, &[0b10]), Ok(ending));
    assert_eq!(registered(&server), []);
    assert_eq!(server.want(&disk, A, &[0b10]), Err(HandlerError::Finished));
    server.forget(A);
    assert_eq!(server.handlers().count(), 0);
}

#[test]
fn a_page_is_limited() {
    let disk = holding(&[0x11, 0x12, 0x13], REFERENCE);
    let mut server = server();
    server.open(A, 7, 5).unwrap();
    assert_eq!(
        server.range(&disk, A, (1, 1, 3), false),
        offered(2, &[0x11, 0x12])
    );
}

#[test]
fn an_empty_page_finishes_the_handler() {
    let mut disk = two();
    disk.delete(&0x12).unwrap();
    let mut server = server();
    server.open(A, 7, 5).unwrap();
    let ranged = server.range(&disk, A, (1, 2, 2), false);
    assert_eq!(ranged, Ok(Ranged::Empty { topmost: 2 }));
    assert_eq!(registered(&server), []);
    assert_eq!(server.want(&disk, A, &[0]), Err(HandlerError::Finished));
}

#[test]
fn a_waiting_handler_looks_again() {
    let mut disk = two();
    let mut server = server();
    server.open(A, 7, 5).unwrap();
    let waiting = |found| Ok(Ranged::Waiting { found });
    assert_eq!(server.range(&disk, A, (1, 3, 4), true), waiting(0));
    assert_eq!(server.poll(&disk, A, true), waiting(0));
    disk.put(Mode::Upload, &[chunk(0x13)]).unwrap();
    assert_eq!(server.poll(&disk, A, false), waiting(1));
    let state = &server.handler(&A).unwrap().state;
    assert!(matches!(state, HandlerState::Waiting { found: 1, .. }));
    assert_eq!(server.poll(&disk, A, true), offered(3, &[0x13]));
    assert_eq!(server.poll(&disk, A, true), Err(HandlerError::OutOfTurn));
}

#[test]
fn a_range_that_closes_while_waiting_may_be_empty() {
    let mut disk = two();
    let mut server = server();
    server.open(A, 7, 5).unwrap();
    server.range(&disk, A, (1, 3, 3), true).unwrap();
    disk.put(Mode::Upload, &[chunk(0x13)]).unwrap();
    disk.delete(&0x13).unwrap();
    let ranged = server.poll(&disk, A, false);
    assert_eq!(ranged, Ok(Ranged::Empty { topmost: 3 }));
}

#[test]
fn bad_arguments_finish_the_handler() {
    let disk = two();
    let bin = ArgumentError::BinOutOfRange(32);
    let range = ArgumentError::InvalidRange { from: 5, to: 3 };
    for (asked, refused) in [((32, 5, 3), bin), ((1, 5, 3), range)] {
        let mut server = server();
        server.open(A, 7, 5).unwrap();
        let error = HandlerError::Page(PageError::Argument(refused));
        assert_eq!(server.range(&disk, A, asked, false), Err(error));
        assert_eq!(registered(&server), []);
        assert_eq!(
            server.range(&disk, A, (1, 1, 2), false),
            Err(HandlerError::Finished)
        );
    }
}

#[test]
fn a_vector_that_is_too_short_finishes_the_handler() {
    let disk = holding(&[1, 2, 3, 4, 5, 6, 7, 8, 9], REFERENCE);
    let mut server = Server::new(9, 2, REFERENCE);
    server.open(A, 7, 5).unwrap();
    server.range(&disk, A, (0, 1, 9), false).unwrap();
    let ending = server.want(&disk, A, &[0xff]);
    assert!(matches!(ending, Err(HandlerError::InvalidLength(_))));
    assert_eq!(registered(&server), []);
    let again = server.want(&disk, A, &[0xff, 1]);
    assert_eq!(again, Err(HandlerError::Finished));
}

#[test]
fn surplus_bits_are_ignored() {
    let ending = process_want(&two(), &[0x11, 0x12], &[0xfe, 0xff, 0xff], &REFERENCE);
    assert_eq!(ending.unwrap().deliveries, [chunk(0x12)]);
}

#[test]
fn a_want_for_no_hashes_is_refused() {
    for bits in [&[][..], &[0]] {
        let ending = process_want(&two(), &[], bits, &REFERENCE);
        assert!(matches!(ending, Err(HandlerError::InvalidLength(_))));
    }
}

#[test]
fn what_vanished_since_the_offer_is_left_out() {
    let mut disk = two();
    disk.put(Mode::Cache, &[chunk(0x13)]).unwrap();
    disk.delete(&0x11).unwrap();
    let ending = process_want(&disk, &[0x11, 0x13, 0x12], &[0b111], &REFERENCE);
    let expected = Ending {
        deliveries: vec![chunk(0x13), chunk(0x12)],
        missing: vec![0x11],
    };
    assert_eq!(ending, Ok(expected));
}

/// A disk of which nothing can be read.
struct Unreadable;

fn unreadable<T>() -> Result<T, StoreError> {
    Err(StoreError("unreadable".into()))
}

impl Storage<Small> for Unreadable {
    fn has(&self, _: &u8) -> Result<bool, StoreError> {
        unreadable()
    }
    fn chunk(&self, _: &u8) -> Result<Option<Chunk<Small>>, StoreError> {
        unreadable()
    }
    fn scan(&self, _: u8, _: u64, _: u64, _: usize) -> Result<Scan<Small>, StoreError> {
        unreadable()
    }
    fn cursors(&self) -> Result<Vec<u64>, StoreError> {
        unreadable()
    }
    fn put(&mut self, _: Mode, _: &[Chunk<Small>]) -> Result<Vec<Placed>, StoreError> {
        unreadable()
    }
    fn delete(&mut self, _: &u8) -> Result<bool, StoreError> {
        unreadable()
    }
    fn intervals(&self, _: &u8, _: u8) -> Result<Option<IntervalSet>, StoreError> {
        unreadable()
    }
    fn set_intervals(&mut self, _: &u8, _: u8, _: &IntervalSet) -> Result<(), StoreError> {
        unreadable()
    }
    fn reset_intervals(&mut self, _: Option<&u8>, _: Option<u8>) -> Result<u64, StoreError> {
        unreadable()
    }
    fn remove_intervals(&mut self, _: &u8, _: u8) -> Result<bool, StoreError> {
        unreadable()
    }
}

#[test]
fn a_storage_that_fails_finishes_the_handler() {
    let failure = || HandlerError::Page(PageError::Store(StoreError("unreadable".into())));
    let mut server = busy(&two());
    assert_eq!(
        server.range(&Unreadable, A, (1, 1, 2), false),
        Err(failure())
    );
    assert_eq!(server.poll(&Unreadable, B, false), Err(failure()));
    assert_eq!(server.want(&Unreadable, C, &[1]), Err(failure()));
    assert_eq!(registered(&server), []);
    let states = server.handlers().map(|(_, handler)| &handler.state);
    assert!(
        states
            .into_iter()
            .all(|state| *state == HandlerState::Finished)
    );
}

#[test]
fn calls_out_of_turn_change_nothing() {
    let disk = two();
    let mut server = busy(&disk);
    let before = server.clone();
    let range = (1, 1, 2);
    for name in [B, C, (9, 9)] {
        let ranged = server.range(&disk, name, range, false);
        assert_eq!(ranged, Err(HandlerError::OutOfTurn));
    }
    for name in [A, C, (9, 9)] {
        let ranged = server.poll(&disk, name, false);
        assert_eq!(ranged, Err(HandlerError::OutOfTurn));
    }
    for name in [A, B, (9, 9)] {
        let ending = server.want(&disk, name, &[3]);
        assert_eq!(ending, Err(HandlerError::OutOfTurn));
    }
    for name in [A, B, C] {
        assert_eq!(server.open(name, 7, 8), Err(HandlerError::OutOfTurn));
        server.forget(name);
    }
    server.broken((9, 9));
    server.forget((9, 9));
    assert_eq!(server, before);
}

#[test]
fn a_handler_whose_stream_broke_is_finished() {
    let disk = two();
    let mut server = busy(&disk);
    for name in [A, B, C] {
        server.broken(name);
        let state = &server.handler(&name).unwrap().state;
        assert_eq!(*state, HandlerState::Finished);
    }
    assert_eq!(registered(&server), []);
    assert_eq!(server.cancel(7, 1), NOTED);
}

#[test]
fn a_cancelled_handler_fails_canceled_until_it_is_forgotten() {
    let disk = two();
    let mut server = busy(&disk);
    assert_eq!(server.cancel(7, 1), ended(A));
    assert_eq!(server.cancel(7, 2), ended(B));
    assert_eq!(server.cancel(8, 1), ended(C));
    assert_eq!(registered(&server), []);
    for _ in 0..2 {
        let ranged = server.range(&disk, A, (1, 1, 2), false);
        assert_eq!(ranged, Err(HandlerError::Canceled));
        let ranged = server.poll(&disk, B, false);
        assert_eq!(ranged, Err(HandlerError::Canceled));
        let ending = server.want(&disk, C, &[3]);
        assert_eq!(ending, Err(HandlerError::Canceled));
        for name in [A, B, C] {
            server.broken(name);
        }
    }
    for name in [A, B, C] {
        server.forget(name);
        assert_eq!(server.handler(&name), None);
    }
}

#[test]
fn a_handler_of_the_same_key_is_cancelled_and_replaced() {
    let disk = two();
    let mut server = server();
    server.open(A, 7, 5).unwrap();
    let opened = Opened {
        canceled: false,
        replaced: Some(A),
    };
    assert_eq!(server.open(B, 7, 5), Ok(opened));
    assert_eq!(registered(&server), [(7, 5, B)]);
    let ranged = server.range(&disk, A, (1, 1, 2), false);
    assert_eq!(ranged, Err(HandlerError::Canceled));
    server.forget(A);
    assert_eq!(registered(&server), [(7, 5, B)]);
    assert_eq!(server.cancel(7, 5), ended(B));
}

#[test]
fn equal_ruids_of_two_peers_do_not_meet() {
    let mut server = server();
    assert_eq!(server.open(A, 7, 5), Ok(OPENED));
    assert_eq!(server.open(C, 8, 5), Ok(OPENED));
    assert_eq!(registered(&server), [(7, 5, A), (8, 5, C)]);
    assert_eq!(server.cancel(9, 5), NOTED);
    assert_eq!(server.cancel(8, 5), ended(C));
    assert_eq!(registered(&server), [(7, 5, A)]);
}

#[test]
fn a_cancel_that_overtook_its_handler_cancels_it() {
    let disk = two();
    let mut server = server();
    assert_eq!(server.cancel(7, 5), NOTED);
    assert_eq!(server.pending(&7), [5]);
    let opened = Opened {
        canceled: true,
        replaced: None,
    };
    assert_eq!(server.open(A, 7, 5), Ok(opened));
    assert_eq!(registered(&server), []);
    let ranged = server.range(&disk, A, (1, 1, 2), false);
    assert_eq!(ranged, Err(HandlerError::Canceled));
    assert!(server.pending(&7).is_empty());
    assert_eq!(server.open(B, 7, 5), Ok(OPENED));
}

#[test]
fn the_oldest_pending_cancel_gives_way() {
    let mut server = server();
    for ruid in [1, 2, 1, 3, 3] {
        assert_eq!(server.cancel(7, ruid), NOTED);
    }
    assert_eq!(server.pending(&7), [2, 3]);
    assert_eq!(server.cancel(8, 1), NOTED);
    assert_eq!(server.pending(&7), [2, 3]);
    assert_eq!(server.pending(&8), [1]);
}

#[test]
fn without_room_no_cancel_is_pending() {
    let mut server: Server<Small> = Server::new(2, 0, REFERENCE);
    assert!(!server.cancel(7, 1).pending);
    assert!(server.pending(&7).is_empty());
    assert_eq!(server.open(A, 7, 1), Ok(OPENED));
}

#[test]
fn a_peer_that_is_gone_leaves_nothing() {
    let disk = two();
    let mut server = busy(&disk);
    server.open((7, 3), 7, 0).unwrap();
    server.cancel(7, 9);
    server.cancel(8, 9);
    assert_eq!(server.peer_gone(7), [(7, 3), A, B]);
    assert_eq!(registered(&server), [(8, 1, C)]);
    assert_eq!(
        (server.pending(&7), server.pending(&8)),
        (&[][..], &[9][..])
    );
    assert_eq!(server.peer_gone(7), []);
}

#[test]
fn a_close_cancels_everything_and_refuses_handlers() {
    let disk = two();
    let mut server = busy(&disk);
    server.open((7, 3), 7, 0).unwrap();
    server.cancel(7, 9);
    assert_eq!(server.close(), [(7, 3), A, B, C]);
    assert!(server.is_closed());
    assert_eq!(registered(&server), []);
    assert!(server.pending(&7).is_empty());
    assert_eq!(server.open((7, 4), 7, 4), Err(HandlerError::Shutdown));
    assert_eq!(server.handler(&(7, 4)), None);
    let closed = server.clone();
    assert_eq!(server.close(), []);
    assert_eq!(server, closed);
}

#[test]
fn a_cancel_after_the_close_is_noted_to_no_effect() {
    let mut server = server();
    server.close();
    assert_eq!(server.cancel(7, 5), NOTED);
    assert_eq!(server.pending(&7), [5]);
    assert_eq!(server.open(A, 7, 5), Err(HandlerError::Shutdown));
    assert_eq!(server.pending(&7), [5]);
}

#[test]
fn a_want_that_comes_early_is_kept() {
    let disk = two();
    let mut server = server();
    server.open(A, 7, 5).unwrap();
    server.early_want(A, Bytes::from_static(&[2]));
    server.early_want(A, Bytes::from_static(&[1]));
    server.range(&disk, A, (1, 1, 2), false).unwrap();
    let early = server.handler(&A).unwrap().early.clone().unwrap();
    let ending = server.want(&disk, A, &early).unwrap();
    assert_eq!(ending.deliveries, [chunk(0x12)]);
    assert_eq!(server.handler(&A).unwrap().early, None);
}

#[test]
fn a_want_is_early_while_waiting_too() {
    let disk = two();
    let mut server = busy(&disk);
    for name in [B, C, (9, 9)] {
        server.early_want(name, Bytes::from_static(&[1]));
    }
    let early = |name| server.handler(name).map(|handler| handler.early.is_some());
    assert_eq!(
        [early(&B), early(&C), early(&(9, 9))],
        [Some(true), Some(false), None]
    );
}

/// What happens to a server. Handlers are named in the order in which they were opened.
#[derive(Clone, Debug)]
enum Act {
    Put(u8),
    Delete(u8),
    Open(u8, u32),
    Range(usize, u64, u64, bool),
    Poll(usize, bool),
    Want(usize, u8),
    Early(usize),
    Broken(usize),
    Forget(usize),
    Cancel(u8, u32),
    Gone(u8),
    Close,
}

fn some_act() -> impl Strategy<Value = Act> {
    let at = || 0usize..12;
    prop_oneof![
        3 => (0x11u8..0x16).prop_map(Act::Put),
        1 => (0x11u8..0x16).prop_map(Act::Delete),
        6 => (7u8..9, 0u32..3).prop_map(|(peer, ruid)| Act::Open(peer, ruid)),
        5 => (at(), 0u64..4, prop_oneof![0u64..5, Just(MAX)], any::<bool>())
            .prop_map(|(at, from, to, idle)| Act::Range(at, from, to, idle)),
        4 => (at(), any::<bool>()).prop_map(|(at, idle)| Act::Poll(at, idle)),
        4 => (at(), any::<u8>()).prop_map(|(at, bits)| Act::Want(at, bits)),
        1 => at().prop_map(Act::Early),
        1 => at().prop_map(Act::Broken),
        2 => at().prop_map(Act::Forget),
        4 => (7u8..9, 0u32..4).prop_map(|(peer, ruid)| Act::Cancel(peer, ruid)),
        1 => (7u8..9).prop_map(Act::Gone),
        1 => Just(Act::Close),
    ]
}

/// A server with what must be known of its past.
struct Watched {
    server: Server<Small>,
    disk: Disk<Small>,
    opened: Vec<Name>,
    /// Keys under which a cancel found nothing, oldest first, by peer.
    pending: BTreeMap<u8, Vec<u32>>,
}

const LIMIT: usize = 2;

impl Watched {
    fn new() -> Self {
        Self {
            server: Server::new(2, LIMIT, REFERENCE),
            disk: Disk::new(1, REFERENCE),
            opened: Vec::new(),
            pending: BTreeMap::new(),
        }
    }

    /// The running handlers of a peer, or of all.
    fn running(&self, peer: Option<u8>) -> BTreeSet<(u8, u32, Name)> {
        let running = self.server.handlers().filter(|(_, handler)| {
            handler.is_running() && peer.is_none_or(|peer| handler.peer == peer)
        });
        let key = running.map(|(name, handler)| (handler.peer, handler.ruid, *name));
        key.collect()
    }

    fn act(&mut self, act: &Act) {
        let name = |at: usize| self.opened.get(at).copied().unwrap_or((0, 0));
        match *act {
            Act::Put(address) => drop(self.disk.put(Mode::Upload, &[chunk(address)])),
            Act::Delete(address) => drop(self.disk.delete(&address)),
            Act::Open(peer, ruid) => self.open(peer, ruid),
            Act::Range(at, from, to, idle) => {
                let ranged = self.server.range(&self.disk, name(at), (1, from, to), idle);
                self.check_offer(from, to, ranged);
            }
            Act::Poll(at, idle) => {
                let range = match self.server.handler(&name(at)).map(|one| &one.state) {
                    Some(HandlerState::Waiting { from, to, .. }) => (*from, *to),
                    _ => (0, 0),
                };
                let ranged = self.server.poll(&self.disk, name(at), idle);
                self.check_offer(range.0, range.1, ranged);
            }
            Act::Want(at, bits) => self.want(name(at), bits),
            Act::Early(at) => self.server.early_want(name(at), Bytes::from_static(&[1])),
            Act::Broken(at) => self.server.broken(name(at)),
            Act::Forget(at) => self.server.forget(name(at)),
            Act::Cancel(peer, ruid) => self.cancel(peer, ruid),
            Act::Gone(peer) => {
                let running = self.running(Some(peer));
                assert_eq!(self.server.peer_gone(peer), names(&running));
                assert!(self.running(Some(peer)).is_empty());
                self.pending.remove(&peer);
            }
            Act::Close => {
                let running = self.running(None);
                assert_eq!(self.server.close(), names(&running));
                self.pending.clear();
            }
        }
    }

    fn open(&mut self, peer: u8, ruid: u32) {
        let name = (peer, u32::try_from(self.opened.len()).expect("few"));
        let before = self.running(Some(peer));
        let opened = self.server.open(name, peer, ruid);
        if self.server.is_closed() {
            assert_eq!(opened, Err(HandlerError::Shutdown));
            return;
        }
        self.opened.push(name);
        let pending = self.pending.entry(peer).or_default();
        let waits = pending.iter().position(|pending| *pending == ruid);
        let stood = before.iter().find(|(_, other, _)| *other == ruid);
        let expected = Opened {
            canceled: waits.is_some(),
            replaced: stood.map(|(_, _, name)| *name),
        };
        waits.map(|at| pending.remove(at));
        assert_eq!(opened, Ok(expected));
    }

    fn cancel(&mut self, peer: u8, ruid: u32) {
        let others = self.running(Some(15 - peer));
        let stood = self.running(Some(peer));
        let stood = stood.iter().find(|(_, other, _)| *other == ruid);
        let canceled = self.server.cancel(peer, ruid);
        match stood {
            Some((_, _, name)) => assert_eq!(canceled, ended(*name)),
            None => {
                assert_eq!(canceled, NOTED);
                let pending = self.pending.entry(peer).or_default();
                if !pending.contains(&ruid) {
                    pending.push(ruid);
                    pending.drain(..pending.len().saturating_sub(LIMIT));
                }
            }
        }
        // Nothing of another peer, and nothing of this key runs any more.
        assert_eq!(self.running(Some(15 - peer)), others);
        let left = self.running(Some(peer));
        assert!(left.iter().all(|(_, other, _)| *other != ruid));
    }

    fn want(&mut self, name: Name, bits: u8) {
        let state = self.server.handler(&name).map(|one| one.state.clone());
        let ending = self.server.want(&self.disk, name, &[bits]);
        let Some(HandlerState::Offered { hashes, .. }) = state else {
            assert!(ending.is_err());
            return;
        };
        let ending = ending.unwrap();
        let asked = (0..hashes.len()).filter(|index| bits >> index & 1 == 1);
        let asked: Vec<u8> = asked.map(|index| hashes[index]).collect();
        let (there, gone): (Vec<u8>, Vec<u8>) = asked
            .into_iter()
            .partition(|hash| self.disk.held().any(|held| held == hash));
        let delivered = ending.deliveries.iter().map(|chunk| chunk.address);
        assert!(delivered.eq(there));
        assert_eq!(ending.missing, gone);
    }

    /// Every surviving entry up to the topmost is in the offer, ascending, and no more than a page.
    fn check_offer(&self, from: u64, to: u64, ranged: Result<Ranged<Small>, HandlerError>) {
        let (topmost, hashes) = match ranged {
            Ok(Ranged::Offered { topmost, hashes }) => (topmost, hashes),
            Ok(Ranged::Empty { topmost }) => (topmost, vec![]),
            Ok(Ranged::Waiting { .. }) | Err(_) => return,
        };
        assert!(from <= topmost && topmost <= to && topmost != MAX);
        assert!(hashes.len() <= 2);
        let inside = self.disk.entries(1);
        let inside = inside.filter(|(id, _)| (from..=topmost).contains(id));
        assert!(inside.map(|(_, address)| address).eq(hashes));
    }

    fn check(&self) {
        let running: Vec<_> = self.running(None).into_iter().collect();
        assert_eq!(registered(&self.server), running);
        assert!(!self.server.is_closed() || running.is_empty());
        for peer in [7, 8] {
            let pending = self.pending.get(&peer).map_or(&[][..], Vec::as_slice);
            assert_eq!(self.server.pending(&peer), pending);
        }
    }
}

fn names(handlers: &BTreeSet<(u8, u32, Name)>) -> Vec<Name> {
    handlers.iter().map(|(_, _, name)| *name).collect()
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn exactly_running_handlers_are_registered_and_cancels_stay_with_their_peer(
        acts in prop::collection::vec(some_act(), 0..60)
    ) {
        let mut watched = Watched::new();
        for act in &acts {
            watched.act(act);
            watched.check();
        }
    }

    #[test]
    fn every_handler_ends_when_its_peer_cancels_leaves_or_the_node_closes(
        acts in prop::collection::vec(some_act(), 0..40), how in 0u8..3
    ) {
        let mut watched = Watched::new();
        for act in &acts {
            watched.act(act);
        }
        for peer in [7, 8] {
            match how {
                0 => (0..4).for_each(|ruid| watched.act(&Act::Cancel(peer, ruid))),
                1 => watched.act(&Act::Gone(peer)),
                _ => watched.act(&Act::Close),
            }
        }
        prop_assert!(watched.running(None).is_empty());
        for at in 0..watched.opened.len() {
            watched.act(&Act::Forget(at));
        }
        prop_assert_eq!(watched.server.handlers().count(), 0);
    }
}
