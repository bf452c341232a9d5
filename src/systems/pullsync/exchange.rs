//! The puller's side of one exchange (7), message by message.

use std::mem;

use serde::Serialize;

use crate::map::SortedSet;

use super::bits::BitVector;
use super::error::{ArgumentError, ExchangeError, StoreError};
use super::limits::{BINS, MAX};
use super::message::Message;
use super::space::{Chunk, Delivery, Space};
use super::strategy::{Content, Repeats, Solicited, Stamps, Strategies, Topmost, ZeroAddress};

/// One exchange, from the moment its stream is open. Deterministic: the storage and the verifier are asked,
/// never written to.
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
    /// Deliveries to be read. As many as are outstanding, unless repeats are wanted (D13).
    expected: usize,
    /// In the order of the offer, without repetition.
    outstanding: Vec<S::Address>,
    /// In the order of delivery.
    kept: Vec<Chunk<S>>,
    /// In the order of delivery.
    rejected: Vec<S::Address>,
}

/// What an offer leads to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Offered {
    /// The answer to be sent; none if the offer is empty.
    pub want: Option<BitVector>,
    /// Number of hashes wanted: so many deliveries are expected.
    pub count: usize,
    /// Topmost of the offer, if the exchange is thereby complete.
    pub topmost: Option<u64>,
}

/// What a delivery leads to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Delivered<S: Space> {
    /// Its stamp was not verifiable: it was dropped.
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
    /// Topmost of the offer, up to which the range is to be sealed.
    pub topmost: u64,
    /// To be stored in one put, in the order of delivery.
    pub kept: Vec<Chunk<S>>,
    /// Chunks whose stamp was not verifiable, in the order of delivery.
    pub rejected: Vec<S::Address>,
}

/// What a broken exchange leaves (7, rule 8).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Broken<S: Space> {
    /// To be stored in one put, in the order of delivery; nothing is sealed.
    pub kept: Vec<Chunk<S>>,
    /// Chunks whose stamp was not verifiable, in the order of delivery.
    pub rejected: Vec<S::Address>,
    /// Topmost of the offer, if deliveries were expected. For faulty code (D43).
    pub topmost: Option<u64>,
    /// To be cancelled at the server.
    pub ruid: u32,
}

impl<S: Space> Exchange<S> {
    /// Checks the arguments (range before bin), and gives the messages to begin with: ruid, get_range.
    pub fn open(
        bin: i32,
        from: u64,
        to: u64,
        ruid: u32,
    ) -> Result<(Self, [Message<S>; 2]), ArgumentError> {
        if to == 0 || from > to {
            return Err(ArgumentError::InvalidRange { from, to });
        }
        let number = u8::try_from(bin).ok().filter(|bin| *bin < BINS);
        let exchange = Self {
            bin: number.ok_or(ArgumentError::BinOutOfRange(bin))?,
            from,
            to,
            ruid,
            phase: Phase::Offer,
        };
        let messages = [Message::Ruid { ruid }, Message::GetRange { bin, from, to }];
        Ok((exchange, messages))
    }

    /// Takes the offer (rules 4 to 6). `has` says whether a chunk is in the pull index. Any failure ends
    /// the exchange. O(n log n) for n hashes.
    pub fn offer(
        &mut self,
        topmost: u64,
        hashes: &[S::Address],
        has: impl FnMut(&S::Address) -> Result<bool, StoreError>,
        how: &Strategies,
    ) -> Result<Offered, ExchangeError> {
        let Phase::Offer = mem::replace(&mut self.phase, Phase::Ended) else {
            return Err(ExchangeError::OutOfTurn);
        };
        self.check_topmost(topmost, how.topmost)?;
        if hashes.is_empty() {
            return Ok(Offered {
                want: None,
                count: 0,
                topmost: Some(topmost),
            });
        }
        check_zero::<S>(hashes, how.zero)?;
        let wanted = wanted::<S>(hashes, has, how.repeats)?;
        let offered = Offered {
            want: Some(bits(hashes.len(), &wanted)),
            count: wanted.len(),
            topmost: wanted.is_empty().then_some(topmost),
        };
        if !wanted.is_empty() {
            self.phase = Phase::Deliveries(Delivering::new(topmost, hashes, &wanted));
        }
        Ok(offered)
    }

    /// Takes a delivery (rule 7). A failure ends the exchange, and nothing of it is stored. O(n) for n
    /// outstanding hashes, O(1) for the first of them.
    pub fn delivery(
        &mut self,
        delivery: Delivery<S>,
        verifier: &S::Verifier,
        how: &Strategies,
    ) -> Result<Delivered<S>, ExchangeError> {
        let Phase::Deliveries(mut delivering) = mem::replace(&mut self.phase, Phase::Ended) else {
            return Err(ExchangeError::OutOfTurn);
        };
        let rejected = delivering.take(delivery, verifier, how)?;
        let remaining = delivering.expected;
        let complete = if remaining == 0 {
            Some(delivering.complete())
        } else {
            self.phase = Phase::Deliveries(delivering);
            None
        };
        Ok(Delivered {
            rejected,
            remaining,
            complete,
        })
    }

