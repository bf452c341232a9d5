//! Constants (1).

/// Length of a hash, an overlay and a chunk address, in bytes.
pub const HASH_SIZE: usize = 32;
/// Leaves of the hash tree of a chunk.
pub const BRANCHES: usize = 128;
/// Longest payload of a chunk, in bytes.
pub const CHUNK_SIZE: usize = HASH_SIZE * BRANCHES;
/// Length of a span, in bytes.
pub const SPAN_SIZE: usize = 8;
/// Length of a signature, in bytes.
pub const SIGNATURE_SIZE: usize = 65;
/// Least length of the data of a single-owner chunk, in bytes.
pub const MIN_SOC_SIZE: usize = HASH_SIZE + SIGNATURE_SIZE + SPAN_SIZE;
/// Length of a stamp, in bytes.
pub const STAMP_SIZE: usize = HASH_SIZE + SIGNATURE_SIZE;
/// Number of bins of a store; the greatest proximity order is one less.
pub const BINS: u8 = 32;
/// Hashes in an offer, at most, unless configured otherwise.
pub const MAX_PAGE: usize = 50;
/// Longest body of a message, in bytes.
pub const MAX_MESSAGE: usize = 128 * 1024;
/// Pending cancels of one peer, at most, unless configured otherwise.
pub const PENDING_CANCELS: usize = 128;
/// The least insertion number; 0 means "nothing yet".
pub const FIRST: u64 = 1;
/// Upper bound of a live range.
pub const MAX: u64 = u64::MAX;
