//! What a system tells the cluster model about itself.

use std::fmt::{self, Debug};
use std::hash::Hash;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::state::Host;

/// A system that runs on a cluster: its core, its durable image, and what its drivers may do to it.
///
/// An implementation only translates. It hands events to the core and effects back, and defines no
/// message, state or transition of its own.
pub trait Protocol: Debug + Send + Sync + Sized + 'static {
    /// The running core itself.
    type Machine: Clone + Eq + Hash + Debug + Serialize + Send + Sync;
    /// The durable image.
    type Disk: Clone + Eq + Hash + Debug + Serialize + Send + Sync;
    /// One atomic write to the durable image.
    type Write: Clone + Eq + Hash + Debug + Serialize + Send + Sync;
    /// A message between nodes.
    type Message: Clone + Ord + Hash + Debug + Serialize + DeserializeOwned + Send + Sync;
    /// What a client asks of its node.
    type Call: Clone + Eq + Hash + Debug + Serialize + DeserializeOwned + Send + Sync;
    /// What a node answers its client.
    type Reply: Clone + Eq + Hash + Debug + Serialize + Send + Sync;
    /// A request that any peer may answer who can, such as a fetch by content address.
    type Query: Clone + Ord + Hash + Debug + Serialize + DeserializeOwned + Send + Sync;
    /// What answers a query.
    type Answer: Clone + Debug;
    /// A timer that may fire.
    type Tick: Clone + Ord + Hash + Debug + Serialize + DeserializeOwned + Send + Sync;
    /// History that properties need and no node has.
    type Ghost: Clone + Eq + Hash + Debug + Default + Serialize + Send + Sync;

    /// The image of a node that was never started.
    fn blank(&self, node: usize) -> Self::Disk;

    /// Starts a node on what its disk holds. `life` says how often it was started before.
    fn start(
        &self,
        node: usize,
        life: u8,
        disk: &Self::Disk,
        effects: &mut Vec<Effect<Self>>,
    ) -> Self::Machine;

    /// The durable image as the machine believes it: with all its writes applied, synced or not.
    ///
    /// It must equal the image on disk with every write applied that the machine emitted; builds
    /// with debug assertions check this at each step.
    fn disk<'a>(&self, machine: &'a Self::Machine) -> &'a Self::Disk;

    /// Applies one write to an image.
    fn apply(&self, disk: &mut Self::Disk, write: &Self::Write);

    /// Hands one event to a running core. Effects are carried out in their order.
    fn step(
        &self,
        machine: &mut Self::Machine,
        event: Event<Self>,
        effects: &mut Vec<Effect<Self>>,
    );

    /// Whether the machine takes in `message` now; if not, it stays in flight.
    fn ready(&self, _machine: &Self::Machine, _message: &Self::Message) -> bool {
        true
    }

    /// Which lane of its link a message travels on, if order is kept: lanes overtake each other.
    fn lane(&self, _message: &Self::Message) -> u64 {
        0
    }

    /// Whether `message` may get lost, if losses are among the faults.
    fn may_lose(&self, _message: &Self::Message) -> bool {
        true
    }

    /// What may arrive in place of `message`, if damages are among the faults.
    fn damages(&self, _message: &Self::Message) -> Vec<Self::Message> {
        Vec::new()
    }

    /// Name of the kind of action by which `damaged` arrives, for example `cut`.
    fn damage_name(&self, _damaged: &Self::Message) -> &'static str {
        "damage"
    }

    /// Every name that [`Protocol::damage_name`] gives.
    fn damage_names(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Whether a client may make this call now.
    fn may_call(&self, _machine: &Self::Machine, _call: &Self::Call) -> bool {
        true
    }

    /// Timers that may fire now.
    fn ticks(&self, machine: &Self::Machine) -> Vec<Self::Tick>;

    /// Whether a tick is a timer, which [`super::Timers`] bounds, and not a step that the node takes
    /// of itself at any time.
    fn is_timer(&self, _tick: &Self::Tick) -> bool {
        true
    }

    /// Outstanding requests.
    fn queries(&self, machine: &Self::Machine) -> Vec<Self::Query>;

    /// Whether an outstanding request ever times out.
    fn may_give_up(&self, _machine: &Self::Machine, _query: &Self::Query) -> bool {
        true
    }

    /// Broadcasts whose outcome the machine awaits, each with its ticket.
    fn publications(&self, machine: &Self::Machine) -> Vec<(u32, Self::Message)>;

    /// What this running machine answers when a peer asks it.
    fn answer(&self, machine: &Self::Machine, query: &Self::Query) -> Option<Self::Answer>;

    /// A damaged form of `answer`, if damage is to be considered.
    fn corrupt(&self, _answer: Self::Answer) -> Option<Self::Answer> {
        None
    }

    /// Notes history: called once for each transition of a node.
    fn observe(&self, ghost: &mut Self::Ghost, seen: &Seen<'_, Self>);

    /// Names the crash point after this write, for example `crash_merge`.
    fn write_name(&self, write: &Self::Write) -> &'static str;

    /// Name of the kind of action by which a client calls, for example `increment`.
    fn call_name(&self, call: &Self::Call) -> &'static str;

    /// Name of the kind of action by which this timer fires, for example `reannounce`.
    fn tick_name(&self, tick: &Self::Tick) -> &'static str;

    /// Every name that [`Protocol::write_name`] gives, at most 31.
    fn crash_points(&self) -> Vec<&'static str>;

    /// Every name that [`Protocol::tick_name`] gives.
    fn tick_names(&self) -> Vec<&'static str>;

    /// Whether any machine ever asks a query; decides which kinds of action are declared.
    fn has_queries(&self) -> bool {
        true
    }

    /// Whether any machine ever awaits a publication; decides which kinds of action are declared.
    fn has_publications(&self) -> bool {
        true
    }

    /// What else bounds a model of this protocol, by the names that are printed.
    fn bounds(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// Heap bytes of a machine, for the checker's account of memory.
    fn heap_bytes(&self, _machine: &Self::Machine) -> usize {
        0
    }

    /// A message for people.
    fn message_text(&self, message: &Self::Message) -> String {
        format!("{message:?}")
    }

    /// A query for people.
    fn query_text(&self, query: &Self::Query) -> String {
        format!("{query:?}")
    }

    /// A ticket for people.
    fn ticket_text(&self, ticket: u32) -> String {
        format!("#{ticket}")
    }

    /// A call for people.
    fn call_text(&self, call: &Self::Call) -> String {
        format!("{call:?}")
    }

    /// A timer for people.
    fn tick_text(&self, tick: &Self::Tick) -> String {
        self.tick_name(tick).to_owned()
    }
}

/// What happens to a running node.
pub enum Event<P: Protocol> {
    /// A client calls; the reply carries the same token.
    Call {
        /// Identifies client and call, see [`token`].
        token: u32,
        /// What is asked.
        call: P::Call,
    },
    /// A message arrives.
    Deliver {
        /// Its sender.
        from: usize,
        /// The message.
        message: P::Message,
    },
    /// An outstanding query ends.
    Answered {
        /// The query.
        query: P::Query,
        /// Its answer, none if it failed.
        answer: Option<P::Answer>,
    },
    /// An awaited publication ends.
    Published {
        /// Its ticket.
        ticket: u32,
        /// Whether it was handed to the network.
        ok: bool,
    },
    /// A timer fires.
    Tick(P::Tick),
    /// The node is asked to stop in order; afterwards it does not run.
    Close,
}

/// What a step of a node does outside the node.
pub enum Effect<P: Protocol> {
    /// Writes, atomically; a crash may lose it until the next [`Effect::Sync`].
    Write(P::Write),
    /// Makes every write so far durable.
    Sync,
    /// Sends to one node.
    Send {
        /// The receiver.
        to: usize,
        /// The message.
        message: P::Message,
    },
    /// Sends to every other node.
    Broadcast(P::Message),
    /// Answers a client.
    Reply {
        /// Token of the call.
        token: u32,
        /// The answer.
        reply: P::Reply,
    },
}

/// Why a node changed.
pub enum Cause<P: Protocol> {
    /// It was started.
    Start,
    /// An event reached it.
    Event(Event<P>),
    /// It crashed at rest.
    Crash,
    /// Its disk was wiped while it was stopped.
    DataLoss,
}

/// One transition of one node, as the ghost sees it.
pub struct Seen<'a, P: Protocol> {
    /// The node.
    pub node: usize,
    /// Which of its lives this is, counted from 0 (the number that [`Protocol::start`] was given).
    pub life: u8,
    /// Why it changed.
    pub cause: &'a Cause<P>,
    /// Whether it crashed, at rest or in the midst of handling `cause`.
    pub crashed: bool,
    /// The machine before, none if the node was stopped.
    pub before: Option<&'a P::Machine>,
    /// The machine after, none if the node is stopped now.
    pub after: Option<&'a P::Machine>,
    /// The effects that were carried out: after a crash those before it. A write among them may
    /// have been lost all the same; `disk` tells.
    pub effects: &'a [Effect<P>],
    /// What was durable on its disk before.
    pub disk_before: &'a P::Disk,
    /// What is durable on its disk now.
    pub disk: &'a P::Disk,
    /// Tokens of the calls whose clients give up because the node stopped.
    pub abandoned: &'a [u32],
    /// All nodes after the transition.
    pub hosts: &'a [Arc<Host<P>>],
}

/// The token of call number `index` of client number `client`.
#[must_use]
pub const fn token(client: usize, index: usize) -> u32 {
    ((client << 8) | index) as u32
}

/// Client and index of a token.
#[must_use]
pub const fn call_of(token: u32) -> (usize, usize) {
    ((token >> 8) as usize, (token & 0xff) as usize)
}

impl<P: Protocol> Clone for Event<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Call { token, call } => Self::Call {
                token: *token,
                call: call.clone(),
            },
            Self::Deliver { from, message } => Self::Deliver {
                from: *from,
                message: message.clone(),
            },
            Self::Answered { query, answer } => Self::Answered {
                query: query.clone(),
                answer: answer.clone(),
            },
            Self::Published { ticket, ok } => Self::Published {
                ticket: *ticket,
                ok: *ok,
            },
            Self::Tick(tick) => Self::Tick(tick.clone()),
            Self::Close => Self::Close,
        }
    }
}

