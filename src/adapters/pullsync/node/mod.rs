//! A running node: the core and its chunk store behind the shell, and routines on TCP.
//!
//! Claim: every transport error ends one stream or one connection and is followed by another attempt; a
//! peer that is slow or silent delays nobody but those who wait for it; what was stored is durable
//! before anybody hears of it. Assumed: peers are reached in the end, and are who they say.
//!
//! Two routines serve each stream, its reader and its writer; both run as one task. One task runs each
//! connection, one carries out what the core asks for beside its streams, one tries again. They step
//! the core where they are, and wait while another does: a step takes as long as one transaction.
//!
//! Deadlines are kept here, since the core has no clock: of reading and of writing one message, of the
//! wait for the other side's end, of a cancel. Those of messages that a peer may be slow to have
//! are none: the offer of a live exchange and the want that follows an offer. Cancel, disconnection and
//! close end these.

mod links;
mod pulling;
mod streams;
mod topology;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use concord_systems::pullsync::shell::{self, Shell, Undone};
use concord_systems::pullsync::{
    Address, Batches, Chunk, Mode, Node as Core, Placed, Real, Settings, StoreError, Strategies,
    limits,
};
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::store::ChunkStore;
use super::transport::{Bounds, TransportError};
use crate::error::Error;
use topology::Topology;

pub use pulling::{Intervals, Peer, Status, Tally};

/// Threads that run all tasks. Some may wait for the storage while others read and write.
const THREADS: usize = 4;

/// How a node is set up.
#[derive(Debug)]
pub struct Config {
    /// Its overlay.
    pub overlay: Address,
    /// What decides on the stamps of deliveries.
    pub batches: Batches,
    /// Chunks of bins below it are not pulled.
    pub depth: u8,
    /// The file of its chunk store; made if there is none.
    pub store: PathBuf,
    /// Where peers reach it.
    pub listener: TcpListener,
    /// Host and port of those to whom it keeps a connection.
    pub peers: Vec<String>,
    /// What it bears.
    pub limits: Limits,
}

/// What a node bears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Those of each connection.
    pub bounds: Bounds,
    /// Connections from peers at once; those beyond are closed.
    pub connections: usize,
    /// How long one message may take, to be read or to be written.
    pub message: Duration,
    /// How long the offer of a live exchange may take; as long as it likes if none.
    pub live: Option<Duration>,
    /// Time without a further entry after which a page that is not full is offered (3.1).
    pub idle: Duration,
    /// How long the other side's end of a stream is awaited (6).
    pub full_close: Duration,
    /// How long a cancel may take (7).
    pub cancel: Duration,
    /// How long a shutdown waits for streams to end (8.4).
    pub shutdown: Duration,
    /// Pause after a first failure, before it is tried again; each further one takes twice as long.
    pub pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
    /// Hashes in an offer, at most.
    pub max_page: usize,
    /// Pending cancels of one peer, at most (8.3).
    pub pending_cancels: usize,
    /// Bytes of the store's pages kept in memory, about.
    pub cache: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bounds: Bounds::default(),
            connections: 256,
            message: Duration::from_secs(30),
            live: None,
            idle: Duration::from_millis(500),
            full_close: Duration::from_secs(30),
            cancel: Duration::from_secs(30),
            shutdown: Duration::from_secs(5),
            pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
            max_page: limits::MAX_PAGE,
            pending_cancels: limits::PENDING_CANCELS,
            cache: 64 << 20,
        }
    }
}

