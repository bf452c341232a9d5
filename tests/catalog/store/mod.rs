//! The store contract (5), on every store there is.

mod commits;
mod database;
mod facts;
mod sequences;
mod threads;
mod variants;

use bytes::Bytes;
use concord::adapters::catalog::MvccStore;
use concord::systems::catalog::{
    CommitAt, Error, KeyRange, Memory, Mutation, Op, Store, Strategies,
};
use tempfile::TempDir;

use crate::simulated::{Flush, Simulated};

/// Enough for a few pages of the database.
const CACHE: usize = 1 << 16;

/// A store under test.
trait Subject {
    type Store: Store;

    fn new() -> Self;

    fn store(&mut self) -> &mut Self::Store;

    /// What it holds comes back from where it is kept.
    fn reopen(&mut self);
}

/// The plain value, which is kept nowhere else.
struct InMemory(Memory);

impl Subject for InMemory {
    type Store = Memory;

    fn new() -> Self {
        Self(Memory::new(Strategies::REFERENCE))
    }

    fn store(&mut self) -> &mut Memory {
        &mut self.0
    }

    fn reopen(&mut self) {}
}

/// The database in a file.
struct OnFile {
    store: Option<MvccStore>,
    folder: TempDir,
}

impl Subject for OnFile {
    type Store = MvccStore;

    fn new() -> Self {
        let mut subject = Self {
            store: None,
            folder: tempfile::tempdir().expect("a folder"),
        };
        subject.reopen();
        subject
    }

    fn store(&mut self) -> &mut MvccStore {
        self.store.as_mut().expect("it is always opened again")
    }

    fn reopen(&mut self) {
        if let Some(store) = self.store.take() {
            store.close().expect("nothing failed");
        }
        let file = self.folder.path().join("versions.redb");
        self.store = Some(MvccStore::open(file, CACHE).expect("it opens"));
    }
}

/// The database on a simulated disk, which loses what was not flushed whenever it is opened again.
struct OnSimulated {
    store: Option<MvccStore>,
    disk: Simulated,
}

impl Subject for OnSimulated {
    type Store = MvccStore;

    fn new() -> Self {
        let disk = Simulated::new(Vec::new(), u64::MAX, Flush::Kept);
        let mut subject = Self { store: None, disk };
        subject.open();
        subject
    }

    fn store(&mut self) -> &mut MvccStore {
        self.store.as_mut().expect("it is always opened again")
    }

    fn reopen(&mut self) {
        self.disk.crash();
        let flushed = self.disk.flushed();
        self.disk = Simulated::new(flushed, u64::MAX, Flush::Kept);
        self.open();
    }
}

impl OnSimulated {
    fn open(&mut self) {
        let opened = MvccStore::with_backend("simulated", self.disk.clone(), CACHE);
        self.store = Some(opened.expect("it opens"));
    }
}

fn key(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn put(key_: &'static str, value: &'static str) -> Mutation {
    Mutation::put(key(key_), key(value))
}

fn delete(key_: &'static str) -> Mutation {
    Mutation::delete(key(key_))
}

fn unknown(key_: &'static str) -> Mutation {
    Mutation {
        key: key(key_),
        op: Op::Unknown,
    }
}

/// All keys and values visible at a timestamp, as text.
fn all(store: &impl Store, ts: u64) -> Result<Vec<String>, Error> {
    scan(store, "", None, ts)
}

fn scan(store: &impl Store, start: &str, end: Option<&str>, ts: u64) -> Result<Vec<String>, Error> {
    let range = KeyRange {
        start: start.as_bytes(),
        end: end.map(str::as_bytes),
    };
    let pairs = store.scan_at(range, usize::MAX, ts)?;
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let pair = |pair: &concord::systems::catalog::Pair| {
        format!("{}={}", text(&pair.key), text(&pair.value))
    };
    Ok(pairs.iter().map(pair).collect())
}

/// Everything that can be asked of a store about these keys.
fn picture(store: &impl Store, keys: &[&'static str]) -> String {
    let mut picture = format!(
        "{:?} {:?}\n",
        store.last_commit_ts(),
        store.min_retained_ts()
    );
    for at in [0, 1, 2, 3, 5, 8, 13, u64::MAX] {
        picture += &format!("{at}: {:?}\n", all(store, at));
    }
    for key in keys {
        picture += &format!("{key}: {:?}\n", store.latest_commit_ts(key.as_bytes()));
    }
    picture
}

fn exactly(store: &mut impl Store, batch: &[Mutation], start: u64, ts: u64) -> Result<u64, Error> {
    store.apply(batch, start, CommitAt::Exactly(ts))
}
