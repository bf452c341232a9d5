//! The OR-set whose adds are identified by the message that made them (7.2).

use std::sync::Arc;

use bytes::Bytes;

use super::Name;
use super::clock::{Clock, Node};
use super::message::Message;
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

impl Set {
    /// `add(value, tag, contents)` by the message `dot`.
    pub fn add(&mut self, _pair: Pair, _dot: Dot, _contents: Contents) {
        todo!()
    }
    /// `remove(value, tag)` by a message stamped `stamp`: drops the dots it had seen.
    pub fn remove(&mut self, _pair: &Pair, _stamp: &Clock) {
        todo!()
    }
    /// Drops every dot that a message stamped `stamp` had seen.
    pub fn remove_seen(&mut self, _stamp: &Clock) {
        todo!()
    }
    /// Whether no pair is left.
    pub fn is_empty(&self) -> bool {
        todo!()
    }
    /// Whether some pair has this value. O(log n).
    pub fn has_value(&self, _value: &str) -> bool {
        todo!()
    }
    /// Pairs in order with their dots.
    pub fn iter(&self) -> impl Iterator<Item = (&Pair, &SortedMap<Dot, Contents>)> {
        std::iter::empty()
    }
    /// Contents of a pair: those of its dot with the greatest (seq, node); none if the pair is absent.
    pub fn contents(&self, _pair: &Pair) -> Option<&Contents> {
        todo!()
    }
}

impl Sets {
    /// What a user has; nothing if nobody mentioned it.
    pub fn user(&self, _user: &str) -> Option<&UserSets> {
        todo!()
    }
    /// Users with any element.
    pub fn users(&self) -> impl Iterator<Item = (&Name, &UserSets)> {
        std::iter::empty()
    }
    /// The effect of a delivered or submitted message. False if a faulty strategy makes it fatal.
    pub fn apply(self: &mut Arc<Self>, _message: &Message, _strategies: &Strategies) -> bool {
        todo!()
    }
}
