//! Framed codec: frames, messages in protobuf, and what carries them (section 4).

mod error;
mod frame;
mod message;
mod transport;
mod wire;

pub use error::{Error, Reason};
pub use frame::{first_frame, frame, unframe};
pub use message::{Append, Create, Delete, Expunge, Msg, Operation, Store};
pub use transport::{decode_bulk, decode_confirmation, encode_bulk, encode_confirmation};
