//! What a node pulls from whom: peers, cursors, workers, seals (9).

use serde::{Deserialize, Serialize};

use crate::map::{SortedMap, SortedSet};

use super::error::{SealError, StoreError};
use super::interval::IntervalSet;
use super::limits::{FIRST, MAX};
use super::space::Space;
use super::store::Storage;
use super::strategy::{
    FailedWorker, LiveRetry, LostDatabase, Ranges, Returning, Strategies, Topmost, WrongLength,
};

/// The tracked peers, what is known of their numbers, and the two workers of each active bin.
///
/// It decides what is to be fetched, started and stopped; whoever calls it does so.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Puller<S: Space> {
    bins: u8,
    depth: u8,
    tracked: SortedMap<S::Peer, Tracked>,
    /// Cursors of peers that were dropped. For faulty code (D37): otherwise empty.
    remembered: SortedMap<S::Peer, Vec<u64>>,
    how: Strategies,
}

/// A peer from which ranges are pulled.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
struct Tracked {
    /// One per bin. None until they are fetched; no bin is active before.
    cursors: Option<Vec<u64>>,
    /// The active bins.
    bins: SortedMap<u8, Workers>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
struct Workers {
    hist: WorkerState,
    live: WorkerState,
}

/// What became of a worker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum WorkerState {
    /// It has a range to ask for.
    Running,
    /// Nothing is left to ask for; it is not started again while its bin stays active.
    Finished,
    /// Its last exchange failed; it is started again at the next change.
    Failed,
}

/// The two workers of an active bin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worker {
    /// Pulls what the peer had when its cursors were fetched.
    Hist,
    /// Pulls what comes after.
    Live,
}

/// How a worker ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing is left to ask for.
    Finished,
    /// An exchange or its seal failed, or it was cancelled.
    Failed,
}

/// A range of insertion numbers to ask for, ends included. An end at the largest number is live.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Range {
    /// The first number.
    pub from: u64,
    /// The last number.
    pub to: u64,
}

/// A connected peer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Neighbour<S: Space> {
    /// Its overlay.
    pub peer: S::Peer,
    /// Its proximity order.
    pub order: u8,
}

/// A worker to be started.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Start<S: Space> {
    /// From whom it pulls.
    pub peer: S::Peer,
    /// The bin, as the peer numbers them.
    pub bin: u8,
    /// Which of the two.
    pub worker: Worker,
    /// What it asks for first.
    pub range: Range,
}

/// What a change of the topology led to (12.9).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Changed<S: Space> {
    /// Whose cursors are to be fetched, ascending. Fetches that still run are listed again.
    pub fetch: Vec<S::Peer>,
    /// By peer, bin, hist before live. A worker that counts as finished at once is not listed.
    pub start: Vec<Start<S>>,
    /// By peer, bin. Bins of dropped peers are not listed.
    pub stop: Vec<(S::Peer, u8)>,
    /// Peers that are not tracked any more, ascending.
    pub drop: Vec<S::Peer>,
}

/// What a cursor list led to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Arrived<S: Space> {
    /// Bins whose set was deleted, ascending.
    pub reset: Vec<u8>,
    /// As in [`Changed::start`].
    pub start: Vec<Start<S>>,
}