impl<P: Protocol> Debug for Event<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { token, call } => write!(f, "Call({token:#x}, {call:?})"),
            Self::Deliver { from, message } => write!(f, "Deliver({from}, {message:?})"),
            Self::Answered { query, answer } => write!(f, "Answered({query:?}, {answer:?})"),
            Self::Published { ticket, ok } => write!(f, "Published({ticket}, {ok})"),
            Self::Tick(tick) => write!(f, "Tick({tick:?})"),
            Self::Close => write!(f, "Close"),
        }
    }
}

impl<P: Protocol> Clone for Effect<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Write(write) => Self::Write(write.clone()),
            Self::Sync => Self::Sync,
            Self::Send { to, message } => Self::Send {
                to: *to,
                message: message.clone(),
            },
            Self::Broadcast(message) => Self::Broadcast(message.clone()),
            Self::Reply { token, reply } => Self::Reply {
                token: *token,
                reply: reply.clone(),
            },
        }
    }
}

impl<P: Protocol> Debug for Effect<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(write) => write!(f, "Write({write:?})"),
            Self::Sync => write!(f, "Sync"),
            Self::Send { to, message } => write!(f, "Send({to}, {message:?})"),
            Self::Broadcast(message) => write!(f, "Broadcast({message:?})"),
            Self::Reply { token, reply } => write!(f, "Reply({token:#x}, {reply:?})"),
        }
    }
}

impl<P: Protocol> Debug for Cause<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => write!(f, "Start"),
            Self::Event(event) => event.fmt(f),
            Self::Crash => write!(f, "Crash"),
            Self::DataLoss => write!(f, "DataLoss"),
        }
    }
}
