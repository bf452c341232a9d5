//! The streams that a node opens: fetches, exchanges of its workers, cancels (7, 9).

use super::{Host, Node, Place, Running, failed, reset_unless_reset};
use crate::pullsync::error::{ExchangeError, Reason, SealError, StoreError};
use crate::pullsync::exchange::{Complete, Exchange};
use crate::pullsync::message::{Exchanged, Failure, Message, Output, Purpose};
use crate::pullsync::puller::{Neighbour, Outcome, Range, Start, seal, seal_in, set_of};
use crate::pullsync::space::{Chunk, Delivery, Space};
use crate::pullsync::store::{Mode, Storage as _};
use crate::pullsync::strategy::{
    CancelDeadline, Eviction, Fetching, Hook, Partial, PutError, Sealing, Unopened,
};

/// What ends an exchange without success.
#[derive(Clone)]
pub(super) enum Cause {
    /// Nothing more is read (7, rule 8).
    Read(Reason),
    /// The worker was stopped (9.4, step 5).
    Stopped,
    /// The connection is gone.
    Gone,
    /// What was read, or the storage.
    Error(ExchangeError),
}

/// What an exchange came to.
struct End<S: Space> {
    stored: Vec<S::Address>,
    rejected: Vec<S::Address>,
    result: Result<u64, Failure>,
}

impl<S: Space> Node<S> {
    /// 9.1. A depth that decreases makes lower bins its own again, whose sets vouch for what it may have
    /// evicted meanwhile (9.5).
    pub(super) fn change(&mut self, host: &mut impl Host<S>, depth: u8, peers: &[Neighbour<S>]) {
        if self.server.is_closed() {
            return;
        }
        let former = self.puller.depth();
        if depth < former
            && self.how().eviction == Eviction::Reset
            && let Err(error) = host.storage().reset_intervals(None, Some(former))
        {
            return host.emit(failed(error));
        }
        let changed = match self.puller.change(host.storage(), depth, peers) {
            Ok(changed) => changed,
            Err(error) => return host.emit(failed(error)),
        };
        let ends = |place: &Place<S>| {
            changed.drop.contains(&place.0) || changed.stop.contains(&(place.0, place.1))
        };
        self.stop_pulling(host, ends, Cause::Stopped);
        self.stop_fetching(host, |peer| changed.drop.contains(peer));
        self.fetch(host);
        self.open(host, changed.start);
    }

    /// Starts all active bins anew.
    pub(super) fn start_over(&mut self, host: &mut impl Host<S>) {
        match self.puller.restart(host.storage()) {
            Ok(starts) => self.open(host, starts),
            // The workers were stopped, and the next change starts them.
            Err(error) => host.emit(failed(error)),
        }
    }

    /// A stream was opened. Nobody waits for it any more if its worker was stopped meanwhile.
    pub(super) fn opened(
        &mut self,
        host: &mut impl Host<S>,
        peer: S::Peer,
        purpose: Purpose,
        stream: S::Stream,
        ruid: u32,
    ) {
        match purpose {
            Purpose::Fetch if self.asked.remove(&peer).is_some() => {
                self.fetches.insert(stream, peer);
                let message = Message::Syn;
                host.emit(Output::Send { stream, message });
            }
            Purpose::Pull { bin, worker, range }
                if self.opening.get(&(peer, bin, worker)) == Some(&range) =>
            {
                self.opening.remove(&(peer, bin, worker));
                self.begin(host, (peer, bin, worker), range, stream, ruid);
            }
            Purpose::Fetch | Purpose::Pull { .. } => host.emit(Output::Reset { stream }),
            Purpose::Cancel { ruid } => {
                let message = Message::Cancel { ruid };
                host.emit(Output::Send { stream, message });
                host.emit(Output::Finish { stream });
            }
        }
    }

    /// A stream could not be opened: no ruid exists, so nothing is cancelled (7, rule 2).
    pub(super) fn unopened(&mut self, host: &mut impl Host<S>, peer: S::Peer, purpose: Purpose) {
        match purpose {
            Purpose::Fetch => {
                if self.asked.remove(&peer).is_some() {
                    self.fetch_after(host, peer);
                }
            }
            Purpose::Pull { bin, worker, range } => {
                if self.opening.get(&(peer, bin, worker)) != Some(&range) {
                    return;
                }
                self.opening.remove(&(peer, bin, worker));
                self.puller.worker_done(peer, bin, worker, Outcome::Failed);
                if self.how().unopened == Unopened::ZeroCanceled {
                    cancel(host, peer, 0);
                }
            }
            Purpose::Cancel { .. } => {}
        }
    }

