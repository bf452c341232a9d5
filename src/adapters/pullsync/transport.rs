//! Streams between two nodes, many on one TCP connection.
//!
//! A connection begins with a greeting from both sides: `/concord/pullsync/1`, a line feed, and the 32
//! bytes of the overlay. Then it is one of yamux, the dialler being its client. Each stream begins with
//! the id of its protocol (6) and a line feed, from whoever opened it; frames follow.
//!
//! This supplies what section 6 asks of a transport: the kind of a stream by its first line, the
//! overlay of the peer by its greeting, the close of one direction by FIN, and a reset by RST, which the
//! other side is told as [`ErrorKind::ConnectionReset`] instead of the end of the stream. So is
//! whoever reads when the connection is lost. Yamux sends FIN for RST if the peer has closed its
//! own direction before: nothing is expected then but what is counted.
//!
//! Peers are trusted to be who they say: nothing proves an overlay. What they send is bounded: streams
//! per connection, and 256 KiB on each that were not read.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use concord_systems::pullsync::limits::HASH_SIZE;
use concord_systems::pullsync::wire::{self, FrameError, Kind, Message, protocol_id};
use concord_systems::pullsync::{Address, Protocol, Reason};
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};

/// What a greeting begins with.
const GREETING: &[u8] = b"/concord/pullsync/1\n";

/// Bytes taken from a stream at once.
const BLOCK: usize = 1 << 14;

/// Silence after which it is asked whether the peer is still there, and between such questions.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// Which side of a connection this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// It opened the connection.
    Dialler,
    /// It listens.
    Listener,
}

/// What a connection bears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// How long a greeting, the first line of a stream, and the orderly end of the connection may take.
    pub patience: Duration,
    /// Streams at once that either side has opened. Those of the peer beyond it are reset; own ones wait.
    pub streams: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(10),
            streams: 128,
        }
    }
}

