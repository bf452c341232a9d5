//! Reading the fields of a message (6).
//!
//! Not prost's readers: they refuse tags above 32 bits and tenth bytes above 1, compare the numbers of
//! groups, and limit their depth.

use std::ops::Range;

use bytes::Bytes;
use prost::encoding::WireType;

use super::Malformed;

/// Most bytes of a varint.
const MAX_VARINT: usize = 10;

/// The fields of one message, in order.
pub(super) struct Fields<'a> {
    raw: &'a Bytes,
    at: usize,
}

/// A field whose value was stepped over. Which wire type it must have is asked when that is taken.
pub(super) struct Field<'a> {
    /// From 1.
    pub(super) number: u64,
    raw: &'a Bytes,
    /// Where its value begins.
    at: usize,
    value: Value,
}

enum Value {
    Varint(u64),
    Bytes(Range<usize>),
    /// Of a wire type that no field of ours has.
    Other,
}

impl<'a> Fields<'a> {
    pub(super) fn new(raw: &'a Bytes) -> Self {
        Self { raw, at: 0 }
    }

    /// The next field; none at the end of the message. O(1) but for groups, which are O(length).
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        if self.at == self.raw.len() {
            return Ok(None);
        }
        let start = self.at;
        let (number, wire_type) = self.key()?;
        let at = self.at;
        let value = match wire_type {
            WireType::StartGroup => self.group()?,
            WireType::EndGroup => return Err(error(start, "the end of a group that has no start")),
            wire_type => self.value(wire_type)?,
        };
        Ok(Some(Field {
            number,
            raw: self.raw,
            at,
            value,
        }))
    }

    /// Number and wire type of a field. The number has no bound but that of a varint.
    fn key(&mut self) -> Result<(u64, WireType), Malformed> {
        let start = self.at;
        let key = varint(self.raw, &mut self.at)?;
        let wire_type = WireType::try_from(key & 7)
            .map_err(|_| error(start, "a wire type above 5, expected 0 to 5"))?;
        match key >> 3 {
            0 => Err(error(start, "field number 0, expected at least 1")),
            number => Ok((number, wire_type)),
        }
    }

    /// Steps over a value that is no group.
    fn value(&mut self, wire_type: WireType) -> Result<Value, Malformed> {
        match wire_type {
            WireType::Varint => varint(self.raw, &mut self.at).map(Value::Varint),
            WireType::SixtyFourBit => self.take(8).map(|_| Value::Other),
            WireType::LengthDelimited => {
                let length = varint(self.raw, &mut self.at)?;
                self.take(length).map(Value::Bytes)
            }
            WireType::StartGroup | WireType::EndGroup => Ok(Value::Other),
            WireType::ThirtyTwoBit => self.take(4).map(|_| Value::Other),
        }
    }

    /// Steps over the rest of a group, its numbers known or not. Groups within it are counted, since a
    /// message may open more of them than a stack holds.
    fn group(&mut self) -> Result<Value, Malformed> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.key()?.1 {
                WireType::StartGroup => depth += 1,
                WireType::EndGroup => depth -= 1,
                wire_type => {
                    self.value(wire_type)?;
                }
            }
        }
        Ok(Value::Other)
    }

    fn take(&mut self, length: u64) -> Result<Range<usize>, Malformed> {
        let start = self.at;
        let left = self.raw.len() - start;
        match usize::try_from(length) {
            Ok(length) if length <= left => {
                self.at += length;
                Ok(start..self.at)
            }
            _ => Err(error(start, "a value longer than what is left")),
        }
    }
}

impl Field<'_> {
    /// A number.
    pub(super) fn number(&self) -> Result<u64, Malformed> {
        match self.value {
            Value::Varint(value) => Ok(value),
            _ => Err(error(self.at, "another wire type, expected a varint")),
        }
    }

    /// Bytes, as a slice of the message.
    pub(super) fn bytes(&self) -> Result<Bytes, Malformed> {
        match &self.value {
            Value::Bytes(range) => Ok(self.raw.slice(range.clone())),
            _ => Err(error(self.at, "another wire type, expected bytes")),
        }
    }

    /// Appends one number, or a block of packed ones, none of which may cross its end (D11).
    pub(super) fn numbers_into(&self, numbers: &mut Vec<u64>) -> Result<(), Malformed> {
        let range = match &self.value {
            Value::Varint(value) => {
                numbers.push(*value);
                return Ok(());
            }
            Value::Bytes(range) => range,
            Value::Other => {
                return Err(error(
                    self.at,
                    "another wire type, expected a varint or a block of them",
                ));
            }
        };
        let (block, mut at) = (&self.raw[..range.end], range.start);
        while at < block.len() {
            numbers.push(varint(block, &mut at)?);
        }
        Ok(())
    }
}

/// The varint at `at`. What exceeds 64 bits in its tenth byte is dropped.
fn varint(raw: &[u8], at: &mut usize) -> Result<u64, Malformed> {
    let start = *at;
    let mut value = 0;
    for (place, byte) in raw[start..].iter().take(MAX_VARINT).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if *byte < 0x80 {
            *at = start + place + 1;
            return Ok(value);
        }
    }
    if raw.len() - start < MAX_VARINT {
        Err(error(start, "a varint that does not end"))
    } else {
        Err(error(start, "a varint of more than ten bytes"))
    }
}

fn error(at: usize, what: &'static str) -> Malformed {
    Malformed { at, what }
}
