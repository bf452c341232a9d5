//! One node, input by input.

use bytes::Bytes;
use concord::systems::machine::Machine as _;
use concord::systems::pullsync::store::Failing;
use concord::systems::pullsync::strategy::{
    CancelDeadline, Eviction, Fetching, Hook, Partial, PutError, Sealing, SecondClose, Unopened,
};
use concord::systems::pullsync::wire::Kind;
use concord::systems::pullsync::{
    CursorsError, Delivery, Disk, ExchangeError, Exchanged, Failure, Input, IntervalSet, Message,
    Mode, Neighbour, Output, Protocol, Purpose, Range, Reason, State, Storage as _, StoreError,
    Strategies, Worker, Write,
};

use super::network::{Net, Stream, chunk, settings};

const REFERENCE: Strategies = Strategies::REFERENCE;
const MAX: u64 = u64::MAX;

/// Node 0. It syncs bin 2 from its peers at depth 2.
struct Rig {
    state: State<Net>,
    streams: u32,
}

type Outputs = Vec<Output<Net>>;

impl Rig {
    fn new(how: Strategies) -> Self {
        Self::on(Disk::new(0, how), how)
    }

    fn on(disk: Disk<Net>, how: Strategies) -> Self {
        Self {
            state: State::new(settings(0, how), disk),
            streams: 0,
        }
    }

    /// One that knows the cursor of peer 1 in bin 2, and waits for the streams of its workers.
    fn knowing(cursor: u64, how: Strategies) -> Self {
        let mut rig = Self::new(how);
        rig.change(2, &[1]);
        rig.cursor(1, cursor);
        rig
    }

    /// One whose hist worker asked peer 1 for 1..=3, with ruid 7.
    fn pulling(how: Strategies) -> (Self, Stream) {
        let mut rig = Self::knowing(3, how);
        let (stream, _) = rig.opened(1, hist(1, 3));
        (rig, stream)
    }

    /// One which wants three chunks, of which one came.
    fn delivering(how: Strategies) -> (Self, Stream) {
        let (mut rig, stream) = Self::pulling(how);
        rig.message(stream, offer(3, &[0x21, 0x22, 0x23]));
        rig.message(stream, delivery(0x22));
        (rig, stream)
    }

    /// One at which a handler of peer 1 with ruid 7 waits for bin 2.
    fn waiting(how: Strategies) -> (Self, Stream) {
        let mut rig = Self::new(how);
        let stream = rig.accepted(Protocol::Pullsync);
        assert_eq!(rig.message(stream, Message::Ruid { ruid: 7 }), []);
        let outputs = rig.message(stream, get_range(1, MAX));
        assert_eq!(outputs, []);
        (rig, stream)
    }

    fn step(&mut self, input: Input<Net>) -> Outputs {
        let mut outputs = Vec::new();
        self.state.step(input, &mut outputs);
        outputs
    }

    fn message(&mut self, stream: Stream, message: Message<Net>) -> Outputs {
        self.step(Input::Message { stream, message })
    }

    fn ended(&mut self, stream: Stream, reason: Reason) -> Outputs {
        self.step(Input::Ended { stream, reason })
    }

    fn change(&mut self, depth: u8, peers: &[u8]) -> Outputs {
        let peers = peers.iter().map(|peer| Neighbour {
            peer: *peer,
            order: 9,
        });
        let peers = peers.collect();
        self.step(Input::Change { depth, peers })
    }

    /// The cursors of a peer are fetched.
    fn cursor(&mut self, peer: u8, cursor: u64) -> Outputs {
        let (stream, outputs) = self.opened(peer, Purpose::Fetch);
        assert_eq!(outputs, [send(stream, Message::Syn)]);
        let cursors = vec![0, 0, cursor];
        self.message(stream, Message::Ack { cursors })
    }

    fn opened(&mut self, peer: u8, purpose: Purpose) -> (Stream, Outputs) {
        self.streams += 1;
        let stream = (0, self.streams);
        let outputs = self.step(Input::Opened {
            peer,
            purpose,
            stream,
            ruid: 7,
        });
        (stream, outputs)
    }

