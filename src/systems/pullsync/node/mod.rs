//! One node: server, puller and the exchanges that run, around a storage.

mod pull;
mod serve;

use std::sync::Arc;

use serde::Serialize;

use crate::map::{SortedMap, SortedSet};

use super::error::{Reason, StoreError};
use super::exchange::Exchange;
use super::interval::IntervalSet;
use super::message::{Input, Message, Output, Protocol};
use super::puller::{Puller, Range, Worker};
use super::server::{HandlerState, Server};
use super::space::{Chunk, Space};
use super::store::{Mode, Placed, Storage};
use super::strategy::{Eviction, SecondClose, Strategies};
use super::wire::Kind;

use pull::Cause;

/// What never changes of a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Settings<S: Space> {
    /// Its overlay.
    pub overlay: S::Peer,
    /// With how many bins the puller works, 1 to 32.
    pub bins: u8,
    /// Hashes in an offer, at most.
    pub max_page: usize,
    /// Pending cancels of one peer, at most.
    pub pending_cancels: usize,
    /// What decides on the stamps of deliveries.
    pub verifier: S::Verifier,
    /// Its choices.
    pub strategies: Strategies,
}

/// The volatile state of a node; what is durable is the [`Storage`] that each step is given.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Node<S: Space> {
    settings: Arc<Settings<S>>,
    server: Server<S>,
    puller: Puller<S>,
    /// Workers that run and wait for their stream, each with what it will ask for.
    opening: SortedMap<Place<S>, Range>,
    /// The own exchanges. A worker that runs either has one or waits for a stream.
    exchanges: SortedMap<S::Stream, Running<S>>,
    /// Peers to which a stream for a fetch of cursors is being opened.
    asked: SortedSet<S::Peer>,
    /// Own fetches of cursors, and from whom.
    fetches: SortedMap<S::Stream, S::Peer>,
    /// Streams that peers opened and whose first message has not come.
    accepted: SortedMap<S::Stream, (S::Peer, Protocol)>,
    halted: bool,
}

/// Where a worker stands: its peer and bin, and which of the two it is.
type Place<S> = (<S as Space>::Peer, u8, Worker);

/// An exchange of a worker.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Running<S: Space> {
    /// With whom.
    pub peer: S::Peer,
    /// The bin, as the peer numbers them.
    pub bin: u8,
    /// For which worker.
    pub worker: Worker,
    /// How far it is.
    pub exchange: Exchange<S>,
    /// The set as it was when the exchange began. For faulty code (D35): otherwise none.
    early: Option<IntervalSet>,
}

/// What a step works on: the storage, and where its outputs go.
pub(super) trait Host<S: Space> {
    type Storage: Storage<S>;

    fn storage(&mut self) -> &mut Self::Storage;
    /// Appends an output, after the writes that were made before.
    fn emit(&mut self, output: Output<S>);
}

/// A storage that does not tell its writes, and the outputs.
struct Plain<'a, S: Space, T> {
    storage: &'a mut T,
    outputs: &'a mut Vec<Output<S>>,
}

impl<S: Space, T: Storage<S>> Host<S> for Plain<'_, S, T> {
    type Storage = T;

    fn storage(&mut self) -> &mut T {
        self.storage
    }

    fn emit(&mut self, output: Output<S>) {
        self.outputs.push(output);
    }
}

impl<S: Space> Node<S> {
    /// A node without peers and streams.
    pub fn new(settings: Arc<Settings<S>>) -> Self {
        let how = settings.strategies;
        Self {
            server: Server::new(settings.max_page, settings.pending_cancels, how),
            puller: Puller::new(settings.bins, how),
            settings,
            opening: SortedMap::new(),
            exchanges: SortedMap::new(),
            asked: SortedSet::new(),
            fetches: SortedMap::new(),
            accepted: SortedMap::new(),
            halted: false,
        }
    }

    /// Takes one input and appends what is to be done.
    ///
    /// All writes of the storage but [`Storage::set_intervals`] must be durable when they return: what
    /// follows tells others of them.
    pub fn step(
        &mut self,
        storage: &mut impl Storage<S>,
        input: Input<S>,
        outputs: &mut Vec<Output<S>>,
    ) {
        self.take(&mut Plain { storage, outputs }, input);
    }

