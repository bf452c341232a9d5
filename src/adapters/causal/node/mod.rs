//! A running node: one owner of the core, one routine for each connection that comes in, one sender
//! for each peer.
//!
//! Claim: a peer that is dead, slow or hostile delays nobody but itself; every transport error ends one
//! connection and is followed by another attempt; a message is acked only when the peer that was
//! dialled said that it has synced it. Assumed: peers are reached in the end, and the directory
//! belongs to this node alone.
//!
//! Source: section 10 of the spec.

mod receiver;
mod sender;
mod sockets;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use concord_systems::causal::shell::{self, Answer, Owner, Shell, Unanswered};
use concord_systems::causal::trace::live::Look;
use concord_systems::causal::{
    FramedRequest, Input, Name, Node as Member, Output, Request, Settings, SubmitError, Submitted,
};
use concord_systems::replay;
use thiserror::Error;

use super::directory::Folder;
use super::durable::Durable;
use super::error::StoreError;
use super::tls::{ConnectionError, Identity, MAX_BODY, Timeouts};
use sockets::{Sockets, Stop};

/// Requests that may wait for the owner.
const DESK: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not 0");

/// Deliveries after which others have their turn.
const RUN: NonZeroU64 = NonZeroU64::new(1024).expect("1024 is not 0");

/// How a node is set up.
#[derive(Debug)]
pub struct Config {
    /// Its place in its group. The profile is the framed one.
    pub settings: Arc<Settings>,
    /// Where its files are.
    pub directory: PathBuf,
    /// Where it is reached.
    pub listener: TcpListener,
    /// Every other member of the group.
    pub peers: BTreeMap<Name, Peer>,
    /// Who it is, and whom it trusts.
    pub identity: Identity,
    /// Where its trace is written, if at all.
    pub trace: Option<PathBuf>,
    /// What it bears.
    pub limits: Limits,
}

/// How a peer is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Host and port.
    pub address: String,
    /// The name that its certificate must have.
    pub server_name: String,
}

/// What a node bears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How long connections may take.
    pub timeouts: Timeouts,
    /// Connections from peers at once; those beyond are closed.
    pub connections: usize,
    /// Pause after the first failed attempt to reach a peer; each further one takes twice as long.
    pub pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
    /// Bytes of a bulk; a larger one is split at the borders of its frames.
    pub bulk: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            connections: 256,
            pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
            bulk: MAX_BODY - super::tls::MAX_HEAD,
        }
    }
}

/// What a node tells beside its answers. Nothing needs to be done about any of it but `Failed`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A connection that somebody opened failed.
    Incoming {
        /// Who opened it.
        from: SocketAddr,
        /// Why.
        error: &'a dyn std::error::Error,
    },
    /// Connections cannot be accepted for now.
    Accept(&'a io::Error),
    /// A peer cannot be reached, for the first time since it was last reached.
    Lost {
        /// Which.
        peer: &'a Name,
        /// Why.
        error: &'a ConnectionError,
    },
    /// A peer that was lost confirmed something.
    Reached {
        /// Which.
        peer: &'a Name,
    },
    /// The node has ended: it cannot write its files.
    Failed(&'a StoreError),
}

/// Why a node cannot be started, or what ended it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Its files cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot listen.
    #[error("the listener has no address: {0}; nothing was changed")]
    Listen(io::Error),
    /// Peers and group do not fit.
    #[error("peers {found}, expected one for each other member: {expected}; nothing was changed")]
    Peers {
        /// Those given.
        found: String,
        /// The other members.
        expected: String,
    },
    /// The system has no room for another thread.
    #[error("no thread could be started: {0}; the files of the node are as after a crash")]
    Thread(io::Error),
    /// It panicked, which is a fault of the program.
    #[error("the owner of the core panicked; the files are as after a crash; please report it")]
    Panicked,
}

/// Why a request has no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It could not be transferred to any peer.
    #[error("the request has {bytes} bytes, expected at most {limit}; nothing was changed")]
    TooLarge {
        /// Its strings and contents.
        bytes: usize,
        /// What may be transferred.
        limit: usize,
    },
    /// The node has ended or ends.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

