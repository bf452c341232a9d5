//! A node over two spaces: renaming commutes with `step`, and equal inputs have equal outputs.

use bytes::Bytes;
use concord::systems::machine::Machine as _;
use concord::systems::pullsync::store::Failing;
use concord::systems::pullsync::{
    Chunk, Delivery, Disk, Exchanged, Input, Message, Mode, Neighbour, Output, Protocol, Purpose,
    Range, Reason, Settings, SmallData, Space, State, Strategies, Worker, Write,
};
use proptest::prelude::*;
use serde::Serialize;

use super::common::cases;
use super::network::{Net, Stream, chunk, settings};

/// The numbers of [`Net`], spread out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
struct Wide;

const fn peer_of(peer: u8) -> u64 {
    1000 * (peer as u64) + 77
}

const fn address_of(address: u8) -> [u64; 2] {
    [3 * (address as u64) + 1, 5]
}

const fn stream_of((opener, number): Stream) -> (u64, u64) {
    (peer_of(opener), 10 + number as u64)
}

impl Space for Wide {
    const BINS: u8 = <Net as Space>::BINS;

    type Peer = u64;
    type Address = [u64; 2];
    type Data = (u64, bool);
    type Stamp = [bool; 2];
    type Verifier = ();
    type Stream = (u64, u64);

    fn bin(_: &u64, address: &[u64; 2]) -> u8 {
        (address[0] / 3) as u8 >> 4
    }

    fn is_zero(address: &[u64; 2]) -> bool {
        *address == address_of(0)
    }

    fn is_valid(_: &[u64; 2], data: &(u64, bool)) -> bool {
        data.1
    }

    fn is_stamped((): &(), _: &[u64; 2], stamp: &[bool; 2]) -> bool {
        stamp[0]
    }
}

fn addresses_of(addresses: &[u8]) -> Vec<[u64; 2]> {
    addresses
        .iter()
        .map(|address| address_of(*address))
        .collect()
}

fn chunks_of(chunks: &[Chunk<Net>]) -> Vec<Chunk<Wide>> {
    let chunks = chunks.iter().map(|chunk| Chunk {
        address: address_of(chunk.address),
        data: (9, chunk.data == SmallData::Valid),
        stamp: [chunk.stamp, false],
    });
    chunks.collect()
}

fn message_of(message: Message<Net>) -> Message<Wide> {
    match message {
        Message::Syn => Message::Syn,
        Message::Ack { cursors } => Message::Ack { cursors },
        Message::Ruid { ruid } => Message::Ruid { ruid },
        Message::GetRange { bin, from, to } => Message::GetRange { bin, from, to },
        Message::Offer { topmost, hashes } => Message::Offer {
            topmost,
            hashes: addresses_of(&hashes),
        },
        Message::Want { bit_vector } => Message::Want { bit_vector },
        Message::Delivery(delivery) => Message::Delivery(Delivery {
            address: delivery.address.map(address_of),
            data: (9, delivery.data == SmallData::Valid),
            stamp: [delivery.stamp, false],
        }),
        Message::Cancel { ruid } => Message::Cancel { ruid },
    }
}

fn input_of(input: Input<Net>) -> Input<Wide> {
    match input {
        Input::Put { mode, chunks } => Input::Put {
            mode,
            chunks: chunks_of(&chunks),
        },
        Input::Delete { address } => Input::Delete {
            address: address_of(address),
        },
        Input::Evict { addresses } => Input::Evict {
            addresses: addresses_of(&addresses),
        },
        Input::Change { depth, peers } => {
            let peers = peers.iter().map(|neighbour| Neighbour {
                peer: peer_of(neighbour.peer),
                order: neighbour.order,
            });
            let peers = peers.collect();
            Input::Change { depth, peers }
        }
        Input::Opened {
            peer,
            purpose,
            stream,
            ruid,
        } => Input::Opened {
            peer: peer_of(peer),
            purpose,
            stream: stream_of(stream),
            ruid,
        },
        Input::Unopened { peer, purpose } => Input::Unopened {
            peer: peer_of(peer),
            purpose,
        },
        Input::Accepted {
            peer,
            stream,
            protocol,
        } => Input::Accepted {
            peer: peer_of(peer),
            stream: stream_of(stream),
            protocol,
        },
        Input::Message { stream, message } => Input::Message {
            stream: stream_of(stream),
            message: message_of(message),
        },
        Input::Ended { stream, reason } => Input::Ended {
            stream: stream_of(stream),
            reason,
        },
        Input::Idle { stream } => Input::Idle {
            stream: stream_of(stream),
        },
        Input::Disconnected { peer } => Input::Disconnected {
            peer: peer_of(peer),
        },
        Input::Close => Input::Close,
    }
}

