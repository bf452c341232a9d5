//! Serving ranges: handlers, their registry, cancels (8).

mod pending;
mod registry;

use bytes::Bytes;
use serde::Serialize;

use crate::map::SortedMap;

use super::bits::BitVector;
use super::error::{HandlerError, PageError};
use super::space::{Chunk, Space};
use super::store::{Page, Storage, collect};
use super::strategy::{Collected, EarlyCancel, EarlyWant, Gone, Strategies};

use pending::Pending;
use registry::Registry;

/// All handlers of a node. A handler is named by its stream.
///
/// A handler that was cancelled stays [`HandlerState::Canceled`], and one that finished
/// [`HandlerState::Finished`], until it is [forgotten](Self::forget).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Server<S: Space> {
    /// Those that were not forgotten, registered or not.
    handlers: SortedMap<S::Stream, Handler<S>>,
    /// Exactly the handlers that run: neither cancelled nor finished.
    registry: Registry<S>,
    pending: Pending<S>,
    closed: bool,
    max_page: usize,
    how: Strategies,
}

/// One handler.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Handler<S: Space> {
    /// Who opened its stream.
    pub peer: S::Peer,
    /// By what number the peer may cancel it.
    pub ruid: u32,
    /// How far it got.
    pub state: HandlerState<S>,
    /// A want that came before the offer was sent; to be given to [`Server::want`] after the offer.
    pub early: Option<Bytes>,
}

/// How far a handler got.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum HandlerState<S: Space> {
    /// The range is expected.
    Open,
    /// The page is not complete.
    Waiting {
        /// The bin asked for.
        bin: i32,
        /// The first number asked for.
        from: u64,
        /// The last number asked for.
        to: u64,
        /// So many entries of the page are there; if any, the idle timer runs.
        found: usize,
    },
    /// The want is expected.
    Offered {
        /// Topmost of the page.
        topmost: u64,
        /// The page, which the bits of the want stand for.
        hashes: Vec<S::Address>,
    },
    /// It stops at its next step.
    Canceled,
    /// It did all it had to, or failed.
    Finished,
}

impl<S: Space> Handler<S> {
    /// Whether it is neither cancelled nor finished.
    pub const fn is_running(&self) -> bool {
        !matches!(self.state, HandlerState::Canceled | HandlerState::Finished)
    }
}

/// What registering a handler led to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Opened<S: Space> {
    /// A pending cancel was consumed: the handler starts out cancelled.
    pub canceled: bool,
    /// The handler that was cancelled and replaced.
    pub replaced: Option<S::Stream>,
}

/// What asking for a range led to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Ranged<S: Space> {
    /// The offer to be sent; a want is expected.
    Offered {
        /// Topmost of the page.
        topmost: u64,
        /// The page, in the order of the numbers.
        hashes: Vec<S::Address>,
    },
    /// The offer to be sent; the handler has finished.
    Empty {
        /// Topmost of the empty page.
        topmost: u64,
    },
    /// Nothing to be sent yet.
    Waiting {
        /// So many entries were found; if any, the idle timer runs, anew whenever there are more.
        found: usize,
    },
}

/// What a want led to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Ending<S: Space> {
    /// To be sent, in the order of the offer.
    pub deliveries: Vec<Chunk<S>>,
    /// Wanted and no longer there, in the order of the offer.
    pub missing: Vec<S::Address>,
}

/// What a cancel led to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Canceled<S: Space> {
    /// The handler that was ended.
    pub canceled: Option<S::Stream>,
    /// It is pending now.
    pub pending: bool,
}

impl<S: Space> Server<S> {
    /// One without handlers. `max_page`: hashes in an offer, at least 1; `pending_cancels`: of one peer, at
    /// most.
    pub const fn new(max_page: usize, pending_cancels: usize, how: Strategies) -> Self {
        Self {
            handlers: SortedMap::new(),
            registry: Registry::new(how.keys, how.unregister),
            pending: Pending::new(pending_cancels),
            closed: false,
            max_page,
            how,
        }
    }

    /// Registers a handler (8.1, step 1). Fails with [`HandlerError::Shutdown`] after a close, and with
    /// [`HandlerError::OutOfTurn`] if the stream has one; there is no new handler then.
    pub fn open(
        &mut self,
        stream: S::Stream,
        peer: S::Peer,
        ruid: u32,
    ) -> Result<Opened<S>, HandlerError> {
        if self.closed {
            return Err(HandlerError::Shutdown);
        }
        if self.handlers.contains(&stream) {
            return Err(HandlerError::OutOfTurn);
        }
        let canceled = self.pending.consume(&peer, ruid);
        let (state, replaced) = if canceled {
            (HandlerState::Canceled, None)
        } else {
            let replaced = self.registry.enter(peer, ruid, stream);
            (HandlerState::Open, replaced)
        };
        if let Some(replaced) = &replaced {
            self.set(replaced, HandlerState::Canceled);
        }
        let handler = Handler {
            peer,
            ruid,
            state,
            early: None,
        };
        self.handlers.insert(stream, handler);
        Ok(Opened { canceled, replaced })
    }

