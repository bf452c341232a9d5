//! Wake-ups.

use std::fmt;

use crate::sync::{Condvar, Mutex, let_in, lock};

use super::strategy::{Closing, Waking};

/// The wake-up of one routine. It says that there is something to do, not what: setting it before it is
/// taken makes no difference, and a routine may set its own (D13).
pub struct Wake {
    waking: Waking,
    closing: Closing,
    signal: Mutex<Signal>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Signal {
    set: bool,
    closed: bool,
}

impl Wake {
    pub(super) fn new(waking: Waking, closing: Closing) -> Self {
        Self {
            waking,
            closing,
            signal: Mutex::new(Signal::default()),
            changed: Condvar::new(),
        }
    }

    /// Sets it. Never waits.
    pub fn set(&self) {
        let mut signal = lock(&self.signal);
        if self.waking == Waking::CheckThenSend {
            if signal.set {
                return;
            }
            signal = let_in(&self.signal, signal);
            while signal.set && !signal.closed {
                signal = self.changed.wait(signal);
            }
        }
        signal.set = true;
        drop(signal);
        self.changed.notify_all();
    }

    /// Waits until it is set and takes it: true. False once it is closed, set or not: what there is to
    /// do is in the logs, and is looked at after the next recovery.
    #[must_use = "a routine whose wake-up is closed ends"]
    pub fn wait(&self) -> bool {
        let mut signal = lock(&self.signal);
        while !signal.set && !signal.closed {
            signal = self.changed.wait(signal);
        }
        signal.set = false;
        let open = !signal.closed;
        drop(signal);
        if self.waking == Waking::CheckThenSend {
            self.changed.notify_all();
        }
        open
    }

    /// Whether it is closed. For routines that wait for something else, say between two attempts.
    pub fn is_closed(&self) -> bool {
        lock(&self.signal).closed
    }

    pub(super) fn close(&self) {
        lock(&self.signal).closed = true;
        if self.closing == Closing::Wakes {
            self.changed.notify_all();
        }
    }
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wake").field(&*lock(&self.signal)).finish()
    }
}
