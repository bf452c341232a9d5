//! What a thread holds to count accesses.

use crate::sync::{lock, on_drop};

use super::engine::SharedEngine;
use super::found::Found;

/// Counts accesses, in a lane of its own as long as there are enough. Give every thread its own.
#[derive(Debug)]
pub struct Accessor {
    engine: SharedEngine,
    lane: usize,
}

impl Accessor {
    pub(super) fn new(engine: SharedEngine) -> Self {
        let mut accessors = lock(&engine.shared().accessors);
        let by_use = accessors.iter().enumerate().min_by_key(|(_, uses)| **uses);
        let (lane, _) = by_use.expect("there is a lane");
        accessors[lane] += 1;
        drop(accessors);
        Self { engine, lane }
    }

    /// Counts an access to the route that owns `key`, if any, and splits it if it is hot (8). Without a threshold,
    /// and mostly with one, one addition to memory that no other accessor writes; allocates nothing.
    ///
    /// With a threshold of less than 16 times the number of lanes, and if one thread counts alone, the access that
    /// reaches it splits the route. Otherwise less than an eighth of the threshold may be counted before it is
    /// noticed; what was counted beyond is lost with the split.
    #[inline]
    pub fn record(&self, key: &[u8]) {
        if let Some(found) = self.engine.lookup(key) {
            self.record_found(&found, key);
        }
    }

    /// As [`Self::record`], for a key whose route this engine just found: it is not looked up again. If the table was
    /// replaced meanwhile, the access comes before that, and counts if the route stayed.
    #[inline]
    pub fn record_found(&self, found: &Found, key: &[u8]) {
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
        on_drop(|| lock(&self.engine.shared().accessors)[self.lane] -= 1);
    }
}
