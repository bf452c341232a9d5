//! Defects of the ancestors, one by one (11): what they do, and what the reference does instead.
//!
//! D21 is allowed, D32 and D34 are about time.

use std::cell::Cell;
use std::sync::Arc;

use bytes::Bytes;
use concord::systems::machine::Machine as _;
use concord::systems::pullsync::limits::MAX;
use concord::systems::pullsync::store::{Failing, Recording, collect};
use concord::systems::pullsync::strategy::{
    BinCheck, CancelDeadline, Collected, Cursor, EarlyCancel, EarlyWant, FailedScan, Hook, Keys,
    KeysOfBins, Partial, Presence, PutError, RangeCheck, Repeats, SecondClose, Stamps, Topmost,
    Unopened, Unregister, ZeroAddress,
};
use concord::systems::pullsync::{
    ArgumentError, Canceled, Chunk, Disk, Exchange, ExchangeError, Failure, HandlerError,
    HandlerState, Input, IntervalSet, Message, Mode, Neighbour, Offered, Output, Page, PageError,
    Purpose, Range, Reason, Server, Settings, Small, State, Storage, Strategies, Worker,
    process_want,
};

use crate::small::{REFERENCE, chunk, delivery, holding, invalid, unstamped};

/// An exchange of a bin that has nothing of it.
fn offer(
    (from, to): (u64, u64),
    topmost: u64,
    hashes: &[u8],
    how: &Strategies,
) -> (Exchange<Small>, Result<Offered, ExchangeError>) {
    let (mut exchange, _) = Exchange::open(1, from, to, 9).unwrap();
    let offered = exchange.offer(topmost, hashes, |_| Ok(false), how);
    (exchange, offered)
}

/// What becomes of a page of which these chunks are delivered: those kept.
fn deliver(chunks: &[Chunk<Small>], how: &Strategies) -> Result<Vec<u8>, ExchangeError> {
    let hashes: Vec<u8> = chunks.iter().map(|chunk| chunk.address).collect();
    let (mut exchange, _) = offer((1, 9), 9, &hashes, how);
    let mut kept = None;
    for chunk in chunks {
        kept = exchange
            .delivery(delivery(chunk.clone()), &(), how)?
            .complete;
    }
    let kept = kept.expect("everything was delivered").kept;
    Ok(kept.into_iter().map(|chunk| chunk.address).collect())
}

fn page(disk: &Disk<Small>, range: (i32, u64, u64), idle: bool, how: &Strategies) -> Page<Small> {
    collect(disk, range, 9, idle, how).unwrap()
}

fn complete(topmost: u64, addresses: &[u8]) -> Page<Small> {
    let addresses = addresses.to_vec();
    Page::Complete { topmost, addresses }
}

fn server(how: Strategies) -> Server<Small> {
    Server::new(9, 9, how)
}

fn ended(stream: (u8, u32)) -> Canceled<Small> {
    Canceled {
        canceled: Some(stream),
        pending: false,
    }
}

const LOST: Canceled<Small> = Canceled {
    canceled: None,
    pending: false,
};

const NOTED: Canceled<Small> = Canceled {
    canceled: None,
    pending: true,
};

const P: (u8, u32) = (7, 1);
const Q: (u8, u32) = (8, 2);

fn is_running(server: &Server<Small>, stream: (u8, u32)) -> bool {
    server.handler(&stream).unwrap().is_running()
}

/// Peer of the node that pulls.
const PEER: u8 = 2;
/// Stream of its exchange.
const STREAM: (u8, u32) = (1, 2);
const HIST: Purpose = Purpose::Pull {
    bin: 1,
    worker: Worker::Hist,
    range: Range { from: 1, to: 2 },
};

/// A whole node that pulls 1..=2 of bin 1.
struct Pulling(State<Small>);

