//! Records: numbers (3.1), routes (3.2, 13.1), deltas (13.2).

mod cursor;
mod delta;
mod number;
mod route;

pub use delta::{decode_delta, encode_delta};
pub use number::{decode_delta_floor, decode_next_route_id, decode_version, encode_number};
pub use route::{decode_route, encode_route};