fn write_of(write: Write<Net>) -> Write<Wide> {
    match write {
        Write::Put { mode, chunks } => Write::Put {
            mode,
            chunks: chunks_of(&chunks),
        },
        Write::Delete { address } => Write::Delete {
            address: address_of(address),
        },
        Write::SetIntervals { peer, bin, set } => Write::SetIntervals {
            peer: peer_of(peer),
            bin,
            set,
        },
        Write::RemoveIntervals { peer, bin } => Write::RemoveIntervals {
            peer: peer_of(peer),
            bin,
        },
    }
}

fn output_of(output: Output<Net>) -> Output<Wide> {
    match output {
        Output::Open { peer, purpose } => Output::Open {
            peer: peer_of(peer),
            purpose,
        },
        Output::Send { stream, message } => Output::Send {
            stream: stream_of(stream),
            message: message_of(message),
        },
        Output::Finish { stream } => Output::Finish {
            stream: stream_of(stream),
        },
        Output::Reset { stream } => Output::Reset {
            stream: stream_of(stream),
        },
        Output::Arm { stream } => Output::Arm {
            stream: stream_of(stream),
        },
        Output::Placed(placed) => Output::Placed(placed),
        Output::Deleted(deleted) => Output::Deleted(deleted),
        Output::Evicted(evicted) => Output::Evicted(evicted),
        Output::Received { addresses } => Output::Received {
            addresses: addresses_of(&addresses),
        },
        Output::Exchanged(exchanged) => Output::Exchanged(Exchanged {
            peer: peer_of(exchanged.peer),
            bin: exchanged.bin,
            worker: exchanged.worker,
            ruid: exchanged.ruid,
            range: exchanged.range,
            stored: addresses_of(&exchanged.stored),
            rejected: addresses_of(&exchanged.rejected),
            result: exchanged.result,
        }),
        Output::Failed(error) => Output::Failed(error),
        Output::Write(write) => Output::Write(write_of(write)),
        Output::Sync => Output::Sync,
    }
}

/// What is drawn for a node: mostly what its last outputs call for, else anything.
#[derive(Clone, Debug)]
enum Draw {
    /// A stream that was asked for is opened, or not.
    Open(usize, bool),
    /// An own exchange or fetch, or a handler, gets what it expects.
    Expected(usize, Vec<u8>, u64),
    Input(Input<Net>),
    Fail(Failing),
}

fn address() -> impl Strategy<Value = u8> {
    prop_oneof![1 => Just(0_u8), 8 => 0x11_u8..0x1a, 8 => 0x21_u8..0x26]
}

fn draw() -> impl Strategy<Value = Draw> {
    let stream = || (0..3_u8, 1..12_u32);
    let peer = || 1..4_u8;
    let mode = prop::sample::select(vec![Mode::Upload, Mode::Sync, Mode::Cache]);
    let protocols = vec![Protocol::Pullsync, Protocol::Cursors, Protocol::Cancel];
    let reasons = vec![Reason::Eof, Reason::Timeout, Reason::Reset];
    let near = prop::collection::vec((peer(), 0..5_u8), 0..3);
    let input = prop_oneof![
        6 => (mode, prop::collection::vec(address(), 1..3)).prop_map(|(mode, chunks)| Input::Put {
            mode,
            chunks: chunks.into_iter().map(chunk).collect(),
        }),
        1 => address().prop_map(|address| Input::Delete { address }),
        1 => prop::collection::vec(address(), 0..3).prop_map(|addresses| Input::Evict { addresses }),
        4 => (0..3_u8, near).prop_map(|(depth, near)| {
            let near = near.into_iter();
            let peers = near.map(|(peer, order)| Neighbour { peer, order }).collect();
            Input::Change { depth, peers }
        }),
        6 => (stream(), prop::sample::select(protocols)).prop_map(|(stream, protocol)| {
            Input::Accepted { peer: 1 + stream.0, stream: (1 + stream.0, stream.1), protocol }
        }),
        2 => (stream(), prop::sample::select(reasons))
            .prop_map(|(stream, reason)| Input::Ended { stream, reason }),
        2 => stream().prop_map(|stream| Input::Idle { stream }),
        1 => stream().prop_map(|stream| Input::Message { stream, message: Message::Syn }),
        1 => peer().prop_map(|peer| Input::Disconnected { peer }),
        1 => (peer(), 0..3_u8, 1..3_u64).prop_map(|(peer, bin, from)| {
            let range = Range { from, to: 3 };
            let purpose = Purpose::Pull { bin, worker: Worker::Hist, range };
            Input::Unopened { peer, purpose }
        }),
    ];
    let some = prop::collection::vec(address(), 0..4);
    prop_oneof![
        6 => (any::<u16>(), prop::bool::weighted(0.9))
            .prop_map(|(open, opens)| Draw::Open(open.into(), opens)),
        12 => (any::<u16>(), some, 0..6_u64).prop_map(|(n, some, number)| {
            Draw::Expected(n.into(), some, number)
        }),
        10 => input.prop_map(Draw::Input),
        1 => prop::sample::select(vec![Failing::Put, Failing::Scan]).prop_map(Draw::Fail),
    ]
}

