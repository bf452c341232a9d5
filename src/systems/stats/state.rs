//! The data of a node.

use std::collections::VecDeque;

use serde::Serialize;

use crate::merkle::driver::Host;
use crate::merkle::{self, SortedMap, Store};

use super::disk::{Disk, Local};
use super::message::{CallId, Failure, Input, Op, Output, Query, Returns, Stat, TweetStats};
use super::space::{Format, Layout, Space};
use super::strategy::{History, Isolation, LikeResult, Listing, QueryFailure, Strategies};

/// One running node: everything but its disk image is gone after a crash.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct State<S: Space> {
    pub(super) node: S::Node,
    pub(super) layout: Layout,
    pub(super) strategies: Strategies,
    /// The image that results when every write so far is carried out.
    pub(super) disk: Disk<S>,
    /// The replicated store, if the node was started with one. Its image is that in `disk`.
    pub(super) store: Option<Store<S>>,
    /// Puts of committed calls that nobody has flushed yet; empty without a store.
    pub(super) committed: SortedMap<CallId, Put<S>>,
    /// The put that holds the store's write lock, until its publication has ended (STA-4).
    pub(super) holder: Option<Holder<S>>,
    /// Puts that wait for the lock, oldest first; empty while nobody holds it.
    pub(super) puts: VecDeque<(CallId, Put<S>)>,
    /// Queries that wait for the lock, oldest first; empty while nobody holds it (STA-5).
    pub(super) queries: VecDeque<(CallId, Question<S::Id>)>,
    /// Calls that have not begun, oldest first ([`super::Calls::OneAtATime`] only).
    pub(super) calls: VecDeque<(CallId, Op<S::Id>, bool)>,
}

/// A put on its way to the store.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct Put<S: Space> {
    pub(super) key: S::Key,
    pub(super) value: u64,
    /// What its call returns when it is done.
    pub(super) result: Promise<S::Id>,
}

/// The put that holds the write lock.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct Holder<S: Space> {
    pub(super) call: CallId,
    pub(super) result: Promise<S::Id>,
    /// The block, once it is stored and its publication is awaited.
    pub(super) block: Option<S::Address>,
}

/// What a call returns if nothing fails.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) enum Promise<I> {
    /// This.
    Known(Returns<I>),
    /// The answer to a question that is put when the call has nothing else left to do.
    Asked(Question<I>),
}

/// A query, and whether it fails.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) struct Question<I> {
    pub(super) query: Query<I>,
    pub(super) fails: bool,
}

impl<S: Space> State<S> {
    /// Starts a node on what its disk holds, with its replicated store or without.
    pub fn open(
        node: S::Node,
        layout: Layout,
        disk: Disk<S>,
        crdt: bool,
        strategies: Strategies,
    ) -> Self {
        let store = crdt.then(|| Store::open(disk.store.clone(), strategies.store));
        Self {
            node,
            layout,
            strategies,
            disk,
            store,
            committed: SortedMap::new(),
            holder: None,
            puts: VecDeque::new(),
            queries: VecDeque::new(),
            calls: VecDeque::new(),
        }
    }

    /// The node.
    pub fn node(&self) -> &S::Node {
        &self.node
    }

    /// The image that results when every write so far is carried out.
    pub fn disk(&self) -> &Disk<S> {
        &self.disk
    }

    /// The local database.
    pub fn local(&self) -> &Local<S> {
        &self.disk.local
    }

    /// The replicated store, if the node was started with one.
    pub fn store(&self) -> Option<&Store<S>> {
        self.store.as_ref()
    }

    /// Committed calls whose puts nobody has flushed, with the values they would write.
    pub fn committed(&self) -> impl Iterator<Item = (CallId, &S::Key, u64)> {
        let committed = self.committed.iter();
        committed.map(|(call, put)| (*call, &put.key, put.value))
    }

    /// Whether the put of this committed call waits for [`Input::Flush`].
    pub fn is_committed(&self, call: CallId) -> bool {
        self.committed.contains(&call)
    }

    /// The publication whose end is awaited.
    pub fn publication(&self) -> Option<(CallId, S::Address)> {
        let holder = self.holder.as_ref()?;
        Some((holder.call, holder.block?))
    }

    /// Whether no call is in progress (STA-S2).
    pub fn is_idle(&self) -> bool {
        self.committed.is_empty() && self.holder.is_none() && self.calls.is_empty()
    }

    /// The key that this node writes.
    pub fn own_key(&self, stat: Stat, id: &S::Id) -> S::Key {
        S::key(self.format(), stat, id, &self.node)
    }

    /// What the own entry of a counter says, if the node has a store and an entry in it.
    pub fn own_entry(&self, stat: Stat, id: &S::Id) -> Option<u64> {
        self.entry(&self.own_key(stat, id))
    }

