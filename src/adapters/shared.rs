//! A durable counter that threads share: live counts in memory, committed in groups.
//!
//! Claim: nothing that a completed commit covers is lost by a crash, and reads contain every
//! increment counted here and every sub-counter merged. How much a crash may cost is
//! [`Durability`]. Source: `docs/spec/counter.md` sections 3 and 4 with grouped commits (models
//! `counter/grouped`, `counter/deferred`).

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use concord_systems::counter::shell::{Counted, GroupCommit, Handle, Live, Reader, Writer};
use concord_systems::counter::{Acknowledged, DataKey, Direction, Generation, Strategies, Text};
use concord_systems::merkle::driver::Backend;
use concord_systems::merkle::{Disk, Exchanged, Write};
use thiserror::Error;

use crate::database::Database;
use crate::error::Error;
use crate::merkle::MerkleTables;
use crate::replica::{Address, CallError, Counter, Ids, Network, OpenError, fresh_generation};

/// What a crash may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// An increment returns once it is durable: nothing that returned is lost. Increments of many
    /// threads share one sync.
    EachIncrement,
    /// Increments return at once and are committed so often: a crash loses at most what was counted
    /// since the last commit that ended began.
    Every(Duration),
    /// Increments return at once and are committed by [`SharedCounter::commit`] only: a crash loses
    /// what was counted since the last one that ended began.
    OnDemand,
}

/// Why counts could not be committed. They are kept, and the next commit writes them; but after a
/// failure of the database the counter must be opened again.
#[derive(Debug, Error)]
#[error("counted, not known to be durable: {0}")]
pub struct CommitError<E: std::error::Error + 'static = Error>(Arc<CallError<E>>);

// Not derived: that would ask it of `E`.
impl<E: std::error::Error> Clone for CommitError<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

type Commit<E> = GroupCommit<
    CommitError<E>,
    Box<dyn Fn(&[Counted]) -> Result<(), CommitError<E>> + Send + Sync>,
>;

/// A counter open for all threads of a process; one process life.
///
/// Dropped without [`SharedCounter::close`] it commits once more and says nothing if that fails.
pub struct SharedCounter<B, N>
where
    B: Backend<Disk<Ids>, Write<Ids>>,
{
    live: Live,
    core: Arc<Mutex<Core<B, N>>>,
    commit: Arc<Commit<B::Error>>,
    durability: Durability,
    timer: Option<Timer>,
}

/// What is locked while blocks are written or merged.
struct Core<B, N> {
    counter: Counter<B>,
    network: N,
}

impl<N: Network + Send + 'static> SharedCounter<Database<MerkleTables<Ids>>, N> {
    /// Opens the counter in this file, or makes one, with a fresh generation (CTR-5, CTR-12).
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        path: impl AsRef<Path>,
        node: &str,
        network: N,
        durability: Durability,
    ) -> Result<Self, OpenError> {
        let generation = fresh_generation(node)?;
        let disk = Database::open(path).map_err(OpenError::Database)?;
        Self::on(disk, node, generation, network, durability)
    }
}

impl<B, N> SharedCounter<B, N>
where
    B: Backend<Disk<Ids>, Write<Ids>> + Send + 'static,
    N: Network + Send + 'static,
{
    /// Opens the counter on any disk. The generation must never have been used before.
    ///
    /// # Errors
    /// If the node id is not fit or the disk cannot be read.
    pub fn on(
        disk: B,
        node: &str,
        generation: Generation,
        network: N,
        durability: Durability,
    ) -> Result<Self, OpenError<B::Error>> {
        let strategies = Strategies::grouped(Acknowledged::Flushed);
        let counter = Counter::with(disk, node, generation, strategies)?;
        let live = Live::new();
        let every = counter.state().store().disk().entries.iter();
        let keys: BTreeSet<_> = every
            .filter_map(|(full, _)| Text::<Address>::counter_of(full))
            .collect();
        tell(&live, &counter, keys);

        let core = Arc::new(Mutex::new(Core { counter, network }));
        let commit = Arc::new(committing(&core, live.clone()));
        let timer = match durability {
            Durability::Every(period) => Some(Timer::start(&commit, period)),
            Durability::EachIncrement | Durability::OnDemand => None,
        };
        Ok(Self {
            live,
            core,
            commit,
            durability,
            timer,
        })
    }

    /// To count by name, for one thread.
    pub fn writer(&self) -> SharedWriter<B> {
        let waits = self.durability == Durability::EachIncrement;
        SharedWriter {
            writer: self.live.writer(),
            commit: waits.then(|| Arc::clone(&self.commit)),
        }
    }

    /// To count one direction of a counter at the cost of one atomic addition, for one thread. It
    /// waits for nothing: with [`Durability::EachIncrement`] call [`SharedCounter::commit`].
    pub fn handle(&self, key: &str, direction: Direction) -> Handle {
        self.live.handle(&DataKey::new(key), direction)
    }

    /// To read one counter without looking it up.
    pub fn reader(&self, key: &str) -> Reader {
        self.live.reader(&DataKey::new(key))
    }

    /// The value of a counter (CTR-9), with everything counted here, committed or not.
    pub fn read(&self, key: &str) -> u64 {
        self.live.read(&DataKey::new(key))
    }

    /// Returns once everything this thread counted before is durable. Threads that call it meanwhile
    /// share one sync.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn commit(&self) -> Result<(), CommitError<B::Error>> {
        self.commit.wait()
    }

    /// The generation of this process life.
    pub fn generation(&self) -> Generation {
        self.locked().counter.generation()
    }

    /// What the re-announcement timer should announce now (section 6).
    pub fn announcements(&self) -> Vec<Address> {
        self.locked().counter.announcements()
    }

    /// The bytes of a stored block, for a peer that asks.
    pub fn block(&self, address: &Address) -> Option<Vec<u8>> {
        self.locked().counter.block(address)
    }

    /// Takes in an announcement (CTR-18), fetching from the peers what is missing here.
    ///
    /// # Errors
    /// If the database failed, or did so earlier.
    pub fn receive(&self, announced: &[Address]) -> Result<Exchanged<Ids>, CallError<B::Error>> {
        self.exchange(|counter, network| counter.receive(announced, network))
    }

    /// Whether [`SharedCounter::repair`] should run: at start-up and hourly (CTR-20).
    pub fn needs_repair(&self) -> bool {
        self.locked().counter.needs_repair()
    }

    /// Fetches what is missing below the heads (CTR-20).
    ///
    /// # Errors
    /// As [`SharedCounter::receive`].
    pub fn repair(&self) -> Result<Exchanged<Ids>, CallError<B::Error>> {
        self.exchange(Counter::repair)
    }

    fn exchange(
        &self,
        exchange: impl FnOnce(&mut Counter<B>, &mut N) -> Result<Exchanged<Ids>, CallError<B::Error>>,
    ) -> Result<Exchanged<Ids>, CallError<B::Error>> {
        let mut core = self.locked();
        let Core { counter, network } = &mut *core;
        let exchanged = exchange(counter, network)?;
        let blocks = &counter.state().store().disk().blocks;
        let merged = exchanged
            .merged
            .iter()
            .filter_map(|block| blocks.get(block));
        let keys = merged
            .filter_map(|block| Text::<Address>::counter_of(&block.key))
            .collect();
        tell(&self.live, counter, keys);
        Ok(exchanged)
    }

    fn locked(&self) -> MutexGuard<'_, Core<B, N>> {
        locked(&self.core)
    }
}

