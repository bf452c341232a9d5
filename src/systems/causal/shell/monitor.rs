//! Waiting for a value to change.

use crate::sync::{Condvar, Mutex, MutexGuard, lock};

/// A monitor: a value under a lock, and those who wait for it to change. What runs under the lock is ours
/// and waits for nothing.
pub(super) struct Monitor<T> {
    inner: Mutex<Inner<T>>,
    changed: Condvar,
}

struct Inner<T> {
    value: T,
    /// How many wait. Waking nobody would cost a call of the system.
    waiting: usize,
}

impl<T> Monitor<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            inner: Mutex::new(Inner { value, waiting: 0 }),
            changed: Condvar::new(),
        }
    }

    /// Changes the value, and lets those who wait look at it.
    pub(super) fn change<O>(&self, change: impl FnOnce(&mut T) -> O) -> O {
        let mut inner = lock(&self.inner);
        let output = change(&mut inner.value);
        self.wake(inner);
        output
    }

    /// Uses the value, and lets nobody know.
    pub(super) fn silently<O>(&self, using: impl FnOnce(&mut T) -> O) -> O {
        using(&mut lock(&self.inner).value)
    }

    /// Waits until `ready`, which may then change the value, gives something.
    pub(super) fn wait_for<O>(&self, mut ready: impl FnMut(&mut T) -> Option<O>) -> O {
        let mut inner = lock(&self.inner);
        loop {
            if let Some(output) = ready(&mut inner.value) {
                self.wake(inner);
                return output;
            }
            inner.waiting += 1;
            inner = self.changed.wait(inner);
            inner.waiting -= 1;
        }
    }

    fn wake(&self, inner: MutexGuard<'_, Inner<T>>) {
        let anyone = inner.waiting > 0;
        drop(inner);
        if anyone {
            self.changed.notify_all();
        }
    }
}
