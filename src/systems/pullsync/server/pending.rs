//! Cancels that overtook the registration of what they cancel (8.3).

use serde::Serialize;

use crate::map::SortedMap;
use crate::pullsync::space::Space;

/// Ruids whose handler is to be cancelled as soon as it registers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct Pending<S: Space> {
    /// Of each peer that has any, oldest first, without repetition.
    ruids: SortedMap<S::Peer, Vec<u32>>,
    /// So many of one peer, at most.
    limit: usize,
}

impl<S: Space> Pending<S> {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            ruids: SortedMap::new(),
            limit,
        }
    }

    /// Notes a ruid at the cost of the oldest; one that is pending keeps its place. Whether it is pending
    /// now, which it is unless none may be.
    pub(super) fn note(&mut self, peer: S::Peer, ruid: u32) -> bool {
        if self.limit == 0 {
            return false;
        }
        let ruids = self.ruids.or_default(peer);
        if !ruids.contains(&ruid) {
            if ruids.len() == self.limit {
                ruids.remove(0);
            }
            ruids.push(ruid);
        }
        true
    }

    /// Consumes the cancel of a ruid; whether there was one.
    pub(super) fn consume(&mut self, peer: &S::Peer, ruid: u32) -> bool {
        let Some(ruids) = self.ruids.get_mut(peer) else {
            return false;
        };
        let Some(at) = ruids.iter().position(|pending| *pending == ruid) else {
            return false;
        };
        ruids.remove(at);
        if ruids.is_empty() {
            self.ruids.remove(peer);
        }
        true
    }

    pub(super) fn forget(&mut self, peer: &S::Peer) {
        self.ruids.remove(peer);
    }

    pub(super) fn clear(&mut self) {
        self.ruids = SortedMap::new();
    }

    pub(super) fn of(&self, peer: &S::Peer) -> &[u32] {
        self.ruids.get(peer).map_or(&[], Vec::as_slice)
    }
}
