//! The puller's side of one exchange (7), message by message.
#![allow(missing_docs, reason = "skeleton")]

use serde::Serialize;

use super::bits::BitVector;
use super::error::{ArgumentError, ExchangeError, StoreError};
use super::message::Message;
use super::space::{Chunk, Delivery, Space};
use super::strategy::Strategies;

/// One exchange, from the moment its stream is open.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Exchange<S: Space> {
    bin: u8,
    from: u64,
    to: u64,
    ruid: u32,
    phase: Phase<S>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
enum Phase<S: Space> {
    /// The offer is expected.
    Offer,
    /// Deliveries are expected.
    Deliveries(Delivering<S>),
    /// It ended.
    Ended,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
struct Delivering<S: Space> {
    topmost: u64,
    /// In the order of the offer.
    outstanding: Vec<S::Address>,
    /// In the order of delivery.
    kept: Vec<Chunk<S>>,
    rejected: Vec<S::Address>,
}

/// What an offer leads to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Offered {
    /// The answer to be sent; none if the offer is empty.
    pub want: Option<BitVector>,
    /// Number of hashes wanted.
    pub count: usize,
    /// If the exchange is thereby complete.
    pub topmost: Option<u64>,
}

/// What a delivery leads to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Delivered<S: Space> {
    /// Its stamp was not verifiable.
    pub rejected: bool,
    /// Deliveries still expected.
    pub remaining: usize,
    /// If it was the last one. The exchange succeeds once the kept chunks are stored.
    pub complete: Option<Complete<S>>,
}

/// All deliveries arrived.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Complete<S: Space> {
    pub topmost: u64,
    /// To be stored in one put, in the order of delivery.
    pub kept: Vec<Chunk<S>>,
    pub rejected: Vec<S::Address>,
}

/// What a broken exchange leaves (7, rule 8).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Broken<S: Space> {
    /// To be stored in one put, in the order of delivery; nothing is sealed.
    pub kept: Vec<Chunk<S>>,
    pub rejected: Vec<S::Address>,
    /// Topmost of the offer, if one came. For faulty code.
    pub topmost: Option<u64>,
    /// To be cancelled at the server.
    pub ruid: u32,
}

impl<S: Space> Exchange<S> {
    /// Checks the arguments (range before bin), and gives the messages to begin with: ruid, get_range.
    pub fn open(
        _bin: i32,
        _from: u64,
        _to: u64,
        _ruid: u32,
    ) -> Result<(Self, [Message<S>; 2]), ArgumentError> {
        todo!()
    }

    /// Takes the offer. `has` says whether a chunk is in the pull index. Any failure ends the exchange.
    pub fn offer(
        &mut self,
        _topmost: u64,
        _hashes: &[S::Address],
        _has: impl FnMut(&S::Address) -> Result<bool, StoreError>,
        _how: &Strategies,
    ) -> Result<Offered, ExchangeError> {
        todo!()
    }

    /// Takes a delivery. A failure ends the exchange, and nothing of it is stored.
    pub fn delivery(
        &mut self,
        _delivery: Delivery<S>,
        _verifier: &S::Verifier,
        _how: &Strategies,
    ) -> Result<Delivered<S>, ExchangeError> {
        todo!()
    }

    /// Ends an exchange whose stream broke.
    pub fn broken(&mut self) -> Broken<S> {
        todo!()
    }

    pub const fn ruid(&self) -> u32 {
        self.ruid
    }
    pub const fn bin(&self) -> u8 {
        self.bin
    }
    /// The range asked for.
    pub const fn range(&self) -> (u64, u64) {
        (self.from, self.to)
    }
    pub const fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }
    /// Whether the offer came and deliveries are expected.
    pub const fn is_delivering(&self) -> bool {
        matches!(self.phase, Phase::Deliveries(_))
    }
    /// Addresses still to be delivered, in the order of the offer.
    pub fn outstanding(&self) -> &[S::Address] {
        match &self.phase {
            Phase::Deliveries(delivering) => &delivering.outstanding,
            Phase::Offer | Phase::Ended => &[],
        }
    }
}
