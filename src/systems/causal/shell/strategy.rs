//! Where the shell and its ancestors differ. One choice per known defect of progress (section 9).

use super::monitor::Monitor;

/// The choices of one shell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Strategies {
    /// D13.
    pub waking: Waking,
    /// D14, D15.
    pub handover: Handover,
    /// D24.
    pub closing: Closing,
}

/// How a routine is woken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waking {
    /// However often it is set before it is taken, a wake-up is one; setting it waits for nobody.
    Coalesced,
    /// Through a channel that holds one: if it is found empty, one is sent, which waits while it is full
    /// (D13).
    CheckThenSend,
}

/// What a caller holds while it hands a local operation over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handover {
    /// Nothing.
    Queued,
    /// The lock of the state, which deliveries need (D14).
    UnderLock,
    /// The same, also while the operation is yet to come in (D15).
    LockedWhileBuilt,
}

/// Whether a close wakes those who wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closing {
    /// Yes.
    Wakes,
    /// No: who waits already, waits on (D24).
    Silent,
}

impl Strategies {
    /// As the spec demands.
    pub const REFERENCE: Self = Self {
        waking: Waking::Coalesced,
        handover: Handover::Queued,
        closing: Closing::Wakes,
    };
}

impl Closing {
    /// Closes what `close` closes.
    pub(super) fn close<T>(self, monitor: &Monitor<T>, close: impl FnOnce(&mut T)) {
        match self {
            Self::Wakes => monitor.change(close),
            Self::Silent => monitor.silently(close),
        }
    }
}
