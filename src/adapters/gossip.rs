//! The transport of the broadcaster: publish and subscribe over TCP, with the framing of ZeroMQ.
//!
//! A node listens at one address, where others subscribe, and subscribes at the addresses of its
//! peers. Per peer and direction there is one connection, so messages of one publisher arrive in the
//! order of their publications and without gaps while the connection lasts. Nothing is relayed.
//!
//! A subscriber that does not read slows its publisher down: a publication waits for room in its
//! connection, and with it the publications behind it. So nothing piles up on either side. What is
//! lost beyond a broken connection is lost by the broadcaster, which counts it.
//!
//! Source: `docs/spec/broadcast.md`, BRC-3 and BRC-4; RFC 29 of ZeroMQ for publish and subscribe.
//!
//! # Example
//!
//! ```
//! use std::net::TcpListener;
//! use std::time::Duration;
//!
//! use concord_adapters::gossip::Gossip;
//! use concord_systems::broadcast::{Broadcaster, CAPACITY, TOPIC};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Usually two processes. Each listens before either subscribes.
//! let (here, there) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
//! let (to_here, to_there) = (here.local_addr()?, there.local_addr()?);
//! let patience = Duration::from_secs(30);
//! let here = Gossip::open(here, [to_there], patience)?;
//! let there = Gossip::open(there, [to_here], patience)?;
//!
//! let here = Broadcaster::subscribe(here, CAPACITY)?;
//! let there = Broadcaster::subscribe(there, CAPACITY)?;
//! assert!(there.publisher().wait_for_subscribers(TOPIC, 1, patience));
//!
//! there.broadcast(b"head moved".to_vec())?;
//! let taken = here.inbox().blocking_next(None)?;
//! assert_eq!(taken.message.as_deref(), Some(&b"head moved"[..]));
//!
//! here.inbox().cancel();
//! here.publisher().close();
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use concord_systems::broadcast::PubSub;
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::select;
use tokio::sync::{mpsc, oneshot};
use zeromq::{
    Socket, SocketOptions, SocketRecv, SocketSend, SubSocket, XPubSocket, ZmqError, ZmqMessage,
    ZmqResult,
};

/// Why a transport could not be opened or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GossipError {
    /// The listener, or the thread that serves it, is of no use.
    #[error("{address}: could not listen: {source}; nothing was opened")]
    Listen {
        /// Where.
        address: String,
        /// Why.
        source: Box<ZmqError>,
    },
    /// A peer was not reached in time, or refuses.
    #[error("{peer}: could not subscribe to {topic}: {source}; nothing was subscribed to")]
    Subscribe {
        /// Which peer.
        peer: SocketAddr,
        /// To what.
        topic: String,
        /// Why.
        source: Box<ZmqError>,
    },
    /// The message did not leave for every subscriber.
    #[error("could not publish on {topic}: {source}; some subscribers may have the message")]
    Publish {
        /// On what.
        topic: String,
        /// Why.
        source: Box<ZmqError>,
    },
    /// The transport was closed before, or meanwhile.
    #[error("{topic}: the transport is closed; nothing was subscribed to")]
    SubscribedClosed {
        /// To what.
        topic: String,
    },
    /// The transport was closed before, or meanwhile.
    #[error(
        "{topic}: the transport is closed; nothing was published, or, if it was closed meanwhile, \
         some subscribers may have the message"
    )]
    PublishedClosed {
        /// On what.
        topic: String,
    },
}

/// One node. Serves its connections on a thread of its own until it is closed or dropped, neither of
/// which may happen on that thread, nor inside an asynchronous task.
#[derive(Debug)]
pub struct Gossip {
    /// None once closed.
    runtime: Mutex<Option<Runtime>>,
    publications: mpsc::Sender<Publication>,
    subscriptions: Arc<Subscriptions>,
    peers: Box<[SocketAddr]>,
    patience: Duration,
}

impl Gossip {
    /// Lets others subscribe at `listener`. Subscriptions of this node go to `peers`, each of which
    /// may take up to `patience` to be there.
    ///
    /// # Errors
    /// If the listener cannot be served.
    pub fn open(
        listener: TcpListener,
        peers: impl Into<Box<[SocketAddr]>>,
        patience: Duration,
    ) -> Result<Self, GossipError> {
        let address = listener.local_addr();
        let address = address.map_or_else(|error| error.to_string(), |found| found.to_string());
        let subscriptions = Arc::new(Subscriptions::default());
        // A publication is answered before the next one begins, so there is nothing to queue.
        let (publications, accepted) = mpsc::channel(1);
        let heard = Arc::clone(&subscriptions);
        let runtime = serve(listener, accepted, heard).map_err(|source| {
            let source = Box::new(source);
            GossipError::Listen { address, source }
        })?;
        Ok(Self {
            runtime: Mutex::new(Some(runtime)),
            publications,
            subscriptions,
            peers: peers.into(),
            patience,
        })
    }

    /// Waits until at least `count` others have subscribed to `topic`; false if that took longer
    /// than `patience`. What is published before reaches only those subscribed by then. One that
    /// vanished without a word still counts.
    pub fn wait_for_subscribers(&self, topic: &str, count: u64, patience: Duration) -> bool {
        self.subscriptions.wait(topic.as_bytes(), count, patience)
    }

    /// Ends every subscription and connection; handlers are not called any more. What was published
    /// before is still delivered. May be repeated.
    pub fn close(&self) {
        // Publications that wait are told. Waits until no handler runs.
        let runtime = self.runtime().take();
        drop(runtime);
    }

