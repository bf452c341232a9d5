//! `concord_systems::sync` under a checker of interleavings. The root of the test crate says whose
//! primitives these are.

pub use crate::primitives::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
pub use crate::primitives::{Arc, Mutex, MutexGuard};

/// As `concord_systems::sync::Condvar`.
#[derive(Debug)]
pub struct Condvar(crate::primitives::Condvar);

impl Condvar {
    /// Nobody waits yet.
    pub fn new() -> Self {
        Self(crate::primitives::Condvar::new())
    }

    /// Gives the lock up, waits for a notification and takes it again.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).expect("a panic ends the execution")
    }

    /// Wakes everyone who waits.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Takes the lock.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a panic ends the execution")
}

/// Gives the lock up and takes it again: anyone may have it in between, waiting or not.
pub fn let_in<'a, T>(mutex: &'a Mutex<T>, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    drop(guard);
    lock(mutex)
}
