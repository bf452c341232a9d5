//! Messages as bytes, and frames (6).
#![allow(missing_docs, reason = "skeleton")]

mod frame;
mod message;

pub use frame::{FrameError, Reader, frame};
pub use message::{InconsistentHashLength, Kind, Malformed, Message};

use super::message::Protocol;

/// The id of a stream.
pub const fn protocol_id(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Pullsync => "/penguin/pullsync/1.0.0/pullsync",
        Protocol::Cursors => "/penguin/pullsync/1.0.0/cursors",
        Protocol::Cancel => "/penguin/pullsync/1.0.0/cancel",
    }
}
