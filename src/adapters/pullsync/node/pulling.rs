//! What the core asks for beside its streams, trying again, and what came of it all.

use std::sync::Arc;

use concord_systems::pullsync::shell::{Driver, Event as Task};
use concord_systems::pullsync::{
    Address, CursorsError, ExchangeError, Exchanged, Failure, Protocol, Purpose, Real, SealError,
    Storage, StoreError, WorkerState,
};
use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::{Event, Shared, streams};
use crate::pullsync::store::{ChunkStore, Synced};
use crate::pullsync::transport::Stream;

/// What became of exchanges since the node was started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Tally {
    /// Exchanges that were sealed.
    pub sealed: u64,
    /// Exchanges that failed and were cancelled at the server.
    pub failed: u64,
    /// Exchanges whose worker was stopped.
    pub stopped: u64,
    /// Chunks that were stored.
    pub stored: u64,
    /// Chunks whose stamp was not verifiable.
    pub rejected: u64,
}

/// What a node has and does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Status {
    /// The depth below which no chunks are pulled.
    pub depth: u8,
    /// Number of chunks held, cached ones included.
    pub chunks: u64,
    /// Number of chunks in the pull index.
    pub indexed: u64,
    /// The highest number ever assigned, for each bin.
    pub cursors: Vec<u64>,
    /// What became of all chunks ever synced, former lives of the node included.
    pub synced: Synced,
    /// What became of exchanges in this life.
    pub exchanges: Tally,
    /// Handlers that serve peers now.
    pub handlers: usize,
    /// Those it pulls from.
    pub peers: Vec<Peer>,
    /// All interval sets, those of peers that are gone included.
    pub intervals: Vec<Intervals>,
}

/// A peer that is pulled from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Peer {
    /// Its overlay.
    pub overlay: Address,
    /// Its cursors as they were fetched, if they were.
    pub cursors: Option<Vec<u64>>,
    /// Workers that run.
    pub running: usize,
    /// Workers that found nothing missing any more.
    pub finished: usize,
    /// Workers that failed and were not started again yet.
    pub failed: usize,
}

/// An interval set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Intervals {
    /// Of which peer.
    pub peer: Address,
    /// Of which of its bins.
    pub bin: u8,
    /// The set in its binary form (4).
    pub set: String,
}

/// Opens streams as the core asks, until the node ends.
pub(super) async fn drive(shared: Arc<Shared>, mut driver: Driver<Real, ChunkStore>) {
    while let Some(task) = driver.event().await {
        match task {
            Task::Open { peer, purpose } => {
                tokio::spawn(open(Arc::clone(&shared), peer, purpose));
            }
            Task::Received { .. } => {}
            Task::Exchanged(exchanged) => shared.exchanged(&exchanged),
            Task::Failed(CursorsError::Store(error)) => (shared.tell)(Event::Failed(&error)),
            // The peer is asked again.
            Task::Failed(CursorsError::LengthMismatch { .. }) => {}
        }
    }
}

/// Starts failed workers and fetches again, after a pause that grows as long as some fail.
pub(super) async fn retry(shared: Arc<Shared>) {
    let limits = &shared.limits;
    let mut pause = limits.pause;
    while shared
        .stop
        .run_until_cancelled(sleep(pause))
        .await
        .is_some()
    {
        if shared.shell.inspect(|node, _| node.has_retries()) {
            shared.try_again();
            pause = (2 * pause).min(limits.longest_pause);
        } else {
            pause = limits.pause;
        }
    }
}

/// Opens a stream and serves it to its end.
async fn open(shared: Arc<Shared>, peer: Address, purpose: Purpose) {
    let limits = &shared.limits;
    // A cancel has a deadline of its own, since that of its exchange has passed (7).
    let (patience, cancel) = match purpose {
        Purpose::Cancel { .. } => (limits.cancel, Some(limits.cancel)),
        Purpose::Fetch | Purpose::Pull { .. } => (limits.message, None),
    };
    let opening = timeout(patience, stream_to(&shared, peer, purpose.protocol()));
    let opened = shared.stop.run_until_cancelled(opening).await;
    let opened = opened.and_then(Result::ok).flatten();
    // A random number for each, as 7 has it.
    let Some((stream, ruid)) = opened.zip(getrandom::u32().ok()) else {
        // A node that has ended needs not be told.
        let _ = shared.shell.unopened(peer, purpose);
        return;
    };
    let number = shared.stream();
    let Ok(routines) = shared.shell.opened(peer, purpose, number, ruid) else {
        return;
    };
    let serving = streams::serve(&shared, routines, stream, Some(purpose));
    match cancel {
        Some(patience) => drop(timeout(patience, serving).await),
        None => serving.await,
    }
}

async fn stream_to(shared: &Shared, peer: Address, protocol: Protocol) -> Option<Stream> {
    shared.opener(&peer)?.open(protocol).await.ok()
}

impl Shared {
    fn exchanged(&self, exchanged: &Exchanged<Real>) {
        let mut tally = self.tally();
        tally.stored += exchanged.stored.len() as u64;
        tally.rejected += exchanged.rejected.len() as u64;
        match &exchanged.result {
            Ok(_) => tally.sealed += 1,
            Err(Failure::Stopped) => tally.stopped += 1,
            Err(_) => tally.failed += 1,
        }
        drop(tally);
        let store = match &exchanged.result {
            Err(Failure::Exchange(ExchangeError::Store(error))) => Some(error),
            Err(Failure::Seal(SealError::Store(error))) => Some(error),
            _ => None,
        };
        if let Some(error) = store {
            (self.tell)(Event::Failed(error));
        }
    }

    pub(super) fn status(&self) -> Result<Status, StoreError> {
        let depth = self.topology().depth();
        let exchanges = *self.tally();
        self.shell.inspect(|node, store| {
            let peers = node.puller().tracked().map(|(overlay, cursors)| {
                let in_state = |state| {
                    let workers = node.puller().workers();
                    let those =
                        workers.filter(|(peer, _, _, now)| peer == overlay && *now == state);
                    those.count()
                };
                Peer {
                    overlay: *overlay,
                    cursors: cursors.map(<[u64]>::to_vec),
                    running: in_state(WorkerState::Running),
                    finished: in_state(WorkerState::Finished),
                    failed: in_state(WorkerState::Failed),
                }
            });
            let sets = store.sets()?.into_iter();
            let intervals = sets.map(|(peer, bin, set)| Intervals {
                peer,
                bin,
                set: set.encode(),
            });
            Ok(Status {
                depth,
                chunks: store.held()?,
                indexed: store.indexed()?,
                cursors: store.cursors()?,
                synced: store.synced()?,
                exchanges,
                handlers: node.server().registered().count(),
                peers: peers.collect(),
                intervals: intervals.collect(),
            })
        })
    }
}
