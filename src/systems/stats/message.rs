//! Inputs and outputs of a node.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::merkle;

use super::disk::Change;
use super::space::Space;

/// Names a call until it returns; chosen by the caller, unique among the calls of a process life.
pub type CallId = u32;

/// What is counted (STA-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stat {
    /// Users who like a tweet.
    Likes,
    /// Its retweets.
    Retweets,
    /// Replies to it.
    Replies,
    /// How often it was seen.
    Views,
}

impl Stat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Likes, Self::Retweets, Self::Replies, Self::Views];

    /// The segment of the documented key (STA-2); also its name in traces.
    pub const fn segment(self) -> &'static str {
        match self {
            Self::Likes => "likes",
            Self::Retweets => "retweets",
            Self::Replies => "replies",
            Self::Views => "views",
        }
    }

    /// The fixed part of the data key of the shipped layout (STA-2).
    pub const fn path(self) -> &'static str {
        match self {
            Self::Likes => "/LIKES/INCR",
            Self::Retweets => "/TWEETS/RETWEETSCOUNT",
            Self::Replies => "/REPLY/REPLIESCOUNT",
            Self::Views => "/TWEETS/VIEWS",
        }
    }

    /// What a node without store answers when it has no local counter (STA-20).
    pub const fn not_found(self) -> Failure {
        match self {
            Self::Likes => Failure::LikeNotFound,
            Self::Retweets => Failure::TweetNotFound,
            Self::Replies => Failure::ReplyNotFound,
            Self::Views => Failure::ViewsNotFound,
        }
    }
}

/// A call of the repositories (section 3).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op<I> {
    /// STA-10.
    Like {
        /// What is liked.
        tweet: I,
        /// Who likes it.
        user: I,
    },
    /// STA-11.
    Unlike {
        /// What is liked no longer.
        tweet: I,
        /// Who liked it.
        user: I,
    },
    /// STA-12.
    Retweet {
        /// What is retweeted.
        tweet: I,
        /// Who wrote it.
        author: I,
        /// Who retweets it.
        by: Option<I>,
    },
    /// STA-13.
    Unretweet {
        /// The stored id.
        tweet: I,
        /// Who retweeted it.
        by: I,
    },
    /// STA-14.
    Reply {
        /// Where the conversation began.
        root: I,
        /// What is replied to.
        parent: Option<I>,
        /// The reply.
        id: I,
    },
    /// STA-15.
    DeleteReply {
        /// Where the conversation began.
        root: I,
        /// What was replied to, says the caller.
        parent: I,
        /// The reply.
        id: I,
    },
    /// STA-16.
    View {
        /// What is seen.
        tweet: I,
    },
    /// The author deletes a tweet, which takes the author's like of it back (T-12). Not in traces.
    DeleteTweet {
        /// What is deleted.
        tweet: I,
        /// Its author.
        user: I,
    },
}

/// A question that changes nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Query<I> {
    /// One of the four counts (STA-17, STA-20).
    Count(Stat, I),
    /// All four of them (STA-7).
    TweetStats(I),
    /// The replicated sum alone (STA-5).
    Aggregate(Stat, I),
}

/// What a call returned.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Returns<I> {
    /// Nothing but success.
    Nothing,
    /// A count.
    Count(u64),
    /// The id under which a retweet was stored.
    Stored(I),
    /// The four counts.
    Stats(TweetStats<I>),
}

/// The statistics of a tweet (STA-7); a count that is not found is 0.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct TweetStats<I> {
    /// The tweet.
    pub tweet: I,
    /// Its likes.
    pub likes: u64,
    /// Its retweets.
    pub retweets: u64,
    /// Its replies.
    pub replies: u64,
    /// Its views.
    pub views: u64,
}

/// What happened to a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Input<S: Space> {
    /// A user acts: the local transaction, and nothing more yet.
    Call {
        /// The call.
        call: CallId,
        /// What is done.
        op: Op<S::Id>,
        /// Whether store queries of this call fail.
        read_fails: bool,
    },
    /// The put of a committed call goes to the store. Ignored if none waits.
    Flush {
        /// The call.
        call: CallId,
    },
    /// Write any value under the own key of any counter (STA-4).
    Put {
        /// The call.
        call: CallId,
        /// The tweet.
        tweet: S::Id,
        /// The statistic.
        stat: Stat,
        /// The value.
        value: u64,
    },
    /// Somebody asks.
    Query {
        /// The call.
        call: CallId,
        /// The question.
        query: Query<S::Id>,
        /// Whether store queries of this call fail.
        read_fails: bool,
    },
    /// The publication of a put ended.
    Published {
        /// The call.
        call: CallId,
        /// Whether the network took it; that is not yet delivery.
        ok: bool,
    },
    /// Something for the replicated store. Ignored by a node without one.
    Store(merkle::Input<S>),
}

