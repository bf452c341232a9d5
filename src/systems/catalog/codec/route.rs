//! Route records, codec versions 1 and 2 (3.2, 13.1).
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;

use crate::catalog::error::Error;
use crate::catalog::route::Route;
use crate::catalog::strategy::Settings;

/// Validates first. The level decides the codec version.
pub fn encode_route(_route: &Route, _settings: &Settings) -> Result<Bytes, Error> {
    todo!()
}

/// In the order of 3.2.
pub fn decode_route(_raw: &[u8], _settings: &Settings) -> Result<Route, Error> {
    todo!()
}
