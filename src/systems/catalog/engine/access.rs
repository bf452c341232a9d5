//! Access counts and hotspot splits (8). Level 2 has neither (13).

use std::sync::Arc;

use bytes::Bytes;

use super::{Engine, EngineRoute, table};
use crate::catalog::strategy::{HalfLoads, Halves, Level, SecondLook, Strategies};

/// What phase 1 of an access found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Load of the route, this access included.
    pub load: u64,
    /// Whether phase 2 is due.
    pub hot: bool,
}

impl Engine {
    /// Phase 1; none if no route owns the key. O(log n), unless the list is shared.
    pub fn access_begin(&mut self, key: &[u8]) -> Option<Access> {
        let at = match self.settings.level {
            Level::One => table::owner(&self.routes, key)?,
            Level::Two => return None,
        };
        let route = &mut Arc::make_mut(&mut self.routes)[at];
        route.load = route.load.wrapping_add(1);
        let load = route.load;
        let hot = self.is_hot(load);
        Some(Access { load, hot })
    }

    /// Phase 2: looks again, and splits what is hot now. Whether it split. O(n).
    pub fn access_finish(&mut self, key: &[u8]) -> bool {
        let found = table::owner(&self.routes, key);
        found.is_some_and(|at| self.access_finish_at(at, self.routes[at].load))
    }

    /// Phase 2 for who counts loads elsewhere: `at` is where looking again found the key, `load` its load by now.
    ///
    /// # Panics
    ///
    /// If there is no such place in the list.
    pub fn access_finish_at(&mut self, at: usize, load: u64) -> bool {
        match self.settings.strategies.second_look {
            SecondLook::Taken if !self.is_hot(load) => false,
            SecondLook::Taken | SecondLook::Skipped => self.split(at),
        }
    }

    /// Both phases.
    pub fn record_access(&mut self, key: &[u8]) {
        if self.access_begin(key).is_some_and(|access| access.hot) {
            self.access_finish(key);
        }
    }

    /// Whether a route of this load is to be split.
    pub const fn is_hot(&self, load: u64) -> bool {
        self.threshold != 0 && load >= self.threshold
    }

    /// Sets the loads, in list order, for who counts them elsewhere; routes beyond the last load keep theirs. O(n).
    pub fn set_loads(&mut self, loads: impl IntoIterator<Item = u64>) {
        let routes = Arc::make_mut(&mut self.routes);
        for (route, load) in routes.iter_mut().zip(loads) {
            route.load = load;
        }
    }

    /// Splits behind the first key of a route; if that leaves no keys for the right half, only the load is reset.
    fn split(&mut self, at: usize) -> bool {
        match halves(&self.routes[at], &self.settings.strategies) {
            Some(halves) => {
                Arc::make_mut(&mut self.routes).splice(at..=at, halves);
                true
            }
            None => {
                // Who counts elsewhere has no load here, and need not copy a list that others hold.
                if self.routes[at].load != 0 {
                    Arc::make_mut(&mut self.routes)[at].load = 0;
                }
                false
            }
        }
    }
}

/// What a route is split into; none if it is unbounded or holds one key only.
fn halves(route: &EngineRoute, how: &Strategies) -> Option<[EngineRoute; 2]> {
    let middle: Bytes = [&route.start[..], &[0]].concat().into();
    let end = route.end.clone().filter(|end| middle < *end)?;
    let of = |start: &Bytes, end: Bytes| EngineRoute {
        state: match how.halves {
            Halves::Inherit => route.state,
            Halves::Active => 0,
        },
        load: match how.half_loads {
            HalfLoads::Zero => 0,
            HalfLoads::Kept => route.load,
        },
        ..EngineRoute::registered(start.clone(), Some(end), route.group)
    };
    Some([of(&route.start, middle.clone()), of(&middle, end)])
}
