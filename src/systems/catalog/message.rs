//! Inputs and outputs of a store with its nodes.
#![allow(missing_docs, reason = "skeleton")]

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::store::Mutation;
use super::task::{Call, Returned};

/// What happens. Nodes and tasks are named by small numbers, which are their driver's.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A node starts with a new engine. Ignored if it runs.
    Start {
        node: u8,
        default_route: bool,
        threshold: u64,
    },
    /// A node loses its engine and its tasks. Ignored if it is down.
    Crash { node: u8 },
    /// An operation begins; no step of it is taken yet. Ignored if the node is down or the name taken.
    Begin { node: u8, task: u8, call: Call },
    /// One atomic step of an operation. Ignored if there is none.
    Advance { node: u8, task: u8 },
    /// Somebody else writes to the store.
    Store(StoreCall),
    UpdateRoute {
        node: u8,
        start: Bytes,
        end: Option<Bytes>,
        group: u64,
    },
}

/// A call on the store that is no operation of a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreCall {
    Put {
        key: Bytes,
        value: Bytes,
        commit_ts: u64,
        expire_at: u64,
    },
    Delete {
        key: Bytes,
        commit_ts: u64,
    },
    Apply {
        mutations: Vec<Mutation>,
        start_ts: u64,
        commit_ts: u64,
    },
    Compact {
        min_ts: u64,
    },
    /// Saves the state of the store; one is kept.
    Checkpoint,
    /// Goes back to it. Ignored if there is none.
    Rollback,
    /// C4; of variants only.
    LoseWatermark {
        to: u64,
    },
}

/// What followed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Output {
    /// An operation ended.
    Done {
        node: u8,
        task: u8,
        result: Result<Returned, Error>,
    },
    /// A call on the store ended.
    Stored(Result<(), Error>),
}