    /// Peer 1 opens a stream.
    fn accepted(&mut self, protocol: Protocol) -> Stream {
        self.streams += 1;
        let stream = (1, self.streams);
        let outputs = self.step(Input::Accepted {
            peer: 1,
            stream,
            protocol,
        });
        assert_eq!(outputs, []);
        stream
    }

    fn put(&mut self, address: u8) -> Outputs {
        let (mode, chunks) = (Mode::Upload, vec![chunk(address)]);
        self.step(Input::Put { mode, chunks })
    }

    fn set(&self) -> Option<String> {
        let set = self.state.disk().intervals(&1, 2).unwrap();
        set.map(|set| set.encode())
    }

    fn seals(&mut self, from: u64, to: u64) {
        let mut disk = self.state.disk().clone();
        let mut set = IntervalSet::new(1);
        set.add(from, to).unwrap();
        disk.set_intervals(&1, 2, &set).unwrap();
        *self = Self::on(disk, self.state.node().settings().strategies);
    }

    fn has(&self, address: u8) -> bool {
        self.state.disk().has(&address).unwrap()
    }
}

const fn pull(worker: Worker, from: u64, to: u64) -> Purpose {
    let range = Range { from, to };
    Purpose::Pull {
        bin: 2,
        worker,
        range,
    }
}

const fn hist(from: u64, to: u64) -> Purpose {
    pull(Worker::Hist, from, to)
}

const fn live(from: u64) -> Purpose {
    pull(Worker::Live, from, MAX)
}

const fn open(peer: u8, purpose: Purpose) -> Output<Net> {
    Output::Open { peer, purpose }
}

const fn canceled() -> Output<Net> {
    open(1, Purpose::Cancel { ruid: 7 })
}

const fn send(stream: Stream, message: Message<Net>) -> Output<Net> {
    Output::Send { stream, message }
}

const fn get_range(from: u64, to: u64) -> Message<Net> {
    Message::GetRange { bin: 2, from, to }
}

fn offer(topmost: u64, hashes: &[u8]) -> Message<Net> {
    let hashes = hashes.to_vec();
    Message::Offer { topmost, hashes }
}

fn want(bits: u8) -> Message<Net> {
    let bit_vector = Bytes::copy_from_slice(&[bits]);
    Message::Want { bit_vector }
}

const fn delivery(address: u8) -> Message<Net> {
    let chunk = chunk(address);
    Message::Delivery(Delivery {
        address: Some(chunk.address),
        data: chunk.data,
        stamp: chunk.stamp,
    })
}

fn written(mode: Mode, addresses: &[u8]) -> Output<Net> {
    let chunks = addresses.iter().map(|address| chunk(*address)).collect();
    Output::Write(Write::Put { mode, chunks })
}

fn exchanged(purpose: Purpose, stored: &[u8], result: Result<u64, Failure>) -> Output<Net> {
    let Purpose::Pull { bin, worker, range } = purpose else {
        unreachable!("only pulls are exchanges");
    };
    Output::Exchanged(Exchanged {
        peer: 1,
        bin,
        worker,
        ruid: 7,
        range,
        stored: stored.to_vec(),
        rejected: Vec::new(),
        result,
    })
}

fn store_failed() -> Failure {
    let error = StoreError("a put fails on demand".into());
    Failure::Exchange(ExchangeError::Store(error))
}

fn sealed(outputs: &[Output<Net>]) -> Vec<String> {
    let sets = outputs.iter().filter_map(|output| match output {
        Output::Write(Write::SetIntervals { set, .. }) => Some(set.encode()),
        _ => None,
    });
    sets.collect()
}

#[test]
fn cursors_are_fetched_and_ranges_asked_for() {
    let mut rig = Rig::new(REFERENCE);
    assert_eq!(rig.change(2, &[1]), [open(1, Purpose::Fetch)]);
    assert_eq!(rig.change(2, &[1]), [], "the fetch is under way");
    let (fetch, _) = rig.opened(1, Purpose::Fetch);
    assert_eq!(rig.state.node().expects(&fetch), Some(Kind::Ack));
    assert_eq!(rig.change(2, &[1]), []);
    let cursors = vec![9, 9, 3];
    let finish = Output::Finish { stream: fetch };
    assert_eq!(
        rig.message(fetch, Message::Ack { cursors }),
        [finish, open(1, hist(1, 3)), open(1, live(4))]
    );
    let (stream, outputs) = rig.opened(1, hist(1, 3));
    let messages = [Message::Ruid { ruid: 7 }, get_range(1, 3)];
    assert_eq!(outputs, messages.map(|message| send(stream, message)));
    assert_eq!(rig.state.node().expects(&stream), Some(Kind::Offer));
    assert!(!rig.state.node().has_retries());
}