    fn runtime(&self) -> MutexGuard<'_, Option<Runtime>> {
        self.runtime.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes at every peer or at none.
    async fn connect(&self, topic: &str) -> Result<Vec<SubSocket>, GossipError> {
        let mut sockets = Vec::new();
        for &peer in &self.peers {
            let socket = connect(peer, topic, self.patience).await;
            sockets.push(socket.map_err(|source| GossipError::Subscribe {
                peer,
                topic: topic.to_owned(),
                source: Box::new(source),
            })?);
        }
        Ok(sockets)
    }
}

impl PubSub<Vec<u8>> for Gossip {
    type Error = GossipError;

    /// Subscribes at every peer, waiting for each, and again whenever one comes back. `handler` must
    /// return at once and use nothing of this transport: meanwhile nothing else is served.
    fn subscribe(&self, topic: &str, handler: Box<Handler>) -> Result<(), GossipError> {
        let runtime = self.runtime();
        let Some(runtime) = runtime.as_ref() else {
            let topic = topic.to_owned();
            return Err(GossipError::SubscribedClosed { topic });
        };
        let handler: Arc<Handler> = handler.into();
        for socket in runtime.block_on(self.connect(topic))? {
            runtime.spawn(pass_on(socket, topic.to_owned(), Arc::clone(&handler)));
        }
        Ok(())
    }

    /// Sends to everyone who has subscribed by now, which may be nobody. Returns once the operating
    /// system has the message for each of them; publications go one after another.
    fn publish(&self, topic: &str, message: Vec<u8>) -> Result<(), GossipError> {
        let mut frames = ZmqMessage::from(topic);
        frames.push_back(message.into());
        let (answer, answered) = oneshot::channel();
        let publication = Publication { frames, answer };
        // Refused or unanswered is the same: the thread is gone.
        let _ = self.publications.blocking_send(publication);
        match answered.blocking_recv() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(GossipError::Publish {
                topic: topic.to_owned(),
                source: Box::new(source),
            }),
            Err(_) => Err(GossipError::PublishedClosed {
                topic: topic.to_owned(),
            }),
        }
    }
}

/// Takes the messages of a subscription.
type Handler = dyn Fn(Vec<u8>) + Send + Sync;

/// A message on its way, and who waits for it to leave.
#[derive(Debug)]
struct Publication {
    frames: ZmqMessage,
    answer: oneshot::Sender<ZmqResult<()>>,
}

/// Who subscribed here.
#[derive(Debug, Default)]
struct Subscriptions {
    /// By topic.
    counts: Mutex<BTreeMap<Vec<u8>, u64>>,
    changed: Condvar,
}

impl Subscriptions {
    /// Takes what a subscriber says: 1 and a topic to subscribe, 0 and a topic to end that.
    fn hear(&self, said: &ZmqMessage) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match said.get(0).and_then(|frame| frame.split_first()) {
            Some((1, topic)) => *counts.entry(topic.to_vec()).or_default() += 1,
            Some((0, topic)) => {
                let count = counts.get_mut(topic);
                count
                    .into_iter()
                    .for_each(|count| *count = count.saturating_sub(1));
            }
            _ => {}
        }
        self.changed.notify_all();
    }

    fn wait(&self, topic: &[u8], count: u64, patience: Duration) -> bool {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let lacking = |counts: &mut BTreeMap<Vec<u8>, u64>| {
            counts.get(topic).is_none_or(|present| *present < count)
        };
        let waited = self.changed.wait_timeout_while(counts, patience, lacking);
        let waited = waited.unwrap_or_else(PoisonError::into_inner);
        !waited.1.timed_out()
    }
}

fn serve(
    listener: TcpListener,
    publications: mpsc::Receiver<Publication>,
    subscriptions: Arc<Subscriptions>,
) -> ZmqResult<Runtime> {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build()?;
    let mut socket = XPubSocket::new();
    runtime.block_on(socket.bind_listener(listener))?;
    runtime.spawn(send_on(socket, publications, subscriptions));
    Ok(runtime)
}

/// Sends publications one after another, and hears subscribers in between.
async fn send_on(
    mut socket: XPubSocket,
    mut publications: mpsc::Receiver<Publication>,
    subscriptions: Arc<Subscriptions>,
) {
    loop {
        select! {
            said = socket.recv() => {
                // An error says that a subscriber was let go.
                said.iter().for_each(|said| subscriptions.hear(said));
            }
            publication = publications.recv() => {
                let Some(Publication { frames, answer }) = publication else { return };
                // Who no longer waits needs no answer.
                let _ = answer.send(socket.send(frames).await);
            }
        }
    }
}

async fn connect(peer: SocketAddr, topic: &str, patience: Duration) -> ZmqResult<SubSocket> {
    let mut options = SocketOptions::default();
    options.connect_timeout(patience);
    let mut socket = SubSocket::with_options(options);
    socket.connect(&format!("tcp://{peer}")).await?;
    socket.subscribe(topic).await?;
    Ok(socket)
}

/// Passes every message on `topic` to `handler`.
async fn pass_on(mut socket: SubSocket, topic: String, handler: Arc<Handler>) {
    loop {
        // An error says that a peer was let go; it is connected again.
        let Ok(frames) = socket.recv().await else {
            continue;
        };
        // A subscription is one to a prefix.
        if let [on, message] = frames.into_vec().as_slice()
            && on == topic.as_bytes()
        {
            // Copied, since a message that is kept would keep all that was read with it.
            handler(message.to_vec());
        }
    }
}
