//! Whole exchanges (7, 8) of framed messages over pipes in memory.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use concord::goals::Bound::AtMost;
use concord::systems::pullsync::chunk;
use concord::systems::pullsync::limits::{MAX_PAGE, PENDING_CANCELS, STAMP_SIZE};
use concord::systems::pullsync::wire::{self, Kind, Reader};
use concord::systems::pullsync::{
    Address, Batches, Chunk, Disk, Exchange, Message, Mode, Ranged, Real, Server, Storage as _,
    Strategies,
};
use criterion::{BenchmarkId, Throughput};

use crate::common::Goals;
use crate::common::rounds::Rounds;
use crate::groups::group;
use crate::{CONCORD, Criterion};

const VALIDATION: &str = "limit: validation alone";

const HOW: Strategies = Strategies::REFERENCE;
const SERVER: Address = Address([0; 32]);
const PULLER: Address = Address([0xff; 32]);

/// The only bin in use: of addresses whose first bit is set.
const BIN: i32 = 0;

/// One direction of a stream.
#[derive(Default)]
struct Pipe {
    bytes: Vec<u8>,
    reader: Reader,
}

impl Pipe {
    fn send(&mut self, message: Message<Real>) {
        let frame = wire::frame(&wire::Message::untyped(message));
        self.bytes.extend_from_slice(&frame.expect("it fits"));
    }

    fn receive(&mut self, kind: Kind) -> Message<Real> {
        self.reader.push(&self.bytes);
        self.bytes.clear();
        let message = self.reader.next(kind).expect("it is well-formed");
        let message = message.expect("it was sent as a whole");
        message.typed().expect("hashes are whole")
    }
}

/// A server with one page of chunks, and who pulls them.
struct Pair {
    served: Disk<Real>,
    server: Server<Real>,
    batches: Batches,
    stream: u64,
    data: Vec<(Address, Bytes)>,
}

impl Pair {
    /// Chunks with payloads of so many bytes.
    fn new(length: usize) -> Self {
        let batch = [1; 32];
        let stamp = Bytes::from(vec![1; STAMP_SIZE]);
        let chunks = (0_u64..).filter_map(|number| {
            let mut data = number.to_le_bytes().to_vec();
            data.extend((0..length).map(|at| (at as u64 * 7 + number) as u8 | 1));
            let address = chunk::address(&data).expect("it is no longer than a chunk");
            (address.0[0] >= 0x80).then(|| Chunk {
                address,
                data: data.into(),
                stamp: stamp.clone(),
            })
        });
        let chunks: Vec<_> = chunks.take(MAX_PAGE).collect();
        let mut served = Disk::new(SERVER, HOW);
        served.put(Mode::Upload, &chunks).expect("a disk in memory");
        let pair = Self {
            served,
            server: Server::new(MAX_PAGE, PENDING_CANCELS, HOW),
            batches: Batches(Arc::new(BTreeSet::from([batch]))),
            stream: 0,
            data: chunks
                .into_iter()
                .map(|chunk| (chunk.address, chunk.data))
                .collect(),
        };
        assert_eq!(pair.data.len(), MAX_PAGE);
        pair
    }

    /// Pulls the page into an empty store.
    fn exchange(&mut self) -> Disk<Real> {
        let mut pulled = Disk::new(PULLER, HOW);
        let [mut up, mut down] = [Pipe::default(), Pipe::default()];
        let (mut exchange, opening) = Exchange::open(BIN, 1, MAX_PAGE as u64, 7).expect("a range");
        opening.into_iter().for_each(|message| up.send(message));
        self.offer(&mut up, &mut down);

        let Message::Offer { topmost, hashes } = down.receive(Kind::Offer) else {
            unreachable!("the kind is given");
        };
        let offered = exchange.offer(topmost, &hashes, |address| pulled.has(address), &HOW);
        let offered = offered.expect("the offer is legal");
        let bits = offered.want.expect("the offer is not empty").to_bytes();
        up.send(Message::Want { bit_vector: bits });
        self.deliver(&mut up, &mut down);

        loop {
            let Message::Delivery(delivery) = down.receive(Kind::Delivery) else {
                unreachable!("the kind is given");
            };
            let delivered = exchange.delivery(delivery, &self.batches, &HOW);
            if let Some(complete) = delivered.expect("the delivery is legal").complete {
                pulled
                    .put(Mode::Sync, &complete.kept)
                    .expect("a disk in memory");
                return pulled;
            }
        }
    }

    fn offer(&mut self, up: &mut Pipe, down: &mut Pipe) {
        self.stream += 1;
        let Message::Ruid { ruid } = up.receive(Kind::Ruid) else {
            unreachable!("the kind is given");
        };
        self.server
            .open(self.stream, PULLER, ruid)
            .expect("it is not closed");
        let Message::GetRange { bin, from, to } = up.receive(Kind::GetRange) else {
            unreachable!("the kind is given");
        };
        let ranged = self
            .server
            .range(&self.served, self.stream, (bin, from, to), false);
        let Ok(Ranged::Offered { topmost, hashes }) = ranged else {
            panic!("a whole page is there");
        };
        down.send(Message::Offer { topmost, hashes });
    }

    fn deliver(&mut self, up: &mut Pipe, down: &mut Pipe) {
        let Message::Want { bit_vector } = up.receive(Kind::Want) else {
            unreachable!("the kind is given");
        };
        let ending = self.server.want(&self.served, self.stream, &bit_vector);
        for chunk in ending.expect("as many bits as hashes").deliveries {
            down.send(Message::Delivery(chunk.into()));
        }
        self.server.forget(self.stream);
    }

    /// The part of the exchange that hashes.
    fn validate(&self) {
        for (address, data) in black_box(&self.data) {
            black_box(chunk::kind(&address.0, data));
        }
    }

    fn check(&mut self) {
        let pulled = self.exchange();
        assert_eq!(pulled.held().count(), MAX_PAGE);
        assert!(
            self.data
                .iter()
                .all(|(address, _)| pulled.has(address) == Ok(true))
        );
    }
}

pub(crate) fn goals(goals: &mut Goals) {
    let mut pair = Pair::new(4096);
    pair.check();
    let validated = Pair::new(4096);
    let mut rounds = Rounds::default();
    rounds.add(CONCORD, || pair.exchange());
    rounds.add(VALIDATION, || validated.validate());
    let group = rounds.measure();
    let what = "exchange of a page of 50 chunks of 4096 bytes";
    goals.record("X1", what, AtMost(1.5), [CONCORD, VALIDATION], &group);
}

pub(crate) fn exchanged(criterion: &mut Criterion) {
    let mut group = group(criterion, "pullsync/exchange");
    group.throughput(Throughput::Elements(MAX_PAGE as u64));
    for length in [4096, 0] {
        let mut pair = Pair::new(length);
        pair.check();
        let id = |way| BenchmarkId::new(way, format!("50 chunks of {length} bytes"));
        group.bench_function(id(VALIDATION), |b| b.iter(|| pair.validate()));
        group.bench_function(id(CONCORD), |b| b.iter(|| pair.exchange()));
    }
    group.finish();
}
