//! Which handler a cancel ends (8.1).

use serde::Serialize;

use crate::map::SortedMap;
use crate::pullsync::space::Space;
use crate::pullsync::strategy::{Keys, Unregister};

/// The running handlers by peer and ruid.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub(super) struct Registry<S: Space> {
    entries: SortedMap<(S::Peer, u32), S::Stream>,
    keys: Keys,
    unregister: Unregister,
}

impl<S: Space> Registry<S> {
    pub(super) const fn new(keys: Keys, unregister: Unregister) -> Self {
        Self {
            entries: SortedMap::new(),
            keys,
            unregister,
        }
    }

    /// Enters a handler, and gives the one to be cancelled because it stood there.
    pub(super) fn enter(
        &mut self,
        peer: S::Peer,
        ruid: u32,
        stream: S::Stream,
    ) -> Option<S::Stream> {
        let replaced = self.take(peer, ruid);
        self.entries.insert((peer, ruid), stream);
        match self.keys {
            Keys::PerPeer => replaced,
            Keys::Shared => None,
        }
    }

    /// Takes out the handler under a key.
    pub(super) fn take(&mut self, peer: S::Peer, ruid: u32) -> Option<S::Stream> {
        let key = self.key(peer, ruid)?;
        self.entries.remove(&key)
    }

    /// Takes out a handler that ended.
    pub(super) fn leave(&mut self, peer: S::Peer, ruid: u32, stream: S::Stream) {
        let Some(key) = self.key(peer, ruid) else {
            return;
        };
        let own = self.entries.get(&key) == Some(&stream);
        if own || self.unregister == Unregister::Key {
            self.entries.remove(&key);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&(S::Peer, u32), &S::Stream)> {
        self.entries.iter()
    }

    /// The key under which a handler of this peer and ruid stands.
    fn key(&self, peer: S::Peer, ruid: u32) -> Option<(S::Peer, u32)> {
        match self.keys {
            Keys::PerPeer => Some((peer, ruid)),
            Keys::Shared => self.entries.keys().find(|key| key.1 == ruid).copied(),
        }
    }
}
