//! Per-node counters for tweet statistics on a Merkle-CRDT key-value store: the design before
//! generations.
//!
//! Claim: none that survives its own section 6. With [`Strategies::REMEDIED`], layout
//! [`Layout::Documented`] and no data loss, each node's entry follows its local counter and sums are
//! sums of nodes (STA-S1 to S6, S8 to S10, L1, L2); one total loss breaks that (T-3), which is why
//! `counter` has generations. Assumed: peers are honest, and what the replicated store assumes.
//! Source: `docs/spec/stats.md`. Models: `stats/*`.

mod disk;
mod message;
mod space;
mod state;
mod step;
mod strategy;
pub mod trace;

pub use disk::{Change, Disk, Local, Pair, Write};
pub use message::{CallId, Failure, Input, Op, Output, Query, Returns, Stat, TweetStats};
pub use space::{Format, Layout, Small, SmallKey, Space, Text};
pub use state::State;
pub use strategy::{
    Calls, Deletion, History, Isolation, LikeResult, Listing, OwnRetweet, PutFailure, PutValue,
    QueryFailure, RepeatedLike, Repeats, RepliesUnder, ReplyParent, RetweetCounter, Strategies,
    Subtraction,
};
