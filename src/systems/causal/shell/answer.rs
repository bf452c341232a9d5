//! An answer that somebody waits for.

use std::fmt;
use std::mem;

use crate::sync::{Arc, Condvar, Mutex, lock};

/// An answer to be given, and the ticket of the one who waits for it.
pub fn answer<T>() -> (Answer<T>, Ticket<T>) {
    let slot = Arc::new(Slot {
        content: Mutex::new(Content::Awaited),
        changed: Condvar::new(),
    });
    (Answer(Arc::clone(&slot)), Ticket(slot))
}

/// Is given at most once. Whoever waits is told if it is dropped.
pub struct Answer<T>(Arc<Slot<T>>);

/// Waits for one answer.
#[must_use = "the answer is lost with it"]
pub struct Ticket<T>(Arc<Slot<T>>);

/// The answer was dropped: there will be none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no answer will be given")]
pub struct Abandoned;

struct Slot<T> {
    content: Mutex<Content<T>>,
    changed: Condvar,
}

enum Content<T> {
    Awaited,
    Given(T),
    /// Given and taken, or never to be given.
    Gone,
}

impl<T> Answer<T> {
    /// Gives it. Waits for nobody; lost if the ticket was dropped.
    pub fn give(self, value: T) {
        *lock(&self.0.content) = Content::Given(value);
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let mut content = lock(&self.0.content);
        if matches!(*content, Content::Awaited) {
            *content = Content::Gone;
        }
        drop(content);
        self.0.changed.notify_all();
    }
}

impl<T> Ticket<T> {
    /// Waits for the answer.
    ///
    /// # Errors
    /// If there will be none.
    pub fn wait(self) -> Result<T, Abandoned> {
        let mut content = lock(&self.0.content);
        while matches!(*content, Content::Awaited) {
            content = self.0.changed.wait(content);
        }
        match mem::replace(&mut *content, Content::Gone) {
            Content::Given(value) => Ok(value),
            Content::Awaited | Content::Gone => Err(Abandoned),
        }
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
