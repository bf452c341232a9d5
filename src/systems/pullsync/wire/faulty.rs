//! What frames do where the reference is not followed.

use bytes::BytesMut;

use super::message::Kind;
use super::strategy::{Body, FrameEnd, Leftover, Strategies};

/// Whether a cut behind the length of a frame counts as the end of the stream (D9).
pub(super) fn ends_cleanly(behind_length: bool, how: &Strategies) -> bool {
    behind_length && how.frame_end == FrameEnd::Clean
}

/// Replaces the reader after a range: what it held is lost (D12).
pub(super) fn replace(buffer: &mut BytesMut, kind: Kind, how: &Strategies) {
    if how.leftover == Leftover::Lost && kind == Kind::GetRange {
        buffer.clear();
    }
}

/// Takes what is there of a body for the whole of it. The body begins at `start`.
pub(super) fn fill(buffer: &mut BytesMut, start: usize, length: usize, how: &Strategies) {
    let end = start + length;
    if how.body == Body::OneRead && (start + 1..end).contains(&buffer.len()) {
        buffer.resize(end, 0);
    }
}