/// What a node tells beside its answers. Nothing needs to be done about any of it but `Failed`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Connections cannot be accepted for now.
    Accept(&'a io::Error),
    /// Somebody who came is no peer, or a connection that a peer opened is lost.
    Incoming {
        /// Who opened it.
        from: SocketAddr,
        /// Why.
        error: &'a TransportError,
    },
    /// A peer cannot be reached, for the first time since it was last reached, or the connection is lost.
    Lost {
        /// Where it should be.
        peer: &'a str,
        /// Why.
        error: &'a TransportError,
    },
    /// There is a connection.
    Connected {
        /// To whom.
        peer: Address,
    },
    /// The chunk store failed: the node can do nothing more.
    Failed(&'a StoreError),
}

/// Why a node cannot be started, or was not stopped in order.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Its chunk store cannot be used.
    #[error(transparent)]
    Store(#[from] Error),
    /// The last seals were not made durable; what they cover is asked for once more.
    #[error(transparent)]
    Unsynced(#[from] StoreError),
    /// It cannot listen, or the system has no room for its threads.
    #[error("the node could not begin to run: {0}; nothing was changed")]
    Start(#[from] io::Error),
}

/// A running node. [`Node::shutdown`] stops it in order; dropped, it stops as after a crash.
pub struct Node {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Runtime,
}

/// A handle for requests to a node. They block: they are not for asynchronous tasks.
#[derive(Clone)]
pub struct Requests(Arc<Shared>);

/// What the routines of a node share.
struct Shared {
    shell: Shell<Real, ChunkStore>,
    overlay: Address,
    limits: Limits,
    /// Locked before the shell, never after.
    topology: Mutex<Topology>,
    /// Number of the next stream.
    streams: AtomicU64,
    tally: Mutex<Tally>,
    stop: CancellationToken,
    connections: TaskTracker,
    tell: Box<Tell>,
}

type Tell = dyn Fn(Event<'_>) + Send + Sync;

impl Node {
    /// Starts a node. `tell` hears of what happens beside its answers, on any thread; it must return
    /// soon and use nothing of the node.
    ///
    /// # Errors
    /// If its store or its address cannot be used.
    pub fn start(
        config: Config,
        tell: impl Fn(Event<'_>) + Send + Sync + 'static,
    ) -> Result<Self, NodeError> {
        let limits = config.limits;
        let address = config.listener.local_addr()?;
        config.listener.set_nonblocking(true)?;
        let settings = Settings {
            overlay: config.overlay,
            bins: limits::BINS,
            max_page: limits.max_page,
            pending_cancels: limits.pending_cancels,
            verifier: config.batches,
            strategies: Strategies::REFERENCE,
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("pullsync")
            .enable_all()
            .build()?;
        let store = ChunkStore::open(&config.store, config.overlay, limits.cache)?;
        let core = Core::new(Arc::new(settings));
        let (shell, driver) = Shell::new(core, store, shell::Strategies::REFERENCE);
        let shared = Arc::new(Shared {
            shell,
            overlay: config.overlay,
            limits,
            topology: Mutex::new(Topology::new(config.depth)),
            streams: AtomicU64::new(0),
            tally: Mutex::default(),
            stop: CancellationToken::new(),
            connections: TaskTracker::new(),
            tell: Box::new(tell),
        });
        let entered = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(config.listener)?;
        tokio::spawn(pulling::drive(Arc::clone(&shared), driver));
        tokio::spawn(pulling::retry(Arc::clone(&shared)));
        let accepting = links::accept(Arc::clone(&shared), listener);
        shared.connections.spawn(accepting);
        for peer in config.peers {
            let dialling = links::dial(Arc::clone(&shared), peer);
            shared.connections.spawn(dialling);
        }
        drop(entered);
        Ok(Self {
            shared,
            address,
            runtime,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle for requests, for any thread.
    pub fn requests(&self) -> Requests {
        Requests(Arc::clone(&self.shared))
    }

    /// Stops in order (8.4): handlers and exchanges are cancelled and told so, for as long as
    /// [`Limits::shutdown`]; connections are closed, and seals made durable.
    ///
    /// # Errors
    /// If the last seals could not be made durable.
    pub fn shutdown(self) -> Result<(), NodeError> {
        let shared = &self.shared;
        self.runtime.block_on(async {
            // What has not ended by then is ended with the connections.
            let _ = timeout(shared.limits.shutdown, shared.shell.ended()).await;
            shared.stop.cancel();
            shared.connections.close();
            let _ = timeout(shared.limits.shutdown, shared.connections.wait()).await;
        });
        let synced = shared.shell.inspect(|_, store| store.sync());
        self.runtime.shutdown_timeout(self.shared.limits.shutdown);
        Ok(synced?)
    }
}

impl Requests {
    /// Puts chunks, which are not validated. They are durable when this returns.
    ///
    /// # Errors
    /// If the storage fails: nothing was put.
    pub fn put(&self, mode: Mode, chunks: Vec<Chunk<Real>>) -> Result<Vec<Placed>, Undone> {
        self.0.shell.put(mode, chunks)
    }

    /// Deletes a chunk, and tells whether there was one.
    ///
    /// # Errors
    /// If the storage fails: nothing was deleted.
    pub fn delete(&self, address: Address) -> Result<bool, Undone> {
        self.0.shell.delete(address)
    }

    /// Deletes chunks that were synced, so that they may be synced again (9.5).
    ///
    /// # Errors
    /// If the storage fails: some of them may be deleted, all sets are.
    pub fn evict(&self, addresses: Vec<Address>) -> Result<(), Undone> {
        self.0.shell.evict(addresses)
    }

    /// Changes the depth below which chunks are not pulled.
    pub fn set_depth(&self, depth: u8) {
        self.0.set_depth(depth);
    }

    /// Looks at the chunk store. Everything else waits for as long as that takes.
    pub fn inspect<T>(&self, look: impl FnOnce(&ChunkStore) -> T) -> T {
        self.0.shell.inspect(|_, store| look(store))
    }

    /// What it has and does.
    ///
    /// # Errors
    /// Those of the store.
    pub fn status(&self) -> Result<Status, StoreError> {
        self.0.status()
    }
}

impl Shared {
    /// The number of a new stream.
    fn stream(&self) -> u64 {
        self.streams.fetch_add(1, Ordering::Relaxed)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Node");
        fields
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").finish_non_exhaustive()
    }
}
