//! Keys of sub-counters: as the text of the spec, or as small integers.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize, Serializer};

use crate::merkle::driver::mixed;
use crate::merkle::key::norm;
use crate::merkle::value::{Bytes, decode, encode};
use crate::merkle::{Block, Ids};

use super::message::Direction;

/// How full keys are made from their parts and found again (CTR-2 to CTR-4), and values as bytes.
pub trait Space: Ids {
    /// Names a counter; always in normal form.
    type DataKey: Clone + Ord + Hash + Debug + Serialize + Send + Sync;
    /// Names a node.
    type Node: Clone + Ord + Hash + Debug + Serialize + Send + Sync;
    /// A prefix, made once per query.
    type View;
    /// Names a process life (CTR-5).
    type Generation: Copy + Ord + Hash + Debug + Serialize + Send + Sync;

    /// The full key of a sub-counter (CTR-3).
    fn full(
        direction: Direction,
        key: &Self::DataKey,
        node: &Self::Node,
        generation: &Self::Generation,
    ) -> Self::Key;

    /// The prefix below which the sub-counters of a counter stand (CTR-3).
    fn view(direction: Direction, key: &Self::DataKey) -> Self::View;

    /// The least key that can lie below a prefix. All that do follow it in the order of keys without
    /// a gap.
    fn floor(view: &Self::View) -> Self::Key;

    /// Where `full` lies as seen from a prefix.
    fn place(view: &Self::View, full: &Self::Key) -> Place;

    /// A value that holds `total` (CTR-6).
    fn encode(total: u64) -> Self::Value;

    /// The total that a value holds (CTR-6).
    fn decode(value: &Self::Value) -> u64;

    /// A name that one write of one process life has for itself ([`super::TotalSource::Events`]).
    fn event(generation: &Self::Generation, nth: u64) -> Self::Generation;
}

/// Where a full key lies as seen from the prefix of a counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Not below it.
    Outside,
    /// Exactly two segments below it: a sub-counter of this very counter.
    Own,
    /// At another depth: a sub-counter of some other counter (C-6).
    Nested,
}

/// Keys as in the spec, over any block address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Text<A>(PhantomData<A>);

/// A data key in normal form (CTR-2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct DataKey(Arc<str>);

impl DataKey {
    /// Brings `key` to normal form. O(length).
    pub fn new(key: &str) -> Self {
        Self(norm(key).into())
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Equal, ordered and hashed as its normal form is.
impl Borrow<str> for DataKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A generation: 16 random bytes (CTR-5), drawn by the caller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub [u8; 16]);

impl Generation {
    /// Reads 32 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()?;
        Some(Self(bytes))
    }
}

impl std::fmt::Display for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Generation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<A> Text<A> {
    /// The counter and direction whose sub-counter has this full key, if one has. O(length).
    pub fn counter_of(full: &str) -> Option<(Direction, DataKey)> {
        let below = full.strip_prefix(STATS)?;
        let directions = [Direction::Incr, Direction::Decr];
        let (direction, rest) = directions.into_iter().find_map(|direction| {
            let rest = below.strip_prefix(direction.segment())?;
            Some((direction, rest))
        })?;
        let mut segments = rest.rsplitn(3, '/');
        let (_generation, _node) = (segments.next()?, segments.next()?);
        let key = segments.next()?;
        (key.is_empty() || key.starts_with('/')).then(|| (direction, DataKey::new(key)))
    }
}

impl<A: Copy + Ord + Hash + Debug + Serialize + Send + Sync + 'static> Ids for Text<A> {
    type Key = Arc<str>;
    type Value = Bytes;
    type Address = A;
}

impl<A: Copy + Ord + Hash + Debug + Serialize + Send + Sync + 'static> Space for Text<A> {
    type DataKey = DataKey;
    type Node = Arc<str>;
    /// The floor itself: what begins with it and goes on lies below the prefix.
    type View = Arc<str>;
    type Generation = Generation;

    fn full(
        direction: Direction,
        key: &DataKey,
        node: &Arc<str>,
        generation: &Generation,
    ) -> Arc<str> {
        let mut full = below_stats(direction, key, node.len() + 33);
        full.push_str(node);
        full.push('/');
        HEXLOWER.encode_append(&generation.0, &mut full);
        full.into()
    }

    fn view(direction: Direction, key: &DataKey) -> Arc<str> {
        below_stats(direction, key, 0).into()
    }

    fn floor(view: &Arc<str>) -> Arc<str> {
        Arc::clone(view)
    }

    fn place(view: &Arc<str>, full: &Arc<str>) -> Place {
        match full.strip_prefix(view.as_ref()) {
            None | Some("") => Place::Outside,
            Some(rest) if slashes(rest) == 1 => Place::Own,
            Some(_) => Place::Nested,
        }
    }

    fn encode(total: u64) -> Bytes {
        encode(total)
    }

    fn decode(value: &Bytes) -> u64 {
        decode(value)
    }

    fn event(generation: &Generation, nth: u64) -> Generation {
        let mut bytes = generation.0;
        for (byte, more) in bytes[8..].iter_mut().zip(nth.to_be_bytes()) {
            *byte ^= more;
        }
        Generation(bytes)
    }
}

