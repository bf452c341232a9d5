//! Where the statistics as they were built upstream, their remedies and their history differ.
//!
//! The key layout (T-1) is no strategy but a format: see [`super::Layout`]. Total loss (T-3) has no
//! remedy in this design.

use serde::Serialize;

use crate::merkle;

/// The choices of one node. [`Strategies::REFERENCE`] is upstream with retweets corrected,
/// [`Strategies::REMEDIED`] what users of this design should run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Strategies {
    /// T-2.
    pub query_failure: QueryFailure,
    /// T-4.
    pub calls: Calls,
    /// T-4, section 6 items 2 and 3; T-15.
    pub put_value: PutValue,
    /// T-5.
    pub history: History,
    /// T-6.
    pub retweets: RetweetCounter,
    /// T-7.
    pub repeats: Repeats,
    /// T-8.
    pub like_result: LikeResult,
    /// T-9.
    pub reply_parent: ReplyParent,
    /// T-10.
    pub own_retweet: OwnRetweet,
    /// T-12.
    pub deletion: Deletion,
    /// T-13.
    pub put_failure: PutFailure,
    /// T-14.
    pub repeated_like: RepeatedLike,
    /// T-17.
    pub replies_under: RepliesUnder,
    /// T-18.
    pub isolation: Isolation,
    /// T-19.
    pub listing: Listing,
    /// Whether a local counter stops at 0 (STA-8).
    pub subtraction: Subtraction,
    /// Those of the replicated store.
    pub store: merkle::Strategies,
}

/// What a failing query of the store gives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum QueryFailure {
    /// 0, without any error (T-2).
    TakenForZero,
    /// An error of the store, and the local counter for a count (the fallback of STA-20).
    FallsBack,
}

/// Whether calls of one node overlap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Calls {
    /// They do, so puts may reach the store in another order than commits (T-4).
    Overlap,
    /// A call begins when the put of the one before has ended.
    OneAtATime,
}

/// Which value a call puts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum PutValue {
    /// The local counter after the change.
    LocalCounter,
    /// The own entry as it is at the commit, a failed read taken for 0, plus or minus one
    /// (2e2a521b, e212f5b4; section 6 items 2 and 3).
    ReadModifyWrite,
    /// A sum that is asked for under the write lock and waits for that very lock, so that the put
    /// never comes (T-15, 542dfa89).
    SumUnderLock,
}

/// What of a count came about while the node had no store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum History {
    /// It is hidden until the next action on the tweet (T-5).
    Hidden,
    /// A local counter that has no own entry yet is added to the sum.
    Added,
}

/// How a retweet raises the local counter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum RetweetCounter {
    /// By one, creating it, and published under the tweet (STA-12).
    Counted,
    /// By one only if it exists, and published under the retweeter (T-6, v0.5.158).
    OnlyIfExists,
    /// By one if it exists, and by one: 1, 3, 5, … (T-6, d4c6023b and v0.5.165 to v0.6.146).
    Twice,
}

/// What the same user's second retweet and a reply id given twice do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Repeats {
    /// They count again (T-7).
    Counted,
    /// They change nothing.
    Ignored,
}

/// What a like or unlike that changed something returns.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum LikeResult {
    /// The local counter, though one that changed nothing returns the sum (STA-19, T-8).
    LocalCount,
    /// The count, always, as the README promises.
    Sum,
}

/// Which counter a deleted reply lowers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum ReplyParent {
    /// That of the parent that the caller names (T-9).
    Given,
    /// That of the parent stored with the reply.
    Stored,
}

/// Under which id a retweet of an own tweet is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum OwnRetweet {
    /// `RT:` and the id, by which nobody takes it back (T-10).
    Prefixed,
    /// The id, as any other retweet.
    Plain,
}

/// How deleting a tweet takes its author's like back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Deletion {
    /// With tweet and user swapped, so the like stays (T-12).
    Swapped,
    /// As an unlike of the tweet by the user.
    Straight,
}

/// What a put that fails after the commit means to the caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum PutFailure {
    /// The call fails, and repeating a like changes nothing (T-13).
    FailsCall,
    /// Nothing: it is only logged, as in later releases (C-10).
    Logged,
    /// The call fails, and repeating a like puts what is still missing.
    Repeatable,
}

/// What a like by a user who likes the tweet already does to the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum RepeatedLike {
    /// Nothing.
    Idle,
    /// It raises the own entry by one (T-14, d4c6023b).
    RaisesEntry,
}

/// Under which id replies are counted in the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum RepliesUnder {
    /// The parent's, as in the local database.
    Parent,
    /// The root's (T-17, d4c6023b and 2e2a521b).
    Root,
}

/// Which entries below the read prefix a sum takes in, and whether ids are escaped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Isolation {
    /// Those at any depth, other ids' included, and ids stand in keys as they are (T-18).
    AnyDepth,
    /// Those exactly one segment below, and ids are escaped.
    OwnEntries,
}

/// Which likes of a tweet a listing of its likers finds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Listing {
    /// Those of every tweet whose id begins like its own (T-19).
    StringPrefix,
    /// Its own.
    Exact,
}

/// What subtracting one from a local counter of 0 gives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Subtraction {
    /// 0 (STA-8).
    StopsAtZero,
    /// 2^64 - 1. A mutant.
    Wraps,
}

impl Strategies {
    /// As upstream, v0.5.158, with retweets corrected (T-6).
    pub const REFERENCE: Self = Self {
        query_failure: QueryFailure::TakenForZero,
        calls: Calls::Overlap,
        put_value: PutValue::LocalCounter,
        history: History::Hidden,
        retweets: RetweetCounter::Counted,
        repeats: Repeats::Counted,
        like_result: LikeResult::LocalCount,
        reply_parent: ReplyParent::Given,
        own_retweet: OwnRetweet::Prefixed,
        deletion: Deletion::Swapped,
        put_failure: PutFailure::FailsCall,
        repeated_like: RepeatedLike::Idle,
        replies_under: RepliesUnder::Parent,
        isolation: Isolation::AnyDepth,
        listing: Listing::StringPrefix,
        subtraction: Subtraction::StopsAtZero,
        store: merkle::Strategies::REFERENCE,
    };

    /// With every remedy.
    pub const REMEDIED: Self = Self {
        query_failure: QueryFailure::FallsBack,
        calls: Calls::OneAtATime,
        put_value: PutValue::LocalCounter,
        history: History::Added,
        retweets: RetweetCounter::Counted,
        repeats: Repeats::Ignored,
        like_result: LikeResult::Sum,
        reply_parent: ReplyParent::Stored,
        own_retweet: OwnRetweet::Plain,
        deletion: Deletion::Straight,
        put_failure: PutFailure::Repeatable,
        repeated_like: RepeatedLike::Idle,
        replies_under: RepliesUnder::Parent,
        isolation: Isolation::OwnEntries,
        listing: Listing::Exact,
        subtraction: Subtraction::StopsAtZero,
        store: merkle::Strategies::REMEDIED,
    };
}
