//! Inputs and outputs of a node, and what travels on its streams.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::{ArgumentError, ExchangeError, Reason, SealError, StoreError};
use super::puller::{CursorsError, Neighbour, Range, Worker};
use super::space::{Chunk, Delivery, Space};
use super::store::{Mode, Placed, Write};

/// The three kinds of stream (6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Ranges are pulled (7, 8.1).
    Pullsync,
    /// Cursors are fetched (8.2).
    Cursors,
    /// A ruid is cancelled (8.3).
    Cancel,
}

/// A message (6) with its addresses told apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(
    bound(
        serialize = "",
        deserialize = "S::Address: Deserialize<'de>, S::Data: Deserialize<'de>, S::Stamp: Deserialize<'de>"
    ),
    rename_all = "snake_case"
)]
pub enum Message<S: Space> {
    /// Asks for the cursors.
    Syn,
    /// The answer.
    Ack {
        /// The highest number ever assigned, per bin.
        cursors: Vec<u64>,
    },
    /// Names an exchange; the first message of its stream.
    Ruid {
        /// Its number, chosen by the puller.
        ruid: u32,
    },
    /// Asks for a range; the second message.
    GetRange {
        /// The server's bin, not checked yet.
        bin: i32,
        /// The first insertion number.
        from: u64,
        /// The last one; the largest number if the range is live.
        to: u64,
    },
    /// A page of the range.
    Offer {
        /// Up to which number the page tells all.
        topmost: u64,
        /// The chunks in it, by insertion number.
        hashes: Vec<S::Address>,
    },
    /// Which of the offered chunks are wanted.
    Want {
        /// One bit for each hash, as it is on the wire (5).
        bit_vector: Bytes,
    },
    /// A wanted chunk.
    Delivery(Delivery<S>),
    /// Ends an exchange.
    Cancel {
        /// Which one.
        ruid: u32,
    },
}

/// For what a node opens a stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Purpose {
    /// To fetch cursors (9.1).
    Fetch,
    /// To pull a range (9.4).
    Pull {
        /// The bin, as the peer numbers them.
        bin: u8,
        /// For which of its workers.
        worker: Worker,
        /// What is asked for.
        range: Range,
    },
    /// To cancel a ruid, under a deadline of its own (7). The driver tells nothing of its fate but
    /// [`Input::Opened`].
    Cancel {
        /// That of an exchange which failed.
        ruid: u32,
    },
}

impl Purpose {
    /// Of which kind the stream is.
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Fetch => Protocol::Cursors,
            Self::Pull { .. } => Protocol::Pullsync,
            Self::Cancel { .. } => Protocol::Cancel,
        }
    }
}

/// What reaches a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Input<S: Space> {
    /// Chunks are put from outside; waiting handlers look again.
    Put {
        /// For what.
        mode: Mode,
        /// They are not validated.
        chunks: Vec<Chunk<S>>,
    },
    /// A chunk is collected as garbage.
    Delete {
        /// Which one.
        address: S::Address,
    },
    /// Chunks that were synced are evicted: all interval sets are deleted, then the chunks, and the active
    /// bins are started anew (9.5).
    Evict {
        /// Which ones.
        addresses: Vec<S::Address>,
    },
    /// The topology changed, or it is time to try again (9.1). A decreasing depth deletes the sets of bins
    /// below the former one first (9.5). Ignored once the node is closed.
    Change {
        /// The depth.
        depth: u8,
        /// All connected peers, each once.
        peers: Vec<Neighbour<S>>,
    },
    /// A stream was opened as asked by [`Output::Open`].
    Opened {
        /// To whom.
        peer: S::Peer,
        /// For what.
        purpose: Purpose,
        /// Its number.
        stream: S::Stream,
        /// A random number, by which an exchange is known.
        ruid: u32,
    },
    /// It could not be opened.
    Unopened {
        /// To whom.
        peer: S::Peer,
        /// For what.
        purpose: Purpose,
    },
    /// A peer opened a stream.
    Accepted {
        /// The peer.
        peer: S::Peer,
        /// Its number.
        stream: S::Stream,
        /// Its kind.
        protocol: Protocol,
    },
    /// A message arrives. Ignored if the stream is not known (any more). One that is not expected now ends
    /// the stream as malformed bytes do.
    Message {
        /// On which stream.
        stream: S::Stream,
        /// The message.
        message: Message<S>,
    },
    /// Nothing more arrives on a stream. Ignored if the stream is not known (any more).
    Ended {
        /// Which one.
        stream: S::Stream,
        /// Why.
        reason: Reason,
    },
    /// The idle timer of a handler fires (3.1).
    Idle {
        /// The stream of the handler.
        stream: S::Stream,
    },
    /// A peer is not connected any more: its handlers are cancelled, all streams to and from it are ended
    /// (8.4). What is tracked changes with the next [`Input::Change`] only.
    Disconnected {
        /// The peer.
        peer: S::Peer,
    },
    /// The node closes (8.4): handlers are cancelled, exchanges too.
    Close,
}

