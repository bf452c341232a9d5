//! A fixed group and the profile it runs (section 1).

use std::sync::Arc;

use super::Name;
use super::clock::Node;

/// Wire format, range of numbers, order of the scan and language of payloads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Lines of text.
    Text,
    /// Frames of protobuf.
    Framed,
}

impl Profile {
    /// The largest value of a clock entry.
    pub const fn largest(self) -> u64 {
        match self {
            Self::Text => i64::MAX as u64,
            Self::Framed => u32::MAX as u64,
        }
    }
}

/// Two or more members with legal, distinct names, in byte order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Group {
    names: Arc<[Name]>,
}

/// Why names make no group.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GroupError {
    /// Fewer than two, or more than 65,535.
    #[error("{0} members, expected 2 to 65535")]
    Size(usize),
    /// Not a legal name.
    #[error("{0:?} is no name of a node: expected a non-empty one without '|', ':', ';', CR, LF")]
    Illegal(Name),
    /// Twice.
    #[error("{0:?} is named twice")]
    Twice(Name),
}

/// Whether `name` may name a node (section 1).
pub(super) fn is_legal(name: &str) -> bool {
    !name.is_empty() && !name.contains(['|', ':', ';', '\r', '\n'])
}

impl Group {
    /// A group of these names, in any order.
    ///
    /// # Errors
    /// If they are too few or too many, one is not legal, or two are equal.
    pub fn new(names: impl IntoIterator<Item = Name>) -> Result<Self, GroupError> {
        let mut names: Vec<Name> = names.into_iter().collect();
        names.sort_unstable();
        if let Some(name) = names.iter().find(|name| !is_legal(name)) {
            return Err(GroupError::Illegal(name.clone()));
        }
        if let Some(two) = names.windows(2).find(|two| two[0] == two[1]) {
            return Err(GroupError::Twice(two[0].clone()));
        }
        if !(2..=usize::from(u16::MAX)).contains(&names.len()) {
            return Err(GroupError::Size(names.len()));
        }
        Ok(Self {
            names: names.into(),
        })
    }

    /// Number of members.
    pub fn size(&self) -> usize {
        self.names.len()
    }

    /// The member of this name. O(log n).
    pub fn node(&self, name: &str) -> Option<Node> {
        let place = self
            .names
            .binary_search_by(|member| member.as_str().cmp(name));
        place.ok().map(|place| Node(place as u16))
    }

    /// The name of a member.
    ///
    /// # Panics
    /// If `node` is none of this group.
    pub fn name(&self, node: Node) -> &Name {
        &self.names[node.index()]
    }

    /// The names in byte order.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// The members in byte order of their names.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        (0..self.names.len() as u16).map(Node)
    }

    /// All members but `me`.
    pub fn peers(&self, me: Node) -> impl Iterator<Item = Node> + use<> {
        self.nodes().filter(move |node| *node != me)
    }
}
