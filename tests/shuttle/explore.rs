//! Runs a case under shuttle: random interleavings, from a seed that a failure names.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

use crate::common::seed;

/// How many priority changes a schedule of [`PctScheduler`] has: a bug that needs at most so many
/// ordered steps is found with a known probability.
const DEPTH: usize = 3;

/// Runs `case` so many times each with random schedules and with such of few changes of priority.
///
/// # Panics
/// If the case does; the seed stands on standard error.
pub(crate) fn explore(name: &str, iterations: u64, case: impl Fn() + Send + Sync + 'static) {
    let case = Arc::new(case);
    for (scheduler, ran) in runs(iterations, &case) {
        if let Err(failure) = ran {
            eprintln!(
                "{name}: failed with {scheduler}; again with CONCORD_SEED={}",
                seed()
            );
            panic::resume_unwind(failure);
        }
    }
}

/// Whether `case` fails in one of so many schedules of some kind.
pub(crate) fn fails(iterations: u64, case: impl Fn() + Send + Sync + 'static) -> bool {
    runs(iterations, &Arc::new(case)).any(|(_, ran)| ran.is_err())
}

type Ran = Result<(), Box<dyn Any + Send>>;

fn runs<F: Fn() + Send + Sync + 'static>(
    iterations: u64,
    case: &Arc<F>,
) -> impl Iterator<Item = (&'static str, Ran)> {
    let times = usize::try_from(iterations).expect("as many as can be counted");
    let [random, few] = [Arc::clone(case), Arc::clone(case)];
    let random = move || run(RandomScheduler::new_from_seed(seed(), times), times, random);
    let few = move || {
        run(
            PctScheduler::new_from_seed(seed(), DEPTH, times),
            times,
            few,
        )
    };
    let random: Box<dyn FnOnce() -> Ran> = Box::new(random);
    let runs = [
        ("random schedules", random),
        ("few changes of priority", Box::new(few)),
    ];
    runs.into_iter().map(|(scheduler, run)| (scheduler, run()))
}

fn run<F: Fn() + Send + Sync + 'static>(
    scheduler: impl Scheduler + 'static,
    times: usize,
    case: Arc<F>,
) -> Ran {
    let runner = Runner::new(scheduler, Config::new());
    let ran = panic::catch_unwind(AssertUnwindSafe(|| runner.run(move || case())))?;
    assert_eq!(ran, times, "a run was cut short");
    Ok(())
}

#[test]
fn a_lost_update_is_found() {
    use shuttle::sync::atomic::{AtomicU64, Ordering};

    let add = |atomic: &shuttle::sync::Arc<AtomicU64>| {
        let before = atomic.load(Ordering::SeqCst);
        atomic.store(before + 1, Ordering::SeqCst);
    };
    assert!(fails(100, move || {
        let atomic = shuttle::sync::Arc::new(AtomicU64::new(0));
        let other = shuttle::sync::Arc::clone(&atomic);
        let thread = shuttle::thread::spawn(move || add(&other));
        add(&atomic);
        thread.join().expect("a panic ends the case");
        assert_eq!(atomic.load(Ordering::SeqCst), 2);
    }));
}
