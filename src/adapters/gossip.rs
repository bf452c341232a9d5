//! The transport of the broadcaster: publish and subscribe over TCP, with the framing of ZeroMQ.
//!
//! A node listens at one address, where others subscribe, and subscribes at the addresses of its
//! peers. Per peer and direction there is one connection, so messages of one publisher arrive in the
//! order of their publications and without gaps while the connection lasts. Nothing is relayed.
//!
//! A subscriber that does not read slows its publisher down: a publication waits for room in its
//! connection, and with it the publications behind it. So nothing piles up on either side. What is
//! lost while no connection breaks is lost by the broadcaster, which counts it.
//!
//! Peers are trusted: they are not authenticated, and a message may have any size.
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
use std::fmt;
use std::future::ready;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use concord_systems::broadcast::PubSub;
use thiserror::Error;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::select;
use tokio::sync::{Mutex as AsyncMutex, watch};
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
    /// The transport is closed.
    #[error(
        "{topic}: the transport was closed before or meanwhile; nothing was subscribed to, and a \
         message whose publication had begun may or may not have left"
    )]
    Closed {
        /// Of what was asked for.
        topic: String,
    },
}

/// One node. Serves its connections on a thread of its own until it is closed or dropped. Every
/// method blocks, so none may be called on that thread, nor inside an asynchronous task.
pub struct Gossip {
    /// None once closed.
    runtime: Mutex<Option<Runtime>>,
    handle: Handle,
    /// None once closed.
    publisher: AsyncMutex<Option<Publisher>>,
    closing: watch::Sender<bool>,
    peers: Box<[SocketAddr]>,
    patience: Duration,
}

impl fmt::Debug for Gossip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Gossip");
        fields.field("peers", &self.peers);
        fields.field("closed", &*self.closing.borrow());
        fields.finish_non_exhaustive()
    }
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
        let (runtime, publisher) = serve(listener).map_err(|source| {
            let source = Box::new(source);
            GossipError::Listen { address, source }
        })?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Mutex::new(Some(runtime)),
            publisher: AsyncMutex::new(Some(publisher)),
            closing: watch::Sender::new(false),
            peers: peers.into(),
            patience,
        })
    }

    /// Waits until at least `count` others have subscribed to `topic`; false if that took longer
    /// than `patience`. A message published before reaches only those subscribed by then. One that
    /// vanished without a word still counts.
    pub fn wait_for_subscribers(&self, topic: &str, count: u64, patience: Duration) -> bool {
        let begun = Instant::now();
        while self.subscribers(topic) < count {
            if begun.elapsed() > patience {
                return false;
            }
            sleep(Duration::from_millis(1));
        }
        true
    }

    /// Ends every subscription and connection, and publications that wait. No handler runs any more
    /// when it returns. What was published before is still on its way. Waits for a subscription that
    /// is being made. May be repeated.
    pub fn close(&self) {
        self.closing.send_replace(true);
        drop(self.publisher.blocking_lock().take());
        let runtime = self.runtime().take();
        drop(runtime);
    }
}

impl PubSub<Vec<u8>> for Gossip {
    type Error = GossipError;

    /// Subscribes at every peer, waiting for each, and again whenever one comes back. `handler` must
    /// return at once and use nothing of this transport: meanwhile nothing else is served.
    fn subscribe(&self, topic: &str, handler: Box<Handler>) -> Result<(), GossipError> {
        let runtime = self.runtime();
        let runtime = runtime.as_ref().ok_or_else(|| closed(topic))?;
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
        let mut closing = self.closing.subscribe();
        let published = async {
            select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => Err(closed(topic)),
                published = self.send(topic, frames) => published,
            }
        };
        self.handle.block_on(published)
    }
}

impl Gossip {
    fn runtime(&self) -> MutexGuard<'_, Option<Runtime>> {
        self.runtime.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As far as is known without waiting.
    fn subscribers(&self, topic: &str) -> u64 {
        let Ok(mut publisher) = self.publisher.try_lock() else {
            return 0;
        };
        let Some(publisher) = publisher.as_mut() else {
            return 0;
        };
        self.handle.block_on(publisher.hear());
        let count = publisher.subscribers.get(topic.as_bytes());
        count.copied().unwrap_or_default()
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

    async fn send(&self, topic: &str, frames: ZmqMessage) -> Result<(), GossipError> {
        let mut publisher = self.publisher.lock().await;
        let publisher = publisher.as_mut().ok_or_else(|| closed(topic))?;
        publisher.hear().await;
        let sent = publisher.socket.send(frames).await;
        sent.map_err(|source| GossipError::Publish {
            topic: topic.to_owned(),
            source: Box::new(source),
        })
    }
}

fn closed(topic: &str) -> GossipError {
    let topic = topic.to_owned();
    GossipError::Closed { topic }
}

/// Takes the messages of a subscription.
type Handler = dyn Fn(Vec<u8>) + Send + Sync;

/// What others subscribe to.
struct Publisher {
    socket: XPubSocket,
    /// How many there are, by topic.
    subscribers: BTreeMap<Vec<u8>, u64>,
}

impl Publisher {
    /// Takes what subscribers have said by now. Until then nothing is sent to them.
    async fn hear(&mut self) {
        loop {
            select! {
                biased;
                // An error says that a subscriber was let go.
                said = self.socket.recv() => said.iter().for_each(|said| self.note(said)),
                () = ready(()) => return,
            }
        }
    }

    /// A subscriber says 1 and a topic to subscribe, 0 and a topic to end that.
    fn note(&mut self, said: &ZmqMessage) {
        match said.get(0).and_then(|frame| frame.split_first()) {
            Some((1, topic)) => *self.subscribers.entry(topic.to_vec()).or_default() += 1,
            Some((0, topic)) => {
                let count = self.subscribers.get_mut(topic).into_iter();
                count.for_each(|count| *count = count.saturating_sub(1));
            }
            _ => {}
        }
    }
}

fn serve(listener: TcpListener) -> ZmqResult<(Runtime, Publisher)> {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build()?;
    let mut socket = XPubSocket::new();
    runtime.block_on(socket.bind_listener(listener))?;
    let subscribers = BTreeMap::new();
    let publisher = Publisher {
        socket,
        subscribers,
    };
    Ok((runtime, publisher))
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
