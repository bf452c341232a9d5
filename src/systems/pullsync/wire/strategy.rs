//! Where frames of the reference and of its ancestors differ (11).

use serde::Serialize;

/// The choices of one side's frames.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Strategies {
    /// D9.
    pub frame_end: FrameEnd,
    /// D10.
    pub oversized: Oversized,
    /// D12.
    pub leftover: Leftover,
    /// Our own.
    pub body: Body,
}

/// A stream that ends right behind the length of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum FrameEnd {
    /// It was cut (6, rule 4).
    Cut,
    /// It came to its end (D9).
    Clean,
}

/// A body that no reader accepts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Oversized {
    /// It is not written (6).
    Refused,
    /// It is written (D10).
    Written,
}

/// What arrives together with the range of a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Leftover {
    /// It is read next (6).
    Kept,
    /// It is lost, as the reader is replaced (D12).
    Lost,
}

/// A body that arrives in several pieces.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Body {
    /// It is waited for (6, rule 4).
    Whole,
    /// What is there of it is taken, and zeros for the rest, as by a read whose count nobody looks at.
    OneRead,
}

impl Strategies {
    /// What the spec demands.
    pub const REFERENCE: Self = Self {
        frame_end: FrameEnd::Cut,
        oversized: Oversized::Refused,
        leftover: Leftover::Kept,
        body: Body::Whole,
    };

    /// The version that was studied, with no remedy.
    pub const UPSTREAM: Self = Self {
        frame_end: FrameEnd::Clean,
        oversized: Oversized::Written,
        leftover: Leftover::Lost,
        body: Body::Whole,
    };
}
