//! Access counts and hotspot splits (8).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use super::Engine;

/// What phase 1 of an access found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Load of the route, this access included.
    pub load: u64,
    /// Whether phase 2 is due.
    pub hot: bool,
}

impl Engine {
    /// Phase 1; none if no route owns the key.
    pub fn access_begin(&mut self, key: &[u8]) -> Option<Access> {
        todo!()
    }

    /// Phase 2: looks again, and splits what is hot now. Whether it split.
    pub fn access_finish(&mut self, key: &[u8]) -> bool {
        todo!()
    }

    /// Both phases.
    pub fn record_access(&mut self, key: &[u8]) {
        if self.access_begin(key).is_some_and(|access| access.hot) {
            self.access_finish(key);
        }
    }
}
