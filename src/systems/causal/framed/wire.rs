//! The wire format of protobuf, as 4.2 reads and writes it.
//!
//! Varints and keys are prost's. Its readers of fields are not used, since they skip unknown groups
//! and ask no map for its wire type; nor its writer of maps, which omits empty keys and zeros.

use std::ops::Range;

use bytes::Bytes;
use prost::encoding::{self, WireType};

use super::{Error, Reason};
use crate::causal::Name;
use crate::proto;

/// A message all of whose fields are strings or bytes, as all sub-messages are.
pub(super) trait Fields: Default {
    /// Takes in one field as it is read; one that it does not know it leaves.
    fn merge(&mut self, field: &Field<'_>) -> Result<(), Error>;
    /// Gives number and bytes of each field that is written, in ascending number.
    fn each<'a>(&'a self, give: &mut dyn FnMut(u32, &'a [u8]));
}

/// Reads one message, be it the whole input or a part of it; never past its end.
pub(super) struct Reader<'a> {
    raw: &'a Bytes,
    at: usize,
    end: usize,
}

/// A field as it was read. Which wire type it must have is asked when its value is taken.
pub(super) struct Field<'a> {
    /// From 1.
    pub(super) number: u32,
    raw: &'a Bytes,
    /// Where its value begins.
    offset: usize,
    value: Value,
}

enum Value {
    Varint(u64),
    /// Of wire type 1 or 5: no field of ours.
    Fixed(WireType),
    Bytes(Range<usize>),
}

impl<'a> Reader<'a> {
    pub(super) fn new(raw: &'a Bytes) -> Self {
        Self {
            raw,
            at: 0,
            end: raw.len(),
        }
    }

    /// The next field; none at the end of the message.
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, Error> {
        if self.at == self.end {
            return Ok(None);
        }
        let (number, wire_type) = self.key()?;
        let offset = self.at;
        let value = match wire_type {
            WireType::Varint => Value::Varint(self.varint(Some(number))?),
            WireType::SixtyFourBit => {
                self.take(8, number, offset)?;
                Value::Fixed(wire_type)
            }
            WireType::LengthDelimited => {
                let length = self.varint(Some(number))?;
                Value::Bytes(self.take(length, number, offset)?)
            }
            WireType::ThirtyTwoBit => {
                self.take(4, number, offset)?;
                Value::Fixed(wire_type)
            }
            WireType::StartGroup | WireType::EndGroup => {
                let reason = Reason::WireType(wire_type as u8);
                return Err(error(reason, Some(number), offset));
            }
        };
        Ok(Some(Field {
            number,
            raw: self.raw,
            offset,
            value,
        }))
    }

    /// Number and wire type of a field.
    fn key(&mut self) -> Result<(u32, WireType), Error> {
        let offset = self.at;
        let key = self.varint(None)?;
        let fail = |reason| error(reason, None, offset);
        let Ok(short) = u32::try_from(key) else {
            return Err(fail(Reason::KeyTooLarge(key)));
        };
        let wire_type = WireType::try_from(key & 7);
        let wire_type = wire_type.map_err(|_| fail(Reason::WireType((key & 7) as u8)))?;
        match short >> 3 {
            0 => Err(fail(Reason::FieldZero)),
            number => Ok((number, wire_type)),
        }
    }

    fn varint(&mut self, field: Option<u32>) -> Result<u64, Error> {
        let mut rest = &self.raw[self.at..self.end];
        let value = encoding::decode_varint(&mut rest)
            .map_err(|_| error(Reason::Varint, field, self.at))?;
        self.at = self.end - rest.len();
        Ok(value)
    }

    /// Steps over `length` bytes of the value that begins at `offset`.
    fn take(&mut self, length: u64, field: u32, offset: usize) -> Result<Range<usize>, Error> {
        let left = self.end - self.at;
        let start = self.at;
        match usize::try_from(length) {
            Ok(length) if length <= left => self.at += length,
            _ => {
                let reason = Reason::UnfinishedValue {
                    expected: length,
                    left,
                };
                return Err(error(reason, Some(field), offset));
            }
        }
        Ok(start..self.at)
    }
}

impl<'a> Field<'a> {
    /// The low 32 bits of a varint.
    pub(super) fn uint32(&self) -> Result<u32, Error> {
        match self.value {
            Value::Varint(value) => Ok(value as u32),
            _ => Err(self.other(WireType::Varint)),
        }
    }

    /// A string: it must be UTF-8.
    pub(super) fn string(&self) -> Result<Name, Error> {
        match std::str::from_utf8(&self.raw[self.range()?]) {
            Ok(text) => Ok(Name::new(text)),
            Err(_) => Err(error(Reason::Utf8, Some(self.number), self.offset)),
        }
    }

    /// Bytes, as a slice of the input.
    pub(super) fn bytes(&self) -> Result<Bytes, Error> {
        Ok(self.raw.slice(self.range()?))
    }

    /// What reads a sub-message or the entry of a map.
    pub(super) fn message(&self) -> Result<Reader<'a>, Error> {
        let range = self.range()?;
        Ok(Reader {
            raw: self.raw,
            at: range.start,
            end: range.end,
        })
    }

    /// Merges a sub-message into what was read of it before.
    pub(super) fn merge_into<M: Fields>(&self, message: &mut Option<M>) -> Result<(), Error> {
        let mut reader = self.message()?;
        let message = message.get_or_insert_default();
        while let Some(field) = reader.next()? {
            message.merge(&field)?;
        }
        Ok(())
    }

    fn range(&self) -> Result<Range<usize>, Error> {
        match &self.value {
            Value::Bytes(range) => Ok(range.clone()),
            _ => Err(self.other(WireType::LengthDelimited)),
        }
    }

    fn other(&self, expected: WireType) -> Error {
        let found = match &self.value {
            Value::Varint(_) => WireType::Varint,
            Value::Fixed(wire_type) => *wire_type,
            Value::Bytes(_) => WireType::LengthDelimited,
        };
        let reason = Reason::OtherWireType {
            expected: expected as u8,
            found: found as u8,
        };
        error(reason, Some(self.number), self.offset)
    }
}

/// Writes a map entry: field 1 is `key`, field 2 `value`, both also if they are empty or 0.
pub(super) fn put_entry(number: u32, key: &str, value: u32, out: &mut Vec<u8>) {
    let length = proto::bytes_len(1, key.len()) + proto::varint_len(2, value.into());
    encoding::encode_key(number, WireType::LengthDelimited, out);
    encoding::encode_varint(length as u64, out);
    proto::put_bytes(1, key.as_bytes(), out);
    proto::put_varint(2, value.into(), out);
}

/// Writes a sub-message if there is one, also if it is empty.
pub(super) fn put_message(number: u32, message: Option<&impl Fields>, out: &mut Vec<u8>) {
    let Some(message) = message else { return };
    let mut total = 0;
    message.each(&mut |number, bytes| total += proto::bytes_len(number, bytes.len()));
    encoding::encode_key(number, WireType::LengthDelimited, out);
    encoding::encode_varint(total as u64, out);
    out.reserve(total);
    message.each(&mut |number, bytes| proto::put_bytes(number, bytes, out));
}

fn error(reason: Reason, field: Option<u32>, offset: usize) -> Error {
    Error {
        reason,
        field,
        offset,
    }
}
