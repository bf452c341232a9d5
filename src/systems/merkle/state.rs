//! The data of a replica's store.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;

use super::block::{Block, Disk, Ids};
use super::strategy::Strategies;
use crate::map::SortedSet;

/// One replica of the Merkle-CRDT store: its disk image and what it is doing.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Store<I: Ids> {
    /// The image that results when every write so far is carried out.
    pub(super) disk: Disk<I>,
    pub(super) strategies: Strategies,
    /// The write under way, between steps 1 and 2 of CTR-17.
    pub(super) put: Option<Put<I>>,
    /// Announcements and repairs not yet begun, oldest first.
    pub(super) queue: VecDeque<Task<I>>,
    /// The exchange under way; at most one (5.4).
    pub(super) exchange: Option<Exchange<I>>,
    /// Blocks heard announced since the last re-announcement.
    pub(super) seen: SortedSet<I::Address>,
    /// Blocks that came unreadable and stay reserved until restart (C-15).
    pub(super) stuck: SortedSet<I::Address>,
}

/// A put, or a group of them, whose blocks are not all on disk.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct Put<I: Ids> {
    /// The block whose storing is awaited.
    pub(super) block: Arc<Block<I>>,
    /// Blocks of the group that are on disk, none of them merged; each is the parent of the next.
    pub(super) stored: Vec<(I::Address, Arc<Block<I>>)>,
    /// What remains to be made a block of.
    pub(super) rest: VecDeque<(I::Key, I::Value)>,
}

/// Something that makes the replica fetch and merge.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) enum Task<I: Ids> {
    /// CTR-18.
    Announcement(Vec<I::Address>),
    /// CTR-20.
    Repair,
}

/// A task under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct Exchange<I: Ids> {
    pub(super) stage: Stage<I>,
    /// The walk under way; the stage goes on when it ends.
    pub(super) walk: Option<Walk<I>>,
    /// The fetch that was asked for and not answered.
    pub(super) fetching: Option<I::Address>,
    pub(super) merged: SortedSet<I::Address>,
    pub(super) missing: SortedSet<I::Address>,
    /// Whether dirty was set by this exchange only to outlive a crash in its middle.
    pub(super) marked: bool,
    /// Whether a walk of this exchange left a hole.
    pub(super) hole: bool,
}

/// How far an exchange has come.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) enum Stage<I: Ids> {
    /// CTR-18 step 1: every announced block becomes a head of an empty replica.
    Seed {
        blocks: Vec<I::Address>,
        next: usize,
    },
    /// CTR-18 step 2: every announced block is walked from.
    Walk {
        blocks: Vec<I::Address>,
        next: usize,
    },
    /// CTR-20: blocks to visit, each with the head it was reached from.
    Repair {
        queue: VecDeque<(I::Address, I::Address)>,
        visited: SortedSet<I::Address>,
    },
}

/// A walk (CTR-19).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct Walk<I: Ids> {
    pub(super) root: I::Address,
    /// The work list: stored blocks to be merged.
    pub(super) list: VecDeque<I::Address>,
    /// Blocks this walk has asked for; never holds the start.
    pub(super) reserved: SortedSet<I::Address>,
    /// The block whose parents are being looked at, and the index of the next one.
    pub(super) current: Option<(I::Address, usize)>,
    /// Whether the parent at that index is reserved and only its block is still awaited.
    pub(super) awaited: bool,
}

impl<I: Ids> Store<I> {
    /// A replica that has just opened `disk`. Nothing repairs by itself: see
    /// [`Store::needs_repair`].
    pub fn open(disk: Disk<I>, strategies: Strategies) -> Self {
        Self {
            disk,
            strategies,
            put: None,
            queue: VecDeque::new(),
            exchange: None,
            seen: SortedSet::new(),
            stuck: SortedSet::new(),
        }
    }

    /// The image that results when every write so far is carried out.
    pub fn disk(&self) -> &Disk<I> {
        &self.disk
    }

    /// The block whose storing is awaited.
    pub fn storing(&self) -> Option<&Arc<Block<I>>> {
        self.put.as_ref().map(|put| &put.block)
    }

    /// Whether an announcement or repair is being worked off.
    pub fn is_exchanging(&self) -> bool {
        self.exchange.is_some()
    }

    /// The outstanding fetch.
    pub fn fetching(&self) -> Option<I::Address> {
        self.exchange
            .as_ref()
            .and_then(|exchange| exchange.fetching)
    }

    /// Whether start-up and the hourly timer should repair.
    pub fn needs_repair(&self) -> bool {
        self.disk.dirty
    }

    /// Heads that a re-announcement would name now (section 6).
    pub fn unannounced(&self) -> Vec<I::Address> {
        let heads = self.disk.heads.keys();
        heads
            .filter(|head| !self.seen.contains(head))
            .copied()
            .collect()
    }

    /// Whether anything has been heard announced since the last re-announcement.
    pub fn has_heard(&self) -> bool {
        !self.seen.is_empty()
    }
}
