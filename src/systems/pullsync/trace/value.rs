//! Interval sets and bit vectors by name (12.1, 12.2).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::pullsync::bits::{BitVector, InvalidLength};
use crate::pullsync::interval::IntervalSet;
use crate::replay::{Answer, Args, Flaw};

use super::code;
use super::json::{self, bytes, hex};
use super::names::{Names, not_created};

/// Most bits of a vector, which bounds what a step can allocate.
const MAX_LENGTH: u64 = 1_048_576;

/// The sets and vectors that exist.
#[derive(Debug, Default)]
pub(super) struct Values {
    sets: BTreeMap<SmolStr, IntervalSet>,
    vectors: BTreeMap<SmolStr, BitVector>,
}

/// One operation on a set or vector.
#[derive(Debug)]
pub(super) enum Call {
    NewSet {
        set: SmolStr,
        start: u64,
    },
    DecodeSet {
        set: SmolStr,
        data: Bytes,
    },
    MergeSets {
        set: SmolStr,
        other: SmolStr,
    },
    Set(SmolStr, SetCall),
    NewVector {
        vector: SmolStr,
        length: usize,
    },
    VectorFromBytes {
        vector: SmolStr,
        bytes: Bytes,
        length: usize,
    },
    Bit(SmolStr, BitCall, usize),
}

/// An operation on a set that exists.
#[derive(Debug)]
pub(super) enum SetCall {
    Add { start: u64, end: u64 },
    Next { ceiling: Option<u64> },
    Last,
    Ranges,
    Encode,
}

/// An operation on a bit of a vector that exists.
#[derive(Debug)]
pub(super) enum BitCall {
    Get,
    Set,
    Unset,
}

impl Call {
    /// Reads the operation that `op` names, if it names one.
    pub(super) fn read(op: &str, args: &Args<'_>, names: &mut Names) -> Result<Option<Self>, Flaw> {
        let Names { sets, vectors, .. } = names;
        let number = |field| args.u64(field);
        let length = || args.integer("len", 0..=MAX_LENGTH).map(json::size);
        let index = || args.u64("index").map(json::size);
        Ok(Some(match op {
            "interval_new" => Self::NewSet {
                set: sets.renewed(args, "set")?,
                start: number("start")?,
            },
            "interval_add" => {
                let set = sets.known(args, "set")?;
                let (start, end) = (number("start")?, number("end")?);
                Self::Set(set, SetCall::Add { start, end })
            }
            "interval_merge" => Self::MergeSets {
                set: sets.known(args, "set")?,
                other: sets.known(args, "other")?,
            },
            "interval_next" => {
                let set = sets.known(args, "set")?;
                let ceiling = args.nullable("ceiling", Args::u64)?;
                Self::Set(set, SetCall::Next { ceiling })
            }
            "interval_last" => Self::Set(sets.known(args, "set")?, SetCall::Last),
            "interval_ranges" => Self::Set(sets.known(args, "set")?, SetCall::Ranges),
            "interval_encode" => Self::Set(sets.known(args, "set")?, SetCall::Encode),
            "interval_decode" => Self::DecodeSet {
                set: sets.renewed(args, "set")?,
                data: bytes(args, "data")?,
            },
            "bitvector_new" => Self::NewVector {
                vector: vectors.renewed(args, "vec")?,
                length: length()?,
            },
            "bitvector_from_bytes" => Self::VectorFromBytes {
                vector: vectors.renewed(args, "vec")?,
                bytes: bytes(args, "bytes")?,
                length: length()?,
            },
            "bitvector_get" => Self::Bit(vectors.known(args, "vec")?, BitCall::Get, index()?),
            "bitvector_set" => Self::Bit(vectors.known(args, "vec")?, BitCall::Set, index()?),
            "bitvector_unset" => Self::Bit(vectors.known(args, "vec")?, BitCall::Unset, index()?),
            _ => return Ok(None),
        }))
    }
}

impl Values {
    pub(super) fn call(&mut self, call: Call) -> Result<Answer, Flaw> {
        let Self { sets, vectors } = self;
        Ok(match call {
            Call::NewSet { set, start } => {
                sets.insert(set, IntervalSet::new(start));
                Answer::Returns(Value::Null)
            }
            Call::DecodeSet { set, data } => match IntervalSet::decode(&data) {
                Ok(decoded) => {
                    let told = json::set(&decoded);
                    sets.insert(set, decoded);
                    Answer::Returns(told)
                }
                Err(error) => code::parse(error),
            },
            Call::MergeSets { set, other } => {
                let other = created(sets, "other", &other)?.clone();
                let set = created(sets, "set", &set)?;
                set.merge(&other);
                Answer::Returns(json::ranges(set))
            }
            Call::Set(set, call) => call.on(created(sets, "set", &set)?),
            Call::NewVector { vector, length } => keep(vectors, vector, BitVector::new(length)),
            Call::VectorFromBytes {
                vector,
                bytes,
                length,
            } => keep(vectors, vector, BitVector::from_bytes(&bytes, length)),
            Call::Bit(vector, call, index) => call.on(created(vectors, "vec", &vector)?, index),
        })
    }
}

impl SetCall {
    fn on(self, set: &mut IntervalSet) -> Answer {
        match self {
            Self::Add { start, end } => match set.add(start, end) {
                Ok(()) => Answer::Returns(json::ranges(set)),
                Err(_) => Answer::Fails("invalid_range"),
            },
            Self::Next { ceiling } => Answer::Returns(json!(set.next(ceiling))),
            Self::Last => Answer::Returns(json!(set.last())),
            Self::Ranges => Answer::Returns(json::set(set)),
            Self::Encode => Answer::Returns(hex(set.encode())),
        }
    }
}

impl BitCall {
    fn on(self, vector: &mut BitVector, index: usize) -> Answer {
        let told = match self {
            Self::Get => vector.get(index).map(Value::Bool),
            Self::Set => vector.set(index).map(|()| hex(vector.bytes())),
            Self::Unset => vector.unset(index).map(|()| hex(vector.bytes())),
        };
        told.map_or(Answer::Fails("index_out_of_range"), Answer::Returns)
    }
}

/// A value whose name an earlier step gave.
fn created<'a, T>(
    values: &'a mut BTreeMap<SmolStr, T>,
    field: &str,
    name: &SmolStr,
) -> Result<&'a mut T, Flaw> {
    let value = values.get_mut(name);
    value.ok_or_else(|| not_created(field, name))
}

/// Keeps the vector that was made; a failure leaves an older one of that name alone.
fn keep(
    vectors: &mut BTreeMap<SmolStr, BitVector>,
    name: SmolStr,
    made: Result<BitVector, InvalidLength>,
) -> Answer {
    match made {
        Ok(vector) => {
            let told = hex(vector.bytes());
            vectors.insert(name, vector);
            Answer::Returns(told)
        }
        Err(_) => Answer::Fails(code::INVALID_LENGTH),
    }
}
