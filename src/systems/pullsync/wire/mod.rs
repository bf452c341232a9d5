//! Messages as bytes, and frames (6).

mod faulty;
mod fields;
mod frame;
mod message;
mod strategy;

pub use frame::{FrameError, Reader, frame, frame_by};
pub use message::{InconsistentHashLength, Kind, Malformed, Message};
pub use strategy::{Body, FrameEnd, Leftover, Oversized, Strategies};

use super::message::Protocol;

/// The id of a stream (6).
pub const fn protocol_id(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Pullsync => "/penguin/pullsync/1.0.0/pullsync",
        Protocol::Cursors => "/penguin/pullsync/1.0.0/cursors",
        Protocol::Cancel => "/penguin/pullsync/1.0.0/cancel",
    }
}
