//! Wake-ups.

use std::fmt;

use super::monitor::Monitor;
use super::strategy::{Closing, Waking};

/// The wake-up of one routine. It says that there is something to do, not what: setting it before it is
/// taken makes no difference, and a routine may set its own (D13).
pub struct Wake {
    waking: Waking,
    closing: Closing,
    signal: Monitor<Signal>,
}

#[derive(Default)]
struct Signal {
    set: bool,
    closed: bool,
}

impl Wake {
    pub(super) fn new(waking: Waking, closing: Closing) -> Self {
        Self {
            waking,
            closing,
            signal: Monitor::new(Signal::default()),
        }
    }

    /// Sets it. Waits for nobody.
    pub fn set(&self) {
        match self.waking {
            Waking::Coalesced => self.signal.change(|signal| signal.set = true),
            Waking::CheckThenSend => {
                let is_empty = self.signal.silently(|signal| !signal.set);
                if is_empty {
                    self.send();
                }
            }
        }
    }

    /// Waits for room in the channel.
    fn send(&self) {
        self.signal.wait_for(|signal| {
            let room = !signal.set || signal.closed;
            room.then(|| signal.set = true)
        });
    }

    /// Waits until it is set and takes it: true. False once it is closed, set or not: what there is to
    /// do is in the logs, and is looked at after the next recovery.
    #[must_use = "a routine whose wake-up is closed ends"]
    pub fn wait(&self) -> bool {
        self.signal.wait_for(|signal| {
            let ready = signal.set || signal.closed;
            ready.then(|| {
                signal.set = false;
                !signal.closed
            })
        })
    }

    /// Whether it is closed. For routines that wait for something else, say between two attempts.
    pub fn is_closed(&self) -> bool {
        self.signal.silently(|signal| signal.closed)
    }

    pub(super) fn close(&self) {
        self.closing
            .close(&self.signal, |signal| signal.closed = true);
    }
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wake").finish_non_exhaustive()
    }
}