#[test]
fn a_page_is_stored_then_sealed_then_the_worker_goes_on() {
    let (mut rig, stream) = Rig::pulling(REFERENCE);
    let outputs = rig.message(stream, offer(2, &[0x21, 0x22]));
    assert_eq!(outputs, [send(stream, want(0b11))]);
    assert_eq!(rig.message(stream, delivery(0x22)), []);
    assert_eq!(rig.state.node().expects(&stream), Some(Kind::Delivery));
    let outputs = rig.message(stream, delivery(0x21));
    let mut set = IntervalSet::new(1);
    set.add(1, 2).unwrap();
    let expected = [
        written(Mode::Sync, &[0x22, 0x21]),
        Output::Sync,
        Output::Received {
            addresses: vec![0x22, 0x21],
        },
        Output::Finish { stream },
        Output::Write(Write::SetIntervals {
            peer: 1,
            bin: 2,
            set,
        }),
        exchanged(hist(1, 3), &[0x22, 0x21], Ok(2)),
        open(1, hist(3, 3)),
    ];
    assert_eq!(outputs, expected);
    assert_eq!(rig.state.node().expects(&stream), None);
    assert_eq!(rig.ended(stream, Reason::Eof), []);

    let (stream, _) = rig.opened(1, hist(3, 3));
    let outputs = rig.message(stream, offer(3, &[0x21]));
    assert_eq!(
        outputs[0],
        send(stream, want(0)),
        "a want is sent for nothing"
    );
    assert_eq!(outputs.last(), Some(&exchanged(hist(3, 3), &[], Ok(3))));
    assert_eq!(rig.set().as_deref(), Some("1;1,3"));

    let (stream, _) = rig.opened(1, live(4));
    let outputs = rig.message(stream, offer(9, &[]));
    assert_eq!(outputs.first(), Some(&Output::Finish { stream }));
    assert_eq!(outputs.last(), Some(&open(1, live(10))));
}

#[test]
fn a_rejected_chunk_is_listed_and_the_page_sealed() {
    let (mut rig, stream) = Rig::pulling(REFERENCE);
    rig.message(stream, offer(3, &[0x28]));
    let outputs = rig.message(stream, delivery(0x28));
    let Some(Output::Exchanged(exchanged)) = outputs.last() else {
        panic!("{outputs:?}");
    };
    assert_eq!(
        (&exchanged.stored, &exchanged.rejected),
        (&vec![], &vec![0x28])
    );
    assert_eq!((&exchanged.result, rig.has(0x28)), (&Ok(3), false));
    assert_eq!(sealed(&outputs), ["1;1,3"]);
}

#[test]
fn a_put_is_durable_before_it_is_offered() {
    let (mut rig, stream) = Rig::waiting(REFERENCE);
    assert_eq!(rig.state.node().expects(&stream), Some(Kind::Want));
    let outputs = rig.put(0x21);
    assert_eq!(outputs[..2], [written(Mode::Upload, &[0x21]), Output::Sync]);
    assert!(matches!(&outputs[2], Output::Placed(Ok(placed)) if !placed[0].exists));
    assert_eq!(outputs[3..], [Output::Arm { stream }]);
    assert_eq!(rig.put(0x21).len(), 1, "there is nothing new");
    assert_eq!(rig.put(0x11).len(), 3, "that is another bin");
    let outputs = rig.put(0x22);
    assert_eq!(outputs[3..], [send(stream, offer(2, &[0x21, 0x22]))]);
    let outputs = rig.message(stream, want(0b10));
    assert_eq!(
        outputs,
        [send(stream, delivery(0x22)), Output::Finish { stream }]
    );
    assert_eq!(rig.state.node().server().handlers().count(), 0);
}

