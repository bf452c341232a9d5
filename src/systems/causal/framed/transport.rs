//! What carries a bulk and its confirmation (4.2, section 10).

use bytes::Bytes;

use super::Error;
use super::wire::Reader;
use crate::proto;

/// `BinMsgs` that carries `data`: the frames of a bulk.
pub fn encode_bulk(data: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(data.len() + 11);
    if !data.is_empty() {
        proto::put_bytes(1, data, &mut out);
    }
    out.into()
}

/// The data of a `BinMsgs`, as a slice of `raw`; empty if it carries none.
///
/// # Errors
/// `invalid_protobuf`.
pub fn decode_bulk(raw: &Bytes) -> Result<Bytes, Error> {
    let mut data = Bytes::new();
    let mut reader = Reader::new(raw);
    while let Some(field) = reader.next()? {
        if field.number == 1 {
            data = field.bytes()?;
        }
    }
    Ok(data)
}

/// `Conf` of a status: 0 if what was received is stored durably, any other for a refusal.
pub fn encode_confirmation(status: u32) -> Bytes {
    let mut out = Vec::new();
    if status != 0 {
        proto::put_varint(1, status.into(), &mut out);
    }
    out.into()
}

/// The status of a `Conf`; 0 if it carries none.
///
/// # Errors
/// `invalid_protobuf`.
pub fn decode_confirmation(raw: &Bytes) -> Result<u32, Error> {
    let mut status = 0;
    let mut reader = Reader::new(raw);
    while let Some(field) = reader.next()? {
        if field.number == 1 {
            status = field.uint32()?;
        }
    }
    Ok(status)
}
