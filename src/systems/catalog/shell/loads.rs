//! Where the accesses of each route of a table are counted.

use std::ops::Range;

use crate::sync::{Arc, Identity};

use super::lanes::{Lane, Lanes, Strategies, Threshold};

/// The slots of a table's routes. Tables that follow each other share counts.
#[derive(Clone, Debug)]
pub(super) struct Loads {
    /// By route; empty if each has the slot of its own number.
    slots: Vec<usize>,
    routes: usize,
    /// The counts of the first slots.
    first: Arc<Lanes>,
    /// Those of the others, with the slot that they begin with. Each is as large as all before it, so there are few.
    more: Vec<(usize, Arc<Lanes>)>,
    /// Slots that were ever given to a route.
    given: usize,
    lanes: usize,
    how: Strategies,
    /// Of the engine whose accessors have the lanes.
    engine: Identity,
}

impl Loads {
    /// Zeros. With as many lanes as are given, the shared one included; with 0 nothing is counted.
    pub(super) fn new(lanes: usize, routes: usize, how: Strategies, engine: Identity) -> Self {
        Self {
            slots: Vec::new(),
            routes,
            first: Arc::new(Lanes::new(lanes, routes)),
            more: Vec::new(),
            given: routes,
            lanes,
            how,
            engine,
        }
    }

    /// Counts an access to a route, and returns the load if it is time to look at it: see [`Lanes::count`].
    #[inline]
    pub(super) fn count(&self, lane: Lane, route: usize, threshold: Threshold) -> Option<u64> {
        let (lanes, slot) = self.slot(route);
        lanes.count(lane, slot, threshold, self.how)
    }

    /// The load of a route.
    pub(super) fn load(&self, route: usize) -> u64 {
        let (lanes, slot) = self.slot(route);
        lanes.load(slot, self.how.collect)
    }

    /// Takes so much from the load of a route. Only one thread at a time may do so.
    pub(super) fn take(&self, route: usize, load: u64) {
        let (lanes, slot) = self.slot(route);
        lanes.take(slot, load);
    }

    /// Zeros for so many other routes.
    pub(super) fn anew(&self, routes: usize) -> Self {
        Self::new(self.lanes, routes, self.how, self.engine.clone())
    }

    #[inline]
    pub(super) fn is_of(&self, engine: &Identity) -> bool {
        self.engine == *engine
    }

    /// With so many new routes in the place of some. All others keep their counts. O(n).
    pub(super) fn replace(&self, routes: Range<usize>, by: usize) -> Self {
        let mut next = self.clone();
        if next.slots.is_empty() {
            next.slots = (0..self.routes).collect();
        }
        let fresh = self.given..self.given + by;
        next.routes = self.routes - routes.len() + by;
        next.slots.splice(routes, fresh.clone());
        next.given = fresh.end;
        let room = next.room();
        if room < fresh.end {
            let slots = room.max(fresh.end - room);
            let lanes = Lanes::new(self.lanes, slots);
            next.more.push((room, Arc::new(lanes)));
        }
        next
    }

    /// Slots that there are.
    fn room(&self) -> usize {
        let more = self.more.iter().map(|(_, lanes)| lanes.slots());
        self.first.slots() + more.sum::<usize>()
    }

    #[inline]
    fn slot(&self, route: usize) -> (&Lanes, usize) {
        match self.slots.get(route) {
            None => (&self.first, route),
            Some(slot) => self.moved(*slot),
        }
    }

    fn moved(&self, slot: usize) -> (&Lanes, usize) {
        let mut latest_first = self.more.iter().rev();
        match latest_first.find(|(from, _)| *from <= slot) {
            Some((from, lanes)) => (lanes, slot - from),
            None => (&self.first, slot),
        }
    }
}
