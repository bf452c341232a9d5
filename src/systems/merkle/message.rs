//! Inputs and outputs of the replicated store.

use std::sync::Arc;

use serde::Serialize;

use super::block::{Block, Ids, Write};

/// What happened to a replica's store.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Input<I: Ids> {
    /// Write `value` under `key` (CTR-17). Refused while another write is under way.
    Put {
        /// The key.
        key: I::Key,
        /// The value.
        value: I::Value,
    },
    /// Write all of these, at least one, in their order and as one group: each block is the parent
    /// of the next, and steps 3 to 5 of CTR-17 follow for all of them once the last block is stored,
    /// with one [`Output::Sync`]. If a block cannot be stored nothing of the group is applied.
    /// Refused while another write is under way.
    PutAll(Vec<(I::Key, I::Value)>),
    /// The block of [`Output::Store`] is on disk under this address, or could not be stored.
    Stored(Option<I::Address>),
    /// An announcement arrived (CTR-18).
    Announced(Vec<I::Address>),
    /// A fetch ended.
    Fetched {
        /// The block asked for.
        address: I::Address,
        /// How it ended.
        outcome: Fetched<I>,
    },
    /// Repair now (CTR-20), whether dirty or not; when to do so is the driver's choice.
    Repair,
    /// The re-announcement timer fired (section 6).
    Reannounce,
}

/// How a fetch ended.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Fetched<I: Ids> {
    /// The block.
    Block(Arc<Block<I>>),
    /// Nobody had it in time.
    Unavailable,
    /// Something came that cannot be decoded.
    Unreadable,
}

/// What a replica's store wants done, in order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Output<I: Ids> {
    /// Store this block durably and answer with [`Input::Stored`].
    Store(Arc<Block<I>>),
    /// Make this write durable before anything after the next [`Output::Sync`] happens.
    Write(Write<I>),
    /// All writes so far must be durable now.
    Sync,
    /// Fetch this block from the peers and answer with [`Input::Fetched`].
    Fetch {
        /// The block.
        address: I::Address,
        /// Whether the fetch may be given up.
        patience: Patience,
    },
    /// A put ended: the new block, which is to be announced, or nothing was applied. Of a group it is
    /// the last block, from which all the others are reached.
    Put(Option<I::Address>),
    /// Tell the peers of these blocks.
    Announce(Vec<I::Address>),
    /// An announcement or repair has been worked off.
    Exchanged(Exchanged<I>),
}

/// Whether a fetch ever times out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Patience {
    /// It ends as [`Fetched::Unavailable`] after a while.
    Limited,
    /// It waits for as long as it takes.
    Endless,
}

/// What an announcement or a repair achieved.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Exchanged<I: Ids> {
    /// The dirty flag afterwards.
    pub dirty: bool,
    /// Blocks newly processed, ascending.
    pub merged: Vec<I::Address>,
    /// Blocks that could not be fetched, ascending.
    pub missing: Vec<I::Address>,
}