impl Pulling {
    /// One that knows the cursors and wants its streams opened.
    fn known(how: Strategies) -> Self {
        let settings = Settings {
            overlay: 1,
            bins: 2,
            max_page: 9,
            pending_cancels: 9,
            verifier: (),
            strategies: how,
        };
        let mut node = Self(State::new(Arc::new(settings), Disk::new(1, how)));
        let order = 1;
        node.step(Input::Change {
            depth: 1,
            peers: vec![Neighbour { peer: PEER, order }],
        });
        node.open(Purpose::Fetch, (1, 1), 0);
        let message = Message::Ack {
            cursors: vec![0, 2],
        };
        let outputs = node.step(Input::Message {
            stream: (1, 1),
            message,
        });
        let (peer, purpose) = (PEER, HIST);
        assert!(outputs.contains(&Output::Open { peer, purpose }));
        node
    }

    /// One to which two chunks were offered, with ruid 9, and the first was delivered.
    fn halfway(how: Strategies) -> (Self, Vec<Output<Small>>) {
        let mut node = Self::known(how);
        node.open(HIST, STREAM, 9);
        node.message(Message::Offer {
            topmost: 2,
            hashes: vec![0x11, 0x12],
        });
        let outputs = node.message(Message::Delivery(delivery(chunk(0x11))));
        (node, outputs)
    }

    fn open(&mut self, purpose: Purpose, stream: (u8, u32), ruid: u32) {
        self.step(Input::Opened {
            peer: PEER,
            purpose,
            stream,
            ruid,
        });
    }

    fn message(&mut self, message: Message<Small>) -> Vec<Output<Small>> {
        let stream = STREAM;
        self.step(Input::Message { stream, message })
    }

    fn ended(&mut self, reason: Reason) -> Vec<Output<Small>> {
        let stream = STREAM;
        self.step(Input::Ended { stream, reason })
    }

    fn step(&mut self, input: Input<Small>) -> Vec<Output<Small>> {
        let mut outputs = Vec::new();
        self.0.step(input, &mut outputs);
        outputs
    }
}

/// What the exchange came to.
fn failure(outputs: &[Output<Small>]) -> Failure {
    let mut ends = outputs.iter().filter_map(|output| match output {
        Output::Exchanged(exchanged) => exchanged.result.clone().err(),
        _ => None,
    });
    ends.next().expect("the exchange failed")
}

/// Ruids that are to be cancelled.
fn canceled(outputs: &[Output<Small>]) -> Vec<u32> {
    let cancels = outputs.iter().filter_map(|output| match output {
        Output::Open {
            purpose: Purpose::Cancel { ruid },
            ..
        } => Some(*ruid),
        _ => None,
    });
    cancels.collect()
}

fn received(outputs: &[Output<Small>]) -> Vec<u8> {
    let received = outputs.iter().filter_map(|output| match output {
        Output::Received { addresses } => Some(addresses.clone()),
        _ => None,
    });
    received.flatten().collect()
}

#[test]
fn d12_a_want_sent_early_is_lost() {
    let disk = holding(&[0x11], REFERENCE);
    let early = |how| {
        let mut server = server(how);
        server.open(P, 7, 5).unwrap();
        server.early_want(P, Bytes::from_static(&[1]));
        server.range(&disk, P, (1, 1, 1), false).unwrap();
        server.handler(&P).unwrap().early.clone()
    };
    let lost = Strategies {
        early_want: EarlyWant::Lost,
        ..REFERENCE
    };
    assert_eq!(early(lost), None);
    assert_eq!(early(REFERENCE).as_deref(), Some(&[1][..]));
}

#[test]
fn d13_a_hash_offered_twice_loses_the_page() {
    let run = |how: &Strategies| {
        let (mut exchange, offered) = offer((1, 9), 9, &[0x11, 0x11], how);
        let count = offered.unwrap().count;
        let mut last = None;
        for _ in 0..count {
            let delivered = exchange.delivery(delivery(chunk(0x11)), &(), how);
            last = Some(delivered.map(|delivered| delivered.complete.map(|all| all.kept)));
        }
        (count, last.unwrap())
    };
    let twice = Strategies {
        repeats: Repeats::EachTime,
        ..REFERENCE
    };
    assert_eq!(run(&twice), (2, Err(ExchangeError::UnsolicitedChunk)));
    assert_eq!(run(&REFERENCE), (1, Ok(Some(vec![chunk(0x11)]))));
}

