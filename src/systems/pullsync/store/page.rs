//! Collecting a page (3.1).
#![allow(missing_docs, reason = "skeleton")]

use serde::Serialize;

use crate::pullsync::error::{ArgumentError, PageError};
use crate::pullsync::space::Space;
use crate::pullsync::strategy::Strategies;

use super::Storage;

/// What an offer is made of.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Page<S: Space> {
    /// The page is complete.
    Complete {
        topmost: u64,
        addresses: Vec<S::Address>,
    },
    /// More entries may come; this many were found so far. If any, the idle timer runs.
    Waiting { found: usize },
}

/// Checks the arguments of a page: bin before range.
pub fn check(bin: i32, from: u64, to: u64, how: &Strategies) -> Result<u8, ArgumentError> {
    let _ = (bin, from, to, how);
    todo!()
}

/// Collects a page from what is there now. `idle`: the idle timer fires once that is collected.
pub fn collect<S: Space>(
    storage: &impl Storage<S>,
    (bin, from, to): (i32, u64, u64),
    limit: usize,
    idle: bool,
    how: &Strategies,
) -> Result<Page<S>, PageError> {
    let _ = (storage, bin, from, to, limit, idle, how);
    todo!()
}