    /// Collects the page of an open handler (8.1, steps 2 to 4). An error in the range or of the storage
    /// finishes the handler.
    pub fn range(
        &mut self,
        storage: &impl Storage<S>,
        stream: S::Stream,
        range: (i32, u64, u64),
        idle: bool,
    ) -> Result<Ranged<S>, HandlerError> {
        match self.running(&stream)? {
            HandlerState::Open => self.page(storage, stream, range, idle),
            _ => Err(HandlerError::OutOfTurn),
        }
    }

    /// Looks again for a handler that waits. An error of the storage finishes it.
    pub fn poll(
        &mut self,
        storage: &impl Storage<S>,
        stream: S::Stream,
        idle: bool,
    ) -> Result<Ranged<S>, HandlerError> {
        match *self.running(&stream)? {
            HandlerState::Waiting { bin, from, to, .. } => {
                self.page(storage, stream, (bin, from, to), idle)
            }
            _ => Err(HandlerError::OutOfTurn),
        }
    }

    /// Keeps a want that came before the offer, the first one if there are several; nothing for handlers
    /// that expect none.
    pub fn early_want(&mut self, stream: S::Stream, bit_vector: Bytes) {
        let Some(handler) = self.handlers.get_mut(&stream) else {
            return;
        };
        let before = matches!(
            handler.state,
            HandlerState::Open | HandlerState::Waiting { .. }
        );
        if before && handler.early.is_none() && self.how.early_want == EarlyWant::Kept {
            handler.early = Some(bit_vector);
        }
    }

    /// Answers the want of a handler that offered (8.1, steps 5 to 7); it is finished whatever comes of it.
    pub fn want(
        &mut self,
        storage: &impl Storage<S>,
        stream: S::Stream,
        bit_vector: &[u8],
    ) -> Result<Ending<S>, HandlerError> {
        let HandlerState::Offered { hashes, .. } = self.running(&stream)? else {
            return Err(HandlerError::OutOfTurn);
        };
        let ending = process_want(storage, hashes, bit_vector, &self.how);
        self.finish(&stream);
        ending
    }

    /// Finishes a handler whose stream broke; nothing if it does not run.
    pub fn broken(&mut self, stream: S::Stream) {
        let running = self.handlers.get(&stream).is_some_and(Handler::is_running);
        if running {
            self.finish(&stream);
        }
    }

    /// Forgets a handler that is cancelled or finished; nothing if it runs.
    pub fn forget(&mut self, stream: S::Stream) {
        let Some(handler) = self.handlers.get(&stream) else {
            return;
        };
        if handler.is_running() {
            return;
        }
        if matches!(handler.state, HandlerState::Canceled) {
            // It ends only now; nothing of its own is left to unregister (D25).
            self.registry.leave(handler.peer, handler.ruid, stream);
        }
        self.handlers.remove(&stream);
    }

    /// Cancels the handler of a peer with this ruid, or notes the cancel as pending (8.3).
    pub fn cancel(&mut self, peer: S::Peer, ruid: u32) -> Canceled<S> {
        let canceled = self.registry.take(peer, ruid);
        if let Some(stream) = &canceled {
            self.set(stream, HandlerState::Canceled);
        }
        let pending = canceled.is_none()
            && match self.how.early_cancel {
                EarlyCancel::Pending => self.pending.note(peer, ruid),
                EarlyCancel::Forgotten => false,
            };
        Canceled { canceled, pending }
    }

    /// Cancels the handlers of a peer that is not connected any more, gives them by ruid, and forgets its
    /// pending cancels (8.4). O(n) in all handlers.
    pub fn peer_gone(&mut self, peer: S::Peer) -> Vec<S::Stream> {
        self.pending.forget(&peer);
        let ends = self.how.gone == Gone::Canceled;
        self.cancel_where(|handler| ends && handler.peer == peer)
    }

    /// Cancels all handlers, gives them by peer and ruid, forgets all pending cancels, and refuses
    /// handlers from now on (8.4).
    pub fn close(&mut self) -> Vec<S::Stream> {
        self.closed = true;
        self.pending.clear();
        self.cancel_where(|_| true)
    }