#[test]
fn d14_a_zero_hash_is_requested() {
    let wanted = Strategies {
        zero: ZeroAddress::Wanted,
        ..REFERENCE
    };
    let (exchange, offered) = offer((1, 9), 9, &[0x11, 0], &wanted);
    assert_eq!(offered.unwrap().count, 2);
    assert_eq!(exchange.outstanding(), [0x11, 0]);
    let (_, offered) = offer((1, 9), 9, &[0x11, 0], &REFERENCE);
    assert_eq!(offered, Err(ExchangeError::ZeroAddress(1)));
}

#[test]
fn d15_a_topmost_outside_the_range_is_accepted() {
    let unchecked = Strategies {
        topmost: Topmost::Unchecked,
        ..REFERENCE
    };
    for topmost in [3, 0, 1000] {
        let (_, offered) = offer((10, 20), topmost, &[], &unchecked);
        assert_eq!(offered.unwrap().topmost, Some(topmost));
        let (_, offered) = offer((10, 20), topmost, &[], &REFERENCE);
        let (from, to) = (10, 20);
        let refused = ExchangeError::TopmostOutOfRange { topmost, from, to };
        assert_eq!(offered, Err(refused));
    }
}

#[test]
fn d16_the_largest_number_is_accepted_as_topmost() {
    let allowed = Strategies {
        topmost: Topmost::MaxAllowed,
        ..REFERENCE
    };
    let unchecked = Strategies {
        topmost: Topmost::Unchecked,
        ..REFERENCE
    };
    let (_, offered) = offer((5, MAX), MAX, &[], &allowed);
    assert_eq!(offered.unwrap().topmost, Some(MAX));
    for how in [unchecked, REFERENCE] {
        let (exchange, offered) = offer((5, MAX), MAX, &[], &how);
        assert!(offered.is_err() && exchange.is_ended());
    }
}

#[test]
fn d17_one_bad_stamp_loses_the_page() {
    let fatal = Strategies {
        stamps: Stamps::Fatal,
        ..REFERENCE
    };
    let repaired = Strategies {
        stamps: Stamps::FatalIfLast,
        ..REFERENCE
    };
    let refused = || Err(ExchangeError::InvalidStamp);
    let (first, last) = ([unstamped(1), chunk(2)], [chunk(2), unstamped(1)]);
    let only = [unstamped(1)];
    assert_eq!(deliver(&first, &fatal), refused());
    assert_eq!(deliver(&last, &fatal), refused());
    assert_eq!(deliver(&only, &fatal), refused());
    assert_eq!(deliver(&first, &repaired), Ok(vec![2]));
    assert_eq!(deliver(&last, &repaired), refused());
    assert_eq!(deliver(&only, &repaired), refused());
    assert_eq!(deliver(&first, &REFERENCE), Ok(vec![2]));
    assert_eq!(deliver(&last, &REFERENCE), Ok(vec![2]));
    assert_eq!(deliver(&only, &REFERENCE), Ok(vec![]));
}

#[test]
fn d18_the_error_of_the_put_is_hidden() {
    let run = |how| {
        let (mut node, _) = Pulling::halfway(how);
        node.0.fail_next(Failing::Put);
        failure(&node.ended(Reason::Eof))
    };
    let hidden = Strategies {
        put_error: PutError::Hidden,
        ..REFERENCE
    };
    assert_eq!(run(hidden), Failure::Broken(Reason::Eof));
    let reported = run(REFERENCE);
    assert!(matches!(
        reported,
        Failure::Exchange(ExchangeError::Store(_))
    ));
}

