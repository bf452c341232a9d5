//! An answer that somebody waits for.

use std::fmt;
use std::mem;

use crate::sync::{Arc, on_drop};

use super::monitor::Monitor;

/// An answer to be given, and the ticket of the one who waits for it.
pub fn answer<T>() -> (Answer<T>, Ticket<T>) {
    let slot = Arc::new(Monitor::new(Slot::Awaited));
    let answer = Answer {
        slot: Arc::clone(&slot),
        value: None,
    };
    (answer, Ticket(slot))
}

/// Is given at most once. Whoever waits is told if it is dropped.
pub struct Answer<T> {
    slot: Arc<Monitor<Slot<T>>>,
    /// Handed over when this is dropped.
    value: Option<T>,
}

/// Waits for one answer.
#[must_use = "the answer is lost with it"]
pub struct Ticket<T>(Arc<Monitor<Slot<T>>>);

/// The answer was dropped: there will be none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no answer will be given")]
pub struct Abandoned;

enum Slot<T> {
    Awaited,
    /// By a value, or by its absence.
    Settled(Option<T>),
}

impl<T> Answer<T> {
    /// Gives it. Waits for nobody; lost if the ticket was dropped.
    pub fn give(mut self, value: T) {
        self.value = Some(value);
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let settled = Slot::Settled(self.value.take());
        on_drop(|| {
            self.slot.change(|slot| *slot = settled);
        });
    }
}

impl<T> Ticket<T> {
    /// Waits for the answer.
    ///
    /// # Errors
    /// If there will be none.
    pub fn wait(self) -> Result<T, Abandoned> {
        let settled = |slot: &mut Slot<T>| match mem::replace(slot, Slot::Awaited) {
            Slot::Awaited => None,
            Slot::Settled(value) => Some(value),
        };
        self.0.wait_for(settled).ok_or(Abandoned)
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}
