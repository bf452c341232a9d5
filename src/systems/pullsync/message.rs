//! Inputs and outputs of a node, and what travels on its streams.
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::{ExchangeError, Reason, SealError, StoreError};
use super::puller::{Neighbour, Range, Worker};
use super::space::{Chunk, Delivery, Space};
use super::store::{Mode, Placed, Write};

/// The three kinds of stream (6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    Pullsync,
    Cursors,
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
    Syn,
    Ack {
        cursors: Vec<u64>,
    },
    Ruid {
        ruid: u32,
    },
    GetRange {
        bin: i32,
        from: u64,
        to: u64,
    },
    Offer {
        topmost: u64,
        hashes: Vec<S::Address>,
    },
    Want {
        bit_vector: Bytes,
    },
    Delivery(Delivery<S>),
    Cancel {
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
        bin: u8,
        worker: Worker,
        range: Range,
    },
    /// To cancel a ruid, under a deadline of its own (7). The driver tells nothing of its fate but
    /// [`Input::Opened`].
    Cancel { ruid: u32 },
}

impl Purpose {
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
    Put { mode: Mode, chunks: Vec<Chunk<S>> },
    /// A chunk is collected.
    Delete { address: S::Address },
    /// Chunks that were synced are evicted: deleted, all interval sets deleted, active bins started anew
    /// (9.5).
    Evict { addresses: Vec<S::Address> },
    /// The topology changed, or it is time to try again (9.1). A decreasing depth deletes the sets of bins
    /// below the former one first (9.5).
    Change { depth: u8, peers: Vec<Neighbour<S>> },
    /// A stream was opened as asked by [`Output::Open`]. `ruid` is a random number.
    Opened {
        peer: S::Peer,
        purpose: Purpose,
        stream: S::Stream,
        ruid: u32,
    },
    /// It could not be opened.
    Unopened { peer: S::Peer, purpose: Purpose },
    /// A peer opened a stream.
    Accepted {
        peer: S::Peer,
        stream: S::Stream,
        protocol: Protocol,
    },
    /// A message arrives. Ignored if the stream is not known (any more).
    Message {
        stream: S::Stream,
        message: Message<S>,
    },
    /// Nothing more arrives on a stream. Ignored if the stream is not known (any more).
    Ended { stream: S::Stream, reason: Reason },
    /// The idle timer of a handler fires (3.1).
    Idle { stream: S::Stream },
    /// A peer is not connected any more: its handlers are cancelled, its streams are ended (8.4).
    Disconnected { peer: S::Peer },
    /// The node closes (8.4): handlers are cancelled, exchanges too.
    Close,
}

/// What a node wants done, in this order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Output<S: Space> {
    /// Open a stream; [`Input::Opened`] or [`Input::Unopened`] answers.
    Open { peer: S::Peer, purpose: Purpose },
    /// Send a message.
    Send {
        stream: S::Stream,
        message: Message<S>,
    },
    /// Close the own direction, and wait for the other's end for a while.
    Finish { stream: S::Stream },
    /// Reset the stream.
    Reset { stream: S::Stream },
    /// Start the idle timer of a handler, anew if it runs (3.1).
    Arm { stream: S::Stream },
    /// Answers [`Input::Put`].
    Placed(Result<Vec<Placed>, StoreError>),
    /// Answers [`Input::Delete`]: whether there was anything.
    Deleted(Result<bool, StoreError>),
    /// Answers [`Input::Evict`].
    Evicted(Result<(), StoreError>),
    /// Chunks were received: the hook of 7e.
    Received { addresses: Vec<S::Address> },
    /// An exchange ended.
    Exchanged(Exchanged<S>),
    /// A topology change or cursor list could not be dealt with; nothing else came of it.
    Failed(StoreError),
    /// From [`super::State`] only: a write that was made.
    Write(Write<S>),
    /// From [`super::State`] only: the writes so far must be durable before what follows.
    Sync,
}

/// How an exchange ended.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Exchanged<S: Space> {
    pub peer: S::Peer,
    pub bin: u8,
    pub worker: Worker,
    pub ruid: u32,
    pub range: Range,
    /// Addresses stored and rejected, in order of delivery.
    pub stored: Vec<S::Address>,
    pub rejected: Vec<S::Address>,
    /// The topmost that was sealed.
    pub result: Result<u64, Failure>,
}

/// Why an exchange did not lead to a seal.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Failure {
    /// Reading ended (7, rule 8).
    Broken(Reason),
    Exchange(ExchangeError),
    Seal(SealError),
    /// The worker was stopped (9.4, step 5).
    Stopped,
}