    /// The sum of all entries of a counter (STA-5). Linear in the entries below its prefix.
    ///
    /// # Errors
    /// [`Failure::NoCrdt`] without a store; [`Failure::QueryFailed`] if `fails`, with
    /// [`QueryFailure::FallsBack`] only.
    pub fn aggregate(&self, stat: Stat, id: &S::Id, fails: bool) -> Result<u64, Failure> {
        let store = self.store.as_ref().ok_or(Failure::NoCrdt)?;
        if fails {
            return match self.strategies.query_failure {
                QueryFailure::TakenForZero => Ok(0),
                QueryFailure::FallsBack => Err(Failure::QueryFailed),
            };
        }
        let view = S::view(self.format(), stat, id);
        let mut sum = 0_u64;
        for (key, entry) in store.disk().entries.iter_from(&S::floor(&view)) {
            match S::depth(&view, key) {
                0 => break,
                2.. if self.strategies.isolation == Isolation::OwnEntries => {}
                _ => sum = sum.wrapping_add(S::decode(&entry.value)),
            }
        }
        Ok(sum)
    }

    /// A count as users see it (STA-17, STA-20). Linear in the entries below its prefix.
    ///
    /// # Errors
    /// If the id is empty, or if the node has neither store nor local counter.
    pub fn count(&self, stat: Stat, id: &S::Id, fails: bool) -> Result<u64, Failure> {
        if S::is_empty(id) {
            return Err(Failure::EmptyTweetId);
        }
        let local = self.disk.local.counter(stat, id);
        let Ok(sum) = self.aggregate(stat, id, fails) else {
            return local.ok_or(stat.not_found());
        };
        let adds = self.strategies.history == History::Added && !fails;
        if adds && self.own_entry(stat, id).is_none() {
            return Ok(sum.wrapping_add(local.unwrap_or(0)));
        }
        Ok(sum)
    }

    /// The statistics of a tweet (STA-7).
    ///
    /// # Errors
    /// If the id is empty.
    pub fn tweet_stats(&self, tweet: &S::Id, fails: bool) -> Result<TweetStats<S::Id>, Failure> {
        if S::is_empty(tweet) {
            return Err(Failure::EmptyTweetId);
        }
        let count = |stat| self.count(stat, tweet, fails).unwrap_or(0);
        Ok(TweetStats {
            tweet: tweet.clone(),
            likes: count(Stat::Likes),
            retweets: count(Stat::Retweets),
            replies: count(Stat::Replies),
            views: count(Stat::Views),
        })
    }

    /// Users who like a tweet, as the local database lists them (T-19).
    pub fn likers(&self, tweet: &S::Id) -> Vec<S::Id> {
        let found = |liked: &S::Id| match self.strategies.listing {
            Listing::StringPrefix => S::begins_with(liked, tweet),
            Listing::Exact => liked == tweet,
        };
        let likes = self.disk.local.likes.keys();
        let likes = likes.filter(|(liked, _)| found(liked));
        likes.map(|(_, user)| user.clone()).collect()
    }

    pub(super) fn entry(&self, key: &S::Key) -> Option<u64> {
        let entry = self.store.as_ref()?.disk().entries.get(key)?;
        Some(S::decode(&entry.value))
    }

    pub(super) fn answer(&self, question: &Question<S::Id>) -> Result<Returns<S::Id>, Failure> {
        let fails = question.fails;
        match &question.query {
            Query::Count(stat, tweet) => self.count(*stat, tweet, fails).map(Returns::Count),
            Query::TweetStats(tweet) => self.tweet_stats(tweet, fails).map(Returns::Stats),
            Query::Aggregate(stat, tweet) => {
                self.aggregate(*stat, tweet, fails).map(Returns::Count)
            }
        }
    }

    /// What a like or unlike of `tweet` promises that left its local counter at `count`.
    pub(super) fn like_result(&self, tweet: S::Id, count: u64, fails: bool) -> Promise<S::Id> {
        match self.strategies.like_result {
            LikeResult::LocalCount => Promise::Known(Returns::Count(count)),
            LikeResult::Sum => Promise::likes_of(tweet, fails),
        }
    }

    fn format(&self) -> Format {
        Format {
            layout: self.layout,
            isolation: self.strategies.isolation,
        }
    }
}

impl<I> Promise<I> {
    pub(super) fn likes_of(tweet: I, fails: bool) -> Self {
        let query = Query::Count(Stat::Likes, tweet);
        Self::Asked(Question { query, fails })
    }
}

impl<S: Space> Host for State<S> {
    type Ids = S;

    fn store(&self) -> Option<&Store<S>> {
        self.store.as_ref()
    }

    fn wrap(input: merkle::Input<S>) -> Input<S> {
        Input::Store(input)
    }

    fn unwrap(output: Output<S>) -> Result<merkle::Output<S>, Output<S>> {
        match output {
            Output::Store(output) => Ok(output),
            output => Err(output),
        }
    }
}
