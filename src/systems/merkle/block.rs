//! Blocks, and what a replica keeps on disk.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::Serialize;

use crate::map::{SortedMap, SortedSet};

/// Identifiers of a replicated store. The store compares and copies them and reads nothing else out
/// of them, so a model may use small integers where a user has strings and hashes.
pub trait Ids: Copy + Ord + Hash + Debug + Serialize + Send + Sync + 'static {
    /// Full key of an entry.
    type Key: Clone + Ord + Hash + Debug + Serialize + Send + Sync;
    /// Value of an entry. Its order must be that of its bytes (CTR-16).
    type Value: Clone + Ord + Hash + Debug + Serialize + Send + Sync;
    /// Address of a block. Equal content must have equal addresses, different content different ones.
    type Address: Copy + Ord + Hash + Debug + Serialize + Send + Sync;
}

/// A block of the DAG (5.1): one write, and what its writer had seen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Block<I: Ids> {
    /// One more than the greatest height among the parents; at least 1.
    pub height: u64,
    /// Addresses of the heads that the writer had, ascending.
    pub parents: Vec<I::Address>,
    /// The key written.
    pub key: I::Key,
    /// The value written.
    pub value: I::Value,
}

/// The entry of one key.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub struct Entry<I: Ids> {
    /// Height of the block that wrote it.
    pub priority: u64,
    /// Its value.
    pub value: I::Value,
}

/// What survives a crash (CTR-13) and goes with a total loss (CTR-14).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(bound = "")]
pub struct Disk<I: Ids> {
    /// Stored blocks, processed or not.
    pub blocks: SortedMap<I::Address, Arc<Block<I>>>,
    /// At most one entry per key; each is the greatest (height, value) among the merged blocks.
    pub entries: SortedMap<I::Key, Entry<I>>,
    /// Blocks already merged.
    pub processed: SortedSet<I::Address>,
    /// Heads with their heights.
    pub heads: SortedMap<I::Address, u64>,
    /// Whether ancestors of a head may be missing.
    pub dirty: bool,
}

/// One atomic durable write.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Write<I: Ids> {
    /// Keep a block.
    Block(I::Address, Arc<Block<I>>),
    /// Replace the entry of a key.
    Entry(I::Key, Entry<I>),
    /// Mark a block as merged.
    Processed(I::Address),
    /// Take heads out and put one in.
    Heads {
        /// Heads that go.
        remove: Vec<I::Address>,
        /// The head that comes, with its height.
        add: (I::Address, u64),
    },
    /// Set or clear the dirty flag.
    Dirty(bool),
    /// All or none of these.
    Batch(Vec<Write<I>>),
}

impl<I: Ids> Block<I> {
    /// Whether this block would replace `entry` (CTR-16): the higher wins, and at equal height the
    /// greater value.
    pub fn outranks(&self, entry: Option<&Entry<I>>) -> bool {
        entry.is_none_or(|old| (self.height, &self.value) > (old.priority, &old.value))
    }
}

impl<I: Ids> Disk<I> {
    /// Carries out one write.
    pub fn apply(&mut self, write: &Write<I>) {
        match write {
            Write::Block(address, block) => {
                self.blocks.insert(*address, Arc::clone(block));
            }
            Write::Entry(key, entry) => {
                self.entries.insert(key.clone(), entry.clone());
            }
            Write::Processed(address) => {
                self.processed.insert(*address, ());
            }
            Write::Heads { remove, add } => {
                for head in remove {
                    self.heads.remove(head);
                }
                self.heads.insert(add.0, add.1);
            }
            Write::Dirty(dirty) => self.dirty = *dirty,
            Write::Batch(writes) => {
                for write in writes {
                    self.apply(write);
                }
            }
        }
    }
}

impl<I: Ids> Default for Disk<I> {
    fn default() -> Self {
        Self {
            blocks: SortedMap::new(),
            entries: SortedMap::new(),
            processed: SortedMap::new(),
            heads: SortedMap::new(),
            dirty: false,
        }
    }
}

/// Blocks are hashed by address alone, which their content determines.
impl<I: Ids> Hash for Disk<I> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.blocks.len().hash(state);
        for address in self.blocks.keys() {
            address.hash(state);
        }
        self.entries.hash(state);
        self.processed.hash(state);
        self.heads.hash(state);
        self.dirty.hash(state);
    }
}