/// Why there is no connection, or no stream.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The socket failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The multiplexer gave up.
    #[error("the connection failed: {0}")]
    Multiplexer(#[from] yamux::ConnectionError),
    /// The other side is no such node.
    #[error("a greeting that begins with {found:?}, expected {GREETING:?}")]
    Greeting {
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// The other side is this node.
    #[error("the peer has the overlay of this node")]
    Itself,
    /// The first line of a stream is none of the three ids.
    #[error("a stream for {found:?}, expected one of the ids of section 6")]
    Protocol {
        /// What came, cut after the longest id.
        found: String,
    },
    /// It took too long.
    #[error("nothing came within {0:?}")]
    Late(Duration),
    /// The connection has ended.
    #[error("the connection has ended")]
    Ended,
}

/// A connection to a peer. It ends in order when this and all its [`Opener`]s are dropped.
#[derive(Debug)]
pub struct Connection {
    peer: Address,
    opener: Opener,
    incoming: mpsc::Receiver<Stream>,
    /// None once it was found to have ended.
    driver: Option<JoinHandle<Result<(), yamux::ConnectionError>>>,
}

/// Opens streams on a connection.
#[derive(Clone, Debug)]
pub struct Opener {
    asks: mpsc::Sender<Ask>,
    room: Arc<Semaphore>,
}

/// Where the stream is wanted that is to be opened.
type Ask = oneshot::Sender<yamux::Stream>;

impl Connection {
    /// Greets the other side and is greeted, as the node `me`.
    ///
    /// # Errors
    /// If the other side does not greet in time as another node.
    pub async fn establish(
        mut socket: TcpStream,
        side: Side,
        me: Address,
        bounds: Bounds,
    ) -> Result<Self, TransportError> {
        socket.set_nodelay(true)?;
        let (silence, pause) = KEEP_ALIVE;
        let keep_alive = TcpKeepalive::new().with_time(silence).with_interval(pause);
        SockRef::from(&socket).set_tcp_keepalive(&keep_alive)?;
        let greeted = timeout(bounds.patience, greet(&mut socket, me)).await;
        let peer = greeted.map_err(|_| TransportError::Late(bounds.patience))??;
        let mut config = yamux::Config::default();
        // Streams that were dropped count until the multiplexer has seen it.
        let most = 4 * bounds.streams;
        // Without that order the multiplexer finds one bound too small for the other.
        config
            .set_max_connection_receive_window(None)
            .set_max_num_streams(most)
            .set_max_connection_receive_window(Some(most * yamux::DEFAULT_CREDIT as usize));
        let mode = match side {
            Side::Dialler => yamux::Mode::Client,
            Side::Listener => yamux::Mode::Server,
        };
        let multiplexer = yamux::Connection::new(socket.compat(), config, mode);
        let (asks, asked) = mpsc::channel(1);
        let (accepted, incoming) = mpsc::channel(bounds.streams);
        let driver = Multiplexing {
            multiplexer,
            asked,
            accepted,
            wanted: None,
            room: Arc::new(Semaphore::new(bounds.streams)),
        };
        let opener = Opener {
            asks,
            room: Arc::new(Semaphore::new(bounds.streams)),
        };
        Ok(Self {
            peer,
            opener,
            incoming,
            driver: Some(tokio::spawn(driver.run(bounds.patience))),
        })
    }

    /// The overlay of the other side, as it says.
    pub const fn peer(&self) -> Address {
        self.peer
    }

    /// What opens streams here.
    pub const fn opener(&self) -> &Opener {
        &self.opener
    }

    /// The next stream that the other side opened. What it is for comes with [`Stream::protocol`].
    ///
    /// # Errors
    /// When the connection has ended: why.
    pub async fn accept(&mut self) -> Result<Stream, TransportError> {
        if let Some(stream) = self.incoming.recv().await {
            return Ok(stream);
        }
        match self.driver.take() {
            Some(driver) => match driver.await {
                Ok(Err(error)) => Err(error.into()),
                _ => Err(TransportError::Ended),
            },
            None => Err(TransportError::Ended),
        }
    }

    /// Ends the connection in order, once all its other openers are dropped, and waits for that.
    pub async fn close(self) {
        let Self {
            opener,
            incoming,
            driver,
            ..
        } = self;
        drop((opener, incoming));
        if let Some(driver) = driver {
            // How it ends makes no difference any more.
            let _ = driver.await;
        }
    }
}

impl Opener {
    /// Opens a stream, as soon as there is room for one.
    ///
    /// # Errors
    /// If the connection has ended.
    pub async fn open(&self, protocol: Protocol) -> Result<Stream, TransportError> {
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.map_err(|_| TransportError::Ended)?;
        let (ask, asked) = oneshot::channel();
        let sent = self.asks.send(ask).await;
        sent.map_err(|_| TransportError::Ended)?;
        let opened = asked.await.map_err(|_| TransportError::Ended)?;
        let mut stream = Stream::new(opened, room);
        stream.write_all(protocol_id(protocol).as_bytes()).await?;
        stream.write_all(b"\n").await?;
        Ok(stream)
    }
}

async fn greet(socket: &mut TcpStream, me: Address) -> Result<Address, TransportError> {
    let mut greeting = GREETING.to_vec();
    greeting.extend(me.0);
    socket.write_all(&greeting).await?;
    let mut start = [0; GREETING.len()];
    socket.read_exact(&mut start).await?;
    if start != GREETING {
        let found = start.to_vec();
        return Err(TransportError::Greeting { found });
    }
    let mut peer = [0; HASH_SIZE];
    socket.read_exact(&mut peer).await?;
    match Address(peer) {
        peer if peer == me => Err(TransportError::Itself),
        peer => Ok(peer),
    }
}

/// Runs the multiplexer of one connection.
struct Multiplexing {
    multiplexer: yamux::Connection<Compat<TcpStream>>,
    asked: mpsc::Receiver<Ask>,
    accepted: mpsc::Sender<Stream>,
    /// Who waits for a stream.
    wanted: Option<Ask>,
    /// For streams of the peer.
    room: Arc<Semaphore>,
}

impl Multiplexing {
    async fn run(mut self, patience: Duration) -> Result<(), yamux::ConnectionError> {
        std::future::poll_fn(|context| self.poll(context)).await?;
        let closing = std::future::poll_fn(|context| self.multiplexer.poll_close(context));
        // A peer that does not take the last bytes in is left.
        timeout(patience, closing).await.unwrap_or(Ok(()))
    }

    /// Ready once the connection has ended, or nobody needs it.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), yamux::ConnectionError>> {
        loop {
            if self.wanted.is_none() {
                match self.asked.poll_recv(context) {
                    Poll::Ready(Some(ask)) => self.wanted = Some(ask),
                    Poll::Ready(None) => return Poll::Ready(Ok(())),
                    Poll::Pending => {}
                }
            }
            if let Some(ask) = self.wanted.take() {
                match self.multiplexer.poll_new_outbound(context) {
                    Poll::Ready(opened) => {
                        // Whoever asked may have gone: the stream is dropped with the answer.
                        let _ = ask.send(opened?);
                        continue;
                    }
                    Poll::Pending => self.wanted = Some(ask),
                }
            }
            match ready!(self.multiplexer.poll_next_inbound(context)) {
                Some(stream) => self.take(stream?),
                None => return Poll::Ready(Ok(())),
            }
        }
    }

    /// A stream for which there is no room, or nobody, is dropped, and thereby reset.
    fn take(&self, stream: yamux::Stream) {
        if let Ok(room) = Arc::clone(&self.room).try_acquire_owned() {
            let _ = self.accepted.try_send(Stream::new(stream, room));
        }
    }
}

