//! Predecessor search over many keys, laid out by their number (`benches/catalog.rs`).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

/// Keys in ascending order, equal ones allowed.
#[derive(Clone, Debug)]
pub struct Index {}

impl Index {
    pub fn new<'a>(keys: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        todo!()
    }

    /// Place of the last key at or before `key`.
    pub fn predecessor(&self, key: &[u8]) -> Option<usize> {
        todo!()
    }
}