#[test]
fn d19_the_hook_is_called_for_a_page_that_is_discarded() {
    let run = |how| {
        let (mut node, first) = Pulling::halfway(how);
        let second = node.message(Message::Delivery(delivery(invalid(0x12))));
        assert_eq!(
            failure(&second),
            Failure::Exchange(ExchangeError::InvalidChunk)
        );
        assert_eq!(node.0.disk().held().count(), 0);
        received(&[first, second].concat())
    };
    let before = Strategies {
        hook: Hook::BeforePut,
        ..REFERENCE
    };
    assert_eq!(run(before), [0x11]);
    assert!(run(REFERENCE).is_empty());
    let (mut node, _) = Pulling::halfway(REFERENCE);
    let second = node.message(Message::Delivery(delivery(chunk(0x12))));
    assert_eq!(received(&second), [0x11, 0x12]);
}

#[test]
fn d20_a_cached_chunk_stops_the_chain() {
    // B holds the chunk in its cache and is offered it by A; C pulls from B.
    let chain = |how: Strategies| {
        let mut disk = Disk::new(1, how);
        disk.put(Mode::Cache, &[unstamped(0x11)]).unwrap();
        let (mut exchange, _) = Exchange::<Small>::open(1, 1, 1, 9).unwrap();
        let offered = exchange.offer(1, &[0x11], |hash| disk.has(hash), &how);
        let wanted = offered.unwrap().count;
        let placed = disk.put(Mode::Sync, &[chunk(0x11)]).unwrap();
        let kept = disk.chunk(&0x11).unwrap().unwrap();
        (
            wanted,
            placed[0].bin_id,
            kept.stamp,
            disk.entries(1).count(),
        )
    };
    let data = Strategies {
        presence: Presence::Data,
        ..REFERENCE
    };
    assert_eq!(chain(data), (0, None, false, 0));
    assert_eq!(chain(REFERENCE), (1, Some(1), true, 1));
}

#[test]
fn d22_a_bin_is_truncated_to_eight_bits() {
    let disk = holding(&[0x01, 0x11], REFERENCE);
    let truncated = Strategies {
        bin: BinCheck::Truncated,
        ..REFERENCE
    };
    for (bin, served) in [(256, 0x01), (257, 0x11), (-256, 0x01), (-255, 0x11)] {
        assert_eq!(
            page(&disk, (bin, 1, 1), false, &truncated),
            complete(1, &[served])
        );
        let refused = collect(&disk, (bin, 1, 1), 9, false, &REFERENCE);
        let expected = PageError::Argument(ArgumentError::BinOutOfRange(bin));
        assert_eq!(refused, Err(expected));
    }
}

#[test]
fn d23_bad_ranges_are_served() {
    let disk = holding(&[0x11], REFERENCE);
    let served = Strategies {
        range: RangeCheck::Served,
        ..REFERENCE
    };
    assert_eq!(page(&disk, (1, 5, 3), false, &served), complete(3, &[]));
    let live = page(&disk, (1, 2, 0), true, &served);
    assert_eq!(live, Page::Waiting { found: 0 });
    for (from, to) in [(5, 3), (2, 0)] {
        let refused = collect(&disk, (1, from, to), 9, true, &REFERENCE);
        let expected = PageError::Argument(ArgumentError::InvalidRange { from, to });
        assert_eq!(refused, Err(expected));
    }
}

#[test]
fn d24_ruids_of_all_peers_share_a_table() {
    let both = |how| {
        let mut server = server(how);
        server.open(P, 7, 5).unwrap();
        server.open(Q, 8, 5).unwrap();
        server
    };
    let shared = Strategies {
        keys: Keys::Shared,
        ..REFERENCE
    };
    let mut faulty = both(shared);
    assert_eq!(faulty.registered().count(), 1);
    assert_eq!(faulty.cancel(7, 5), ended(Q));
    assert_eq!(faulty.cancel(7, 5).canceled, None);
    assert!(is_running(&faulty, P));

    let mut reference = both(REFERENCE);
    assert_eq!(reference.cancel(7, 5), ended(P));
    assert!(is_running(&reference, Q));
    assert_eq!(reference.cancel(8, 5), ended(Q));
}

