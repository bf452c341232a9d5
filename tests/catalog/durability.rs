//! What a restart must find: the catalog as it was acknowledged last, or as the operation in flight makes it.

use bytes::Bytes;
use concord::adapters::catalog::MvccStore;
use concord::systems::catalog::durable::{next_route_id, snapshot, version};
use concord::systems::catalog::task::{Call, Task};
use concord::systems::catalog::{
    CommitAt, Engine, Error, KeyRange, Level, Memory, Pair, Route, Settings, Store, Strategies,
    floor, overlap,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Somebody else's key.
const USER: &[u8] = b"user";

/// Bytes of pages that the database keeps.
pub(crate) const CACHE: usize = 1 << 16;

/// One operation, which changes the store once or not at all.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Catalog(Call),
    /// Somebody else writes.
    Put(Bytes, u64),
    Compact(u64),
}

impl Operation {
    /// For lines that tell of it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Catalog(Call::Save { .. }) => "save",
            Self::Catalog(Call::Split { .. }) => "split",
            Self::Catalog(_) => "bootstrap",
            Self::Put(..) => "put",
            Self::Compact(_) => "compact",
        }
    }

    /// One that makes sense now, more or less.
    pub(crate) fn draw(store: &Memory, settings: &Settings, rng: &mut ChaCha8Rng) -> Self {
        let now = snapshot(store, settings).expect("the value is sound");
        let next = next_route_id(store, settings).expect("the value is sound");
        let last = store.last_commit_ts().expect("the value is sound");
        match rng.random_range(0..20) {
            _ if now.version == 0 => Self::Catalog(Call::Bootstrap),
            0..9 => Self::Catalog(Call::Save {
                // Some come too late.
                expected: now.version - u64::from(rng.random_ratio(1, 20)),
                routes: table(&now.routes, next, rng),
            }),
            9..16 if !now.routes.is_empty() => {
                let parent = &now.routes[rng.random_range(0..now.routes.len())];
                let mut key = parent.start.to_vec();
                key.push(rng.random_range(b'b'..b'z'));
                Self::Catalog(Call::Split {
                    expected: now.version,
                    route_id: parent.id,
                    key: key.into(),
                })
            }
            16 => Self::Compact(last),
            _ => {
                let value = rng.random::<u64>().to_be_bytes();
                Self::Put(value.to_vec().into(), last + rng.random_range(0..4))
            }
        }
    }

    /// Carries it out.
    pub(crate) fn run<S: Store>(
        &self,
        store: &mut S,
        engine: &mut Engine,
        settings: &Settings,
    ) -> Result<(), Error> {
        match self {
            Self::Catalog(call) => {
                let call = call.clone();
                Task::run(call, store, engine, settings).map(|_| ())
            }
            Self::Put(value, ts) => store.put_at(Bytes::from_static(USER), value.clone(), *ts, 0),
            Self::Compact(ts) => store.compact(*ts),
        }
    }
}

/// A table of up to five routes: some of those there are, in other ranges, and new ones.
fn table(routes: &[Route], next: u64, rng: &mut ChaCha8Rng) -> Vec<Route> {
    let mut kept = routes.iter().map(|route| route.id);
    let mut new = next..;
    let count = rng.random_range(0..6_u8);
    let bound = |at: u8| Bytes::from(vec![b'a' + 4 * at]);
    let mut route = |at: u8| {
        let kept = kept.next().filter(|_| rng.random_bool(0.6));
        Route {
            id: kept.or_else(|| new.next()).expect("ids do not run out"),
            start: if at == 0 { Bytes::new() } else { bound(at) },
            end: (at + 1 < count).then(|| bound(at + 1)),
            group: rng.random_range(1..4),
            state: rng.random_range(0..4),
            parent: 0,
            split_at: 0,
        }
    };
    (0..count).map(&mut route).collect()
}

/// The database and its twin in memory, on which every operation is tried first.
pub(crate) struct Life {
    store: MvccStore,
    engine: Engine,
    twin: Memory,
    twin_engine: Engine,
    settings: Settings,
}

impl Life {
    /// A node that has just started.
    pub(crate) fn new(store: MvccStore, settings: Settings) -> Result<Self, Error> {
        let engine = Engine::new(settings, true, 0);
        Ok(Self {
            twin: twin(&store)?,
            store,
            twin_engine: engine.clone(),
            engine,
            settings,
        })
    }

    /// What to do next.
    pub(crate) fn draw(&self, rng: &mut ChaCha8Rng) -> Operation {
        Operation::draw(&self.twin, &self.settings, rng)
    }

    /// What the store will hold after it.
    pub(crate) fn foresee(&mut self, operation: &Operation) -> (String, Result<(), Error>) {
        let told = operation.run(&mut self.twin, &mut self.twin_engine, &self.settings);
        let picture = picture(&self.twin, &self.settings).expect("the value is sound");
        (picture, told)
    }