/// Why a cursor list led to nothing; the peer still needs a fetch.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum CursorsError {
    /// It has not one cursor per bin (9.2).
    #[error("{length} cursors, expected {bins}; the list is discarded")]
    LengthMismatch {
        /// Its length.
        length: usize,
        /// With how many bins the puller works.
        bins: u8,
    },
    /// The interval sets could not be read, or not be deleted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: Space> Puller<S> {
    /// No peers, depth 0. `bins` is 1 to 32.
    pub const fn new(bins: u8, how: Strategies) -> Self {
        Self {
            bins,
            depth: 0,
            tracked: SortedMap::new(),
            remembered: SortedMap::new(),
            how,
        }
    }

    /// Takes in the connected peers (9.1). Deletes no sets: that a smaller depth asks for it is the caller's
    /// to know (9.5).
    ///
    /// # Errors
    /// The interval sets could not be read; nothing was changed.
    pub fn change(
        &mut self,
        storage: &impl Storage<S>,
        depth: u8,
        peers: &[Neighbour<S>],
    ) -> Result<Changed<S>, StoreError> {
        let near = peers.iter().filter(|neighbour| neighbour.order >= depth);
        let near: SortedSet<_> = near.map(|neighbour| (neighbour.peer, ())).collect();
        let mut next = self.clone();
        next.depth = depth;
        let drop = next.drop_all_but(&near);
        for peer in near.keys().filter(|peer| !self.tracked.contains(peer)) {
            next.track(*peer);
        }
        let mut changed = Changed {
            fetch: next.without_cursors().copied().collect(),
            start: Vec::new(),
            stop: Vec::new(),
            drop,
        };
        let wanted = next.wanted();
        for peer in near.keys() {
            let Some(tracked) = next.tracked.get_mut(peer) else {
                continue;
            };
            tracked.bins.retain(|bin, _| {
                let stays = wanted.contains(bin);
                if !stays {
                    changed.stop.push((*peer, *bin));
                }
                stays
            });
            let starts = tracked.start(storage, *peer, wanted.clone(), &self.how)?;
            changed.start.extend(starts);
        }
        *self = next;
        Ok(changed)
    }

    /// Takes in the cursors of a peer, none if they could not be fetched (9.2). Nothing comes of them if the
    /// peer is not tracked or has cursors already; their number is not looked at then.
    ///
    /// # Errors
    /// The list has the wrong length, or the storage failed; either way the peer has no cursors yet.
    pub fn cursors(
        &mut self,
        storage: &mut impl Storage<S>,
        peer: S::Peer,
        cursors: Option<&[u64]>,
    ) -> Result<Arrived<S>, CursorsError> {
        let mut arrived = Arrived {
            reset: Vec::new(),
            start: Vec::new(),
        };
        let wanted = self.wanted();
        let (Some(tracked), Some(cursors)) = (self.tracked.get_mut(&peer), cursors) else {
            return Ok(arrived);
        };
        if tracked.cursors.is_some() {
            return Ok(arrived);
        }
        let cursors = checked(cursors, self.bins, self.how.wrong_length)?;
        if self.how.lost_database == LostDatabase::Reset {
            arrived.reset = reset_beyond(storage, &peer, &cursors)?;
        }
        let mut next = Tracked {
            cursors: Some(cursors),
            bins: SortedMap::new(),
        };
        arrived.start = next.start(storage, peer, wanted, &self.how)?;
        *tracked = next;
        Ok(arrived)
    }

    /// Starts all workers of all active bins anew, whatever became of them, for their sets were deleted (9.5).
    ///
    /// # Errors
    /// The interval sets could not be read; nothing was changed.
    pub fn restart(&mut self, storage: &impl Storage<S>) -> Result<Vec<Start<S>>, StoreError> {
        let mut next = self.clone();
        let mut starts = Vec::new();
        let wanted = self.wanted();
        for peer in self.tracked.keys() {
            if let Some(tracked) = next.tracked.get_mut(peer) {
                tracked.bins = SortedMap::new();
                starts.extend(tracked.start(storage, *peer, wanted.clone(), &self.how)?);
            }
        }
        *self = next;
        Ok(starts)
    }

    /// Records how a worker ended, whatever state it was in. No effect if its bin is not active.
    pub fn worker_done(&mut self, peer: S::Peer, bin: u8, worker: Worker, outcome: Outcome) {
        let tracked = self.tracked.get_mut(&peer);
        let workers = tracked.and_then(|tracked| tracked.bins.get_mut(&bin));
        if let Some(workers) = workers {
            *workers.state_mut(worker) = match outcome {
                Outcome::Finished => WorkerState::Finished,
                Outcome::Failed => WorkerState::Failed,
            };
        }
    }

    /// What a worker asks for after it sealed up to `topmost` (9.4, step 3); none if nothing is missing or
    /// the peer has no cursors.
    ///
    /// # Errors
    /// The interval set could not be read.
    pub fn next(
        &self,
        storage: &impl Storage<S>,
        peer: S::Peer,
        bin: u8,
        worker: Worker,
        topmost: u64,
    ) -> Result<Option<Range>, StoreError> {
        let tracked = self.tracked.get(&peer);
        let Some(cursor) = tracked.and_then(|tracked| tracked.cursor(bin)) else {
            return Ok(None);
        };
        match worker {
            Worker::Hist => Ok(hist_range(&set_of(storage, &peer, bin)?, cursor, &self.how)),
            // The worker knows where it is (D42).
            Worker::Live if self.how.ranges == Ranges::ByCursor => Ok(after(topmost)),
            Worker::Live => live_next(storage, &peer, bin, cursor, &self.how),
        }
    }

    /// State of a worker, none if its bin is not active.
    pub fn worker(&self, peer: &S::Peer, bin: u8, worker: Worker) -> Option<WorkerState> {
        let workers = self.tracked.get(peer)?.bins.get(&bin)?;
        Some(workers.state(worker))
    }

    /// The tracked peers, ascending, each with its cursors once they are known.
    pub fn tracked(&self) -> impl Iterator<Item = (&S::Peer, Option<&[u64]>)> {
        let tracked = self.tracked.iter();
        tracked.map(|(peer, tracked)| (peer, tracked.cursors.as_deref()))
    }

    /// The workers of active bins by peer and bin, hist before live.
    pub fn workers(&self) -> impl Iterator<Item = (S::Peer, u8, Worker, WorkerState)> + '_ {
        self.tracked.iter().flat_map(|(peer, tracked)| {
            tracked.bins.iter().flat_map(|(bin, workers)| {
                [Worker::Hist, Worker::Live]
                    .map(|worker| (*peer, *bin, worker, workers.state(worker)))
            })
        })
    }

    /// The depth of the last change.
    pub const fn depth(&self) -> u8 {
        self.depth
    }

    /// Tracked peers whose cursors are not known, ascending.
    pub(super) fn without_cursors(&self) -> impl Iterator<Item = &S::Peer> {
        let unknown = self.tracked().filter(|(_, cursors)| cursors.is_none());
        unknown.map(|(peer, _)| peer)
    }

    /// Whether a change with the same peers would start a failed worker again.
    pub(super) fn has_restarts(&self) -> bool {
        self.how.failed_worker == FailedWorker::StartedAgain
            && self
                .workers()
                .any(|(.., state)| state == WorkerState::Failed)
    }

    /// The bins that are to be synced under the current depth; never bin 0.
    fn wanted(&self) -> std::ops::Range<u8> {
        self.depth.max(1)..self.bins
    }

    /// Stops tracking all others, and says whom.
    fn drop_all_but(&mut self, near: &SortedSet<S::Peer>) -> Vec<S::Peer> {
        let mut dropped = Vec::new();
        let remembered = &mut self.remembered;
        let kept = self.how.returning == Returning::Kept;
        self.tracked.retain(|peer, tracked| {
            let stays = near.contains(peer);
            if !stays {
                dropped.push(*peer);
                if let Some(cursors) = tracked.cursors.take().filter(|_| kept) {
                    remembered.insert(*peer, cursors);
                }
            }
            stays
        });
        dropped
    }

    fn track(&mut self, peer: S::Peer) {
        let cursors = self.remembered.remove(&peer);
        let bins = SortedMap::new();
        self.tracked.insert(peer, Tracked { cursors, bins });
    }
}