    /// Whether it was closed.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// A handler that was not forgotten.
    pub fn handler(&self, stream: &S::Stream) -> Option<&Handler<S>> {
        self.handlers.get(stream)
    }

    /// All handlers that were not forgotten, by stream.
    pub fn handlers(&self) -> impl Iterator<Item = (&S::Stream, &Handler<S>)> {
        self.handlers.iter()
    }

    /// The registered handlers, by peer and ruid.
    pub fn registered(&self) -> impl Iterator<Item = (&(S::Peer, u32), &S::Stream)> {
        self.registry.iter()
    }

    /// The pending cancels of a peer, oldest first.
    pub fn pending(&self, peer: &S::Peer) -> &[u32] {
        self.pending.of(peer)
    }

    /// State of a handler that runs.
    fn running(&self, stream: &S::Stream) -> Result<&HandlerState<S>, HandlerError> {
        match self.handlers.get(stream).map(|handler| &handler.state) {
            None => Err(HandlerError::OutOfTurn),
            Some(HandlerState::Canceled) => Err(HandlerError::Canceled),
            Some(HandlerState::Finished) => Err(HandlerError::Finished),
            Some(state) => Ok(state),
        }
    }

    fn page(
        &mut self,
        storage: &impl Storage<S>,
        stream: S::Stream,
        range: (i32, u64, u64),
        idle: bool,
    ) -> Result<Ranged<S>, HandlerError> {
        match collect(storage, range, self.max_page, idle, &self.how) {
            Err(error) => {
                self.finish(&stream);
                Err(error.into())
            }
            Ok(Page::Waiting { found }) => {
                let (bin, from, to) = range;
                let state = HandlerState::Waiting {
                    bin,
                    from,
                    to,
                    found,
                };
                self.set(&stream, state);
                Ok(Ranged::Waiting { found })
            }
            Ok(Page::Complete { topmost, addresses }) if addresses.is_empty() => {
                self.finish(&stream);
                Ok(Ranged::Empty { topmost })
            }
            Ok(Page::Complete { topmost, addresses }) => {
                let hashes = addresses.clone();
                self.set(&stream, HandlerState::Offered { topmost, hashes });
                let hashes = addresses;
                Ok(Ranged::Offered { topmost, hashes })
            }
        }
    }

    fn finish(&mut self, stream: &S::Stream) {
        self.set(stream, HandlerState::Finished);
        if let Some(Handler { peer, ruid, .. }) = self.handlers.get(stream) {
            self.registry.leave(*peer, *ruid, *stream);
        }
    }

    /// Cancels the running handlers that `which` says, and gives them by peer and ruid.
    fn cancel_where(&mut self, which: impl Fn(&Handler<S>) -> bool) -> Vec<S::Stream> {
        let which = |handler: &Handler<S>| handler.is_running() && which(handler);
        let running = self.handlers.iter().filter(|(_, handler)| which(handler));
        let mut gone: Vec<_> = running
            .map(|(stream, handler)| (handler.peer, handler.ruid, *stream))
            .collect();
        gone.sort_unstable();
        for (peer, ruid, stream) in &gone {
            self.set(stream, HandlerState::Canceled);
            self.registry.leave(*peer, *ruid, *stream);
        }
        gone.into_iter().map(|(_, _, stream)| stream).collect()
    }

    fn set(&mut self, stream: &S::Stream, state: HandlerState<S>) {
        let Some(handler) = self.handlers.get_mut(stream) else {
            return;
        };
        handler.state = state;
        if !handler.is_running() {
            handler.early = None;
        }
    }
}

/// What is delivered for the set bits of a want (8.1, steps 5 and 6). Fails with
/// [`HandlerError::InvalidLength`] if there are fewer bits than hashes or no hash, and if the storage does.
pub fn process_want<S: Space>(
    storage: &impl Storage<S>,
    hashes: &[S::Address],
    bit_vector: &[u8],
    how: &Strategies,
) -> Result<Ending<S>, HandlerError> {
    let bits = BitVector::from_bytes(bit_vector, hashes.len())?;
    let mut ending = Ending {
        deliveries: Vec::new(),
        missing: Vec::new(),
    };
    for index in bits.ones() {
        let hash = hashes[index];
        match storage.chunk(&hash).map_err(PageError::from)? {
            Some(chunk) => ending.deliveries.push(chunk),
            None => ending.missing.push(hash),
        }
    }
    if how.collected == Collected::NothingDelivered && !ending.missing.is_empty() {
        ending.deliveries.clear();
    }
    Ok(ending)
}
