//! A store with a few engines, and tables as text.

use bytes::Bytes;
use concord::systems::catalog::codec::{encode_number, encode_route};
use concord::systems::catalog::durable::{
    Bootstrapping, SavePlan, Saved, Snapshot, Split, SplitPlan, Syncing, snapshot,
};
use concord::systems::catalog::{
    Admission, Engine, EngineRoute, Error, Level, Memory, Mutation, Op, Route, Settings, Store,
    Strategies, keys,
};

pub(super) const MAX: u64 = u64::MAX;

/// The reference with strict admission at level 1, but for these choices.
pub(super) fn level_1(change: impl FnOnce(&mut Strategies)) -> Settings {
    but(Settings::strict(Level::One), change)
}

/// The same at level 2.
pub(super) fn level_2(change: impl FnOnce(&mut Strategies)) -> Settings {
    but(Settings::strict(Level::Two), change)
}

/// All settings of the reference.
pub(super) fn references() -> [Settings; 4] {
    [Level::One, Level::Two]
        .map(|level| {
            [Admission::Strict, Admission::Permissive]
                .map(|admission| Settings::reference(level, admission))
        })
        .concat()
        .try_into()
        .expect("two by two")
}

fn but(mut settings: Settings, change: impl FnOnce(&mut Strategies)) -> Settings {
    change(&mut settings.strategies);
    settings
}

/// A store and three running nodes.
#[derive(Clone)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) store: Memory,
    pub(super) engines: [Engine; 3],
}

pub(super) const A: usize = 0;
pub(super) const B: usize = 1;

impl World {
    /// An empty store, and engines with the default route.
    pub(super) fn new(settings: Settings) -> Self {
        let engine = Engine::new(settings, true, 0);
        Self {
            settings,
            store: Memory::new(settings.strategies),
            engines: [engine.clone(), engine.clone(), engine],
        }
    }

    /// A catalog at version 1 with this table, committed at 1.
    pub(super) fn saved(settings: Settings, table: &str) -> Self {
        let mut world = Self::new(settings);
        world.save(0, table).unwrap();
        world
    }

    pub(super) fn prepare(&self, expected: u64, table: &str) -> Result<SavePlan, Error> {
        SavePlan::prepare(&self.store, &self.settings, expected, routes(table))
    }

    pub(super) fn apply(&mut self, plan: SavePlan) -> Result<Saved, Error> {
        plan.apply(&mut self.store, &self.settings)
    }

    pub(super) fn save(&mut self, expected: u64, table: &str) -> Result<Saved, Error> {
        let plan = self.prepare(expected, table)?;
        self.apply(plan)
    }

    pub(super) fn plan(&self, expected: u64, route_id: u64, key: &str) -> Result<SplitPlan, Error> {
        let key = key.as_bytes();
        SplitPlan::prepare(&self.store, &self.settings, expected, route_id, key)
    }

    pub(super) fn commit(&mut self, node: usize, plan: SplitPlan) -> Result<Split, Error> {
        plan.apply(&mut self.store, &mut self.engines[node], &self.settings)
    }

    /// On node A.
    pub(super) fn split(&mut self, expected: u64, id: u64, key: &str) -> Result<Split, Error> {
        let plan = self.plan(expected, id, key)?;
        self.commit(A, plan)
    }

    pub(super) fn bootstrap(&mut self, node: usize) -> Result<Snapshot, Error> {
        let bootstrap = Bootstrapping::begin();
        bootstrap.finish(&mut self.store, &mut self.engines[node], &self.settings)
    }

    pub(super) fn sync(&mut self, node: usize) -> Result<(), Error> {
        self.sync_by(node, 0)
    }

    pub(super) fn sync_by(&mut self, node: usize, batch: i64) -> Result<(), Error> {
        Syncing::begin(batch).finish(&self.store, &mut self.engines[node], &self.settings)
    }

    pub(super) fn snapshot(&self) -> Result<Snapshot, Error> {
        snapshot(&self.store, &self.settings)
    }

    /// The durable version and table.
    pub(super) fn durable(&self) -> (u64, String) {
        let snapshot = self.snapshot().unwrap();
        (snapshot.version, text(&snapshot.routes))
    }

    /// Version and table of a node.
    pub(super) fn engine(&self, node: usize) -> (u64, String) {
        let engine = &self.engines[node];
        (engine.version(), stats(engine))
    }

    /// Somebody else writes, just after everything.
    pub(super) fn put(&mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        let ts = self.store.last_commit_ts().unwrap() + 1;
        self.put_at(key, value, ts);
    }