/// A running node. [`Node::shutdown`] stops it in order; without, it runs until the process ends.
pub struct Node {
    shared: Arc<Shared>,
    address: SocketAddr,
    owner: JoinHandle<Result<(), StoreError>>,
    acceptor: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

/// What the routines of a node share.
struct Shared {
    settings: Arc<Settings>,
    peers: BTreeMap<Name, Peer>,
    identity: Identity,
    limits: Limits,
    shell: Shell<Ask>,
    incoming: Arc<Sockets>,
    outgoing: Arc<Sockets>,
    stop: Stop,
    tell: Box<Tell>,
}

type Tell = dyn Fn(Event<'_>) + Send + Sync;

/// What the owner is asked.
enum Ask {
    Step(Input, Answer<Output>),
    Look(Look, Answer<replay::Answer>),
    /// Whether a peer has not confirmed everything.
    HasUnsent(Member, Answer<bool>),
}

impl Node {
    /// Starts a node. `tell` hears of what happens beside its answers, on any thread; it must return
    /// soon and use nothing of the node.
    ///
    /// # Errors
    /// If its files or its address cannot be used, or the peers are not those of the group.
    pub fn start(
        config: Config,
        tell: impl Fn(Event<'_>) + Send + Sync + 'static,
    ) -> Result<Self, NodeError> {
        config.check_peers()?;
        let listener = config.listener;
        let address = listener.local_addr().map_err(NodeError::Listen)?;
        let directory = Folder::open(&config.directory)?;
        let settings = config.settings;
        let durable = Durable::open(directory, Arc::clone(&settings), config.trace.as_deref())?;
        let peers: Vec<Member> = settings.group.peers(settings.me).collect();
        let (shell, owner) = Shell::new(DESK, peers.len(), shell::Strategies::REFERENCE);
        let shared = Arc::new(Shared {
            settings,
            peers: config.peers,
            identity: config.identity,
            incoming: Sockets::new(config.limits.connections),
            outgoing: Sockets::new(usize::MAX),
            limits: config.limits,
            shell,
            stop: Stop::default(),
            tell: Box::new(tell),
        });
        let applier = Arc::clone(&shared);
        let mut others = vec![spawn("applier", move || applier.apply())?];
        for (number, peer) in peers.into_iter().enumerate() {
            let sender = Arc::clone(&shared);
            others.push(spawn("sender", move || {
                sender::send(&sender, number, peer)
            })?);
        }
        let owning = Arc::clone(&shared);
        let owner = spawn("owner", move || {
            let ended = own(owner, durable);
            if let Err(error) = &ended {
                (owning.tell)(Event::Failed(error));
            }
            ended
        })?;
        let acceptor = Arc::clone(&shared);
        let acceptor = spawn("acceptor", move || receiver::accept(&acceptor, &listener));
        let acceptor = acceptor.inspect_err(|_| shared.shell.close())?;
        Ok(Self {
            shared,
            address,
            owner,
            acceptor,
            others,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle for requests, for any thread.
    pub fn requests(&self) -> Requests {
        Requests(Arc::clone(&self.shared))
    }

    /// Stops in order (6.7): closes the listener and all connections, answers what was asked before,
    /// records the shutdown and leaves a checkpoint. Waits for all that, and at most for one attempt
    /// to connect to each peer.
    ///
    /// # Errors
    /// What ended the node, if something did.
    pub fn shutdown(self) -> Result<(), NodeError> {
        let shared = &self.shared;
        shared.stop.set();
        shared.incoming.close();
        shared.outgoing.close();
        // A connection wakes the acceptor; it may fail as long as there is no descriptor left.
        while !self.acceptor.is_finished() {
            let _ = TcpStream::connect_timeout(&reachable(self.address), Duration::from_secs(1));
            thread::sleep(Duration::from_millis(1));
        }
        shared.incoming.wait_until_empty();
        shared.shell.close();
        let ended = self.owner.join();
        for other in self.others {
            // One that panicked has nothing left to be told.
            let _ = other.join();
        }
        match ended {
            Ok(ended) => Ok(ended?),
            Err(_) => Err(NodeError::Panicked),
        }
    }
}

/// A handle for requests to a node.
#[derive(Clone)]
pub struct Requests(Arc<Shared>);

impl Requests {
    /// Submits, and gives the answer once the message is durable (6.2).
    ///
    /// # Errors
    /// If the node has ended, or the message could never be transferred.
    pub fn submit(
        &self,
        request: FramedRequest,
    ) -> Result<Result<Submitted, SubmitError>, RequestError> {
        let shared = &self.0;
        let limit = shared.limits.bulk / 2;
        let bytes = weight(&request);
        if bytes > limit {
            return Err(RequestError::TooLarge { bytes, limit });
        }
        let input = Input::Submit(Request::Framed(request));
        let asked = shared.shell.submit(|answer| Ask::Step(input, answer));
        match asked? {
            Output::Submitted(result) => Ok(result),
            other => unreachable!("{other:?} answers no submit"),
        }
    }

    /// Looks at the state.
    ///
    /// # Errors
    /// If the node has ended.
    pub fn look(&self, look: Look) -> Result<replay::Answer, RequestError> {
        Ok(self.0.shell.ask(|answer| Ask::Look(look, answer))?)
    }

    /// What never changes of the node.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }
}

impl Config {
    fn check_peers(&self) -> Result<(), NodeError> {
        let group = &self.settings.group;
        let expected = group.peers(self.settings.me).map(|peer| group.name(peer));
        let expected: Vec<&Name> = expected.collect();
        let found: Vec<&Name> = self.peers.keys().collect();
        if found == expected {
            return Ok(());
        }
        Err(NodeError::Peers {
            found: format!("{found:?}"),
            expected: format!("{expected:?}"),
        })
    }
}

impl Shared {
    fn step(&self, input: Input) -> Result<Output, Unanswered> {
        self.shell.ask(|answer| Ask::Step(input, answer))
    }

    /// The applier: one run after each wake-up, and another if its limit ended it.
    fn apply(&self) {
        while self.shell.applier().wait() {
            let run = self.step(Input::Apply { limit: Some(RUN) });
            let Ok(Output::Applied(Ok(run))) = run else {
                return;
            };
            if run.applied.len() as u64 == RUN.get() {
                self.shell.applier().set();
            }
        }
    }
}

/// Those that run already end with the shell, which is closed when its owner is dropped.
fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, NodeError> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map_err(NodeError::Thread)
}

/// The owner of the core: takes one request after the other, until the node is closed.
fn own(owner: Owner<Ask>, mut durable: Durable<Folder>) -> Result<(), StoreError> {
    owner.senders().iter().for_each(shell::Wake::set);
    owner.applier().set();
    owner.serve(|owner, ask| {
        match ask {
            Ask::Step(input, answer) => {
                let output = durable.step(input)?;
                wake(owner, &output);
                answer.give(output);
            }
            Ask::Look(look, answer) => answer.give(durable.look(&look)?),
            Ask::HasUnsent(peer, answer) => {
                let state = durable.state();
                let record = state.record();
                let own = record.clock.get(state.settings().me);
                answer.give(record.cursors.get(peer) < own);
            }
        }
        durable.tidy()
    })?;
    durable.close()
}

/// Wakes those for whom there is something to do now.
fn wake(owner: &Owner<Ask>, output: &Output) {
    match output {
        Output::Submitted(Ok(_)) => owner.senders().iter().for_each(shell::Wake::set),
        Output::Received(Ok(received)) if received.stored > 0 => owner.applier().set(),
        _ => {}
    }
}

/// Bytes of a request that travel, but for what is the same in every message.
fn weight(request: &FramedRequest) -> usize {
    match request {
        FramedRequest::Send(msg) => msg.encode().len(),
        FramedRequest::Create { user, mailbox, tag } => user.len() + mailbox.len() + tag.len(),
        FramedRequest::Delete { user, mailbox } => user.len() + mailbox.len(),
        FramedRequest::Expunge {
            user,
            mailbox,
            rmv_tag,
            add_tag,
        } => user.len() + mailbox.len() + rmv_tag.len() + add_tag.len(),
        FramedRequest::Append {
            user,
            mailbox,
            tag,
            content,
        } => user.len() + mailbox.len() + tag.len() + content.len(),
        FramedRequest::Store {
            user,
            mailbox,
            rmv_tag,
            add_tag,
            content,
        } => user.len() + mailbox.len() + rmv_tag.len() + add_tag.len() + content.len(),
    }
}

/// An address at which this machine reaches a listener of its own.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(at) if at.ip().is_unspecified() => {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        SocketAddr::V6(at) if at.ip().is_unspecified() => {
            address.set_ip(Ipv6Addr::LOCALHOST.into());
        }
        _ => {}
    }
    address
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