impl<N> SharedCounter<Database<MerkleTables<Ids>>, N> {
    /// Commits what was counted and lets go of the file (CTR-15), which is closed once no
    /// [`SharedWriter`] is left that waits for commits: such a one still commits. What other writers
    /// and handles count from now on is committed by nobody.
    ///
    /// # Errors
    /// If the last counts could not be committed.
    pub fn close(mut self) -> Result<(), CommitError> {
        self.timer = None;
        self.commit.wait()
    }
}

impl<B: Backend<Disk<Ids>, Write<Ids>>, N> Drop for SharedCounter<B, N> {
    fn drop(&mut self) {
        self.timer = None;
        // Whoever wants to know calls `close`.
        let _ = self.commit.wait();
    }
}

impl<B: Backend<Disk<Ids>, Write<Ids>>, N> fmt::Debug for SharedCounter<B, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("SharedCounter");
        fields
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}

/// Counts by name, for one thread.
pub struct SharedWriter<B: Backend<Disk<Ids>, Write<Ids>>> {
    writer: Writer,
    /// With [`Durability::EachIncrement`].
    commit: Option<Arc<Commit<B::Error>>>,
}

impl<B: Backend<Disk<Ids>, Write<Ids>>> fmt::Debug for SharedWriter<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedWriter").field(&self.writer).finish()
    }
}

impl<B: Backend<Disk<Ids>, Write<Ids>>> SharedWriter<B> {
    /// Raises a counter by one (CTR-8).
    ///
    /// # Errors
    /// Only with [`Durability::EachIncrement`]: it is counted, and must not be repeated while the
    /// counter is open; see [`CommitError`].
    pub fn increment(&mut self, key: &str) -> Result<(), CommitError<B::Error>> {
        self.writer.increment(key);
        self.wait()
    }

    /// Lowers a counter by one (CTR-8).
    ///
    /// # Errors
    /// As [`SharedWriter::increment`].
    pub fn decrement(&mut self, key: &str) -> Result<(), CommitError<B::Error>> {
        self.writer.decrement(key);
        self.wait()
    }

    fn wait(&self) -> Result<(), CommitError<B::Error>> {
        self.commit.as_ref().map_or(Ok(()), |commit| commit.wait())
    }
}

/// A commit writes through the core.
fn committing<B, N>(core: &Arc<Mutex<Core<B, N>>>, live: Live) -> Commit<B::Error>
where
    B: Backend<Disk<Ids>, Write<Ids>> + Send + 'static,
    N: Network + Send + 'static,
{
    let core = Arc::clone(core);
    GroupCommit::new(
        live,
        Box::new(move |counted| {
            let mut core = locked(&core);
            let Core { counter, network } = &mut *core;
            let committed = counter.commit(counted, network);
            committed.map_err(|error| CommitError(Arc::new(error)))
        }),
    )
}

/// Tells the live counts what others, and former lives, counted.
fn tell<B: Backend<Disk<Ids>, Write<Ids>>>(
    live: &Live,
    counter: &Counter<B>,
    keys: BTreeSet<(Direction, DataKey)>,
) {
    let state = counter.state();
    for (direction, key) in keys {
        let own = state.flushed(direction, &key);
        live.merged(
            &key,
            direction,
            state.sum(direction, &key).wrapping_sub(own),
        );
    }
}

/// A thread that panicked leaves the core at the end of some step, which is sound.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Commits again and again, until dropped.
struct Timer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Timer {
    fn start<E: std::error::Error + Send + Sync + 'static>(
        commit: &Arc<Commit<E>>,
        period: Duration,
    ) -> Self {
        let (stop, stopped) = channel::<()>();
        let commit = Arc::clone(commit);
        let thread = thread::spawn(move || {
            while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                // What could not be committed stays counted, and whoever asks for a commit is told.
                let _ = commit.wait();
            }
        });
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It only commits; should that have panicked, the last commit says so.
            let _ = thread.join();
        }
    }
}
