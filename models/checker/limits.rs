//! What may end a run early, and who is told how far it has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What may end a run before its space is covered.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Threads that expand states; at least one.
    pub threads: usize,
    /// Most unique states to keep.
    pub max_states: Option<usize>,
    /// Longest time to run.
    pub timeout: Option<Duration>,
    /// Most bytes to use, by the checker's own account.
    pub memory: Option<usize>,
    /// Set from outside to end the run.
    pub interrupt: Option<Arc<AtomicBool>>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            threads: 1,
            max_states: None,
            timeout: None,
            memory: None,
            interrupt: None,
        }
    }
}

/// Which limit ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// [`Limits::max_states`]: the one limit whose result is the same at every run.
    States,
    /// [`Limits::timeout`].
    Time,
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::interrupt`].
    Interrupt,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Unique states so far.
    pub states: usize,
    /// Generated successors so far.
    pub transitions: u64,
    /// Steps from an initial state to the layer that is being generated.
    pub depth: usize,
    /// States found and not yet expanded.
    pub queue: usize,
    /// Time since the run began.
    pub elapsed: Duration,
}

/// Is told about [`Progress`], on the thread that asked for the run, about ten times a second.
pub trait Observer {
    /// The run has come this far.
    fn progress(&self, progress: &Progress);
}

/// Ignores all progress.
impl Observer for () {
    fn progress(&self, _progress: &Progress) {}
}

/// The limits of a run that has begun.
pub(crate) struct Clock<'a> {
    started: Instant,
    deadline: Option<Instant>,
    interrupt: Option<&'a AtomicBool>,
}

impl<'a> Clock<'a> {
    pub(crate) fn start(limits: &'a Limits) -> Self {
        let started = Instant::now();
        Clock {
            started,
            // A timeout too long to add is no timeout.
            deadline: limits.timeout.and_then(|t| started.checked_add(t)),
            interrupt: limits.interrupt.as_deref(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Why to end now, if at all, apart from states and memory.
    pub(crate) fn stop(&self) -> Option<Stop> {
        if self.interrupt.is_some_and(|i| i.load(Ordering::Relaxed)) {
            return Some(Stop::Interrupt);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Some(Stop::Time),
            _ => None,
        }
    }
}