/// A stream. Dropped before it was shut down, it is reset.
///
/// Reading gives nothing once the other side has closed its direction, and fails with
/// [`ErrorKind::ConnectionReset`] if it has reset the stream or the connection is lost; what came before
/// is read first. After a shutdown that is not told apart.
#[derive(Debug)]
pub struct Stream {
    stream: Compat<yamux::Stream>,
    /// The own direction is closed.
    closed: bool,
    /// Given back after the stream.
    _room: OwnedSemaphorePermit,
}

impl Stream {
    fn new(stream: yamux::Stream, room: OwnedSemaphorePermit) -> Self {
        Self {
            stream: stream.compat(),
            closed: false,
            _room: room,
        }
    }

    /// Reads the first line of a stream that the other side opened.
    ///
    /// # Errors
    /// If it does not come in time, or is not one of the ids.
    pub async fn protocol(&mut self, patience: Duration) -> Result<Protocol, TransportError> {
        let line = timeout(patience, self.line()).await;
        let line = line.map_err(|_| TransportError::Late(patience))??;
        let all = [Protocol::Pullsync, Protocol::Cursors, Protocol::Cancel];
        let asked = all
            .into_iter()
            .find(|protocol| protocol_id(*protocol).as_bytes() == line);
        asked.ok_or_else(|| TransportError::Protocol {
            found: String::from_utf8_lossy(&line).into_owned(),
        })
    }

    /// The first line without its end, or as much of it as the longest id has.
    async fn line(&mut self) -> io::Result<Vec<u8>> {
        let longest = protocol_id(Protocol::Pullsync).len();
        let mut line = Vec::with_capacity(longest);
        while line.len() <= longest {
            match self.read_u8().await? {
                b'\n' => break,
                byte => line.push(byte),
            }
        }
        Ok(line)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        block: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = block.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, block))?;
        let is_end = block.filled().len() == before && block.remaining() > 0;
        // The other side's close leaves the own direction open, its reset does not.
        if is_end && !self.closed && self.stream.get_ref().is_closed() {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.stream.get_ref().is_closed() && !self.closed {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        self.closed = true;
        Poll::Ready(Ok(()))
    }
}

/// Reads the next message, which is of this kind. What comes with it stays in `frames`. May be given up
/// and begun again.
///
/// # Errors
/// If the stream ends first, or what comes is no such message.
pub async fn receive(
    stream: &mut (impl AsyncRead + Unpin),
    frames: &mut wire::Reader,
    kind: Kind,
) -> Result<Message, Reason> {
    loop {
        match frames.next(kind) {
            Ok(Some(message)) => return Ok(message),
            Ok(None) => {}
            Err(_) => return Err(Reason::Malformed),
        }
        let mut block = [0; BLOCK];
        match stream.read(&mut block).await {
            Ok(0) => {
                return Err(match frames.end() {
                    FrameError::Eof | FrameError::UnexpectedEof { .. } => Reason::Eof,
                    _ => Reason::Malformed,
                });
            }
            Ok(read) => frames.push(&block[..read]),
            Err(_) => return Err(Reason::Reset),
        }
    }
}