#[test]
fn the_idle_timer_offers_what_is_there() {
    let (mut rig, stream) = Rig::waiting(REFERENCE);
    assert_eq!(rig.step(Input::Idle { stream }), []);
    rig.put(0x21);
    rig.step(Input::Delete { address: 0x21 });
    assert_eq!(
        rig.step(Input::Idle { stream }),
        [],
        "nothing is there any more"
    );
    assert_eq!(rig.put(0x22).last(), Some(&Output::Arm { stream }));
    let outputs = rig.step(Input::Idle { stream });
    assert_eq!(outputs, [send(stream, offer(2, &[0x22]))]);
    assert_eq!(rig.step(Input::Idle { stream }), []);
}

#[test]
fn a_want_that_came_early_is_answered_after_the_offer() {
    let (mut rig, stream) = Rig::waiting(REFERENCE);
    assert_eq!(rig.message(stream, want(0b11)), []);
    assert_eq!(rig.state.node().expects(&stream), None);
    assert_eq!(rig.ended(stream, Reason::Eof), [], "it has all it needs");
    rig.put(0x21);
    let messages = [offer(2, &[0x21, 0x22]), delivery(0x21), delivery(0x22)];
    let mut expected = messages.map(|message| send(stream, message)).to_vec();
    expected.push(Output::Finish { stream });
    assert_eq!(rig.put(0x22)[3..], expected);
}

#[test]
fn what_is_pulled_is_offered_to_who_waits_for_it() {
    let (mut rig, waiter) = Rig::waiting(REFERENCE);
    rig.change(2, &[3]);
    rig.cursor(3, 2);
    let (stream, _) = rig.opened(3, hist(1, 2));
    rig.message(stream, offer(2, &[0x21, 0x22]));
    rig.message(stream, delivery(0x21));
    let outputs = rig.message(stream, delivery(0x22));
    let offered = outputs
        .iter()
        .position(|output| *output == send(waiter, offer(2, &[0x21, 0x22])));
    let synced = outputs.iter().position(|output| *output == Output::Sync);
    assert!(synced.is_some() && synced < offered, "{outputs:?}");
}

#[test]
fn a_broken_stream_leaves_its_part_unsealed() {
    for reason in [
        Reason::Eof,
        Reason::Timeout,
        Reason::Reset,
        Reason::Malformed,
    ] {
        let (mut rig, stream) = Rig::delivering(REFERENCE);
        let addresses = vec![0x22];
        let mut expected = vec![
            written(Mode::Sync, &[0x22]),
            Output::Sync,
            Output::Received { addresses },
        ];
        expected.extend((reason != Reason::Reset).then_some(Output::Reset { stream }));
        expected.push(exchanged(hist(1, 3), &[0x22], Err(Failure::Broken(reason))));
        expected.push(canceled());
        assert_eq!(rig.ended(stream, reason), expected);
        assert_eq!((rig.set(), rig.state.node().has_retries()), (None, true));
        assert_eq!(rig.change(2, &[1]), [open(1, hist(1, 3))]);
        assert!(!rig.state.node().has_retries());
        let (cancel, outputs) = rig.opened(1, Purpose::Cancel { ruid: 7 });
        let expected = [
            send(cancel, Message::Cancel { ruid: 7 }),
            Output::Finish { stream: cancel },
        ];
        assert_eq!(outputs, expected);
    }
}

#[test]
fn a_fatal_error_stores_nothing_and_is_cancelled() {
    let (mut rig, stream) = Rig::delivering(REFERENCE);
    let failure = Failure::Exchange(ExchangeError::UnsolicitedChunk);
    let expected = [
        Output::Reset { stream },
        exchanged(hist(1, 3), &[], Err(failure)),
        canceled(),
    ];
    assert_eq!(rig.message(stream, delivery(0x25)), expected);
    assert_eq!((rig.set(), rig.has(0x22)), (None, false));
}

