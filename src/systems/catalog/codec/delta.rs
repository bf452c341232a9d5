//! Delta records (13.2).
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;

use crate::catalog::delta::Delta;
use crate::catalog::error::Error;
use crate::catalog::strategy::Settings;

/// Validates first.
pub fn encode_delta(_delta: &Delta, _settings: &Settings) -> Result<Bytes, Error> {
    todo!()
}

pub fn decode_delta(_raw: &[u8], _settings: &Settings) -> Result<Delta, Error> {
    todo!()
}
