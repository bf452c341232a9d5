//! `concord_systems::sync` under a checker of interleavings. The root of the test crate says whose
//! primitives these are.

use std::mem;
use std::ops::Deref;

use crate::primitives::Cell;
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

/// As `concord_systems::sync::Count`.
#[derive(Debug)]
pub struct Count {
    number: AtomicU64,
    /// Kept by the thread that adds alone, so that it need not load what it stored: loom compares an access
    /// only with the last one, and that load would hide from the search whoever loaded before. Loom fails
    /// the case if two threads have it that nothing orders.
    alone: Cell<u64>,
}

impl Default for Count {
    fn default() -> Self {
        Self {
            number: AtomicU64::new(0),
            alone: Cell::new(0),
        }
    }
}

impl Count {
    /// The number.
    pub fn load(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    /// Adds to it, and returns what it is then.
    pub fn add(&self, number: u64) -> u64 {
        self.number.fetch_add(number, Ordering::AcqRel) + number
    }

    /// As [`Self::add`], for the one thread that changes it.
    pub fn add_alone(&self, number: u64) -> u64 {
        let sum = self.alone.get() + number;
        self.alone.set(sum);
        self.number.store(sum, Ordering::Release);
        sum
    }

    /// Makes it `value`.
    pub fn store(&self, value: u64) {
        self.number.store(value, Ordering::Release);
    }
}

/// As `concord_systems::sync::fence`.
pub fn fence() {
    ordered(());
}

fn ordered<T>(accessed: T) -> T {
    if !WEAKENED.get() {
        crate::primitives::atomic::fence(Ordering::SeqCst);
    }
    accessed
}

thread_local! {
    static WEAKENED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs `case` with accesses that acquire and release and have no total order, of [`SeqCstU64`] nor by
/// [`fence`]: a mutant of the primitives.
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

/// As `concord_systems::sync::Identity`. Nothing is ordered by it.
#[derive(Clone, Debug, Default)]
pub struct Identity(std::sync::Arc<()>);

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&self.0, &other.0)
    }
}

/// As `concord_systems::sync::Published`: a number that says which of all values stored so far is the last.
/// The checker orders accesses of that number only as far as they acquire and release, so a thread
/// may be handed any value that it has no reason to know replaced.
#[derive(Debug)]
pub struct Published<T>(std::sync::Arc<Stored<T>>);

#[derive(Debug)]
struct Stored<T> {
    last: AtomicUsize,
    /// Touched before every access, so that the checker tries these in all orders. Loom compares an access
    /// only with the last one to the same number: a writer who looks before it stores hides from the
    /// search whoever looked before.
    turn: AtomicUsize,
    values: std::sync::Mutex<Vec<std::sync::Arc<T>>>,
}

impl<T> Published<T> {
    /// Holds `value`.
    pub fn new(value: T) -> Self {
        Self(std::sync::Arc::new(Stored {
            last: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
            values: std::sync::Mutex::new(vec![std::sync::Arc::new(value)]),
        }))
    }

    /// The value, for as long as it is held.
    pub fn load(&self) -> Held<T> {
        Held(self.0.load())
    }

    /// To load it often.
    pub fn cached(&self) -> Cached<T> {
        Cached {
            of: std::sync::Arc::clone(&self.0),
            held: None,
        }
    }

    /// Replaces the value.
    pub fn store(&self, value: T) {
        self.0.turn.fetch_add(1, Ordering::Relaxed);
        let last = {
            let mut values = self.0.values.lock().expect("nobody panics with it");
            values.push(std::sync::Arc::new(value));
            values.len() - 1
        };
        self.0.last.store(last, Ordering::Release);
    }
}

impl<T> Stored<T> {
    fn load(&self) -> std::sync::Arc<T> {
        self.turn.fetch_add(1, Ordering::Relaxed);
        let last = self.last.load(Ordering::Acquire);
        let values = self.values.lock().expect("nobody panics with it");
        std::sync::Arc::clone(&values[last])
    }
}

impl<T> Drop for Stored<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let values = self.values.get_mut().expect("nobody panics with it");
            mem::forget(mem::take(values));
        }
    }
}

/// As `concord_systems::sync::Cached`.
#[derive(Debug)]
pub struct Cached<T> {
    of: std::sync::Arc<Stored<T>>,
    held: Option<std::sync::Arc<T>>,
}

impl<T> Cached<T> {
    /// The value.
    pub fn load(&mut self) -> &T {
        self.held.insert(self.of.load())
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