#[test]
fn d24_any_peer_can_cancel_any_ruid() {
    let cancel = |how| {
        let mut server = server(how);
        server.open(P, 7, 5).unwrap();
        server.cancel(9, 5)
    };
    let shared = Strategies {
        keys: Keys::Shared,
        ..REFERENCE
    };
    assert_eq!(cancel(shared), ended(P));
    assert_eq!(cancel(REFERENCE), NOTED);
}

#[test]
fn d25_a_handler_that_ends_unregisters_another() {
    let second = (7, 2);
    let cancel = |how| {
        let mut server = server(how);
        server.open(P, 7, 5).unwrap();
        server.open(second, 7, 5).unwrap();
        server.forget(P);
        server.cancel(7, 5)
    };
    let by_key = Strategies {
        unregister: Unregister::Key,
        ..REFERENCE
    };
    assert_eq!(cancel(by_key), NOTED);
    assert_eq!(cancel(REFERENCE), ended(second));
}

#[test]
fn d26_a_cancel_that_comes_early_is_forgotten() {
    let disk = holding(&[], REFERENCE);
    let run = |how| {
        let mut server = server(how);
        let noted = server.cancel(7, 9);
        let opened = server.open(P, 7, 9).unwrap();
        let ranged = server.range(&disk, P, (1, 1, MAX), true);
        (noted, opened.canceled, ranged.is_ok())
    };
    let forgotten = Strategies {
        early_cancel: EarlyCancel::Forgotten,
        ..REFERENCE
    };
    assert_eq!(run(forgotten), (LOST, false, true));
    assert_eq!(run(REFERENCE), (NOTED, true, false));
}

#[test]
fn d27_the_cancel_expires_with_its_exchange() {
    let run = |how| canceled(&Pulling::halfway(how).0.ended(Reason::Timeout));
    let of_exchange = Strategies {
        cancel_deadline: CancelDeadline::OfExchange,
        ..REFERENCE
    };
    assert!(run(of_exchange).is_empty());
    assert_eq!(run(REFERENCE), [9]);
}

#[test]
fn d28_ruid_0_is_cancelled_when_none_was_sent() {
    let run = |how| {
        canceled(&Pulling::known(how).step(Input::Unopened {
            peer: PEER,
            purpose: HIST,
        }))
    };
    let zero = Strategies {
        unopened: Unopened::ZeroCanceled,
        ..REFERENCE
    };
    assert_eq!(run(zero), [0]);
    assert!(run(REFERENCE).is_empty());
}

#[test]
fn d29_one_collected_chunk_keeps_back_the_others() {
    let mut disk = holding(&[0x11, 0x12], REFERENCE);
    disk.delete(&0x11).unwrap();
    let run = |how| process_want(&disk, &[0x11, 0x12], &[3], &how).unwrap();
    let nothing = Strategies {
        collected: Collected::NothingDelivered,
        ..REFERENCE
    };
    assert_eq!(run(nothing).deliveries, []);
    assert_eq!(run(REFERENCE).deliveries, [chunk(0x12)]);
    assert_eq!(run(nothing).missing, [0x11]);
}

#[test]
fn d30_the_cursor_follows_what_survives() {
    let deleted = |how| {
        let mut disk = holding(&[0x11, 0x12, 0x13], how);
        disk.delete(&0x13).unwrap();
        disk
    };
    let surviving = Strategies {
        cursor: Cursor::Surviving,
        ..REFERENCE
    };
    let disk = deleted(surviving);
    assert_eq!(disk.cursors().unwrap()[1], 2);
    let ask = |from, idle| page(&disk, (1, from, 3), idle, &surviving);
    assert_eq!(ask(3, true), Page::Waiting { found: 0 });
    assert_eq!(ask(1, false), Page::Waiting { found: 2 });
    assert_eq!(ask(1, true), complete(2, &[0x11, 0x12]));

    let disk = deleted(REFERENCE);
    assert_eq!(disk.cursors().unwrap()[1], 3);
    let ask = |from| page(&disk, (1, from, 3), false, &REFERENCE);
    assert_eq!(ask(3), complete(3, &[]));
    assert_eq!(ask(1), complete(3, &[0x11, 0x12]));
}