/// What a node wants done, in order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Output<S: Space> {
    /// Make this transaction durable, atomically, before anything after the next
    /// [`merkle::Output::Sync`] happens (STA-8).
    Commit(Vec<Change<S::Id>>),
    /// Something from the replicated store.
    Store(merkle::Output<S>),
    /// The local change is durable; the put waits for [`Input::Flush`].
    Committed {
        /// The call.
        call: CallId,
        /// What a caller is told who does not wait for the put.
        result: Result<Returns<S::Id>, Failure>,
    },
    /// Announce this block and answer with [`Input::Published`].
    Publish {
        /// The call that waits for it.
        call: CallId,
        /// The block.
        block: S::Address,
    },
    /// A call returns.
    Returned {
        /// The call.
        call: CallId,
        /// Its result.
        result: Result<Returns<S::Id>, Failure>,
    },
}

/// Why a call failed, and whether it changed anything.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// STA-10, 11, 16, 17.
    #[error("the tweet id is empty; nothing was changed")]
    EmptyTweetId,
    /// STA-10, 11.
    #[error("the user id is empty; nothing was changed")]
    EmptyUserId,
    /// STA-12.
    #[error("nobody is named as retweeting; nothing was changed")]
    RetweetByUnknown,
    /// STA-13.
    #[error("the tweet id or the user id is empty; nothing was changed")]
    EmptyTweetOrUserId,
    /// STA-14.
    #[error("the root id is empty; nothing was changed")]
    EmptyRoot,
    /// STA-14.
    #[error("the parent is absent or empty; nothing was changed")]
    EmptyParent,
    /// STA-14.
    #[error("a reply cannot be its own root; nothing was changed")]
    TweetNotReply,
    /// STA-15.
    #[error("one of the ids of the reply is empty; nothing was changed")]
    EmptyReplyIds,
    /// STA-13, 15.
    #[error("there is nothing stored to take back; nothing was changed")]
    NotFound,
    /// STA-20.
    #[error("likes of the tweet were never counted here; nothing was changed")]
    LikeNotFound,
    /// STA-20.
    #[error("retweets of the tweet were never counted here; nothing was changed")]
    TweetNotFound,
    /// STA-20.
    #[error("replies to the tweet were never counted here; nothing was changed")]
    ReplyNotFound,
    /// STA-20.
    #[error("views of the tweet were never counted here; nothing was changed")]
    ViewsNotFound,
    /// The call needs a store.
    #[error("the node runs without a replicated store; nothing was changed")]
    NoCrdt,
    /// CTR-17 step 2 failed.
    #[error("the store took nothing; the local change, if any, stays")]
    WriteFailed,
    /// CTR-17 step 6 failed.
    #[error("applied here but not announced; peers learn of it by re-announcement")]
    PublishFailed,
    /// The store could not be queried ([`super::QueryFailure::FallsBack`] only).
    #[error("the store could not be queried; nothing was changed")]
    QueryFailed,
}

impl Failure {
    /// The code in traces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::EmptyTweetId => "empty_tweet_id",
            Self::EmptyUserId => "empty_user_id",
            Self::RetweetByUnknown => "retweet_by_unknown",
            Self::EmptyTweetOrUserId => "empty_tweet_or_user_id",
            Self::EmptyRoot => "empty_root",
            Self::EmptyParent => "empty_parent",
            Self::TweetNotReply => "tweet_not_reply",
            Self::EmptyReplyIds => "empty_reply_ids",
            Self::NotFound => "not_found",
            Self::LikeNotFound => "like_not_found",
            Self::TweetNotFound => "tweet_not_found",
            Self::ReplyNotFound => "reply_not_found",
            Self::ViewsNotFound => "views_not_found",
            Self::NoCrdt => "no_crdt",
            Self::WriteFailed => "write_failed",
            Self::PublishFailed => "publish_failed",
            Self::QueryFailed => "query_failed",
        }
    }
}