#[test]
fn a_message_that_is_not_expected_ends_its_stream() {
    let (mut rig, stream) = Rig::delivering(REFERENCE);
    let outputs = rig.message(stream, offer(3, &[]));
    let failure = Failure::Broken(Reason::Malformed);
    assert!(outputs.contains(&exchanged(hist(1, 3), &[0x22], Err(failure))));

    let mut rig = Rig::new(REFERENCE);
    for protocol in [Protocol::Pullsync, Protocol::Cursors, Protocol::Cancel] {
        let stream = rig.accepted(protocol);
        let outputs = rig.message(stream, want(0));
        assert_eq!(outputs, [Output::Reset { stream }]);
        assert_eq!(
            rig.message(stream, Message::Syn),
            [],
            "it is not known any more"
        );
    }
    let stream = rig.accepted(Protocol::Pullsync);
    rig.message(stream, Message::Ruid { ruid: 1 });
    assert_eq!(rig.message(stream, want(0)), [Output::Reset { stream }]);
    assert_eq!(rig.state.node().server().registered().count(), 0);
}

#[test]
fn handlers_that_cannot_go_on_reset_their_streams() {
    let mut rig = Rig::new(REFERENCE);
    rig.put(0x21);
    for (bin, from, to) in [(32, 1, 2), (2, 3, 2), (2, 0, 0)] {
        let stream = rig.accepted(Protocol::Pullsync);
        rig.message(stream, Message::Ruid { ruid: 7 });
        let outputs = rig.message(stream, Message::GetRange { bin, from, to });
        assert_eq!(outputs, [Output::Reset { stream }]);
    }
    let stream = rig.accepted(Protocol::Pullsync);
    rig.message(stream, Message::Ruid { ruid: 7 });
    rig.message(stream, get_range(1, 1));
    let bit_vector = Bytes::new();
    let outputs = rig.message(stream, Message::Want { bit_vector });
    assert_eq!(outputs, [Output::Reset { stream }]);
    assert_eq!(rig.state.node().server().handlers().count(), 0);
}

#[test]
fn a_failing_scan_resets_the_handler_that_waits() {
    let (mut rig, stream) = Rig::waiting(REFERENCE);
    rig.state.fail_next(Failing::Scan);
    assert_eq!(rig.put(0x21).last(), Some(&Output::Reset { stream }));
}

#[test]
fn cancels_end_handlers_whichever_comes_first() {
    let (mut rig, stream) = Rig::waiting(REFERENCE);
    let cancel = rig.accepted(Protocol::Cancel);
    let expected = [Output::Reset { stream }, Output::Finish { stream: cancel }];
    assert_eq!(rig.message(cancel, Message::Cancel { ruid: 7 }), expected);
    assert_eq!(rig.put(0x21).len(), 3, "nobody waits");

    let cancel = rig.accepted(Protocol::Cancel);
    let finish = Output::Finish { stream: cancel };
    assert_eq!(rig.message(cancel, Message::Cancel { ruid: 8 }), [finish]);
    let stream = rig.accepted(Protocol::Pullsync);
    let reset = Output::Reset { stream };
    assert_eq!(rig.message(stream, Message::Ruid { ruid: 8 }), [reset]);
}

#[test]
fn a_handler_is_replaced_by_another_with_its_ruid() {
    let (mut rig, stream) = Rig::waiting(REFERENCE);
    let other = rig.accepted(Protocol::Pullsync);
    let outputs = rig.message(other, Message::Ruid { ruid: 7 });
    assert_eq!(outputs, [Output::Reset { stream }]);
    assert_eq!(rig.state.node().expects(&other), Some(Kind::GetRange));
}

#[test]
fn a_stopped_worker_leaves_its_part_and_is_not_started_again() {
    let (mut rig, stream) = Rig::delivering(REFERENCE);
    let outputs = rig.change(3, &[1]);
    let stopped = exchanged(hist(1, 3), &[0x22], Err(Failure::Stopped));
    assert_eq!(
        outputs[3..],
        [Output::Reset { stream }, stopped, canceled()]
    );
    let (late, outputs) = rig.opened(1, live(4));
    assert_eq!(
        outputs,
        [Output::Reset { stream: late }],
        "nobody waits for it"
    );
    assert!(!rig.state.node().has_retries());
}