impl Tracked {
    /// Starts what does not run in the wanted bins (9.3), once the cursors are known.
    fn start<S: Space>(
        &mut self,
        storage: &impl Storage<S>,
        peer: S::Peer,
        wanted: std::ops::Range<u8>,
        how: &Strategies,
    ) -> Result<Vec<Start<S>>, StoreError> {
        let mut starts = Vec::new();
        for bin in wanted {
            let Some(cursor) = self.cursor(bin) else {
                continue;
            };
            let former = self.bins.get(&bin).copied();
            let mut workers = former.unwrap_or(Workers::FAILED);
            for worker in [Worker::Hist, Worker::Live] {
                let failed = workers.state(worker) == WorkerState::Failed;
                let left = former.is_some() && how.failed_worker == FailedWorker::LeftAlone;
                if !failed || left {
                    continue;
                }
                let set = set_of(storage, &peer, bin)?;
                let range = match worker {
                    Worker::Hist => hist_range(&set, cursor, how),
                    // What follows a topmost of 0 (D44).
                    Worker::Live if former.is_some() && how.live_retry == LiveRetry::One => {
                        after(0)
                    }
                    Worker::Live => live_range(&set, cursor, how),
                };
                *workers.state_mut(worker) = match range {
                    Some(_) => WorkerState::Running,
                    None => WorkerState::Finished,
                };
                starts.extend(range.map(|range| Start {
                    peer,
                    bin,
                    worker,
                    range,
                }));
            }
            self.bins.insert(bin, workers);
        }
        Ok(starts)
    }

    fn cursor(&self, bin: u8) -> Option<u64> {
        self.cursors.as_ref()?.get(usize::from(bin)).copied()
    }
}

impl Workers {
    /// Neither runs, and both are to be started.
    const FAILED: Self = Self {
        hist: WorkerState::Failed,
        live: WorkerState::Failed,
    };

    const fn state(self, worker: Worker) -> WorkerState {
        match worker {
            Worker::Hist => self.hist,
            Worker::Live => self.live,
        }
    }

    const fn state_mut(&mut self, worker: Worker) -> &mut WorkerState {
        match worker {
            Worker::Hist => &mut self.hist,
            Worker::Live => &mut self.live,
        }
    }
}

/// What a hist worker asks for next (9.3, 12.9); none if nothing up to `cursor` is missing. Creates and
/// persists the empty set if there is none.
///
/// # Errors
/// The interval set could not be read or written.
pub fn hist_next<S: Space>(
    storage: &mut impl Storage<S>,
    peer: &S::Peer,
    bin: u8,
    cursor: u64,
    how: &Strategies,
) -> Result<Option<Range>, StoreError> {
    let set = match storage.intervals(peer, bin)? {
        Some(set) => set,
        None => {
            let set = IntervalSet::new(FIRST);
            storage.set_intervals(peer, bin, &set)?;
            set
        }
    };
    Ok(hist_range(&set, cursor, how))
}