    /// Cursors arrived (9.2).
    pub(super) fn fetched(&mut self, host: &mut impl Host<S>, stream: S::Stream, cursors: &[u64]) {
        let Some(peer) = self.fetches.remove(&stream) else {
            return;
        };
        host.emit(Output::Finish { stream });
        match self.puller.cursors(host.storage(), peer, Some(cursors)) {
            Ok(arrived) => self.open(host, arrived.start),
            Err(error) => host.emit(Output::Failed(error)),
        }
        self.fetch_after(host, peer);
    }

    /// After a fetch came to its end, faulty code begins with the next peer (D39).
    pub(super) fn fetch_after(&mut self, host: &mut impl Host<S>, peer: S::Peer) {
        if self.how().fetching == Fetching::OneByOne && !self.server.is_closed() {
            let next = self.to_fetch().into_iter().find(|other| *other > peer);
            self.ask(host, next);
        }
    }

    /// Tracked peers from whom cursors are to be fetched now, ascending.
    pub(super) fn to_fetch(&self) -> Vec<S::Peer> {
        let idle = self.asked.is_empty() && self.fetches.is_empty();
        let fetched = |peer: &S::Peer| self.fetches.values().any(|other| other == peer);
        match self.how().fetching {
            Fetching::OneByOne if !idle => Vec::new(),
            Fetching::OneByOne | Fetching::Concurrent => {
                let unknown = self.puller.without_cursors();
                let unknown = unknown.filter(|peer| !self.asked.contains(peer) && !fetched(peer));
                unknown.copied().collect()
            }
        }
    }

    /// Fetches the cursors that are neither known nor under way.
    fn fetch(&mut self, host: &mut impl Host<S>) {
        let peers = self.to_fetch();
        match self.how().fetching {
            Fetching::Concurrent => self.ask(host, peers),
            Fetching::OneByOne => self.ask(host, peers.into_iter().next()),
        }
    }

    fn ask(&mut self, host: &mut impl Host<S>, peers: impl IntoIterator<Item = S::Peer>) {
        for peer in peers {
            self.asked.insert(peer, ());
            let purpose = Purpose::Fetch;
            host.emit(Output::Open { peer, purpose });
        }
    }

    /// Gives up fetches from the peers for which `ends` holds.
    pub(super) fn stop_fetching(
        &mut self,
        host: &mut impl Host<S>,
        ends: impl Fn(&S::Peer) -> bool,
    ) {
        self.asked.retain(|peer, ()| !ends(peer));
        self.fetches.retain(|stream, peer| {
            let stops = ends(peer);
            if stops {
                host.emit(Output::Reset { stream: *stream });
            }
            !stops
        });
    }

    /// Asks for the streams of workers that start.
    fn open(&mut self, host: &mut impl Host<S>, starts: impl IntoIterator<Item = Start<S>>) {
        for start in starts {
            let Start {
                peer,
                bin,
                worker,
                range,
            } = start;
            self.opening.insert((peer, bin, worker), range);
            let purpose = Purpose::Pull { bin, worker, range };
            host.emit(Output::Open { peer, purpose });
        }
    }

    /// Begins an exchange on its stream (7, rule 3).
    fn begin(
        &mut self,
        host: &mut impl Host<S>,
        (peer, bin, worker): Place<S>,
        range: Range,
        stream: S::Stream,
        ruid: u32,
    ) {
        let early = match self.how().sealing {
            Sealing::OneStep => Ok(None),
            Sealing::ReadEarly => set_of(host.storage(), &peer, bin).map(Some),
        };
        let opened = Exchange::open(bin.into(), range.from, range.to, ruid);
        let failure = match (opened, early) {
            (Ok((exchange, messages)), Ok(early)) => {
                for message in messages {
                    host.emit(Output::Send { stream, message });
                }
                let running = Running {
                    peer,
                    bin,
                    worker,
                    exchange,
                    early,
                };
                self.exchanges.insert(stream, running);
                return;
            }
            (Err(error), _) => Failure::Argument(error),
            (_, Err(error)) => Failure::Exchange(error.into()),
        };
        host.emit(Output::Reset { stream });
        self.puller.worker_done(peer, bin, worker, Outcome::Failed);
        host.emit(Output::Exchanged(Exchanged {
            peer,
            bin,
            worker,
            ruid,
            range,
            stored: Vec::new(),
            rejected: Vec::new(),
            result: Err(failure),
        }));
    }

