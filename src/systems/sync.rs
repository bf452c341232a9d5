//! The primitives that shells take. No other file of this package names any.
//!
//! Shells are written against this module as `crate::sync`. Loom and shuttle compile the same shell
//! files in crates whose `sync` holds their own primitives under these names (`tests/loom`,
//! `tests/shuttle`). What is trusted is that [`let_in`] does here what it does there or less, and
//! that these locks exclude.

pub use std::sync::Arc;
pub use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

pub use parking_lot::{Mutex, MutexGuard};

/// A variable of condition, to wait for changes of what a [`Mutex`] guards.
#[derive(Debug, Default)]
pub struct Condvar(parking_lot::Condvar);

impl Condvar {
    /// Nobody waits yet.
    pub const fn new() -> Self {
        Self(parking_lot::Condvar::new())
    }

    /// Gives the lock up, waits for a notification and takes it again. May also return without one.
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(&mut guard);
        guard
    }

    /// Wakes everyone who waits.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Takes the lock.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

/// Lets whoever waits for the lock have it for once, and takes it again. Costs one load if nobody
/// waits: the holder then keeps the lock, as if it had been given up and taken again in between.
pub fn let_in<'a, T>(_: &'a Mutex<T>, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    MutexGuard::bump(&mut guard);
    guard
}
