//! Keys of counters: as the text of the spec, or as small integers.

use std::borrow::Cow;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::merkle::driver::mixed;
use crate::merkle::key::{below, escape, floor, norm};
use crate::merkle::value::{Bytes, decode, encode};
use crate::merkle::{Block, Ids};

use super::message::Stat;
use super::strategy::Isolation;

pub use crate::counter::Text;

/// Where the parts of a key stand (STA-2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Tweet, statistic, node, as in upstream's README.
    Documented,
    /// Written with the node first and read without it: no read finds a write (T-1).
    Shipped,
}

/// How keys are made from their parts and found again (STA-2), and values as bytes.
pub trait Space: Ids {
    /// Names a tweet, a reply or a user.
    type Id: Clone + Ord + Hash + Debug + Serialize + Send + Sync;
    /// Names a node.
    type Node: Clone + Ord + Hash + Debug + Serialize + Send + Sync;
    /// A read prefix, made once per query.
    type View;

    /// Whether this is the id that names nothing.
    fn is_empty(id: &Self::Id) -> bool;

    /// The id under which a retweet of an own tweet is stored ([`super::OwnRetweet::Prefixed`]).
    fn own_retweet(tweet: &Self::Id) -> Self::Id;

    /// Whether `id` begins with the text of `start` ([`super::Listing::StringPrefix`]).
    fn begins_with(id: &Self::Id, start: &Self::Id) -> bool;

    /// The key that `node` writes.
    fn key(format: Format, stat: Stat, id: &Self::Id, node: &Self::Node) -> Self::Key;

    /// The prefix that is read.
    fn view(format: Format, stat: Stat, id: &Self::Id) -> Self::View;

    /// The least key that can lie below a prefix. All that do follow it in the order of keys without
    /// a gap.
    fn floor(view: &Self::View) -> Self::Key;

    /// How many segments `key` lies below a prefix: 1 for an entry of the very counter, more for
    /// those of nested ids (T-18), 0 if it does not lie below it.
    fn depth(view: &Self::View, key: &Self::Key) -> usize;

    /// A value that holds `count` (STA-3).
    fn encode(count: u64) -> Self::Value;

    /// The count that a value holds (STA-3).
    fn decode(value: &Self::Value) -> u64;
}

/// What the keys of a node look like.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Format {
    /// The order of their parts.
    pub layout: Layout,
    /// Whether ids are escaped in them.
    pub isolation: Isolation,
}

impl Format {
    fn segment(self, id: &str) -> Cow<'_, str> {
        match self.isolation {
            Isolation::AnyDepth => Cow::Borrowed(id),
            Isolation::OwnEntries => Cow::Owned(escape(id)),
        }
    }

    /// The data key of the shipped layout, in normal form.
    fn data_key(self, stat: Stat, id: &str) -> String {
        norm(&format!("{}/{}", stat.path(), self.segment(id)))
    }
}

/// Keys as in the spec, over any block address.
impl<A: Copy + Ord + Hash + Debug + Serialize + Send + Sync + 'static> Space for Text<A> {
    type Id = Arc<str>;
    type Node = Arc<str>;
    type View = String;

    fn is_empty(id: &Arc<str>) -> bool {
        id.as_ref() == ""
    }

    fn own_retweet(tweet: &Arc<str>) -> Arc<str> {
        format!("RT:{tweet}").into()
    }

    fn begins_with(id: &Arc<str>, start: &Arc<str>) -> bool {
        id.starts_with(start.as_ref())
    }

    fn key(format: Format, stat: Stat, id: &Arc<str>, node: &Arc<str>) -> Arc<str> {
        let key = match format.layout {
            Layout::Documented => {
                let (id, stat) = (format.segment(id), stat.segment());
                format!("/crdt/{id}/{stat}/{node}")
            }
            Layout::Shipped => format!("/crdt/{node}/{}", format.data_key(stat, id)),
        };
        norm(&key).into()
    }

    fn view(format: Format, stat: Stat, id: &Arc<str>) -> String {
        norm(&match format.layout {
            Layout::Documented => format!("/crdt/{}/{}", format.segment(id), stat.segment()),
            Layout::Shipped => format!("/crdt/{}", format.data_key(stat, id)),
        })
    }

    fn floor(prefix: &String) -> Arc<str> {
        floor(prefix).into()
    }

    fn depth(prefix: &String, key: &Arc<str>) -> usize {
        below(prefix, key).map_or(0, |rest| rest.split('/').count())
    }

    fn encode(count: u64) -> Bytes {
        encode(count)
    }

    fn decode(value: &Bytes) -> u64 {
        decode(value)
    }
}

/// Ids and keys as small integers, for models.
///
/// An id is a number below 16. Bits 4 to 6, if not 0, nest it: `0x21` stands for an id like
/// `t1/likes/2`. Bit 7 is the mark of a retweet of an own tweet. 255 is the empty id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct Small;

/// The key of a counter over [`Small`], ordered so that what stands below another key follows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct SmallKey {
    /// The layout that it was written in.
    pub layout: Layout,
    /// The tweet, without the bits that nest.
    pub tweet: u8,
    /// The statistic of that tweet below which the key stands.
    pub under: Stat,
    /// The bits that nest.
    pub nested: u8,
    /// The statistic.
    pub stat: Stat,
    /// The node.
    pub node: u8,
}

impl Ids for Small {
    type Key = SmallKey;
    type Value = u64;
    type Address = u64;
}

impl Space for Small {
    type Id = u8;
    type Node = u8;
    type View = SmallKey;

    fn is_empty(id: &u8) -> bool {
        *id == u8::MAX
    }

    fn own_retweet(tweet: &u8) -> u8 {
        tweet | 0x80
    }

    /// As decimal numbers.
    fn begins_with(id: &u8, start: &u8) -> bool {
        [*id, id / 10, id / 100].contains(start) && (*start != 0 || *id == 0)
    }

    fn key(format: Format, stat: Stat, id: &u8, node: &u8) -> SmallKey {
        let nested = id >> 4 & 7;
        SmallKey {
            layout: format.layout,
            tweet: id & 0x8f,
            under: if nested == 0 { stat } else { Stat::Likes },
            nested,
            stat,
            node: *node,
        }
    }

    fn view(format: Format, stat: Stat, id: &u8) -> SmallKey {
        Self::key(format, stat, id, &0)
    }

    fn floor(view: &SmallKey) -> SmallKey {
        match view.nested {
            0 => SmallKey {
                stat: Stat::Likes,
                ..*view
            },
            _ => *view,
        }
    }

    fn depth(view: &SmallKey, key: &SmallKey) -> usize {
        let counter = |key: &SmallKey| (key.tweet, key.under, key.nested, key.stat);
        if view.layout == Layout::Shipped || key.layout == Layout::Shipped {
            0
        } else if counter(view) == counter(key) {
            1
        } else if view.nested == 0 && (view.tweet, view.under) == (key.tweet, key.under) {
            3
        } else {
            0
        }
    }

    fn encode(count: u64) -> u64 {
        count
    }

    fn decode(value: &u64) -> u64 {
        *value
    }
}

/// The address of a block over [`Small`]: a hash of its content.
impl Block<Small> {
    /// 64 bits mixed from the content word by word. Equal content gives equal addresses.
    pub fn small_address(&self) -> u64 {
        let key = [
            self.key.layout as u64,
            u64::from(self.key.tweet),
            self.key.under as u64,
            u64::from(self.key.nested),
            self.key.stat as u64,
            u64::from(self.key.node),
        ];
        let words = [self.height, self.value].into_iter().chain(key);
        mixed(words.chain(self.parents.iter().copied()))
    }
}
