//! What counts must be, recomputed from everything that users did: slow, obvious, and independent of
//! counters, entries and keys.

use std::collections::{BTreeMap, BTreeSet};

use concord_systems::merkle::Disk;
use concord_systems::stats::{Op, Returns, Small, Stat};
use serde::Serialize;

/// Something that a user did at one node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Done<I> {
    /// What.
    pub op: Op<I>,
    /// What it returned, if it is known.
    pub returned: Option<Returns<I>>,
}

/// Everything that stands after a history of one node.
struct Standing<'a, I> {
    /// Tweet, user.
    likes: BTreeSet<(&'a I, &'a I)>,
    /// User and stored id, to the tweet.
    retweets: BTreeMap<(&'a I, &'a I), &'a I>,
    /// Root and reply, to the parent.
    replies: BTreeMap<(&'a I, &'a I), &'a I>,
    views: Vec<&'a I>,
}

fn standing<I: Ord>(history: &[Done<I>]) -> Standing<'_, I> {
    let mut standing = Standing {
        likes: BTreeSet::new(),
        retweets: BTreeMap::new(),
        replies: BTreeMap::new(),
        views: Vec::new(),
    };
    for done in history {
        match &done.op {
            Op::Like { tweet, user } => {
                standing.likes.insert((tweet, user));
            }
            Op::Unlike { tweet, user } | Op::DeleteTweet { tweet, user } => {
                standing.likes.remove(&(tweet, user));
            }
            Op::Retweet { tweet, by, .. } => {
                let stored = match &done.returned {
                    Some(Returns::Stored(stored)) => stored,
                    _ => tweet,
                };
                if let Some(by) = by {
                    standing.retweets.insert((by, stored), tweet);
                }
            }
            Op::Unretweet { tweet, by } => {
                standing.retweets.remove(&(by, tweet));
            }
            Op::Reply { root, parent, id } => {
                if let Some(parent) = parent {
                    standing.replies.entry((root, id)).or_insert(parent);
                }
            }
            Op::DeleteReply { root, id, .. } => {
                standing.replies.remove(&(root, id));
            }
            Op::View { tweet } => standing.views.push(tweet),
        }
    }
    standing
}

/// What the count of one statistic of one tweet must be, as far as one node contributes to it.
pub(super) fn count<I: Ord>(history: &[Done<I>], stat: Stat, tweet: &I) -> u64 {
    let standing = standing(history);
    let count = match stat {
        Stat::Likes => likers(history, tweet).len(),
        Stat::Retweets => standing.retweets.values().filter(|t| **t == tweet).count(),
        Stat::Replies => standing.replies.values().filter(|t| **t == tweet).count(),
        Stat::Views => standing.views.iter().filter(|t| **t == tweet).count(),
    };
    count as u64
}

/// Who likes a tweet.
pub(super) fn likers<'a, I: Ord>(history: &'a [Done<I>], tweet: &I) -> Vec<&'a I> {
    let likes = standing(history).likes.into_iter();
    let likes = likes.filter(|(liked, _)| *liked == tweet);
    likes.map(|(_, user)| user).collect()
}

/// How many users ever liked a tweet.
pub(super) fn ever_liked<I: Ord>(history: &[Done<I>], tweet: &I) -> u64 {
    let likes = history.iter().filter_map(|done| match &done.op {
        Op::Like { tweet: liked, user } if liked == tweet => Some(user),
        _ => None,
    });
    likes.collect::<BTreeSet<_>>().len() as u64
}

/// The counter that a call moves after a history. A reply is taken back from where it was given.
pub(super) fn counter<'a, I: Ord>(history: &'a [Done<I>], op: &'a Op<I>) -> Option<(Stat, &'a I)> {
    match op {
        Op::Like { tweet, .. } | Op::Unlike { tweet, .. } | Op::DeleteTweet { tweet, .. } => {
            Some((Stat::Likes, tweet))
        }
        Op::Retweet { tweet, .. } | Op::Unretweet { tweet, .. } => Some((Stat::Retweets, tweet)),
        Op::Reply { parent, .. } => Some((Stat::Replies, parent.as_ref()?)),
        Op::DeleteReply { root, parent, id } => {
            let replies = standing(history).replies;
            let stored = replies.get(&(root, id)).copied();
            Some((Stat::Replies, stored.unwrap_or(parent)))
        }
        Op::View { tweet } => Some((Stat::Views, tweet)),
    }
}

/// Whether anything counted in one counter was ever taken back.
pub(super) fn took_back<I: Ord>(history: &[Done<I>], stat: Stat, tweet: &I) -> bool {
    history.iter().enumerate().any(|(index, done)| {
        let takes_back = match done.op {
            Op::Unlike { .. }
            | Op::DeleteTweet { .. }
            | Op::Unretweet { .. }
            | Op::DeleteReply { .. } => true,
            Op::Like { .. } | Op::Retweet { .. } | Op::Reply { .. } | Op::View { .. } => false,
        };
        takes_back && counter(&history[..index], &done.op) == Some((stat, tweet))
    })
}

/// The sum over the entries of one counter and of no other.
pub(super) fn sum(disk: &Disk<Small>, stat: Stat, id: u8) -> u64 {
    let (tweet, nested) = (id & 0x8f, id >> 4 & 7);
    let own = disk
        .entries
        .iter()
        .filter(|(key, _)| key.tweet == tweet && key.nested == nested && key.stat == stat);
    own.fold(0, |sum: u64, (_, entry)| sum.wrapping_add(entry.value))
}
