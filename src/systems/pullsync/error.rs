//! What can go wrong in an exchange (6 to 9).
#![allow(missing_docs, reason = "skeleton")]

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A storage that did not do what it was asked; nothing of the request was done.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
#[error("the storage failed: {0}; nothing was changed")]
pub struct StoreError(pub SmolStr);

/// Arguments of a request or page that are outside their domain. Which check comes first differs
/// between 3.1 and 7.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum ArgumentError {
    #[error("bin {0}, expected 0 to 31")]
    BinOutOfRange(i32),
    #[error("the range {from}..={to}, expected an end of at least 1 that is not below the start")]
    InvalidRange { from: u64, to: u64 },
}

/// Why no page was collected.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum PageError {
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why reading from a stream ended (7, rule 8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The other side closed its direction.
    Eof,
    /// A deadline passed.
    Timeout,
    /// The other side reset the stream, or the connection ended.
    Reset,
    /// The own side gave up.
    Canceled,
    /// Bytes that are no message.
    Malformed,
}

/// Why an exchange failed; nothing was sealed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum ExchangeError {
    /// Checked when the hashes are split, before all others (7, 4a).
    #[error("{0} bytes of hashes, expected a multiple of 32")]
    InconsistentHashLength(usize),
    #[error("topmost {topmost}, expected {from} to {to} and not the largest number")]
    TopmostOutOfRange { topmost: u64, from: u64, to: u64 },
    #[error("hash {0} of the offer is zero")]
    ZeroAddress(usize),
    #[error("a chunk that was not asked for or came before")]
    UnsolicitedChunk,
    #[error("a chunk that is neither content-addressed nor single-owner")]
    InvalidChunk,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a message that is not expected now")]
    OutOfTurn,
}

/// Why a handler did not do what it was asked (8, 12.6).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum HandlerError {
    #[error("the node is closed")]
    Shutdown,
    #[error("the handler is cancelled")]
    Canceled,
    #[error("the handler has finished")]
    Finished,
    #[error("the handler is not at this step, or unknown")]
    OutOfTurn,
    #[error(transparent)]
    Page(#[from] PageError),
    #[error(transparent)]
    InvalidLength(#[from] super::bits::InvalidLength),
}

/// Why nothing was sealed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum SealError {
    #[error("topmost {topmost}, expected at least {from} and not the largest number")]
    TopmostOutOfRange { topmost: u64, from: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}