/// Below which all sub-counters stand (CTR-3).
const STATS: &str = "/STATS/";

/// The prefix of a counter and a slash, with room for `more`. Only the data key can be "/", every
/// other part is one segment.
fn below_stats(direction: Direction, key: &DataKey, more: usize) -> String {
    let parts = match key.as_str() {
        "/" => [STATS, direction.segment(), "", "/"],
        key => [STATS, direction.segment(), key, "/"],
    };
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut below = String::with_capacity(length + more);
    parts.iter().for_each(|part| below.push_str(part));
    below
}

/// Counted in bytes, of which a register holds many: reads spend their time here.
fn slashes(text: &str) -> usize {
    let chunks = text.as_bytes().chunks(usize::from(u8::MAX));
    let in_chunk = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(*byte == b'/')).sum::<u8>();
    chunks.map(|chunk| usize::from(in_chunk(chunk))).sum()
}

/// Keys as small integers, for models. Data keys do not nest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct Small;

/// The full key of a sub-counter over [`Small`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct SmallKey {
    /// Up or down.
    pub direction: Direction,
    /// The counter.
    pub key: u8,
    /// The node.
    pub node: u8,
    /// The process life.
    pub generation: u8,
}

impl Ids for Small {
    type Key = SmallKey;
    type Value = u64;
    type Address = SmallAddress;
}

impl Space for Small {
    type DataKey = u8;
    type Node = u8;
    type View = (Direction, u8);
    type Generation = u8;

    fn full(direction: Direction, key: &u8, node: &u8, generation: &u8) -> SmallKey {
        SmallKey {
            direction,
            key: *key,
            node: *node,
            generation: *generation,
        }
    }

    fn view(direction: Direction, key: &u8) -> (Direction, u8) {
        (direction, *key)
    }

    fn floor(&(direction, key): &(Direction, u8)) -> SmallKey {
        Self::full(direction, &key, &0, &0)
    }

    fn place(&(direction, key): &(Direction, u8), full: &SmallKey) -> Place {
        if full.direction == direction && full.key == key {
            Place::Own
        } else {
            Place::Outside
        }
    }

    fn encode(total: u64) -> u64 {
        total
    }

    fn decode(value: &u64) -> u64 {
        *value
    }

    fn event(generation: &u8, nth: u64) -> u8 {
        // Lives are few in a model; the upper half of the range is left to events.
        let nth = u8::try_from(nth).unwrap_or(u8::MAX);
        0x80_u8
            .wrapping_add(generation.wrapping_mul(16))
            .wrapping_add(nth)
    }
}

/// The address of a block over [`Small`] says what the block holds, so that paths can be read; what
/// does not fit is hashed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SmallAddress(u64);

impl SmallAddress {
    /// The address of `block`. Equal content gives equal addresses; in one model, where heights,
    /// values and lives are small, different content different ones but for a hash of 32 bits over
    /// the parents.
    pub fn of(block: &Block<Small>) -> Self {
        let parents = block.parents.iter().map(|parent| parent.0);
        let words = [block.height, block.value].into_iter().chain(parents);
        let hash = mixed(words) >> 32;
        let key = block.key;
        let fields = [
            (block.height, 8),
            (u64::from(key.node), 3),
            (u64::from(key.generation), 8),
            (key.direction as u64, 1),
            (u64::from(key.key), 4),
            (block.value, 8),
        ];
        let packed = fields.iter().fold(0, |packed, (field, bits)| {
            packed << bits | field & ((1 << bits) - 1)
        });
        Self(packed << 32 | hash)
    }
}

/// For example `a0+k1=2@3`: node a in life 0 raised counter 1 to 2 at height 3.
impl Debug for SmallAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let field = |from: u32, bits: u32| self.0 >> from & ((1 << bits) - 1);
        let node = char::from(b'a' + field(53, 3) as u8);
        let sign = if field(44, 1) == 0 { '+' } else { '-' };
        let (life, key, value, height) = (field(45, 8), field(40, 4), field(32, 8), self.0 >> 56);
        write!(f, "{node}{life}{sign}k{key}={value}@{height}")
    }
}
