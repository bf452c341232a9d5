//! What a thread holds to look routes up.

use crate::sync::Cached;

use super::found::{Found, Seen};
use super::routing::Routing;

/// Looks routes up, and keeps the table between: as long as that is current, a lookup writes no memory at all. One
/// that is not used keeps an old table alive.
#[derive(Debug)]
pub struct Reader {
    routing: Cached<Routing>,
}

impl Reader {
    pub(super) fn new(routing: Cached<Routing>) -> Self {
        Self { routing }
    }

    /// The route that owns `key` (8), in the table that is current now. Takes no lock, copies and allocates nothing.
    /// O(log n).
    #[inline]
    pub fn lookup(&mut self, key: &[u8]) -> Option<Seen<'_>> {
        Found::new(self.routing.load(), key)
    }
}
