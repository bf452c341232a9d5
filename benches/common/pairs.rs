//! What two threads do at once, timed on the wall. Only samples in which the threads really ran
//! together count: on a machine with other work one of them often waits for a core, and the other
//! then has everything to itself.

use std::hint;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use concord::goals::{Samples, median};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::{Group, Measured, thread_time};

/// Valid samples that a variant needs, and with which it is done.
const FEWEST: usize = 9;
const ENOUGH: usize = 31;

const MOST_ROUNDS: usize = 200;
const LONGEST: Duration = Duration::from_secs(10);

/// Two threads that both have a core pass a meeting in less; they wait no longer to get there.
const PASSES: Duration = Duration::from_micros(20);
const PATIENCE: Duration = Duration::from_millis(200);

/// The part of its time in which a thread that ran undisturbed had a core.
pub(crate) const TOGETHER: f64 = 0.9;

/// Variants by name.
pub(crate) struct Pairs<'a> {
    together: f64,
    variants: Vec<Variant<'a>>,
}

struct Variant<'a> {
    name: &'static str,
    threads: Threads,
    /// Operations of all threads in one sample.
    operations: u64,
    /// The part of the thread of this number.
    part: Box<dyn Fn(usize) + Sync + 'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    One,
    Two,
}

/// What became of a variant so far.
#[derive(Default)]
struct Paired {
    /// Wall nanoseconds of one operation, by valid sample.
    valid: Vec<f64>,
    tries: usize,
}

/// When a thread did its part, and for how long it had a core.
struct Span {
    start: Instant,
    end: Instant,
    cpu: Duration,
}

impl<'a> Pairs<'a> {
    /// Samples are valid if every thread had a core for this part of the time.
    pub(crate) fn new(together: f64) -> Self {
        Self {
            together,
            variants: Vec::new(),
        }
    }

    /// Adds what `threads` do: `part` of each by its number, `operations` in all. A sample should
    /// take a fraction of a millisecond, so that it often fits between two turns of other programs.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        threads: Threads,
        operations: u64,
        part: impl Fn(usize) + Sync + 'a,
    ) {
        self.variants.push(Variant {
            name,
            threads,
            operations,
            part: Box::new(part),
        });
    }

    /// Samples all variants in shuffled order, until each has enough or all tries are used up.
    pub(crate) fn measure(self) -> Group {
        let variants = &self.variants;
        let mut paired: Vec<Paired> = variants.iter().map(|_| Paired::default()).collect();
        let meeting = Meeting::default();
        let allowed = sched_getaffinity(None).expect("a thread may know its cores");
        let start = Instant::now();
        let run = |at: usize, thread| {
            let variant: &Variant<'_> = &variants[at];
            if variant.threads == Threads::Two {
                meeting.attend(thread);
            }
            Span::of(|| (variant.part)(thread))
        };
        let (orders, ordered) = mpsc::channel();
        let (done, spans) = mpsc::channel();
        thread::scope(|scope| {
            let (run, allowed) = (&run, &allowed);
            stay(allowed, 0);
            scope.spawn(move || {
                stay(allowed, 1);
                for at in ordered {
                    done.send(run(at, 1)).expect("the first thread waits");
                }
            });
            let sample = |at: usize| {
                if variants[at].threads == Threads::One {
                    return vec![run(at, 0)];
                }
                orders.send(at).expect("the other thread waits for orders");
                let ours = run(at, 0);
                vec![ours, spans.recv().expect("the other thread answers")]
            };
            let mut order: Vec<usize> = (0..variants.len()).collect();
            let mut random = ChaCha8Rng::seed_from_u64(1);
            for _ in 0..MOST_ROUNDS {
                order.shuffle(&mut random);
                for &at in &order {
                    if start.elapsed() < LONGEST && paired[at].valid.len() < ENOUGH {
                        paired[at].take(&sample(at), variants[at].operations, self.together);
                    }
                }
            }
            drop(orders);
            sched_setaffinity(None, allowed).expect("it was allowed before");
        });
        let names = variants.iter().map(|variant| variant.name);
        names
            .zip(paired.into_iter().map(Paired::measured))
            .collect()
    }
}

impl Paired {
    fn take(&mut self, spans: &[Span], operations: u64, together: f64) {
        self.tries += 1;
        let start = spans.iter().map(|span| span.start).min();
        let end = spans.iter().map(|span| span.end).max();
        let wall = end.expect("a span") - start.expect("a span");
        let cpu: Duration = spans.iter().map(|span| span.cpu).sum();
        let least = wall.mul_f64(together * spans.len() as f64);
        if cpu >= least {
            let nanoseconds = wall.as_nanos() as f64;
            self.valid.push(nanoseconds / operations as f64);
        }
    }

    fn measured(self) -> Measured {
        let samples = Samples {
            kept: self.valid.len(),
            tries: self.tries,
        };
        Measured {
            median: median(self.valid).filter(|_| samples.kept >= FEWEST),
            samples: Some(samples),
        }
    }
}

impl Span {
    fn of(work: impl FnOnce()) -> Self {
        let (start, cpu) = (Instant::now(), thread_time());
        work();
        Self {
            cpu: thread_time() - cpu,
            end: Instant::now(),
            start,
        }
    }
}

/// Where two threads wait until both have a core.
#[derive(Default)]
struct Meeting {
    arrived: AtomicUsize,
    over: AtomicBool,
}

impl Meeting {
    /// Lets both threads go on at the same time. They spin: one that sleeps or yields would not be
    /// there when the other one gets its core. Passing twice without delay shows that both have one;
    /// after some time without that they go on all the same.
    fn attend(&self, thread: usize) {
        let start = Instant::now();
        loop {
            let before = Instant::now();
            self.pass();
            self.pass();
            if thread == 0 {
                let is_over = before.elapsed() < PASSES || start.elapsed() > PATIENCE;
                self.over.store(is_over, Ordering::Release);
            }
            self.pass();
            if self.over.load(Ordering::Acquire) {
                return;
            }
        }
    }

    fn pass(&self) {
        let before = self.arrived.fetch_add(1, Ordering::AcqRel);
        let both = (before / 2 + 1) * 2;
        while self.arrived.load(Ordering::Acquire) < both {
            hint::spin_loop();
        }
    }
}

/// Keeps the calling thread on one of the first two cores that it may use, if it may use two: a busy
/// scheduler leaves two threads on one core for long.
fn stay(allowed: &CpuSet, thread: usize) {
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    if let (Some(core), true) = (cores.nth(thread), allowed.count() > 1) {
        let mut only = CpuSet::new();
        only.set(core);
        sched_setaffinity(None, &only).expect("the core is allowed");
    }
}