    /// Takes one input.
    pub(super) fn take(&mut self, host: &mut impl Host<S>, input: Input<S>) {
        if self.halted {
            return;
        }
        match input {
            Input::Put { mode, chunks } => self.put(host, mode, &chunks),
            Input::Delete { address } => {
                let deleted = host.storage().delete(&address);
                host.emit(Output::Deleted(deleted));
            }
            Input::Evict { addresses } => self.evict(host, &addresses),
            Input::Change { depth, peers } => self.change(host, depth, &peers),
            Input::Opened {
                peer,
                purpose,
                stream,
                ruid,
            } => self.opened(host, peer, purpose, stream, ruid),
            Input::Unopened { peer, purpose } => self.unopened(host, peer, purpose),
            Input::Accepted {
                peer,
                stream,
                protocol,
            } => {
                self.accepted.insert(stream, (peer, protocol));
            }
            Input::Message { stream, message } => self.message(host, stream, message),
            Input::Ended { stream, reason } => self.ended(host, stream, reason),
            Input::Idle { stream } => self.look_again(host, stream, true),
            Input::Disconnected { peer } => self.disconnected(host, peer),
            Input::Close => self.close(host),
        }
    }

    /// The kind of message that comes next on a stream, by which a driver decodes it; none if the stream is
    /// not known or nothing more is expected.
    pub fn expects(&self, stream: &S::Stream) -> Option<Kind> {
        if let Some(running) = self.exchanges.get(stream) {
            return Some(match running.exchange.is_delivering() {
                true => Kind::Delivery,
                false => Kind::Offer,
            });
        }
        if self.fetches.contains(stream) {
            return Some(Kind::Ack);
        }
        if let Some((_, protocol)) = self.accepted.get(stream) {
            return Some(match protocol {
                Protocol::Pullsync => Kind::Ruid,
                Protocol::Cursors => Kind::Syn,
                Protocol::Cancel => Kind::Cancel,
            });
        }
        let handler = self.server.handler(stream)?;
        match handler.state {
            HandlerState::Open => Some(Kind::GetRange),
            HandlerState::Waiting { .. } if handler.early.is_some() => None,
            HandlerState::Waiting { .. } | HandlerState::Offered { .. } => Some(Kind::Want),
            HandlerState::Canceled | HandlerState::Finished => None,
        }
    }

    /// What never changes.
    pub const fn settings(&self) -> &Arc<Settings<S>> {
        &self.settings
    }

    /// The handlers.
    pub const fn server(&self) -> &Server<S> {
        &self.server
    }

    /// The workers.
    pub const fn puller(&self) -> &Puller<S> {
        &self.puller
    }

    /// The own exchanges by stream.
    pub fn exchanges(&self) -> impl Iterator<Item = (&S::Stream, &Running<S>)> {
        self.exchanges.iter()
    }

    /// Own fetches of cursors by stream.
    pub fn fetches(&self) -> impl Iterator<Item = (&S::Stream, &S::Peer)> {
        self.fetches.iter()
    }

    /// Whether a change with the same peers would start or fetch anything: a worker failed, or a tracked
    /// peer has no cursors and no fetch of them runs.
    pub fn has_retries(&self) -> bool {
        let down = self.halted || self.server.is_closed();
        !down && (self.puller.has_restarts() || !self.to_fetch().is_empty())
    }

    /// Whether the node ended by a fault of its own; it takes nothing in any more. Needs a faulty strategy
    /// (D33).
    pub const fn halted(&self) -> bool {
        self.halted
    }

    fn how(&self) -> &Strategies {
        &self.settings.strategies
    }

    /// Chunks from outside.
    fn put(&mut self, host: &mut impl Host<S>, mode: Mode, chunks: &[Chunk<S>]) {
        let placed = host.storage().put(mode, chunks);
        host.emit(Output::Placed(placed.clone()));
        self.wake(host, &placed.unwrap_or_default());
    }

