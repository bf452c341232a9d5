//! Ways to do the same, timed side by side: a round takes a sample of each, in shuffled order, so
//! that what changes on the machine meanwhile meets all of them alike. Criterion measures one
//! function for seconds before it turns to the next; a ratio between two functions then holds what
//! happened in between.

use std::hint::black_box;
use std::time::Duration;

use concord::goals::median;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::{Group, Measured, thread_time};

const ROUNDS: usize = 31;

/// A thousand times what it takes to read the clock.
const SAMPLE: Duration = Duration::from_millis(1);

/// Variants by name. Each is timed by the processor time of this thread.
pub(crate) struct Rounds<'a> {
    variants: Vec<Variant<'a>>,
    count: usize,
}

struct Variant<'a> {
    name: &'static str,
    /// Calls in a sample.
    calls: u64,
    /// Times so many calls.
    time: Box<dyn FnMut(u64) -> Duration + 'a>,
    /// Nanoseconds of a call.
    samples: Vec<f64>,
}

impl Default for Rounds<'_> {
    fn default() -> Self {
        Self {
            variants: Vec::new(),
            count: ROUNDS,
        }
    }
}

impl<'a> Rounds<'a> {
    /// Fewer of them, for variants that take half a second.
    #[allow(dead_code, reason = "each bench takes what it needs")]
    pub(crate) fn few() -> Self {
        Self {
            count: 5,
            ..Self::default()
        }
    }

    /// Adds a variant: one call of `call`.
    pub(crate) fn add<R>(&mut self, name: &'static str, mut call: impl FnMut() -> R + 'a) {
        self.add_timed(name, move |calls| {
            timed(|| {
                for _ in 0..calls {
                    black_box(call());
                }
            })
        });
    }

    /// Adds a variant that times so many calls itself, by [`timed`].
    pub(crate) fn add_timed(&mut self, name: &'static str, time: impl FnMut(u64) -> Duration + 'a) {
        self.variants.push(Variant {
            name,
            calls: 1,
            time: Box::new(time),
            samples: Vec::with_capacity(self.count),
        });
    }

    /// Samples all variants in turn.
    pub(crate) fn measure(mut self) -> Group {
        for variant in &mut self.variants {
            while (variant.time)(variant.calls) < SAMPLE {
                variant.calls *= 2;
            }
        }
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..self.count {
            self.variants.shuffle(&mut random);
            self.variants.iter_mut().for_each(Variant::sample);
        }
        let measured = self.variants.into_iter().map(|variant| {
            let measured = Measured {
                median: median(variant.samples),
                samples: None,
            };
            (variant.name, measured)
        });
        measured.collect()
    }
}

impl Variant<'_> {
    /// The untimed call brings back what the variant before it drove out of the caches.
    fn sample(&mut self) {
        (self.time)(1);
        let time = (self.time)(self.calls);
        self.samples
            .push(time.as_nanos() as f64 / self.calls as f64);
    }
}

/// The time of this thread that the work takes.
pub(crate) fn timed(work: impl FnOnce()) -> Duration {
    let start = thread_time();
    work();
    thread_time() - start
}