    pub(super) fn put_at(&mut self, key: impl Into<Bytes>, value: impl Into<Bytes>, ts: u64) {
        self.store.put_at(key.into(), value.into(), ts, 0).unwrap();
    }

    pub(super) fn put_number(&mut self, key: &'static [u8], number: u64) {
        self.put(key, encode_number(number));
    }

    /// Somebody else writes the records of these routes.
    pub(super) fn put_routes(&mut self, table: &str) {
        for route in routes(table) {
            let record = encode_route(&route, &self.settings).unwrap();
            self.put(keys::route(route.id), record);
        }
    }

    pub(super) fn delete(&mut self, key: impl Into<Bytes>) {
        let ts = self.store.last_commit_ts().unwrap() + 1;
        self.store.delete_at(key.into(), ts).unwrap();
    }
}

/// Routes as `id:[start,end)->group`, separated by blanks. An unbounded end is `~`; what follows the group is
/// `*state`, `^parent` and `@split_at`, each left out if 0.
pub(super) fn routes(table: &str) -> Vec<Route> {
    table.split_whitespace().map(route).collect()
}

fn route(text: &str) -> Route {
    let (id, text) = text.split_once(":[").expect("an id");
    let (range, group) = text.split_once(")->").expect("a group");
    let (start, end) = range.split_once(',').expect("a range");
    let (group, split_at) = number_after(group, '@');
    let (group, parent) = number_after(group, '^');
    let (group, state) = number_after(group, '*');
    Route {
        id: id.parse().expect("an id"),
        start: Bytes::copy_from_slice(start.as_bytes()),
        end: (end != "~").then(|| Bytes::copy_from_slice(end.as_bytes())),
        group: group.parse().expect("a group"),
        state: state.try_into().expect("a state"),
        parent,
        split_at,
    }
}

fn number_after(text: &str, mark: char) -> (&str, u64) {
    match text.split_once(mark) {
        Some((rest, number)) => (rest, number.parse().expect("a number")),
        None => (text, 0),
    }
}

/// The inverse of [`routes`].
pub(super) fn text(routes: &[Route]) -> String {
    let routes = routes.iter().map(|route| {
        let marked = |mark, number: u64| match number {
            0 => String::new(),
            number => format!("{mark}{number}"),
        };
        let mut text = format!(
            "{}:{}->{}",
            route.id,
            range(&route.start, &route.end),
            route.group
        );
        text += &marked('*', route.state.into());
        text += &marked('^', route.parent);
        text + &marked('@', route.split_at)
    });
    routes.collect::<Vec<_>>().join(" ")
}

/// The table of an engine in the same notation.
pub(super) fn stats(engine: &Engine) -> String {
    let routes = engine.routes().iter().map(|route: &EngineRoute| Route {
        id: route.id,
        start: route.start.clone(),
        end: route.end.clone(),
        group: route.group,
        state: route.state,
        parent: 0,
        split_at: 0,
    });
    text(&routes.collect::<Vec<_>>())
}

fn range(start: &[u8], end: &Option<Bytes>) -> String {
    let start = String::from_utf8_lossy(start);
    match end {
        Some(end) => format!("[{start},{})", String::from_utf8_lossy(end)),
        None => format!("[{start},~)"),
    }
}

/// What a batch does, in order: `-key` for a deletion, else `key`; ids and versions as numbers.
pub(super) fn outline(mutations: &[Mutation]) -> String {
    let mutations = mutations.iter().map(|mutation| match &mutation.op {
        Op::Put { value, .. } => named(&mutation.key, value),
        Op::Delete => format!("-{}", named(&mutation.key, &[])),
        Op::Unknown => "?".to_owned(),
    });
    mutations.collect::<Vec<_>>().join(" ")
}

fn named(key: &[u8], value: &[u8]) -> String {
    let number = || {
        let number = value[1..].try_into().expect("nine bytes");
        u64::from_be_bytes(number)
    };
    match (keys::route_id(key), keys::delta_version(key)) {
        (Some(id), _) => format!("route/{id}"),
        (_, Some(version)) => format!("delta/{version}"),
        _ if key == keys::VERSION => format!("version={}", number()),
        _ if key == keys::NEXT_ROUTE_ID => format!("next={}", number()),
        _ if key == keys::DELTA_FLOOR => format!("floor={}", number()),
        _ => panic!("a batch writes {key:?}"),
    }
}

/// The code of a failure.
pub(super) fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("it fails").code()
}