#[test]
fn a_dropped_peer_takes_its_fetch_along() {
    let mut rig = Rig::new(REFERENCE);
    rig.change(2, &[1]);
    let (stream, _) = rig.opened(1, Purpose::Fetch);
    assert_eq!(rig.change(2, &[]), [Output::Reset { stream }]);
    assert_eq!(rig.change(2, &[1]), [open(1, Purpose::Fetch)]);
    assert_eq!(rig.change(2, &[]), []);
    let (late, outputs) = rig.opened(1, Purpose::Fetch);
    assert_eq!(outputs, [Output::Reset { stream: late }]);
}

#[test]
fn a_fetch_that_fails_is_tried_again_at_the_next_change() {
    let mut rig = Rig::new(REFERENCE);
    let again = |rig: &mut Rig| {
        assert!(rig.state.node().has_retries());
        assert_eq!(rig.change(2, &[1]), [open(1, Purpose::Fetch)]);
        assert!(!rig.state.node().has_retries());
    };
    rig.change(2, &[1]);
    let (peer, purpose) = (1, Purpose::Fetch);
    assert_eq!(rig.step(Input::Unopened { peer, purpose }), []);
    again(&mut rig);
    let (stream, _) = rig.opened(1, Purpose::Fetch);
    assert_eq!(rig.ended(stream, Reason::Eof), [Output::Reset { stream }]);
    again(&mut rig);
    let (stream, _) = rig.opened(1, Purpose::Fetch);
    let outputs = rig.message(stream, Message::Ack { cursors: vec![1] });
    let (length, bins) = (1, 3);
    let failed = Output::Failed(CursorsError::LengthMismatch { length, bins });
    assert_eq!(outputs, [Output::Finish { stream }, failed]);
    again(&mut rig);
}

#[test]
fn nothing_is_said_to_a_peer_that_is_gone() {
    let (mut rig, stream) = Rig::delivering(REFERENCE);
    let waiter = rig.accepted(Protocol::Pullsync);
    rig.message(waiter, Message::Ruid { ruid: 4 });
    rig.message(waiter, get_range(1, MAX));
    let first = rig.accepted(Protocol::Pullsync);
    let outputs = rig.step(Input::Disconnected { peer: 1 });
    let failure = Failure::Broken(Reason::Reset);
    assert_eq!(
        outputs.last(),
        Some(&exchanged(hist(1, 3), &[0x22], Err(failure)))
    );
    let said = outputs.iter().filter(|output| {
        matches!(
            output,
            Output::Send { .. } | Output::Reset { .. } | Output::Open { .. }
        )
    });
    assert_eq!(said.count(), 0, "{outputs:?}");
    for stream in [stream, waiter, first] {
        assert_eq!(rig.state.node().expects(&stream), None);
    }
    assert!(
        rig.state.node().has_retries(),
        "it is tracked until the next change"
    );
    rig.change(2, &[]);
    assert!(!rig.state.node().has_retries());
}

#[test]
fn a_closed_node_only_tells_its_cursors() {
    let (mut rig, stream) = Rig::delivering(REFERENCE);
    let waiter = rig.accepted(Protocol::Pullsync);
    rig.message(waiter, Message::Ruid { ruid: 4 });
    let outputs = rig.step(Input::Close);
    for reset in [stream, waiter] {
        assert!(outputs.contains(&Output::Reset { stream: reset }));
    }
    assert_eq!(outputs.last(), Some(&canceled()));
    assert_eq!(rig.change(2, &[1, 3]), []);
    let refused = rig.accepted(Protocol::Pullsync);
    let outputs = rig.message(refused, Message::Ruid { ruid: 5 });
    assert_eq!(outputs, [Output::Reset { stream: refused }]);
    let asked = rig.accepted(Protocol::Cursors);
    let outputs = rig.message(asked, Message::Syn);
    let cursors = vec![0, 0, 1];
    let expected = [
        send(asked, Message::Ack { cursors }),
        Output::Finish { stream: asked },
    ];
    assert_eq!(outputs, expected);
    let cancel = rig.accepted(Protocol::Cancel);
    rig.message(cancel, Message::Cancel { ruid: 6 });
    assert_eq!(rig.state.node().server().pending(&1), [6]);
    assert!(!rig.state.node().has_retries());
}