    /// 7, rules 4 to 6.
    pub(super) fn take_offer(
        &mut self,
        host: &mut impl Host<S>,
        stream: S::Stream,
        topmost: u64,
        hashes: &[S::Address],
    ) {
        let how = *self.how();
        let Some(running) = self.exchanges.get_mut(&stream) else {
            return;
        };
        let storage = host.storage();
        let has = |address: &S::Address| storage.has(address);
        let offered = match running.exchange.offer(topmost, hashes, has, &how) {
            Ok(offered) => offered,
            Err(error) => return self.break_off(host, stream, Cause::Error(error)),
        };
        if let Some(want) = offered.want {
            let bit_vector = want.to_bytes();
            let message = Message::Want { bit_vector };
            host.emit(Output::Send { stream, message });
        }
        if let Some(topmost) = offered.topmost {
            let complete = Complete {
                topmost,
                kept: Vec::new(),
                rejected: Vec::new(),
            };
            self.complete(host, stream, complete);
        }
    }

    /// 7, rule 7.
    pub(super) fn take_delivery(
        &mut self,
        host: &mut impl Host<S>,
        stream: S::Stream,
        delivery: Delivery<S>,
    ) {
        let Some(running) = self.exchanges.get_mut(&stream) else {
            return;
        };
        let address = delivery.address;
        let how = &self.settings.strategies;
        let verifier = &self.settings.verifier;
        let hook = how.hook;
        let delivered = match running.exchange.delivery(delivery, verifier, how) {
            Ok(delivered) => delivered,
            Err(error) => return self.break_off(host, stream, Cause::Error(error)),
        };
        if hook == Hook::BeforePut && !delivered.rejected {
            let addresses = address.into_iter().collect();
            host.emit(Output::Received { addresses });
        }
        if let Some(complete) = delivered.complete {
            self.complete(host, stream, complete);
        }
    }

    /// All of a page arrived: it is stored, then sealed, then the worker goes on (7, rule 9; 9.4).
    fn complete(&mut self, host: &mut impl Host<S>, stream: S::Stream, complete: Complete<S>) {
        let Complete {
            topmost,
            kept,
            rejected,
        } = complete;
        let stored = match self.store(host, &kept) {
            Ok(stored) => stored,
            Err(error) => {
                let cause = Cause::Error(error.into());
                return self.break_off(host, stream, cause);
            }
        };
        let Some(running) = self.exchanges.remove(&stream) else {
            return;
        };
        host.emit(Output::Finish { stream });
        let sealed = self.seal(host, &running, topmost);
        let succeeded = sealed.is_ok();
        let end = End {
            stored,
            rejected,
            result: sealed.map_err(Failure::Seal),
        };
        let (peer, bin, worker) = running.place();
        host.emit(Output::Exchanged(running.exchanged(end)));
        if succeeded {
            self.go_on(host, (peer, bin, worker), topmost);
        } else {
            self.puller.worker_done(peer, bin, worker, Outcome::Failed);
        }
    }

    /// The next range of a worker (9.4, step 3).
    fn go_on(&mut self, host: &mut impl Host<S>, (peer, bin, worker): Place<S>, topmost: u64) {
        let next = self.puller.next(host.storage(), peer, bin, worker, topmost);
        let outcome = match next {
            Ok(Some(range)) => {
                let start = Start {
                    peer,
                    bin,
                    worker,
                    range,
                };
                return self.open(host, [start]);
            }
            Ok(None) => Outcome::Finished,
            Err(error) => {
                host.emit(failed(error));
                Outcome::Failed
            }
        };
        self.puller.worker_done(peer, bin, worker, outcome);
    }

    /// Ends an exchange without success: what was kept of a stream that broke is stored, nothing is sealed,
    /// the ruid is cancelled (7, rule 8; 9.4, step 4).
    pub(super) fn break_off(&mut self, host: &mut impl Host<S>, stream: S::Stream, cause: Cause) {
        let Some(mut running) = self.exchanges.remove(&stream) else {
            return;
        };
        let end = self.salvage(host, &mut running, &cause);
        match cause {
            Cause::Gone => {}
            Cause::Read(reason) => reset_unless_reset(host, stream, reason),
            Cause::Stopped | Cause::Error(_) => host.emit(Output::Reset { stream }),
        }
        let (peer, bin, worker) = running.place();
        self.puller.worker_done(peer, bin, worker, Outcome::Failed);
        let ruid = running.exchange.ruid();
        host.emit(Output::Exchanged(running.exchanged(end)));
        let expired = matches!(
            cause,
            Cause::Read(Reason::Timeout | Reason::Canceled) | Cause::Stopped
        );
        let sent = match self.how().cancel_deadline {
            CancelDeadline::Own => true,
            CancelDeadline::OfExchange => !expired,
        };
        if sent && !matches!(cause, Cause::Gone) {
            cancel(host, peer, ruid);
        }
    }

