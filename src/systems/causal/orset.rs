//! The OR-set whose adds are identified by the message that made them (7.2).

mod effect;

use std::sync::Arc;

use bytes::Bytes;

use super::Name;
use super::clock::{Clock, Node};
use super::message::{Message, Operation};
use super::strategy::Strategies;
use crate::map::SortedMap;

/// The contents of an element, if it has any.
pub type Contents = Option<Bytes>;

/// The message that added: ordered by (node, seq).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
pub struct Dot {
    /// Sender.
    pub node: Node,
    /// Its number.
    pub seq: u64,
}

/// Value and tag, in this order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
pub struct Pair {
    /// Value.
    pub value: Name,
    /// Tag.
    pub tag: Name,
}

/// Pairs with their dots; no pair is without.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize)]
pub struct Set {
    pairs: SortedMap<Pair, SortedMap<Dot, Contents>>,
}

/// What a user has. Sets of `mails` live independently of visibility; empty ones are not kept.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize)]
pub struct UserSets {
    /// Mailbox names.
    pub structure: Set,
    /// Text profile: mail file names by mailbox.
    pub mails: SortedMap<Name, Set>,
}

/// The payload state. Users without any element are not kept.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize)]
pub struct Sets {
    users: SortedMap<Name, UserSets>,
}

impl Pair {
    /// A pair of these names.
    pub fn new(value: &Name, tag: &Name) -> Self {
        Self {
            value: value.clone(),
            tag: tag.clone(),
        }
    }
}

impl Set {
    /// No pair.
    pub const EMPTY: &Self = &Self {
        pairs: SortedMap::new(),
    };

    /// `add(value, tag, contents)` by the message `dot`. Contents that the same message gave the
    /// pair before are replaced. O(log n).
    pub fn add(&mut self, pair: Pair, dot: Dot, contents: Contents) {
        self.pairs.or_default(pair).insert(dot, contents);
    }

    /// `remove(value, tag)` by a message stamped `stamp`: drops the dots it had seen. O(log n) for
    /// each of them.
    pub fn remove(&mut self, pair: &Pair, stamp: &Clock) {
        let Some(dots) = self.pairs.get_mut(pair) else {
            return;
        };
        if !drop_seen(dots, stamp) {
            self.pairs.remove(pair);
        }
    }

    /// Drops every dot that a message stamped `stamp` had seen. O(n).
    pub fn remove_seen(&mut self, stamp: &Clock) {
        self.pairs.retain(|_, dots| drop_seen(dots, stamp));
    }

    /// Whether no pair is left.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether some pair has this value. O(log n).
    pub fn has_value(&self, value: &str) -> bool {
        self.of_value(value).next().is_some()
    }

    /// Whether the pair is present. O(log n).
    pub fn has_pair(&self, pair: &Pair) -> bool {
        self.pairs.contains(pair)
    }

    /// The distinct values in byte order.
    pub fn values(&self) -> impl Iterator<Item = &Name> {
        let mut last = None;
        let values = self.pairs.keys().map(|pair| &pair.value);
        values.filter(move |value| last.replace(*value) != Some(*value))
    }

    /// The pairs of a value in the order of their tags, with their contents. O(log n) to the first.
    pub fn of_value<'a>(&'a self, value: &str) -> impl Iterator<Item = (&'a Pair, &'a Contents)> {
        let from = Pair {
            value: value.into(),
            tag: Name::default(),
        };
        let pairs = self.pairs.iter_from(&from);
        let pairs = pairs.take_while(move |(pair, _)| pair.value == from.value);
        pairs.map(|(pair, dots)| (pair, latest(dots)))
    }

    /// The tags of a value whose pairs have contents, in byte order. O(log n) to the first.
    pub fn tags_with_contents<'a>(&'a self, value: &str) -> impl Iterator<Item = &'a Name> {
        let pairs = self.of_value(value);
        let pairs = pairs.filter(|(_, contents)| contents.is_some());
        pairs.map(|(pair, _)| &pair.tag)
    }

    /// Pairs in order with their dots.
    pub fn iter(&self) -> impl Iterator<Item = (&Pair, &SortedMap<Dot, Contents>)> {
        self.pairs.iter()
    }

    /// Pairs in order with their contents.
    pub fn with_contents(&self) -> impl Iterator<Item = (&Pair, &Contents)> {
        self.pairs.iter().map(|(pair, dots)| (pair, latest(dots)))
    }

    /// Contents of a pair: those of its dot with the greatest (seq, node); none if the pair is
    /// absent. O(log n) and the number of its dots.
    pub fn contents(&self, pair: &Pair) -> Option<&Contents> {
        self.pairs.get(pair).map(latest)
    }
}

impl UserSets {
    /// The mails of a mailbox, if there are any. O(log n).
    pub fn mails_of(&self, mailbox: &Name) -> Option<&Set> {
        self.mails.get(mailbox)
    }

    /// Whether a mailbox is visible: its name is present in `structure`. O(log n).
    pub fn is_visible(&self, mailbox: &str) -> bool {
        self.structure.has_value(mailbox)
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.structure.is_empty() && self.mails.is_empty()
    }
}

impl FromIterator<(Name, UserSets)> for Sets {
    /// Of users that are all different. Those without any element are not kept.
    fn from_iter<T: IntoIterator<Item = (Name, UserSets)>>(users: T) -> Self {
        let users = users.into_iter().filter(|(_, sets)| !sets.is_empty());
        Self {
            users: users.collect(),
        }
    }
}

impl Sets {
    /// What a user has; nothing if it has no element. O(log n).
    pub fn user(&self, user: &Name) -> Option<&UserSets> {
        self.users.get(user)
    }

    /// Users with any element, in byte order.
    pub fn users(&self) -> impl Iterator<Item = (&Name, &UserSets)> {
        self.users.iter()
    }

    /// The effect of a delivered or submitted message (7.2); an opaque one has none. False, and
    /// nothing changes, if a faulty strategy makes it fatal.
    ///
    /// Copies the sets first if somebody else holds them, too.
    pub fn apply(self: &mut Arc<Self>, message: &Message, strategies: &Strategies) -> bool {
        let Some(operation) = &message.operation else {
            return true;
        };
        let user = match operation {
            Operation::Text(operation) => &operation.user,
            Operation::Framed(operation) => effect::user(operation),
        };
        if effect::is_fatal(self.user(user), operation, strategies) {
            return false;
        }
        let sets = Arc::make_mut(self);
        let of_user = sets.users.or_default(user.clone());
        effect::apply(of_user, message, operation, strategies);
        if of_user.is_empty() {
            sets.users.remove(user);
        }
        true
    }
}

/// Drops the dots that a message stamped `stamp` had seen. Whether any is left.
fn drop_seen(dots: &mut SortedMap<Dot, Contents>, stamp: &Clock) -> bool {
    dots.retain(|dot, _| dot.seq > stamp.get(dot.node));
    !dots.is_empty()
}

/// The contents of the dot with the greatest (seq, node).
fn latest(dots: &SortedMap<Dot, Contents>) -> &Contents {
    let latest = dots.iter().max_by_key(|(dot, _)| (dot.seq, dot.node));
    latest.map_or(&None, |(_, contents)| contents)
}
