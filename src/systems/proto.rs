//! Fields of protobuf as they are written. Keys and varints are prost's.
//!
//! What is read differs from system to system, and from prost: see the systems' own readers.

use prost::encoding::{self, WireType};

/// Writes a string or bytes, also if they are empty.
pub(crate) fn put_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encoding::encode_key(number, WireType::LengthDelimited, out);
    encoding::encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Writes a number, also 0.
pub(crate) fn put_varint(number: u32, value: u64, out: &mut Vec<u8>) {
    encoding::encode_key(number, WireType::Varint, out);
    encoding::encode_varint(value, out);
}

/// Bytes that [`put_bytes`] writes for so many.
pub(crate) const fn bytes_len(number: u32, length: usize) -> usize {
    encoding::key_len(number) + encoding::encoded_len_varint(length as u64) + length
}

/// Bytes that [`put_varint`] writes.
pub(crate) const fn varint_len(number: u32, value: u64) -> usize {
    encoding::key_len(number) + encoding::encoded_len_varint(value)
}