#[test]
fn d31_a_failing_iteration_completes_the_page() {
    let run = |how: &Strategies| {
        let mut disk = holding(&[0x11], REFERENCE);
        let failing = Recording {
            disk: &mut disk,
            writes: &mut Vec::new(),
            failing: &Cell::new(Some(Failing::Scan)),
        };
        let mut server = server(*how);
        server.open(P, 7, 5).unwrap();
        let page = collect(&failing, (1, 1, MAX), 9, true, how);
        failing.failing.set(Some(Failing::Scan));
        let ranged = server.range(&failing, P, (1, 1, MAX), true);
        (page, ranged, server.handler(&P).unwrap().state.clone())
    };
    let taken = Strategies {
        failed_scan: FailedScan::Complete,
        ..REFERENCE
    };
    assert_eq!(run(&taken).0, Ok(complete(MAX, &[])));
    let (page, ranged, state) = run(&REFERENCE);
    assert!(matches!(page, Err(PageError::Store(_))));
    assert!(matches!(
        ranged,
        Err(HandlerError::Page(PageError::Store(_)))
    ));
    assert_eq!(state, HandlerState::Finished);
}

#[test]
fn d33_a_second_close_ends_the_node() {
    let run = |how| {
        let mut node = Pulling::known(how);
        node.step(Input::Close);
        assert!(!node.0.node().halted());
        node.step(Input::Close);
        node.0.node().halted()
    };
    let fatal = Strategies {
        second_close: SecondClose::Fatal,
        ..REFERENCE
    };
    assert!(run(fatal));
    assert!(!run(REFERENCE));
}

#[test]
fn d43_a_page_is_sealed_of_which_a_part_arrived() {
    let run = |how| {
        let (mut node, _) = Pulling::halfway(how);
        let outputs = node.ended(Reason::Eof);
        assert_eq!(failure(&outputs), Failure::Broken(Reason::Eof));
        let disk = node.0.disk();
        assert_eq!(disk.held().copied().collect::<Vec<_>>(), [0x11]);
        let set = disk.intervals(&PEER, 1).unwrap();
        set.is_some_and(|set| set.contains(2))
    };
    let sealed = Strategies {
        partial: Partial::Sealed,
        ..REFERENCE
    };
    assert!(run(sealed));
    assert!(!run(REFERENCE));
}

#[test]
fn d45_the_prefix_of_bin_1_also_meets_10_to_19() {
    let full = |how| {
        let mut disk: Disk<Small> = Disk::new(1, how);
        for bin in [1, 2, 10, 19, 20, 31] {
            disk.set_intervals(&7, bin, &IntervalSet::new(1)).unwrap();
        }
        disk
    };
    let left = |disk: &Disk<Small>| disk.sets().map(|(key, _)| key.1).collect::<Vec<_>>();
    let prefix = Strategies {
        keys_of_bins: KeysOfBins::Prefix,
        ..REFERENCE
    };
    let mut faulty = full(prefix);
    assert!(faulty.remove_intervals(&7, 1).unwrap());
    assert_eq!(left(&faulty), [2, 20, 31]);
    assert_eq!(full(prefix).reset_intervals(None, Some(3)), Ok(5));

    let mut reference = full(REFERENCE);
    assert!(reference.remove_intervals(&7, 1).unwrap());
    assert_eq!(left(&reference), [2, 10, 19, 20, 31]);
    assert_eq!(full(REFERENCE).reset_intervals(None, Some(3)), Ok(2));
}
