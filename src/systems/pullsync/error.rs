//! What can go wrong in an exchange (6 to 9).

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
    /// A bin that no store has.
    #[error("bin {0}, expected 0 to 31")]
    BinOutOfRange(i32),
    /// A range that is inverted, or ends at 0.
    #[error("the range {from}..={to}, expected an end of at least 1 that is not below the start")]
    InvalidRange {
        /// The start asked for.
        from: u64,
        /// The end asked for.
        to: u64,
    },
}

/// Why no page was collected (3.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum PageError {
    /// No such page can be.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// The pull index or a chunk could not be read.
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

/// Why an exchange failed; nothing was sealed, and nothing of it was stored (7).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum ExchangeError {
    /// Checked when the hashes are split, before all others (4a).
    #[error("{0} bytes of hashes, expected a multiple of 32")]
    InconsistentHashLength(usize),
    /// An offer that reaches beyond what was asked for (4b).
    #[error("topmost {topmost}, expected {from} to {to} and not the largest number")]
    TopmostOutOfRange {
        /// What the offer says.
        topmost: u64,
        /// The start asked for.
        from: u64,
        /// The end asked for.
        to: u64,
    },
    /// An offer with a zero hash, counted from 0 (4d).
    #[error("hash {0} of the offer is zero")]
    ZeroAddress(usize),
    /// A delivery whose address is not outstanding (7a).
    #[error("a chunk that was not asked for or came before")]
    UnsolicitedChunk,
    /// A delivery whose data do not belong to its address (7d).
    #[error("a chunk that is neither content-addressed nor single-owner")]
    InvalidChunk,
    /// For faulty code only: the reference leaves such a chunk out (D17).
    #[error("a chunk whose stamp is not verifiable")]
    InvalidStamp,
    /// Presence could not be read, or the kept chunks could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An offer or delivery when the exchange expects none.
    #[error("a message that is not expected now")]
    OutOfTurn,
}

/// Why a handler did not do what it was asked (8, 12.6).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum HandlerError {
    /// New handlers are refused.
    #[error("the node is closed")]
    Shutdown,
    /// It stops, and its stream is to be reset.
    #[error("the handler is cancelled")]
    Canceled,
    /// There is nothing more to do for it.
    #[error("the handler has finished")]
    Finished,
    /// Nothing changed.
    #[error("the handler is not at this step, or unknown")]
    OutOfTurn,
    /// The handler is finished by it.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A want with too few bits; the handler is finished by it.
    #[error(transparent)]
    InvalidLength(#[from] super::bits::InvalidLength),
}

/// Why nothing was sealed (9.4).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
pub enum SealError {
    /// A topmost that is no end of the range.
    #[error("topmost {topmost}, expected at least {from} and not the largest number")]
    TopmostOutOfRange {
        /// The end that was reported.
        topmost: u64,
        /// The start of the range.
        from: u64,
    },
    /// The set could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}
