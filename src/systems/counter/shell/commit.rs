//! Group commit: one durable write for all who wait.

use crate::sync::{Condvar, Mutex, MutexGuard, lock};

use super::flush::Counted;
use super::live::Live;

/// Which round of writing covers a caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Join {
    /// The next to begin: it takes its totals after the call.
    Next,
    /// One that may have begun: its totals may lack the caller's increments. A mutant.
    Running,
}

/// Makes the counts of a [`Live`] durable in rounds. One caller writes, those who come meanwhile wait
/// for the round after, which covers them all.
///
/// How often is the caller's choice: [`Self::wait`] after every increment (an increment that returned
/// survives a crash), from a timer every so many milliseconds (a crash loses at most what was
/// counted since the last round), or on demand (say, on closing).
pub struct GroupCommit<E, W> {
    live: Live,
    write: W,
    rounds: Mutex<Rounds<E>>,
    ended: Condvar,
}

/// Rounds are numbered from 1.
#[derive(Debug)]
struct Rounds<E> {
    begun: u64,
    /// Whether the last one begun is under way.
    running: bool,
    /// The last that ended, well or not.
    ended: u64,
    /// The last that ended well; it covers what all before it did.
    durable: u64,
    /// Of the last that did not end well.
    error: Option<E>,
}

impl<E: Clone, W: Fn(&[Counted]) -> Result<(), E>> GroupCommit<E, W> {
    /// Commits the counts of `live` with `write`, which returns once the totals it is given are
    /// durable: absolute ones, ascending by direction and key, each larger than what it last wrote
    /// under that key. It is not called if nothing changed.
    pub fn new(live: Live, write: W) -> Self {
        let rounds = Rounds {
            begun: 0,
            running: false,
            ended: 0,
            durable: 0,
            error: None,
        };
        Self {
            live,
            write,
            rounds: Mutex::new(rounds),
            ended: Condvar::new(),
        }
    }

    /// Returns once everything that this thread counted before the call is durable.
    ///
    /// # Errors
    /// That of the write which was to cover it, unless a later one has meanwhile succeeded. The
    /// counts are unchanged, and the next round writes them again.
    pub fn wait(&self) -> Result<(), E> {
        self.wait_for(Join::Next)
    }

    /// As [`Self::wait`], with a choice of the round.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub fn wait_for(&self, join: Join) -> Result<(), E> {
        let mut rounds = lock(&self.rounds);
        let mine = match join {
            Join::Running if rounds.running => rounds.begun,
            _ => rounds.begun + 1,
        };
        loop {
            if rounds.durable >= mine {
                return Ok(());
            }
            if rounds.ended >= mine {
                return Err(rounds.error.clone().expect("the round that failed left it"));
            }
            rounds = if rounds.running {
                self.ended.wait(rounds)
            } else {
                self.lead(rounds)
            };
        }
    }

    /// Runs a round.
    fn lead<'a>(&'a self, mut rounds: MutexGuard<'a, Rounds<E>>) -> MutexGuard<'a, Rounds<E>> {
        rounds.begun += 1;
        rounds.running = true;
        drop(rounds);
        let mut round = Round {
            rounds: &self.rounds,
            ended: &self.ended,
            result: None,
        };
        round.result = Some(self.flush());
        drop(round);
        lock(&self.rounds)
    }

    fn flush(&self) -> Result<(), E> {
        let mut flush = self.live.flush();
        let mut counted = Vec::new();
        flush.counted(&mut counted);
        if !counted.is_empty() {
            (self.write)(&counted)?;
            flush.done();
        }
        Ok(())
    }
}

/// Ends when dropped, also if the write panics: then another caller leads the next.
struct Round<'a, E> {
    rounds: &'a Mutex<Rounds<E>>,
    ended: &'a Condvar,
    result: Option<Result<(), E>>,
}

impl<E> Drop for Round<'_, E> {
    fn drop(&mut self) {
        let mut rounds = lock(self.rounds);
        rounds.running = false;
        if let Some(result) = self.result.take() {
            rounds.ended = rounds.begun;
            match result {
                Ok(()) => rounds.durable = rounds.begun,
                Err(error) => rounds.error = Some(error),
            }
        }
        self.ended.notify_all();
    }
}
