//! Inputs and outputs of a store with its nodes.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::store::Mutation;
use super::task::{Call, Returned};

/// What happens. Nodes and tasks are named by small numbers, which are their driver's.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A node starts with a new engine. Ignored if it runs, or if there is no such node.
    Start {
        /// The node.
        node: u8,
        /// Whether the engine begins with the default route (8).
        default_route: bool,
        /// From which load on a route is split; 0: never. Of level 1.
        threshold: u64,
    },
    /// A node loses its engine and its tasks. Ignored if it is down.
    Crash {
        /// The node.
        node: u8,
    },
    /// An operation begins; no step of it is taken yet. Ignored if the node is down or the name taken.
    Begin {
        /// On this node.
        node: u8,
        /// Its name there, free again once it is over.
        task: u8,
        /// What is to be done.
        call: Call,
    },
    /// One atomic step of an operation. Ignored if there is none.
    Advance {
        /// On this node.
        node: u8,
        /// Its name there.
        task: u8,
    },
    /// Somebody else writes to the store.
    Store(StoreCall),
    /// A range is registered with one engine only (8). Ignored if the node is down.
    UpdateRoute {
        /// Its node.
        node: u8,
        /// The first key.
        start: Bytes,
        /// The first key past it; none if unbounded.
        end: Option<Bytes>,
        /// Its owner.
        group: u64,
    },
}

/// A call on the store that is no operation of a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreCall {
    /// Put at (5.3).
    Put {
        /// Where.
        key: Bytes,
        /// What.
        value: Bytes,
        /// When.
        commit_ts: u64,
        /// From when on it is absent again; 0: never.
        expire_at: u64,
    },
    /// Delete at (5.3).
    Delete {
        /// Where.
        key: Bytes,
        /// When.
        commit_ts: u64,
    },
    /// Apply mutations (5.3).
    Apply {
        /// The batch.
        mutations: Vec<Mutation>,
        /// A key with a version after this timestamp is a conflict.
        start_ts: u64,
        /// When.
        commit_ts: u64,
    },
    /// Compact (5.3).
    Compact {
        /// The oldest timestamp that can be read from now on.
        min_ts: u64,
    },
    /// Saves the state of the store; one is kept.
    Checkpoint,
    /// Goes back to it. Ignored if there is none.
    Rollback,
    /// The last commit timestamp falls back (C4). Of variants only.
    LoseWatermark {
        /// To this one, if it is larger.
        to: u64,
    },
}

/// What followed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Output {
    /// An operation ended.
    Done {
        /// On this node.
        node: u8,
        /// Its name there.
        task: u8,
        /// What came of it.
        result: Result<Returned, Error>,
    },
    /// A call on the store ended.
    Stored(Result<(), Error>),
}
