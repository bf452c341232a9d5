//! What a lookup hands out.

use std::ops::Deref;

use crate::catalog::EngineRoute;
use crate::sync::{Held, Identity};

use super::lanes::{Lane, Threshold};
use super::routing::Routing;

/// A route of the table that was current when it was looked up. Nothing is copied; as long as it is held, that
/// table stays in memory.
#[derive(Debug)]
pub struct Found<R = Held<Routing>> {
    routing: R,
    at: usize,
}

/// As [`Found`], in the table that a [`Reader`](super::Reader) keeps.
pub type Seen<'a> = Found<&'a Routing>;

impl<R: Deref<Target = Routing>> Found<R> {
    #[inline]
    pub(super) fn new(routing: R, key: &[u8]) -> Option<Self> {
        let at = routing.owner(key)?;
        Some(Self { routing, at })
    }

    /// Version of the table.
    pub fn version(&self) -> u64 {
        self.routing.engine.version()
    }

    /// 0 if not from the catalog.
    #[inline]
    pub fn id(&self) -> u64 {
        self.entry().id
    }

    /// The first key of the half-open range.
    pub fn start(&self) -> &[u8] {
        &self.entry().start
    }

    /// The first key past it; none if unbounded.
    pub fn end(&self) -> Option<&[u8]> {
        self.entry().end.as_deref()
    }

    /// The group that it belongs to.
    #[inline]
    pub fn group(&self) -> u64 {
        self.entry().group
    }

    /// See [`crate::catalog::limits::LAST_STATE`].
    #[inline]
    pub fn state(&self) -> u8 {
        self.entry().state
    }

    /// Its load by now, or, once it is split, what was counted for it in vain. O(lanes).
    pub fn load(&self) -> u64 {
        self.routing.loads.load(self.at)
    }

    /// All of it. Shares the keys.
    pub fn to_route(&self) -> EngineRoute {
        self.routing.route(self.at)
    }

    #[inline]
    pub(super) fn is_of(&self, engine: &Identity) -> bool {
        self.routing.loads.is_of(engine)
    }

    /// Counts an access in this lane. Whether phase 2 is due.
    #[inline]
    pub(super) fn count(&self, lane: Lane) -> bool {
        let Routing { engine, loads, .. } = &*self.routing;
        let threshold = Threshold(engine.threshold());
        let load = loads.count(lane, self.at, threshold);
        load.is_some_and(|load| engine.is_hot(load))
    }

    /// Without its load.
    #[inline]
    fn entry(&self) -> &EngineRoute {
        &self.routing.engine.routes()[self.at]
    }
}