/// What a live worker asks for next; none if nothing above `cursor` is missing. Persists nothing.
///
/// # Errors
/// The interval set could not be read.
pub fn live_next<S: Space>(
    storage: &impl Storage<S>,
    peer: &S::Peer,
    bin: u8,
    cursor: u64,
    how: &Strategies,
) -> Result<Option<Range>, StoreError> {
    Ok(live_range(&set_of(storage, peer, bin)?, cursor, how))
}

/// Seals `from..=topmost` (9.4): read, add, write as one step, since nobody else has the storage meanwhile.
/// Gives the set after it.
///
/// # Errors
/// The topmost is below `from` or the largest number, or the storage failed; nothing was sealed.
pub fn seal<S: Space>(
    storage: &mut impl Storage<S>,
    peer: &S::Peer,
    bin: u8,
    from: u64,
    topmost: u64,
    how: &Strategies,
) -> Result<IntervalSet, SealError> {
    let set = set_of(storage, peer, bin)?;
    seal_in(storage, set, peer, bin, from, topmost, how)
}

/// Seals in a set that was read before.
pub(super) fn seal_in<S: Space>(
    storage: &mut impl Storage<S>,
    mut set: IntervalSet,
    peer: &S::Peer,
    bin: u8,
    from: u64,
    topmost: u64,
    how: &Strategies,
) -> Result<IntervalSet, SealError> {
    let allowed = match how.topmost {
        Topmost::Checked => from <= topmost && topmost != MAX,
        Topmost::Unchecked => topmost != MAX,
        Topmost::MaxAllowed => true,
    };
    let out_of_range = SealError::TopmostOutOfRange { topmost, from };
    if !allowed || set.add_by(from, topmost, how.intervals).is_err() {
        return Err(out_of_range);
    }
    storage.set_intervals(peer, bin, &set)?;
    Ok(set)
}

/// The set of a peer's bin; an absent one counts as empty.
pub(super) fn set_of<S: Space>(
    storage: &impl Storage<S>,
    peer: &S::Peer,
    bin: u8,
) -> Result<IntervalSet, StoreError> {
    let set = storage.intervals(peer, bin)?;
    Ok(set.unwrap_or(const { IntervalSet::new(FIRST) }))
}

/// The first gap up to the cursor.
fn hist_range(set: &IntervalSet, cursor: u64, how: &Strategies) -> Option<Range> {
    // As a ceiling, 0 would be none.
    if cursor == 0 {
        return None;
    }
    let gap = set.next_by(Some(cursor), how.intervals);
    let from = gap.start.filter(|_| !gap.empty)?;
    let to = match how.ranges {
        Ranges::Missing => gap.end.unwrap_or(cursor),
        Ranges::ByCursor => cursor,
    };
    Some(Range { from, to })
}

/// From the smallest missing number above the cursor on.
fn live_range(set: &IntervalSet, cursor: u64, how: &Strategies) -> Option<Range> {
    let above = after(cursor)?;
    match how.ranges {
        Ranges::Missing => set
            .gap_from(above.from)
            .map(|(from, _)| Range { from, ..above }),
        Ranges::ByCursor => Some(above),
    }
}

/// All numbers above this one.
const fn after(number: u64) -> Option<Range> {
    match number.checked_add(1) {
        Some(from) => Some(Range { from, to: MAX }),
        None => None,
    }
}

/// One cursor per bin.
fn checked(cursors: &[u64], bins: u8, how: WrongLength) -> Result<Vec<u64>, CursorsError> {
    let length = cursors.len();
    match how {
        WrongLength::Discarded if length != usize::from(bins) => {
            Err(CursorsError::LengthMismatch { length, bins })
        }
        WrongLength::Discarded | WrongLength::Kept => Ok(cursors.to_vec()),
    }
}

/// Deletes the sets that reach beyond what the peer says it ever had: it has lost its database.
fn reset_beyond<S: Space>(
    storage: &mut impl Storage<S>,
    peer: &S::Peer,
    cursors: &[u64],
) -> Result<Vec<u8>, StoreError> {
    let mut reset = Vec::new();
    for (bin, cursor) in (0..).zip(cursors).skip(1) {
        let set = storage.intervals(peer, bin)?;
        if set.is_some_and(|set| set.last() > *cursor) {
            storage.remove_intervals(peer, bin)?;
            reset.push(bin);
        }
    }
    Ok(reset)
}
