//! Records (3, 13.1, 13.2).
#![allow(missing_docs, reason = "skeleton")]

mod delta;
mod number;
mod route;

pub use delta::{decode_delta, encode_delta};
pub use number::{decode_delta_floor, decode_next_route_id, decode_version, encode_number};
pub use route::{decode_route, encode_route};
