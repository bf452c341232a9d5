//! Serving ranges: handlers, their registry, cancels (8).
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;
use serde::Serialize;

use crate::map::SortedMap;

use super::error::HandlerError;
use super::space::{Chunk, Space};
use super::store::Storage;
use super::strategy::Strategies;

/// All handlers of a node. A handler is named by its stream.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Server<S: Space> {
    /// Those that run, registered or not.
    handlers: SortedMap<S::Stream, Handler<S>>,
    /// Which handler is registered under a key.
    registry: SortedMap<(S::Peer, u32), S::Stream>,
    /// Pending cancels of each peer, oldest first.
    pending: SortedMap<S::Peer, Vec<u32>>,
    closed: bool,
    max_page: usize,
    pending_cancels: usize,
    how: Strategies,
}

/// One handler.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Handler<S: Space> {
    pub peer: S::Peer,
    pub ruid: u32,
    pub state: HandlerState<S>,
    /// A want that came before the offer was sent.
    pub early: Option<Bytes>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum HandlerState<S: Space> {
    /// The range is expected.
    Open,
    /// The page is not complete; `found` entries of it are there, if any the idle timer runs.
    Waiting {
        bin: i32,
        from: u64,
        to: u64,
        found: usize,
    },
    /// The want is expected.
    Offered {
        topmost: u64,
        hashes: Vec<S::Address>,
    },
    /// It stops at its next step.
    Canceled,
    Finished,
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
        topmost: u64,
        hashes: Vec<S::Address>,
    },
    /// The offer to be sent; the handler has finished.
    Empty { topmost: u64 },
    /// Nothing yet; so many entries were found, if any the idle timer runs.
    Waiting { found: usize },
}

/// What a want led to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Ending<S: Space> {
    /// To be sent, in the order of the offer.
    pub deliveries: Vec<Chunk<S>>,
    /// Wanted, and no longer there.
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
    pub fn new(_max_page: usize, _pending_cancels: usize, _how: Strategies) -> Self {
        todo!()
    }
    /// Registers a handler (8.1, step 1).
    pub fn open(
        &mut self,
        _stream: S::Stream,
        _peer: S::Peer,
        _ruid: u32,
    ) -> Result<Opened<S>, HandlerError> {
        todo!()
    }
    /// Steps 2 to 4. An error finishes the handler.
    pub fn range(
        &mut self,
        _storage: &impl Storage<S>,
        _stream: S::Stream,
        _range: (i32, u64, u64),
        _idle: bool,
    ) -> Result<Ranged<S>, HandlerError> {
        todo!()
    }
    /// Looks again for a handler that waits. An error finishes it.
    pub fn poll(
        &mut self,
        _storage: &impl Storage<S>,
        _stream: S::Stream,
        _idle: bool,
    ) -> Result<Ranged<S>, HandlerError> {
        todo!()
    }
    /// Keeps a want that came before the offer.
    pub fn early_want(&mut self, _stream: S::Stream, _bit_vector: Bytes) {
        todo!()
    }
    /// Steps 5 to 7; the handler is finished whatever comes of it.
    pub fn want(
        &mut self,
        _storage: &impl Storage<S>,
        _stream: S::Stream,
        _bit_vector: &[u8],
    ) -> Result<Ending<S>, HandlerError> {
        todo!()
    }
    /// Ends a handler whose stream broke; nothing if there is none.
    pub fn broken(&mut self, _stream: S::Stream) {
        todo!()
    }
    /// Forgets a handler that is canceled or finished.
    pub fn forget(&mut self, _stream: S::Stream) {
        todo!()
    }
    pub fn cancel(&mut self, _peer: S::Peer, _ruid: u32) -> Canceled<S> {
        todo!()
    }
    /// The handlers cancelled, by ruid.
    pub fn peer_gone(&mut self, _peer: S::Peer) -> Vec<S::Stream> {
        todo!()
    }
    /// The handlers cancelled, by peer and ruid.
    pub fn close(&mut self) -> Vec<S::Stream> {
        todo!()
    }
    pub fn is_closed(&self) -> bool {
        self.closed
    }
    /// A handler that was not forgotten.
    pub fn handler(&self, stream: &S::Stream) -> Option<&Handler<S>> {
        self.handlers.get(stream)
    }
    /// All handlers that were not forgotten, by stream.
    pub fn handlers(&self) -> impl Iterator<Item = (&S::Stream, &Handler<S>)> {
        std::iter::empty()
    }
    /// The registered handlers, by peer and ruid.
    pub fn registered(&self) -> impl Iterator<Item = (&(S::Peer, u32), &S::Stream)> {
        std::iter::empty()
    }
    /// The pending cancels of a peer, oldest first.
    pub fn pending(&self, _peer: &S::Peer) -> &[u32] {
        &[]
    }
}
