//! Runs a case under loom: to the end of its space, or until a failure is found.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Instant;

use loom::model::Builder;

/// Runs every interleaving of `case`, up to so many preemptions if there is a bound, and returns how
/// many there were.
///
/// # Panics
/// If the case does, or if there are fewer than `minimum` interleavings: then the case has lost
/// something it was to show, or the search was cut short.
pub(crate) fn explore(
    name: &str,
    minimum: u64,
    preemption_bound: Option<usize>,
    case: impl Fn() + Send + Sync + 'static,
) -> u64 {
    let start = Instant::now();
    let iterations = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&iterations);
    builder(preemption_bound).check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        case();
    });
    let iterations = iterations.load(Ordering::Relaxed);
    let seconds = start.elapsed().as_secs_f64();
    println!("{name} {iterations} {seconds:.2}");
    assert!(
        iterations >= minimum,
        "{name}: {iterations} interleavings, expected at least {minimum}"
    );
    iterations
}

/// As [`explore`], for a case that returns whether it met what it is about.
///
/// # Panics
/// As [`explore`], and if no interleaving met it.
pub(crate) fn reach(
    name: &str,
    minimum: u64,
    preemption_bound: Option<usize>,
    case: impl Fn() -> bool + Send + Sync + 'static,
) -> u64 {
    let met = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&met);
    let iterations = explore(name, minimum, preemption_bound, move || {
        noted.fetch_or(case(), Ordering::Relaxed);
    });
    assert!(met.load(Ordering::Relaxed), "{name}: never met its point");
    iterations
}

/// As [`explore`], for a case that tells something that is true in some interleavings and false in some.
///
/// # Panics
/// As [`explore`], and if it is always the same.
#[track_caller]
pub(crate) fn both_ways(
    name: &str,
    minimum: u64,
    preemption_bound: Option<usize>,
    case: impl Fn() -> bool + Send + Sync + 'static,
) {
    let ways = Arc::new([false, true].map(|_| AtomicBool::new(false)));
    let seen = Arc::clone(&ways);
    explore(name, minimum, preemption_bound, move || {
        seen[usize::from(case())].store(true, Ordering::Relaxed);
    });
    let seen = ways.iter().all(|way| way.load(Ordering::Relaxed));
    assert!(seen, "{name}: always the same");
}

/// The message with which some interleaving of `case` fails. Those of few preemptions are tried.
///
/// # Panics
/// If none of them does.
pub(crate) fn fails<T>(case: impl Fn() -> T + Send + Sync + 'static) -> String {
    silence_this_thread(true);
    let search = || builder(Some(3)).check(move || drop(case()));
    let found = panic::catch_unwind(AssertUnwindSafe(search));
    silence_this_thread(false);
    let failure = found.expect_err("an interleaving that fails");
    message(failure.as_ref())
}

/// Without the limits that the environment may set: a search that one of them ends returns as if it
/// had seen everything.
fn builder(preemption_bound: Option<usize>) -> Builder {
    let mut builder = Builder::new();
    builder.max_branches = 10_000;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.preemption_bound = preemption_bound;
    builder
}

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Whether panics of this thread go unprinted. Loom runs the threads of a case on that which checks
/// it.
fn silence_this_thread(silent: bool) {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !SILENT.get() {
                print(panic);
            }
        }));
    });
    SILENT.set(silent);
}

fn message(failure: &(dyn Any + Send)) -> String {
    let text = failure.downcast_ref::<String>().cloned();
    let literal = || {
        failure
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
    };
    text.or_else(literal).expect("panics carry text")
}

#[test]
fn every_interleaving_is_run() {
    use loom::sync::atomic::AtomicU64 as Shared;

    let add = |atomic: &loom::sync::Arc<Shared>| {
        let atomic = loom::sync::Arc::clone(atomic);
        loom::thread::spawn(move || atomic.fetch_add(1, Ordering::Relaxed))
    };
    explore("two additions", 27, None, move || {
        let atomic = loom::sync::Arc::new(Shared::new(0));
        let threads = [add(&atomic), add(&atomic)];
        for thread in threads {
            thread.join().expect("a panic ends the case");
        }
        assert_eq!(atomic.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_lost_update_is_found() {
    use loom::sync::atomic::AtomicU64 as Shared;

    let message = fails(|| {
        let atomic = loom::sync::Arc::new(Shared::new(0));
        let other = loom::sync::Arc::clone(&atomic);
        let add = |atomic: &Shared| {
            let before = atomic.load(Ordering::Relaxed);
            atomic.store(before + 1, Ordering::Relaxed);
        };
        let thread = loom::thread::spawn(move || add(&other));
        add(&atomic);
        thread.join().expect("a panic ends the case");
        assert_eq!(atomic.load(Ordering::Relaxed), 2, "lost");
    });
    assert!(message.contains("lost"), "{message}");
}
