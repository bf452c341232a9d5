//! What a thread holds to count accesses.

use std::ops::Deref;

use crate::sync::{lock, on_drop};

use super::engine::SharedEngine;
use super::found::{Found, Seen};
use super::lanes::Lane;
use super::reader::Reader;
use super::routing::Routing;

/// Looks routes up and counts accesses to them, in a lane of its own if there was one left. For one thread: give
/// every thread its own. Keeps the table as a [`Reader`] does.
#[derive(Debug)]
pub struct Accessor {
    engine: SharedEngine,
    reader: Reader,
    lane: Lane,
}

impl Accessor {
    pub(super) fn new(engine: SharedEngine) -> Self {
        let lane = lock(&engine.shared().free).pop().unwrap_or(Lane::SHARED);
        let reader = engine.reader();
        Self {
            engine,
            reader,
            lane,
        }
    }

    /// Counts an access to the route that owns `key`, splits it if it is hot, and returns it as it was until then
    /// (8). Mostly this writes one number that no other accessor writes; allocates nothing.
    ///
    /// With a threshold of less than 16 for each lane, the shared one included, and if one thread counts alone, the
    /// access that reaches it splits the route. Otherwise less than an eighth of the threshold may be counted before
    /// it is noticed; what was counted beyond is lost with the split.
    #[inline]
    pub fn record(&mut self, key: &[u8]) -> Option<Seen<'_>> {
        let found = self.reader.lookup(key)?;
        if found.count(self.lane) {
            self.engine.access_finish(key);
        }
        Some(found)
    }

    /// As [`Self::record`], for a key whose route this engine just found: it is not looked up again. If the table was
    /// replaced meanwhile, the access comes before that, and counts if the route stayed.
    ///
    /// # Panics
    ///
    /// If another engine found it: this one's lane is of no use there.
    #[inline]
    pub fn record_found<R>(&mut self, found: &Found<R>, key: &[u8])
    where
        R: Deref<Target = Routing>,
    {
        assert!(found.is_of(self.engine.identity()), "found by its engine");
        if found.count(self.lane) {
            self.engine.access_finish(key);
        }
    }

    /// What it counts for.
    pub fn engine(&self) -> &SharedEngine {
        &self.engine
    }
}

impl Clone for Accessor {
    fn clone(&self) -> Self {
        self.engine.accessor()
    }
}

impl Drop for Accessor {
    fn drop(&mut self) {
        if self.lane != Lane::SHARED {
            on_drop(|| lock(&self.engine.shared().free).push(self.lane));
        }
    }
}