/// A node, what it waits for, and the same node under other names.
struct Twins {
    one: State<Net>,
    other: State<Wide>,
    opens: Vec<(u8, Purpose)>,
    streams: Vec<Stream>,
}

impl Twins {
    fn new(how: Strategies) -> Self {
        let one = settings(0, how);
        let other = Settings {
            overlay: peer_of(0),
            bins: one.bins,
            max_page: one.max_page,
            pending_cancels: one.pending_cancels,
            verifier: (),
            strategies: how,
        };
        Self {
            one: State::new(one, Disk::new(0, how)),
            other: State::new(other.into(), Disk::new(peer_of(0), how)),
            opens: Vec::new(),
            streams: Vec::new(),
        }
    }

    fn input(&mut self, draw: &Draw) -> Option<Input<Net>> {
        match draw {
            Draw::Open(open, opens) => {
                let open = open.checked_rem(self.opens.len())?;
                let (peer, purpose) = self.opens.remove(open);
                let ruid = self.streams.len() as u32;
                let stream = (0, 100 + ruid);
                Some(if *opens {
                    self.streams.push(stream);
                    Input::Opened {
                        peer,
                        purpose,
                        stream,
                        ruid,
                    }
                } else {
                    Input::Unopened { peer, purpose }
                })
            }
            Draw::Expected(at, some, number) => {
                let known = |stream: &&Stream| self.one.node().expects(stream).is_some();
                let streams: Vec<_> = self.streams.iter().filter(known).collect();
                let stream = *streams[at.checked_rem(streams.len())?];
                let message = self.expected(stream, some, *number)?;
                Some(Input::Message { stream, message })
            }
            Draw::Input(input) => {
                if let Input::Accepted { stream, .. } = input {
                    self.streams.push(*stream);
                }
                Some(input.clone())
            }
            Draw::Fail(failing) => {
                self.one.fail_next(*failing);
                self.other.fail_next(*failing);
                None
            }
        }
    }

    fn expected(&self, stream: Stream, some: &[u8], number: u64) -> Option<Message<Net>> {
        use concord::systems::pullsync::wire::Kind;

        let small = number as u8;
        Some(match self.one.node().expects(&stream)? {
            Kind::Syn => Message::Syn,
            Kind::Ack => Message::Ack {
                cursors: vec![0, number, some.len() as u64],
            },
            Kind::Ruid => Message::Ruid {
                ruid: number as u32,
            },
            Kind::GetRange => Message::GetRange {
                bin: 1 + i32::from(small) % 2,
                from: 1,
                to: if some.len() < 2 { u64::MAX } else { number },
            },
            Kind::Offer => Message::Offer {
                topmost: number,
                hashes: some.to_vec(),
            },
            Kind::Want => Message::Want {
                bit_vector: Bytes::copy_from_slice(&[small]),
            },
            Kind::Delivery => {
                let exchanges = &mut self.one.node().exchanges();
                let (_, running) = exchanges.find(|(other, _)| **other == stream)?;
                let chunk = chunk(*running.exchange.outstanding().first()?);
                let (address, data, stamp) = (Some(chunk.address), chunk.data, chunk.stamp);
                Message::Delivery(Delivery {
                    address,
                    data,
                    stamp,
                })
            }
            Kind::Cancel => Message::Cancel {
                ruid: number as u32,
            },
        })
    }

    /// The same input to both, and to a copy of the first: the outputs are the same.
    fn step(&mut self, input: Input<Net>) -> Result<(), TestCaseError> {
        let mut copy = self.one.clone();
        let (mut ours, mut theirs, mut again) = (Vec::new(), Vec::new(), Vec::new());
        copy.step(input.clone(), &mut again);
        self.other.step(input_of(input.clone()), &mut theirs);
        self.one.step(input, &mut ours);
        prop_assert_eq!(&again, &ours);
        prop_assert_eq!(&copy, &self.one);
        for output in &ours {
            if let Output::Open { peer, purpose } = output {
                self.opens.push((*peer, *purpose));
            }
        }
        let ours: Vec<_> = ours.into_iter().map(output_of).collect();
        prop_assert_eq!(ours, theirs);
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn renaming_commutes_with_step(draws in prop::collection::vec(draw(), 1..80), faulty: bool) {
        let how = if faulty { Strategies::UPSTREAM } else { Strategies::REFERENCE };
        let mut twins = Twins::new(how);
        for draw in &draws {
            if let Some(input) = twins.input(draw) {
                twins.step(input)?;
            }
        }
    }
}