    /// Carries it out.
    pub(crate) fn run(&mut self, operation: &Operation) -> Result<(), Error> {
        operation.run(&mut self.store, &mut self.engine, &self.settings)
    }
}

/// A value that answers as the store does from now on.
fn twin(store: &MvccStore) -> Result<Memory, Error> {
    let mut twin = Memory::new(Strategies::REFERENCE);
    for Pair { key, value } in everything(store)? {
        let ts = store.latest_commit_ts(&key)?.unwrap_or(0);
        twin.put_at(key, value, ts, 0)?;
    }
    twin.apply(&[], 0, CommitAt::Exactly(store.last_commit_ts()?))?;
    twin.set_min_retained_ts(store.min_retained_ts()?)?;
    Ok(twin)
}

fn everything(store: &impl Store) -> Result<Vec<Pair>, Error> {
    let all = KeyRange {
        start: b"",
        end: None,
    };
    store.scan_at(all, usize::MAX, u64::MAX)
}

/// All that a restart finds, as text without line ends.
pub(crate) fn picture<S: Store>(store: &S, settings: &Settings) -> Result<String, Error> {
    let now = snapshot(store, settings)?;
    let next = next_route_id(store, settings)?;
    let (last, retained) = (store.last_commit_ts()?, store.min_retained_ts()?);
    let all = everything(store)?;
    let version = now.version;
    Ok(format!(
        "version {version}, next id {next}, last commit {last}, retained {retained}: {all:?}"
    ))
}

/// What was acknowledged, and what was not yet.
pub(crate) struct Ledger {
    settings: Settings,
    /// As [`picture`] has it.
    acknowledged: String,
    /// What the operation in flight makes of it.
    in_flight: Option<String>,
    pub(crate) operations: u64,
    pub(crate) in_flight_kept: u64,
    pub(crate) in_flight_gone: u64,
}

impl Ledger {
    /// Nothing was ever stored.
    pub(crate) fn new(level: Level) -> Self {
        let settings = Settings::strict(level);
        let empty = Memory::new(Strategies::REFERENCE);
        Self {
            settings,
            acknowledged: picture(&empty, &settings).expect("the value is sound"),
            in_flight: None,
            operations: 0,
            in_flight_kept: 0,
            in_flight_gone: 0,
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    pub(crate) fn begin(&mut self, picture: String) {
        assert!(self.in_flight.is_none(), "one after the other");
        self.in_flight = Some(picture);
    }

    pub(crate) fn acknowledge(&mut self) {
        self.acknowledged = self.in_flight.take().expect("it was begun");
        self.operations += 1;
    }

    /// Compares with what is found after a crash, which is from then on what was acknowledged.
    pub(crate) fn check(&mut self, store: &MvccStore) -> Result<(), String> {
        let unreadable = |error: Error| format!("not readable: {error}");
        let found = picture(store, &self.settings).map_err(unreadable)?;
        let in_flight = self.in_flight.take().filter(|to| *to != self.acknowledged);
        let is_kept = in_flight.as_ref() == Some(&found);
        if !is_kept && found != self.acknowledged {
            let acknowledged = &self.acknowledged;
            return Err(format!(
                "found {found}\nacknowledged {acknowledged}\nin flight {in_flight:?}"
            ));
        }
        self.in_flight_kept += u64::from(is_kept);
        self.in_flight_gone += u64::from(in_flight.is_some() && !is_kept);
        self.acknowledged = found;
        sound(store, &self.settings).map_err(unreadable)?
    }
}

/// Whether the table is one, its ids are below the next one, and a node comes up with it.
fn sound(store: &MvccStore, settings: &Settings) -> Result<Result<(), String>, Error> {
    let now = snapshot(store, settings)?;
    if let Some((left, right)) = overlap(&now.routes) {
        return Ok(Err(format!("{left:?} reaches into {right:?}")));
    }
    let next = next_route_id(store, settings)?;
    if floor(&now.routes)? > next {
        return Ok(Err(format!(
            "the next id {next} is taken: {:?}",
            now.routes
        )));
    }
    // The first bootstrap of all writes, so it is one of the operations.
    if now.version > 0 {
        let mut engine = Engine::new(*settings, true, 0);
        let mut handle = store.clone();
        Task::run(Call::Bootstrap, &mut handle, &mut engine, settings)?;
        let mirrors = engine.version() == now.version && engine.routes().len() == now.routes.len();
        if !mirrors || version(store)? != now.version {
            return Ok(Err(format!(
                "the engine is at version {}",
                engine.version()
            )));
        }
    }
    Ok(Ok(()))
}
