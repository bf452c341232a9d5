//! One direction of a stream: bytes that arrive in pieces, until it ends.

use std::collections::VecDeque;

use bytes::Bytes;
use concord_systems::pullsync::wire::{self, FrameError, Message, frame_by};
use serde::Serialize;

/// What was written and did not arrive yet.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub(super) struct Pipe {
    frames: VecDeque<Bytes>,
    /// Bytes of the first frame that arrived.
    arrived: usize,
    /// How it ends once all has arrived; a reset does not wait for that.
    ending: Option<Ending>,
    /// What was written and was not read yet, as its writer meant it.
    pub(super) unread: VecDeque<Message>,
}

/// How a direction ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) enum Ending {
    /// Its writer closed it.
    Closed,
    /// It was cut, which its writer does not know. Its reader sees the same as after a close.
    Cut,
    /// Its writer reset it.
    Reset,
}

impl Pipe {
    /// Writes a frame. What follows the end of the direction is lost.
    pub(super) fn write(
        &mut self,
        message: Message,
        how: &wire::Strategies,
    ) -> Result<(), FrameError> {
        let frame = frame_by(&message, how)?;
        if self.ending.is_none() {
            self.frames.push_back(frame);
            self.unread.push_back(message);
        }
        Ok(())
    }

    /// Ends the direction, unless it ended before.
    pub(super) fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }

    /// The direction ends here: what did not arrive is lost. Only if there is any.
    pub(super) fn cut(&mut self) -> Option<()> {
        if self.frames.is_empty() || self.ending == Some(Ending::Reset) {
            return None;
        }
        self.frames.clear();
        self.unread.clear();
        self.ending = Some(Ending::Cut);
        Some(())
    }

    /// The end, if its reader can see it now.
    pub(super) fn seen_end(&self) -> Option<Ending> {
        let ending = self.ending?;
        let seen = ending == Ending::Reset || self.frames.is_empty();
        seen.then_some(ending)
    }

    /// Whether the reader holds a part of a frame and not all of it.
    pub(super) fn is_within_frame(&self) -> bool {
        self.arrived > 0
    }

    /// Of how many bytes the next piece may be: up to the first byte of a length, to its end, to the first
    /// byte of a body, to the last but one or to the end, of each frame.
    pub(super) fn pieces(&self) -> Vec<u32> {
        let mut start = 0;
        let mut pieces = Vec::new();
        for frame in &self.frames {
            let length = frame.iter().take_while(|byte| **byte >= 0x80).count() + 1;
            let within = [1, length, length + 1, frame.len() - 1, frame.len()];
            let within = within.into_iter().filter(|cut| *cut <= frame.len());
            pieces.extend(within.map(|cut| start + cut));
            start += frame.len();
        }
        pieces.retain(|cut| *cut > self.arrived);
        pieces.sort_unstable();
        pieces.dedup();
        let pieces = pieces.into_iter();
        pieces.map(|cut| (cut - self.arrived) as u32).collect()
    }

    /// Takes a piece, and how many frames end with it.
    pub(super) fn take(&mut self, bytes: u32) -> Option<(Vec<u8>, usize)> {
        let mut left = bytes as usize;
        let mut piece = Vec::with_capacity(left);
        let mut whole = 0;
        while left > 0 {
            let rest = &self.frames.front()?[self.arrived..];
            let taken = left.min(rest.len());
            piece.extend_from_slice(&rest[..taken]);
            left -= taken;
            if taken == rest.len() {
                self.frames.pop_front();
                self.arrived = 0;
                whole += 1;
            } else {
                self.arrived += taken;
            }
        }
        Some((piece, whole))
    }

    /// Nobody reads any more: what is there, and what is still written, is lost.
    pub(super) fn stop(&mut self) {
        *self = Self {
            ending: Some(Ending::Reset),
            ..Self::default()
        };
    }

    /// Heap bytes, those shared with other states included.
    pub(super) fn heap_bytes(&self) -> usize {
        self.frames.iter().map(Bytes::len).sum()
    }
}
