//! The primitives that shells take. No other file of this package names any.
//!
//! Shells are written against this module as `crate::sync`. Loom and shuttle compile the same shell
//! files in crates whose `sync` holds their own primitives under these names (`tests/loom`,
//! `tests/shuttle`). What is trusted is that [`let_in`] does here what it does there or less, that
//! these locks exclude, that the accesses of [`SeqCstU64`] have one total order, that [`fence`] gives one
//! to those of [`Count`] around it, and that what [`Published`] and [`Cached`] hand out was stored there,
//! stays alive and is seen with all that was written before.

pub use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
pub use std::sync::{Arc, MutexGuard, OnceLock};

use std::hint::spin_loop;
use std::ops::Deref;
use std::sync::atomic::AtomicU32;
use std::sync::{PoisonError, TryLockError};

use arc_swap::{ArcSwap, Cache};
use crossbeam_utils::CachePadded;

/// A lock that knows whether somebody waits for it.
#[derive(Debug, Default)]
pub struct Mutex<T> {
    lock: std::sync::Mutex<T>,
    /// Threads that found it taken and do not have it yet. On a line of its own: whoever waits must
    /// not take the line of the lock from its holder.
    waiting: CachePadded<AtomicU32>,
}

impl<T> Mutex<T> {
    /// A lock around `value`, free.
    pub const fn new(value: T) -> Self {
        Self {
            lock: std::sync::Mutex::new(value),
            waiting: CachePadded::new(AtomicU32::new(0)),
        }
    }
}

/// A number modulo 2^64 whose accesses, with those of all others of its kind, have one total order:
/// sequential consistency. On x86-64 that costs additions and loads nothing. Loom knows it of fences
/// only, so its twin has these.
#[derive(Debug, Default)]
pub struct SeqCstU64(AtomicU64);

impl SeqCstU64 {
    /// Holds `value`.
    pub const fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    /// The number.
    #[inline]
    pub fn load(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Adds 1.
    #[inline]
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Adds 1 and returns what it is then.
    #[inline]
    pub fn increment(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst).wrapping_add(1)
    }

    /// Makes it `value`. Only one thread at a time may do so.
    #[inline]
    pub fn store(&self, value: u64) {
        self.0.store(value, Ordering::SeqCst);
    }
}

/// A number modulo 2^64 that many threads read. A load acquires, everything else releases; there is no
/// order beyond that but by [`fence`].
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// The number.
    #[inline]
    pub fn load(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Adds to it, and returns what it is then.
    #[inline]
    pub fn add(&self, number: u64) -> u64 {
        let before = self.0.fetch_add(number, Ordering::AcqRel);
        before.wrapping_add(number)
    }

    /// As [`Self::add`], for the one thread that changes it: a load and a store, a fraction of the time. Of
    /// two threads that do so at once, one may lose what it adds; the twin panics.
    #[inline]
    pub fn add_alone(&self, number: u64) -> u64 {
        let sum = self.0.load(Ordering::Relaxed).wrapping_add(number);
        self.0.store(sum, Ordering::Release);
        sum
    }

    /// Makes it `value`.
    pub fn store(&self, value: u64) {
        self.0.store(value, Ordering::Release);
    }
}

/// Of two threads that each change a [`Count`], pass this and load that of the other, one at least sees
/// the change.
#[inline]
pub fn fence() {
    std::sync::atomic::fence(Ordering::SeqCst);
}

/// Equal to its clones only.
#[derive(Clone, Debug, Default)]
pub struct Identity(Arc<()>);

impl PartialEq for Identity {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A value that is replaced as a whole and read without locks, by `arc-swap`. Readers never wait, neither
/// for each other nor for a writer; one who holds a value that was replaced meanwhile may be the one who
/// frees it.
///
/// A load acquires and a store releases, and a thread never goes back to what was stored earlier: the
/// twin gives no more than that, so a load that nothing orders behind a store may miss it.
#[derive(Debug)]
pub struct Published<T>(Arc<ArcSwap<T>>);

impl<T> Published<T> {
    /// Holds `value`.
    pub fn new(value: T) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(value)))
    }

    /// The value, for as long as it is held.
    #[inline]
    pub fn load(&self) -> Held<T> {
        Held(self.0.load())
    }

    /// To load it often, for one thread.
    pub fn cached(&self) -> Cached<T> {
        Cached(Cache::new(Arc::clone(&self.0)))
    }

    /// Replaces the value. Only one thread at a time may do so.
    pub fn store(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}

/// What a [`Published`] held when it was asked. Threads that hold a few each cost nothing; more make a
/// load touch a count that all threads share.
#[derive(Debug)]
pub struct Held<T>(arc_swap::Guard<Arc<T>>);

impl<T> Deref for Held<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

/// Loads a [`Published`] and keeps what it held last, so that a load which finds nothing new writes no memory.
/// What it keeps stays in memory until it loads again.
#[derive(Clone, Debug)]
pub struct Cached<T>(Cache<Arc<ArcSwap<T>>, Arc<T>>);

impl<T> Cached<T> {
    /// The value.
    #[inline]
    pub fn load(&mut self) -> &T {
        self.0.load()
    }
}

/// A variable of condition, to wait for changes of what a [`Mutex`] guards.
#[derive(Debug, Default)]
pub struct Condvar(std::sync::Condvar);

impl Condvar {
    /// Nobody waits yet.
    pub const fn new() -> Self {
        Self(std::sync::Condvar::new())
    }

    /// Gives the lock up, waits for a notification and takes it again. May also return without one.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes everyone who waits.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// How often, and for how many turns each time, a thread stands back from a taken lock before it
/// sleeps. Asking again at once would take the lock's line from a holder that is done in a few
/// instructions: standing back makes two threads on one queue four times as fast (`benches/broadcast.rs`).
const STANDS_BACK: (u32, u32) = (3, 200);

/// Takes the lock. A holder that panicked leaves it as any other: what it guards is changed by whole
/// steps only.
#[inline]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    try_lock(mutex).unwrap_or_else(|| wait(mutex))
}

#[inline]
fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.lock.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[cold]
fn wait<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    let (times, turns) = STANDS_BACK;
    for _ in 0..times {
        (0..turns).for_each(|_| spin_loop());
        if let Some(guard) = try_lock(mutex) {
            return guard;
        }
    }
    mutex.waiting.fetch_add(1, Ordering::Relaxed);
    let guard = mutex.lock.lock().unwrap_or_else(PoisonError::into_inner);
    mutex.waiting.fetch_sub(1, Ordering::Relaxed);
    guard
}

/// Lets whoever waits for the lock have it for once, and takes it again. Costs one load if nobody
/// waits: the holder then keeps the lock, as if it had been given up and taken again in between.
#[inline]
pub fn let_in<'a, T>(mutex: &'a Mutex<T>, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    if mutex.waiting.load(Ordering::Relaxed) == 0 {
        return guard;
    }
    drop(guard);
    lock(mutex)
}

/// Does what a value owes others when it is dropped. Under a checker that is nothing once the execution
/// has failed: its locks are no more.
#[inline]
pub fn on_drop(act: impl FnOnce()) {
    act();
}