#[test]
fn d18_a_put_that_fails_is_the_error_of_the_exchange() {
    for put_error in [PutError::Reported, PutError::Hidden] {
        let (mut rig, stream) = Rig::delivering(Strategies {
            put_error,
            ..REFERENCE
        });
        rig.state.fail_next(Failing::Put);
        let failure = match put_error {
            PutError::Reported => store_failed(),
            PutError::Hidden => Failure::Broken(Reason::Reset),
        };
        let expected = [exchanged(hist(1, 3), &[], Err(failure)), canceled()];
        assert_eq!(rig.ended(stream, Reason::Reset), expected);
    }
    let (mut rig, stream) = Rig::delivering(REFERENCE);
    rig.message(stream, delivery(0x21));
    rig.state.fail_next(Failing::Put);
    let outputs = rig.message(stream, delivery(0x23));
    assert!(outputs.contains(&exchanged(hist(1, 3), &[], Err(store_failed()))));
    assert_eq!((rig.set(), rig.state.node().has_retries()), (None, true));
}

#[test]
fn d19_the_hook_is_called_for_what_was_stored() {
    for hook in [Hook::AfterPut, Hook::BeforePut] {
        let (mut rig, stream) = Rig::pulling(Strategies { hook, ..REFERENCE });
        rig.message(stream, offer(3, &[0x21, 0x22]));
        let early = rig.message(stream, delivery(0x21));
        let addresses = vec![0x21];
        match hook {
            Hook::AfterPut => assert_eq!(early, []),
            Hook::BeforePut => assert_eq!(early, [Output::Received { addresses }]),
        }
        let outputs = rig.message(stream, delivery(0x25));
        let called = outputs
            .iter()
            .any(|output| matches!(output, Output::Received { .. }));
        assert!(!called && !rig.has(0x21), "the page is discarded");
    }
}

#[test]
fn d27_a_cancel_has_its_own_deadline() {
    for cancel_deadline in [CancelDeadline::Own, CancelDeadline::OfExchange] {
        let how = Strategies {
            cancel_deadline,
            ..REFERENCE
        };
        let own = cancel_deadline == CancelDeadline::Own;
        for (reason, cancels) in [
            (Reason::Timeout, own),
            (Reason::Canceled, own),
            (Reason::Eof, true),
            (Reason::Reset, true),
        ] {
            let (mut rig, stream) = Rig::pulling(how);
            let outputs = rig.ended(stream, reason);
            assert_eq!(outputs.contains(&canceled()), cancels, "{reason:?}");
        }
        let (mut rig, _) = Rig::pulling(how);
        assert_eq!(rig.change(3, &[1]).contains(&canceled()), own);
    }
}

#[test]
fn d28_nothing_is_cancelled_if_nothing_was_sent() {
    for unopened in [Unopened::NothingCanceled, Unopened::ZeroCanceled] {
        let mut rig = Rig::knowing(
            3,
            Strategies {
                unopened,
                ..REFERENCE
            },
        );
        let (peer, purpose) = (1, hist(1, 3));
        let expected = match unopened {
            Unopened::NothingCanceled => vec![],
            Unopened::ZeroCanceled => vec![open(1, Purpose::Cancel { ruid: 0 })],
        };
        assert_eq!(rig.step(Input::Unopened { peer, purpose }), expected);
        assert!(rig.state.node().has_retries());
        assert_eq!(
            rig.step(Input::Unopened { peer, purpose }),
            [],
            "it is known"
        );
    }
}

#[test]
fn d33_a_second_close_is_harmless() {
    for second_close in [SecondClose::Harmless, SecondClose::Fatal] {
        let mut rig = Rig::new(Strategies {
            second_close,
            ..REFERENCE
        });
        rig.step(Input::Close);
        assert!(!rig.state.node().halted());
        assert_eq!(rig.step(Input::Close), []);
        let fatal = second_close == SecondClose::Fatal;
        assert_eq!(rig.state.node().halted(), fatal);
        assert_eq!(rig.put(0x21).is_empty(), fatal);
    }
}

