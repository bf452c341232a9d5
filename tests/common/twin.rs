//! `concord_systems::sync` under a checker of interleavings. The root of the test crate says whose
//! primitives these are.

use std::cell::Cell;
use std::mem;
use std::ops::Deref;

use crate::primitives::atomic::{AtomicBool, AtomicUsize};

pub use crate::primitives::atomic::{AtomicU8, AtomicU64, Ordering};
pub use crate::primitives::{Mutex, MutexGuard};

/// As `std::sync::Arc`, but left alone once a panic has ended the execution.
#[derive(Debug)]
pub struct Arc<T>(Option<crate::primitives::Arc<T>>);

impl<T> Arc<T> {
    /// The first of its kind.
    pub fn new(value: T) -> Self {
        Self(Some(crate::primitives::Arc::new(value)))
    }

    /// How many there are.
    pub fn strong_count(this: &Self) -> usize {
        crate::primitives::Arc::strong_count(this.inner())
    }

    fn inner(&self) -> &crate::primitives::Arc<T> {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        Self(Some(crate::primitives::Arc::clone(self.inner())))
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.inner()
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        let inner = self.0.take();
        if std::thread::panicking() {
            mem::forget(inner);
        }
    }
}

/// As `concord_systems::sync::SeqCstU64`. Loom treats such accesses as acquiring and releasing ones,
/// but knows fences: one after every access gives these and no other accesses one total order.
#[derive(Debug, Default)]
pub struct SeqCstU64(AtomicU64);

impl SeqCstU64 {
    /// Holds `value`.
    pub fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    /// The number.
    pub fn load(&self) -> u64 {
        ordered(self.0.load(Ordering::Acquire))
    }

    /// Adds 1.
    pub fn add_one(&self) {
        ordered(self.0.fetch_add(1, Ordering::AcqRel));
    }

    /// Adds 1 and returns what it is then.
    pub fn increment(&self) -> u64 {
        ordered(self.0.fetch_add(1, Ordering::AcqRel)) + 1
    }

    /// Makes it `value`.
    pub fn store(&self, value: u64) {
        self.0.store(value, Ordering::Release);
        ordered(());
    }
}

fn ordered<T>(accessed: T) -> T {
    if !WEAKENED.get() {
        crate::primitives::atomic::fence(Ordering::SeqCst);
    }
    accessed
}

thread_local! {
    static WEAKENED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `case` with accesses of [`SeqCstU64`] that acquire and release and have no total order: a
/// mutant of the primitives.
pub fn weakened(case: impl FnOnce()) {
    struct Restore;
    impl Drop for Restore {
        fn drop(&mut self) {
            WEAKENED.set(false);
        }
    }
    WEAKENED.set(true);
    let _restore = Restore;
    case();
}

/// As `concord_systems::sync::Published`: a number that says which of all values stored so far is the last.
/// The checker orders accesses of that number only as far as they acquire and release, so a thread
/// may be handed any value that it has no reason to know replaced.
#[derive(Debug)]
pub struct Published<T> {
    last: AtomicUsize,
    /// Touched before every access, so that the checker tries these in all orders. Loom compares an access
    /// only with the last one to the same number: a writer who looks before it stores hides from the
    /// search whoever looked before.
    turn: AtomicUsize,
    stored: std::sync::Mutex<Vec<std::sync::Arc<T>>>,
}

impl<T> Published<T> {
    /// Holds `value`.
    pub fn new(value: T) -> Self {
        Self {
            last: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
            stored: std::sync::Mutex::new(vec![std::sync::Arc::new(value)]),
        }
    }

    /// The value, for as long as it is held.
    pub fn load(&self) -> Held<T> {
        self.turn.fetch_add(1, Ordering::Relaxed);
        let last = self.last.load(Ordering::Acquire);
        let stored = self.stored.lock().expect("nobody panics with it");
        Held(std::sync::Arc::clone(&stored[last]))
    }

    /// Replaces the value.
    pub fn store(&self, value: T) {
        let mut stored = self.stored.lock().expect("nobody panics with it");
        let last = stored.len();
        stored.push(std::sync::Arc::new(value));
        drop(stored);
        self.turn.fetch_add(1, Ordering::Relaxed);
        self.last.store(last, Ordering::Release);
    }
}

impl<T> Drop for Published<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let stored = self.stored.get_mut().expect("nobody panics with it");
            mem::forget(mem::take(stored));
        }
    }
}

/// What a [`Published`] held.
#[derive(Debug)]
pub struct Held<T>(std::sync::Arc<T>);

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// As `std::sync::OnceLock`.
#[derive(Debug)]
pub struct OnceLock<T> {
    full: AtomicBool,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// Holds nothing.
    pub fn new() -> Self {
        Self {
            full: AtomicBool::new(false),
            value: std::sync::OnceLock::new(),
        }
    }

    /// The value, if this thread can see it.
    pub fn get(&self) -> Option<&T> {
        let full = self.full.load(Ordering::Acquire);
        full.then(|| self.value.get().expect("it was set before"))
    }

    /// Sets the value if there is none.
    pub fn set(&self, value: T) -> Result<(), T> {
        self.value.set(value)?;
        self.full.store(true, Ordering::Release);
        Ok(())
    }
}

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

/// Does what a value owes others when it is dropped, unless a panic has ended the execution.
pub fn on_drop(act: impl FnOnce()) {
    if !std::thread::panicking() {
        act();
    }
}
