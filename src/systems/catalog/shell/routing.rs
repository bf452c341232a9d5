//! A table, and what is built around it. Never changed once it is published.

use std::ptr;

use bytes::Bytes;

use crate::catalog::index::Index;
use crate::catalog::{Delta, Engine, EngineRoute, Error};

use super::loads::Loads;

/// A table. The loads in it are 0: they are counted in `loads`.
#[derive(Debug)]
pub struct Routing {
    pub(super) engine: Engine,
    layout: Layout,
    pub(super) loads: Loads,
}

/// What follows from the ranges of a list of routes.
#[derive(Debug)]
pub(super) struct Layout {
    index: Index,
    /// Bit by bit, routes that end before the next one begins: only there the last route that starts before a
    /// key may not reach past it.
    gaps: Vec<u64>,
}

impl Layout {
    /// O(bytes of all keys).
    pub(super) fn new(routes: &[EngineRoute]) -> Self {
        let mut gaps = vec![0; routes.len().div_ceil(64)];
        for (at, route) in routes.iter().enumerate() {
            let has_gap = match (&route.end, routes.get(at + 1)) {
                (None, _) => false,
                (Some(end), Some(next)) => *end < next.start,
                (Some(_), None) => true,
            };
            gaps[at / 64] |= u64::from(has_gap) << (at % 64);
        }
        Self {
            index: Index::new(routes.iter().map(|route| &route.start[..])),
            gaps,
        }
    }

    /// As `table::owner` of the core.
    #[inline]
    fn owner(&self, routes: &[EngineRoute], key: &[u8]) -> Option<usize> {
        let at = self.index.predecessor(key)?;
        if self.gaps[at / 64] >> (at % 64) & 1 == 0 {
            return Some(at);
        }
        let end = routes[at].end.as_ref();
        end.is_none_or(|end| end > key).then_some(at)
    }
}

impl Routing {
    /// The table of a new engine.
    pub(super) fn new(engine: Engine, loads: Loads) -> Self {
        Self {
            layout: Layout::new(engine.routes()),
            engine,
            loads,
        }
    }

    /// After a snapshot (8): another table, none of its routes accessed yet.
    pub(super) fn installed(&self, engine: Engine, layout: Layout) -> Self {
        let loads = self.loads.anew(engine.routes().len());
        Self {
            engine,
            layout,
            loads,
        }
    }

    /// Place of the route that owns `key`.
    #[inline]
    pub(super) fn owner(&self, key: &[u8]) -> Option<usize> {
        self.layout.owner(self.engine.routes(), key)
    }

    /// A route with its load.
    pub(super) fn route(&self, at: usize) -> EngineRoute {
        EngineRoute {
            load: self.loads.load(at),
            ..self.engine.routes()[at].clone()
        }
    }

    /// After update route (8). Routes that were there keep their counts.
    pub(super) fn registered(&self, start: Bytes, end: Option<Bytes>, group: u64) -> Self {
        let mut engine = self.engine.clone();
        engine.update_route(start, end, group);
        let mut pairs = self.engine.routes().iter().zip(engine.routes());
        // Equal routes are as good as each other, so where the lists part is where it was put in.
        let at = pairs.position(|(before, after)| before != after);
        let at = at.unwrap_or(self.engine.routes().len());
        Self {
            layout: Layout::new(engine.routes()),
            engine,
            loads: self.loads.replace(at..at, 1),
        }
    }

    /// After phase 2 of an access (8); none if it leaves the table as it is.
    pub(super) fn accessed(&self, key: &[u8]) -> Option<Self> {
        let at = self.owner(key)?;
        let load = self.loads.load(at);
        let mut engine = self.engine.clone();
        if !engine.access_finish_at(at, load) {
            if engine.is_hot(load) {
                self.loads.take(at, load);
            }
            return None;
        }
        Some(Self {
            layout: Layout::new(engine.routes()),
            engine,
            loads: self.loads.replace(at..at + 1, 2),
        })
    }

    /// After a delta (13.5); none if it leaves the table as it is.
    pub(super) fn changed(&self, delta: &Delta) -> Result<Option<Self>, Error> {
        let mut engine = self.engine.clone();
        engine.apply_delta(delta)?;
        if self.is_table_of(&engine) {
            return Ok(None);
        }
        let layout = Layout::new(engine.routes());
        Ok(Some(self.installed(engine, layout)))
    }

    /// Whether `engine`, which was a copy of that of this table, still has its list.
    pub(super) fn is_table_of(&self, engine: &Engine) -> bool {
        // The addresses of empty lists say nothing, those of the lists' owners do.
        let [mine, its] = [&self.engine, engine].map(|engine| &**engine.shared_routes());
        ptr::eq::<Vec<EngineRoute>>(mine, its)
    }
}