    /// A message that is not expected ends its stream as bytes do that are none.
    fn message(&mut self, host: &mut impl Host<S>, stream: S::Stream, message: Message<S>) {
        match (self.expects(&stream), message) {
            (Some(Kind::Ruid), Message::Ruid { ruid }) => self.register(host, stream, ruid),
            (Some(Kind::GetRange), Message::GetRange { bin, from, to }) => {
                self.serve_range(host, stream, (bin, from, to));
            }
            (Some(Kind::Want), Message::Want { bit_vector }) => {
                self.take_want(host, stream, bit_vector);
            }
            (Some(Kind::Syn), Message::Syn) => self.tell_cursors(host, stream),
            (Some(Kind::Cancel), Message::Cancel { ruid }) => self.cancel(host, stream, ruid),
            (Some(Kind::Ack), Message::Ack { cursors }) => self.fetched(host, stream, &cursors),
            (Some(Kind::Offer), Message::Offer { topmost, hashes }) => {
                self.take_offer(host, stream, topmost, &hashes);
            }
            (Some(Kind::Delivery), Message::Delivery(delivery)) => {
                self.take_delivery(host, stream, delivery);
            }
            _ => self.ended(host, stream, Reason::Malformed),
        }
    }

    /// Nothing more arrives on a stream.
    fn ended(&mut self, host: &mut impl Host<S>, stream: S::Stream, reason: Reason) {
        if self.exchanges.contains(&stream) {
            return self.break_off(host, stream, Cause::Read(reason));
        }
        if let Some(peer) = self.fetches.remove(&stream) {
            reset_unless_reset(host, stream, reason);
            return self.fetch_after(host, peer);
        }
        if self.accepted.remove(&stream).is_some() || self.stop_serving(stream, reason) {
            reset_unless_reset(host, stream, reason);
        }
    }

    /// 8.4. All streams to and from the peer are gone already, so nothing is said on them.
    fn disconnected(&mut self, host: &mut impl Host<S>, peer: S::Peer) {
        for stream in self.server.peer_gone(peer) {
            self.server.forget(stream);
        }
        self.accepted.retain(|_, (other, _)| *other != peer);
        self.stop_pulling(host, |place| place.0 == peer, Cause::Gone);
        let fetches = self.fetches.len() + self.asked.len();
        self.fetches.retain(|_, other| *other != peer);
        self.asked.remove(&peer);
        if self.fetches.len() + self.asked.len() < fetches {
            self.fetch_after(host, peer);
        }
    }

    /// 8.4.
    fn close(&mut self, host: &mut impl Host<S>) {
        if self.server.is_closed() {
            self.halted = self.how().second_close == SecondClose::Fatal;
            return;
        }
        for stream in self.server.close() {
            self.discard(host, stream);
        }
        self.stop_pulling(host, |_| true, Cause::Stopped);
        self.stop_fetching(host, |_| true);
    }

    /// Lets handlers that wait for what came into their bins look again (3.1).
    fn wake(&mut self, host: &mut impl Host<S>, placed: &[Placed]) {
        let indexed = placed
            .iter()
            .filter(|placed| !placed.exists && placed.bin_id.is_some());
        let bins: SortedSet<u8> = indexed.map(|placed| (placed.bin, ())).collect();
        if bins.is_empty() {
            return;
        }
        for stream in self.waiting_in(&bins) {
            self.look_again(host, stream, false);
        }
    }

    /// Deletes all sets, since they vouch for what is evicted, and starts over (9.5). The sets go first: a
    /// crash between may leave chunks without sets, never the reverse.
    fn evict(&mut self, host: &mut impl Host<S>, addresses: &[S::Address]) {
        let resets = self.how().eviction == Eviction::Reset;
        if resets && let Err(error) = host.storage().reset_intervals(None, None) {
            return host.emit(Output::Evicted(Err(error)));
        }
        if resets {
            self.stop_pulling(host, |_| true, Cause::Stopped);
        }
        let evicted = addresses
            .iter()
            .try_for_each(|address| host.storage().delete(address).map(drop));
        host.emit(Output::Evicted(evicted));
        if resets && !self.server.is_closed() {
            self.start_over(host);
        }
    }
}

/// A side that fails resets its stream, unless the other did (6).
fn reset_unless_reset<S: Space>(host: &mut impl Host<S>, stream: S::Stream, reason: Reason) {
    if reason != Reason::Reset {
        host.emit(Output::Reset { stream });
    }
}

fn failed<S: Space>(error: StoreError) -> Output<S> {
    Output::Failed(error.into())
}
