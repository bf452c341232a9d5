//! To which group a key belongs, by counting its moves.

use concord_systems::catalog::EngineRoute;
use serde::Serialize;

/// Keys that move, each with a route of its own.
pub(super) const KEYS: [&[u8]; 2] = [b"a", b"b"];

/// Every move there was, by the place of the key that moved. Each makes a version.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub(super) struct Moves(Vec<u8>);

impl Moves {
    /// A key goes to the other group.
    pub(super) fn push(&mut self, key: u8) {
        self.0.push(key);
    }

    /// The last version.
    pub(super) fn version(&self) -> u64 {
        self.0.len() as u64
    }

    /// The group that has a key at a version: at first the first one.
    pub(super) fn group(&self, version: u64, key: usize) -> u64 {
        let mut group = 1;
        for (moved, made) in self.0.iter().zip(1..) {
            if made <= version && usize::from(*moved) == key {
                group = 3 - group;
            }
        }
        group
    }
}

/// The group of the first route that has the key.
pub(super) fn group_in(routes: &[EngineRoute], key: &[u8]) -> Option<u64> {
    for route in routes {
        let has_ended = route.end.as_ref().is_some_and(|end| &end[..] <= key);
        if &route.start[..] <= key && !has_ended {
            return Some(route.group);
        }
    }
    None
}