#[test]
fn d35_seals_of_both_workers_survive() {
    for (sealing, both) in [
        (Sealing::OneStep, "1;1,3;5,8"),
        (Sealing::ReadEarly, "1;1,3"),
    ] {
        let mut rig = Rig::new(Strategies {
            sealing,
            ..REFERENCE
        });
        rig.seals(1, 1);
        rig.change(2, &[1]);
        rig.cursor(1, 4);
        let (hist, _) = rig.opened(1, hist(2, 4));
        let (live, _) = rig.opened(1, live(5));
        rig.message(live, offer(8, &[]));
        let outputs = rig.message(hist, offer(3, &[]));
        assert_eq!(sealed(&outputs), [both], "{sealing:?}");
    }
}

#[test]
fn d39_a_silent_peer_does_not_stall_the_fetches_of_others() {
    let fetch = |peer| open(peer, Purpose::Fetch);
    let mut rig = Rig::new(REFERENCE);
    assert_eq!(rig.change(2, &[1, 3]), [fetch(1), fetch(3)]);

    let fetching = Fetching::OneByOne;
    let mut rig = Rig::new(Strategies {
        fetching,
        ..REFERENCE
    });
    assert_eq!(rig.change(2, &[1, 3]), [fetch(1)]);
    let (stream, _) = rig.opened(1, Purpose::Fetch);
    assert_eq!(rig.change(2, &[1, 3]), [], "the first is still waited for");
    let outputs = rig.ended(stream, Reason::Timeout);
    assert_eq!(outputs, [Output::Reset { stream }, fetch(3)]);
}

#[test]
fn d41_eviction_deletes_the_sets_that_vouch_for_it() {
    for eviction in [Eviction::Reset, Eviction::Kept] {
        let mut rig = Rig::new(Strategies {
            eviction,
            ..REFERENCE
        });
        rig.put(0x21);
        rig.seals(1, 3);
        rig.change(2, &[1]);
        assert_eq!(rig.cursor(1, 3)[1..], [open(1, live(4))]);
        let (stream, _) = rig.opened(1, live(4));
        let addresses = vec![0x21];
        let outputs = rig.step(Input::Evict { addresses });
        let deleted = Output::Write(Write::Delete { address: 0x21 });
        let expected = match eviction {
            Eviction::Reset => vec![
                Output::Write(Write::RemoveIntervals { peer: 1, bin: 2 }),
                Output::Sync,
                Output::Reset { stream },
                exchanged(live(4), &[], Err(Failure::Stopped)),
                canceled(),
                deleted,
                Output::Sync,
                Output::Evicted(Ok(())),
                open(1, hist(1, 3)),
                open(1, live(4)),
            ],
            Eviction::Kept => vec![deleted, Output::Sync, Output::Evicted(Ok(()))],
        };
        assert_eq!(outputs, expected);
    }
}

#[test]
fn d41_a_smaller_depth_deletes_the_sets_of_lower_bins() {
    for (eviction, left) in [(Eviction::Reset, None), (Eviction::Kept, Some("1;1,3"))] {
        let mut rig = Rig::new(Strategies {
            eviction,
            ..REFERENCE
        });
        rig.seals(1, 3);
        rig.change(3, &[1]);
        rig.change(3, &[]);
        assert_eq!(rig.set().as_deref(), Some("1;1,3"));
        rig.change(2, &[]);
        assert_eq!(rig.set().as_deref(), left);
    }
}

#[test]
fn d43_a_part_of_a_page_is_not_sealed() {
    for (partial, seals) in [
        (Partial::Unsealed, vec![]),
        (Partial::Sealed, vec!["1;1,3"]),
    ] {
        let (mut rig, stream) = Rig::delivering(Strategies {
            partial,
            ..REFERENCE
        });
        let outputs = rig.ended(stream, Reason::Eof);
        assert_eq!(
            (sealed(&outputs), rig.has(0x22)),
            (seals.iter().map(ToString::to_string).collect(), true)
        );
    }
}

#[test]
fn an_eviction_keeps_the_part_that_came_but_not_what_is_evicted() {
    let (mut rig, _) = Rig::delivering(REFERENCE);
    rig.message((0, 2), delivery(0x21));
    let addresses = vec![0x21];
    rig.step(Input::Evict { addresses });
    assert_eq!(
        [0x21, 0x22, 0x23].map(|address| rig.has(address)),
        [false, true, false]
    );
}