    /// The partial-batch rule (7, rule 8). After an error of its own there is nothing to be stored.
    fn salvage(
        &mut self,
        host: &mut impl Host<S>,
        running: &mut Running<S>,
        cause: &Cause,
    ) -> End<S> {
        let failure = match cause {
            Cause::Read(reason) => Failure::Broken(*reason),
            Cause::Gone => Failure::Broken(Reason::Reset),
            Cause::Stopped => Failure::Stopped,
            Cause::Error(error) => {
                return End {
                    stored: Vec::new(),
                    rejected: Vec::new(),
                    result: Err(Failure::Exchange(error.clone())),
                };
            }
        };
        let broken = running.exchange.broken();
        let (stored, failure) = match self.store(host, &broken.kept) {
            Ok(stored) => (stored, failure),
            Err(_) if self.how().put_error == PutError::Hidden => (Vec::new(), failure),
            Err(error) => (Vec::new(), Failure::Exchange(error.into())),
        };
        if self.how().partial == Partial::Sealed
            && let Some(topmost) = broken.topmost
        {
            // What comes of it is lost together with the exchange (D43).
            let _ = self.seal(host, running, topmost);
        }
        End {
            stored,
            rejected: broken.rejected,
            result: Err(failure),
        }
    }

    /// Stores what was kept, in one put, and lets waiting handlers look again.
    fn store(
        &mut self,
        host: &mut impl Host<S>,
        kept: &[Chunk<S>],
    ) -> Result<Vec<S::Address>, StoreError> {
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let placed = host.storage().put(Mode::Sync, kept)?;
        let fresh = kept
            .iter()
            .zip(&placed)
            .filter(|(_, placed)| !placed.exists);
        let addresses: Vec<_> = fresh.map(|(chunk, _)| chunk.address).collect();
        if self.how().hook == Hook::AfterPut && !addresses.is_empty() {
            host.emit(Output::Received { addresses });
        }
        self.wake(host, &placed);
        Ok(kept.iter().map(|chunk| chunk.address).collect())
    }

    /// 9.4, step 2.
    fn seal(
        &self,
        host: &mut impl Host<S>,
        running: &Running<S>,
        topmost: u64,
    ) -> Result<u64, SealError> {
        let (peer, bin, how) = (&running.peer, running.bin, self.how());
        let (from, _) = running.exchange.range();
        let storage = host.storage();
        match &running.early {
            None => seal(storage, peer, bin, from, topmost, how),
            // What was sealed meanwhile is lost (D35).
            Some(set) => seal_in(storage, set.clone(), peer, bin, from, topmost, how),
        }
        .map(|_| topmost)
    }

    /// Ends the workers for which `ends` holds (9.4, step 5).
    pub(super) fn stop_pulling(
        &mut self,
        host: &mut impl Host<S>,
        ends: impl Fn(&Place<S>) -> bool,
        cause: Cause,
    ) {
        let puller = &mut self.puller;
        self.opening.retain(|place, _| {
            let stops = ends(place);
            if stops {
                puller.worker_done(place.0, place.1, place.2, Outcome::Failed);
            }
            !stops
        });
        let exchanges = self.exchanges.iter();
        let exchanges = exchanges.filter(|(_, running)| ends(&running.place()));
        let streams: Vec<_> = exchanges.map(|(stream, _)| *stream).collect();
        for stream in streams {
            self.break_off(host, stream, cause.clone());
        }
    }
}

impl<S: Space> Running<S> {
    fn place(&self) -> Place<S> {
        (self.peer, self.bin, self.worker)
    }

    fn exchanged(self, end: End<S>) -> Exchanged<S> {
        let (from, to) = self.exchange.range();
        Exchanged {
            peer: self.peer,
            bin: self.bin,
            worker: self.worker,
            ruid: self.exchange.ruid(),
            range: Range { from, to },
            stored: end.stored,
            rejected: end.rejected,
            result: end.result,
        }
    }
}

/// Asks for the stream of a cancel.
fn cancel<S: Space>(host: &mut impl Host<S>, peer: S::Peer, ruid: u32) {
    let purpose = Purpose::Cancel { ruid };
    host.emit(Output::Open { peer, purpose });
}
