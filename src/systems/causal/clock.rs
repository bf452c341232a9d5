//! Vector clocks over a fixed group (section 2).

/// A member of a group: its place in the byte order of the names.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Node(pub u16);

impl Node {
    /// Its place.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One counter per member of a group, all of the same length within a group.
///
/// `PartialOrd` is happened-before: pointwise; concurrent clocks are not comparable.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Clock(smallvec::SmallVec<[u64; 4]>);

/// What a node may do with a message (rule 4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Deliverability {
    /// Next from its sender, and everything it depends on is delivered.
    Apply,
    /// Delivered before.
    Duplicate,
    /// Something it depends on is not delivered: entry `node` of the stamp is not reached yet.
    Wait {
        /// A member of whom a message is missing.
        node: Node,
        /// Up to which of its messages (for the sender itself: the one before).
        seq: u64,
    },
}

impl Clock {
    /// All entries 0.
    pub fn zero(_members: usize) -> Self {
        todo!()
    }
    /// From entries in the order of the members.
    pub fn from_entries(_entries: impl IntoIterator<Item = u64>) -> Self {
        todo!()
    }
    /// Entries in the order of the members.
    pub fn entries(&self) -> &[u64] {
        todo!()
    }
    /// The entry of `node`.
    pub fn get(&self, _node: Node) -> u64 {
        todo!()
    }
    /// Makes the entry of `node` `value`.
    pub fn set(&mut self, _node: Node, _value: u64) {
        todo!()
    }
    /// The pairwise maximum (rule 5).
    pub fn merge(&mut self, _other: &Self) {
        todo!()
    }
    /// Rule 4, `self` being the clock of the node.
    pub fn deliverability(&self, _sender: Node, _stamp: &Self) -> Deliverability {
        todo!()
    }
}

impl PartialOrd for Clock {
    fn partial_cmp(&self, _other: &Self) -> Option<std::cmp::Ordering> {
        todo!()
    }
}