/// What a node wants done, in this order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Output<S: Space> {
    /// Open a stream; [`Input::Opened`] or [`Input::Unopened`] answers.
    Open {
        /// To whom.
        peer: S::Peer,
        /// For what.
        purpose: Purpose,
    },
    /// Send a message.
    Send {
        /// On which stream.
        stream: S::Stream,
        /// The message.
        message: Message<S>,
    },
    /// Close the own direction, and wait for the other's end for a while.
    Finish {
        /// Of which stream.
        stream: S::Stream,
    },
    /// Reset the stream.
    Reset {
        /// Which one.
        stream: S::Stream,
    },
    /// Start the idle timer of a handler, anew if it runs (3.1).
    Arm {
        /// The stream of the handler.
        stream: S::Stream,
    },
    /// Answers [`Input::Put`].
    Placed(Result<Vec<Placed>, StoreError>),
    /// Answers [`Input::Delete`]: whether there was anything.
    Deleted(Result<bool, StoreError>),
    /// Answers [`Input::Evict`].
    Evicted(Result<(), StoreError>),
    /// Chunks came to be indexed by an exchange: the hook of 7e.
    Received {
        /// In the order of delivery.
        addresses: Vec<S::Address>,
    },
    /// An exchange ended.
    Exchanged(Exchanged<S>),
    /// A change of the topology, a cursor list or the next range of a worker could not be dealt with; nothing
    /// else came of it, and the next change tries again.
    Failed(CursorsError),
    /// From [`super::State`] only: a write that was made.
    Write(Write<S>),
    /// From [`super::State`] only: the writes so far must be durable before what follows.
    Sync,
}

/// How an exchange ended.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Exchanged<S: Space> {
    /// With whom.
    pub peer: S::Peer,
    /// The bin, as the peer numbers them.
    pub bin: u8,
    /// For which worker.
    pub worker: Worker,
    /// Its number.
    pub ruid: u32,
    /// What was asked for.
    pub range: Range,
    /// Addresses that were put, in the order of delivery, present or not.
    pub stored: Vec<S::Address>,
    /// Addresses left out for their stamps, in the order of delivery.
    pub rejected: Vec<S::Address>,
    /// The topmost that was sealed.
    pub result: Result<u64, Failure>,
}

/// Why an exchange did not lead to a seal.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum Failure {
    /// Its arguments are outside their domain; nothing was sent. Needs a faulty interval set (D3, D5).
    #[error(transparent)]
    Argument(ArgumentError),
    /// Reading ended (7, rule 8).
    #[error("reading ended: {0:?}")]
    Broken(Reason),
    /// What was read, or the storage (7).
    #[error(transparent)]
    Exchange(ExchangeError),
    /// The exchange succeeded and could not be sealed (9.4, step 4).
    #[error(transparent)]
    Seal(SealError),
    /// The worker was stopped (9.4, step 5).
    #[error("the worker was stopped")]
    Stopped,
}
