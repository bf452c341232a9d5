//! What a node keeps on disk: the local database (section 2) beside the replicated store.

use serde::Serialize;

use crate::merkle::{self, Image, SortedMap, SortedSet};

use super::message::Stat;
use super::space::Space;

/// Two ids that identify something together.
pub type Pair<S> = (<S as Space>::Id, <S as Space>::Id);

/// What survives a crash and goes with a total loss.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Disk<S: Space> {
    /// The local database.
    pub local: Local<S>,
    /// The replicated store; stays there while the node runs without it.
    pub store: merkle::Disk<S>,
}

/// The local database of a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Local<S: Space> {
    /// Likes: (tweet, user).
    pub likes: SortedSet<Pair<S>>,
    /// Stored retweets: (user, stored id).
    pub retweets: SortedSet<Pair<S>>,
    /// Replies: (root, id). The parent stands there only for [`super::ReplyParent::Stored`].
    pub replies: SortedMap<Pair<S>, Option<S::Id>>,
    /// Local counters. One that was only ever lowered is there and 0 (STA-8).
    pub counters: SortedMap<(Stat, S::Id), u64>,
}

/// One change of the local database.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Change<I> {
    /// A user likes a tweet.
    Like(I, I),
    /// A user likes a tweet no longer.
    Unlike(I, I),
    /// A user's retweet is stored under an id.
    Retweet(I, I),
    /// A user's stored retweet goes.
    Unretweet(I, I),
    /// A reply to a root, perhaps with its parent.
    Reply(I, I, Option<I>),
    /// A reply to a root goes.
    DeleteReply(I, I),
    /// A counter has a new value.
    Counter(Stat, I, u64),
}

/// One atomic durable write.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Write<S: Space> {
    /// A transaction on the local database: all of these or none (STA-8).
    Local(Vec<Change<S::Id>>),
    /// A write of the replicated store.
    Store(merkle::Write<S>),
}

impl<S: Space> Local<S> {
    /// The local counter, if there is one.
    pub fn counter(&self, stat: Stat, id: &S::Id) -> Option<u64> {
        self.counters.get(&(stat, id.clone())).copied()
    }

    /// Carries out one transaction.
    pub fn apply(&mut self, changes: &[Change<S::Id>]) {
        for change in changes {
            match change.clone() {
                Change::Like(tweet, user) => {
                    self.likes.insert((tweet, user), ());
                }
                Change::Unlike(tweet, user) => {
                    self.likes.remove(&(tweet, user));
                }
                Change::Retweet(user, stored) => {
                    self.retweets.insert((user, stored), ());
                }
                Change::Unretweet(user, stored) => {
                    self.retweets.remove(&(user, stored));
                }
                Change::Reply(root, id, parent) => {
                    self.replies.insert((root, id), parent);
                }
                Change::DeleteReply(root, id) => {
                    self.replies.remove(&(root, id));
                }
                Change::Counter(stat, id, value) => {
                    self.counters.insert((stat, id), value);
                }
            }
        }
    }
}

impl<S: Space> Image<Write<S>> for Disk<S> {
    fn apply(&mut self, write: &Write<S>) {
        match write {
            Write::Local(changes) => self.local.apply(changes),
            Write::Store(write) => self.store.apply(write),
        }
    }
}

impl<S: Space> From<merkle::Write<S>> for Write<S> {
    fn from(write: merkle::Write<S>) -> Self {
        Self::Store(write)
    }
}

impl<S: Space> Default for Local<S> {
    fn default() -> Self {
        Self {
            likes: SortedMap::new(),
            retweets: SortedMap::new(),
            replies: SortedMap::new(),
            counters: SortedMap::new(),
        }
    }
}

impl<S: Space> Default for Disk<S> {
    fn default() -> Self {
        Self {
            local: Local::default(),
            store: merkle::Disk::default(),
        }
    }
}