    /// Ends an exchange whose stream broke, and gives what is to be kept of it (rule 8).
    pub fn broken(&mut self) -> Broken<S> {
        let ruid = self.ruid;
        match mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Deliveries(delivering) => Broken {
                kept: delivering.kept,
                rejected: delivering.rejected,
                topmost: Some(delivering.topmost),
                ruid,
            },
            Phase::Offer | Phase::Ended => Broken {
                kept: Vec::new(),
                rejected: Vec::new(),
                topmost: None,
                ruid,
            },
        }
    }

    /// The number by which the server knows the exchange.
    pub const fn ruid(&self) -> u32 {
        self.ruid
    }

    /// The bin of the server, below [`BINS`].
    pub const fn bin(&self) -> u8 {
        self.bin
    }

    /// The range asked for, ends included.
    pub const fn range(&self) -> (u64, u64) {
        (self.from, self.to)
    }

    /// Whether it succeeded, failed or broke.
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

    fn check_topmost(&self, topmost: u64, how: Topmost) -> Result<(), ExchangeError> {
        let (from, to) = (self.from, self.to);
        let accepted = match how {
            Topmost::Checked => (from..=to).contains(&topmost) && topmost != MAX,
            Topmost::Unchecked => topmost != MAX,
            Topmost::MaxAllowed => true,
        };
        if accepted {
            Ok(())
        } else {
            Err(ExchangeError::TopmostOutOfRange { topmost, from, to })
        }
    }
}

impl<S: Space> Delivering<S> {
    fn new(topmost: u64, hashes: &[S::Address], wanted: &[usize]) -> Self {
        let mut seen = SortedSet::new();
        let all = wanted.iter().map(|index| hashes[*index]);
        Self {
            topmost,
            expected: wanted.len(),
            outstanding: all
                .filter(|hash| seen.insert(*hash, ()).is_none())
                .collect(),
            kept: Vec::new(),
            rejected: Vec::new(),
        }
    }

    /// Strikes a delivery off and keeps it, unless its stamp is not verifiable; whether that is so.
    fn take(
        &mut self,
        delivery: Delivery<S>,
        verifier: &S::Verifier,
        how: &Strategies,
    ) -> Result<bool, ExchangeError> {
        let Delivery {
            address,
            data,
            stamp,
        } = delivery;
        let address = address.ok_or(ExchangeError::UnsolicitedChunk)?;
        let at = self.outstanding.iter().position(|hash| *hash == address);
        let next = (!self.outstanding.is_empty()).then_some(0);
        let at = match how.solicited {
            Solicited::Checked => at,
            Solicited::Unchecked => at.or(next),
        };
        self.outstanding
            .remove(at.ok_or(ExchangeError::UnsolicitedChunk)?);
        self.expected -= 1;
        if !S::is_stamped(verifier, &address, &stamp) {
            self.reject(address, how.stamps)?;
            return Ok(true);
        }
        if how.content == Content::Checked && !S::is_valid(&address, &data) {
            return Err(ExchangeError::InvalidChunk);
        }
        self.kept.push(Chunk {
            address,
            data,
            stamp,
        });
        Ok(false)
    }

    fn reject(&mut self, address: S::Address, how: Stamps) -> Result<(), ExchangeError> {
        let fatal = match how {
            Stamps::LeftOut => false,
            Stamps::Fatal => true,
            Stamps::FatalIfLast => self.expected == 0,
        };
        if fatal {
            return Err(ExchangeError::InvalidStamp);
        }
        self.rejected.push(address);
        Ok(())
    }

    fn complete(self) -> Complete<S> {
        Complete {
            topmost: self.topmost,
            kept: self.kept,
            rejected: self.rejected,
        }
    }
}

fn check_zero<S: Space>(hashes: &[S::Address], how: ZeroAddress) -> Result<(), ExchangeError> {
    match (hashes.iter().position(S::is_zero), how) {
        (Some(index), ZeroAddress::Refused) => Err(ExchangeError::ZeroAddress(index)),
        (None, _) | (_, ZeroAddress::Wanted) => Ok(()),
    }
}

/// Indices of the hashes wanted, ascending.
fn wanted<S: Space>(
    hashes: &[S::Address],
    mut has: impl FnMut(&S::Address) -> Result<bool, StoreError>,
    how: Repeats,
) -> Result<Vec<usize>, StoreError> {
    let mut seen = SortedSet::new();
    let mut wanted = Vec::new();
    for (index, hash) in hashes.iter().enumerate() {
        let again = seen.insert(*hash, ()).is_some();
        if (again && how == Repeats::Once) || has(hash)? {
            continue;
        }
        wanted.push(index);
    }
    Ok(wanted)
}

fn bits(length: usize, wanted: &[usize]) -> BitVector {
    let mut bits = BitVector::new(length).expect("there is at least one hash");
    for index in wanted {
        bits.set(*index)
            .expect("the index is that of one of the hashes");
    }
    bits
}
