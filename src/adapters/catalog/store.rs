//! The store contract (5) on an embedded database.
//!
//! Claim: each call is one transaction: a read sees versions and numbers of one commit; a write looks for
//! conflicts, chooses its timestamp and changes versions and numbers in one, which is synced before the call
//! returns; after a crash either all of it is there or none. Assumed: as for [`crate::Database`]. Memory is
//! that of the cache and of what is asked for, however much is stored. Tested by killed processes and on a
//! simulated disk (`tests/catalog/{kill,disk}.rs`).

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use concord_systems::catalog::store::rules::{self, Version};
use concord_systems::catalog::{CommitAt, Error as StoreError, KeyRange, Mutation, Pair, Store};
use data_encoding::HEXLOWER;
use redb::{
    AccessGuard, Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
    StorageBackend, StorageError, Table, TableDefinition, WriteTransaction,
};
use smol_str::format_smolstr;

use super::record;
use crate::error::Error;
use crate::opening::{self, Kind, begin};
use crate::schema::Flaw;

/// Key and timestamp. redb compares such pairs part by part, the bytes of the key first, so the versions of
/// a key stand together and are not sorted among those of longer keys, as they would be if both parts were
/// one byte string.
type Place = (&'static [u8], u64);

/// All versions, as [`record`] has them.
const VERSIONS: TableDefinition<'_, Place, &[u8]> = TableDefinition::new("versions");

/// The two global numbers by name; what is not there is 0.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

const LAST_COMMIT_TS: &str = "last_commit_ts";
const MIN_RETAINED_TS: &str = "min_retained_ts";

/// An open multi-version store. One process may have it open; clones share it, from any thread.
///
/// Every write is durable when it returns. After a failed write everything is refused until the file is
/// opened again. A read or write of one key takes O(log n) in the number of all versions; a scan passes over
/// every version of the keys in its range, so compaction keeps it fast.
#[derive(Clone)]
pub struct MvccStore(Arc<Shared>);

struct Shared {
    /// Name of the file, for errors.
    file: String,
    redb: redb::Database,
    /// Why nothing is done any more.
    failure: OnceLock<StoreError>,
}

/// A state to go back to: what the store held when it was made. It costs nothing but the space of what is
/// replaced after it, until it is dropped. It ends with the process.
pub struct Checkpoint(ReadTransaction);

impl MvccStore {
    /// Opens the store in this file, or makes one if there is no file, with about `cache` bytes of pages kept
    /// in memory. Reads all of the file to check it.
    ///
    /// The file appears whole, as that of [`crate::Database::open`] does.
    ///
    /// # Errors
    /// If the file is anything else than an intact store that nobody else uses; it is then as it was.
    pub fn open(path: impl AsRef<Path>, cache: usize) -> Result<Self, Error> {
        let path = path.as_ref();
        let (redb, ()) = opening::open(path, &Versions { cache })?;
        Ok(Self::new(path.display().to_string(), redb))
    }

    /// Opens the store in this storage, or makes one if nothing was ever stored there; `name` is for errors.
    ///
    /// # Errors
    /// As [`MvccStore::open`].
    pub fn with_backend(
        name: &str,
        storage: impl StorageBackend,
        cache: usize,
    ) -> Result<Self, Error> {
        let (redb, ()) = opening::with_backend(name, storage, &Versions { cache })?;
        Ok(Self::new(name.to_owned(), redb))
    }

    fn new(file: String, redb: redb::Database) -> Self {
        Self(Arc::new(Shared {
            file,
            redb,
            failure: OnceLock::new(),
        }))
    }

    /// Why nothing is done any more, if so.
    pub fn failure(&self) -> Option<&StoreError> {
        self.0.failure.get()
    }

    /// Closes the file in good order, so that opening it again need not repair it. If there are other
    /// handles, the last of them to go does.
    ///
    /// # Errors
    /// If that fails; all writes are safe all the same.
    pub fn close(self) -> Result<(), Error> {
        let Some(Shared { file, redb, .. }) = Arc::into_inner(self.0) else {
            return Ok(());
        };
        redb.close().map_err(|error| Error::InDoubt {
            file,
            cause: error.to_string(),
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Reading) -> Result<T, Stop>) -> Result<T, StoreError> {
        self.refuse_if_failed()?;
        let begun = self.0.redb.begin_read().map_err(Flaw::from);
        let read = begun
            .and_then(|from| Reading::new(&from))
            .map_err(Stop::from)
            .and_then(|from| read(&from));
        read.map_err(|stop| self.told(stop))
    }

    /// Runs one transaction to its commit, unless `write` refuses; then nothing has changed.
    fn write<T>(
        &self,
        write: impl FnOnce(&mut Writing<'_>) -> Result<T, Stop>,
    ) -> Result<T, StoreError> {
        let begun = begin(&self.0.redb, Durability::Immediate);
        // Asked now that no other write is under way.
        self.refuse_if_failed()?;
        let written = begun
            .map_err(Flaw::from)
            .map_err(Stop::from)
            .and_then(|to| {
                let told = write(&mut Writing::new(&to)?)?;
                to.commit().map_err(Flaw::from)?;
                Ok(told)
            });
        written.map_err(|stop| {
            let has_failed = matches!(stop, Stop::Failed(_));
            let error = self.told(stop);
            match has_failed {
                true => self.0.failure.get_or_init(|| error).clone(),
                false => error,
            }
        })
    }

    fn write_alone(&self, key: &[u8], version: &Version) -> Result<(), StoreError> {
        self.write(|to| {
            to.raise(LAST_COMMIT_TS, version.ts)?;
            Ok(to.insert(key, version)?)
        })
    }

    fn refuse_if_failed(&self) -> Result<(), StoreError> {
        self.failure().cloned().map_or(Ok(()), Err)
    }

    fn told(&self, stop: Stop) -> StoreError {
        let file = &self.0.file;
        let reason = match stop {
            Stop::Refused(error) => return error,
            Stop::Failed(Flaw::Database(error)) => format_smolstr!("{file}: {error}"),
            Stop::Failed(Flaw::Record(record)) => format_smolstr!("{file}: {record}"),
        };
        StoreError::Backend { reason }
    }
}

impl Store for MvccStore {
    type Checkpoint = Checkpoint;

    fn get_at(&self, key: &[u8], ts: u64) -> Result<Bytes, StoreError> {
        self.read(|from| {
            from.visible(key, ts)?
                .ok_or(Stop::Refused(StoreError::KeyNotFound))
        })
    }

    fn exists_at(&self, key: &[u8], ts: u64) -> Result<bool, StoreError> {
        self.read(|from| Ok(from.visible(key, ts)?.is_some()))
    }

    fn scan_at(&self, range: KeyRange<'_>, limit: usize, ts: u64) -> Result<Vec<Pair>, StoreError> {
        self.read(|from| from.scan(Order::Ascending, range, limit, ts))
    }

    fn reverse_scan_at(
        &self,
        range: KeyRange<'_>,
        limit: usize,
        ts: u64,
    ) -> Result<Vec<Pair>, StoreError> {
        self.read(|from| from.scan(Order::Descending, range, limit, ts))
    }

    fn latest_commit_ts(&self, key: &[u8]) -> Result<Option<u64>, StoreError> {
        self.read(|from| Ok(from.latest(key)?))
    }

    fn last_commit_ts(&self) -> Result<u64, StoreError> {
        self.read(|from| Ok(from.number(LAST_COMMIT_TS)?))
    }

    fn min_retained_ts(&self) -> Result<u64, StoreError> {
        self.read(|from| Ok(from.number(MIN_RETAINED_TS)?))
    }

    fn put_at(
        &mut self,
        key: Bytes,
        value: Bytes,
        commit_ts: u64,
        expire_at: u64,
    ) -> Result<(), StoreError> {
        self.write_alone(&key, &Version::put(commit_ts, value, expire_at))
    }

    fn delete_at(&mut self, key: Bytes, commit_ts: u64) -> Result<(), StoreError> {
        self.write_alone(&key, &Version::tombstone(commit_ts))
    }

    fn apply(
        &mut self,
        mutations: &[Mutation],
        start_ts: u64,
        at: CommitAt,
    ) -> Result<u64, StoreError> {
        self.write(|to| {
            let commit_ts = at.choose(to.number(LAST_COMMIT_TS)?)?;
            to.apply(mutations, start_ts, commit_ts)
        })
    }

    fn apply_built(
        &mut self,
        start_ts: u64,
        at: CommitAt,
        build: impl FnOnce(&Self, u64) -> Result<Vec<Mutation>, StoreError>,
    ) -> Result<u64, StoreError> {
        self.write(|to| {
            let commit_ts = at.choose(to.number(LAST_COMMIT_TS)?)?;
            // Nobody else writes, so what it reads is what this transaction began with.
            let mutations = build(self, commit_ts)?;
            to.apply(&mutations, start_ts, commit_ts)
        })
    }

    fn compact(&mut self, min_ts: u64) -> Result<(), StoreError> {
        self.write(|to| {
            to.raise(MIN_RETAINED_TS, min_ts)?;
            // Nobody else writes, so this is what the transaction began with.
            let before = self.0.redb.begin_read().map_err(Flaw::from)?;
            Ok(to.drop_shadowed(&Reading::new(&before)?, min_ts)?)
        })
    }

    fn set_min_retained_ts(&mut self, ts: u64) -> Result<(), StoreError> {
        self.write(|to| Ok(to.raise(MIN_RETAINED_TS, ts)?))
    }

    fn checkpoint(&mut self) -> Result<Checkpoint, StoreError> {
        self.refuse_if_failed()?;
        let begun = self.0.redb.begin_read().map(Checkpoint);
        begun.map_err(|error| self.told(Stop::Failed(error.into())))
    }

    fn rollback(&mut self, to: &Checkpoint) -> Result<(), StoreError> {
        self.write(|tables| Ok(tables.become_as(&Reading::new(&to.0)?)?))
    }
}

impl fmt::Debug for MvccStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("MvccStore");
        fields
            .field("file", &self.0.file)
            .field("failure", &self.failure())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint").finish_non_exhaustive()
    }
}

/// Why a transaction is not carried out.
enum Stop {
    /// The contract says so.
    Refused(StoreError),
    /// It cannot be.
    Failed(Flaw),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Flaw> for Stop {
    fn from(flaw: Flaw) -> Self {
        Self::Failed(flaw)
    }
}

#[derive(Clone, Copy)]
enum Order {
    Ascending,
    Descending,
}

/// The tables in one transaction.
struct Tables<V, N> {
    versions: V,
    numbers: N,
}

type Reading = Tables<ReadOnlyTable<Place, &'static [u8]>, ReadOnlyTable<&'static str, u64>>;
type Writing<'t> = Tables<Table<'t, Place, &'static [u8]>, Table<'t, &'static str, u64>>;

/// A place and the version there.
type Entry<'a> = (AccessGuard<'a, Place>, AccessGuard<'a, &'static [u8]>);

impl<V, N> Tables<V, N>
where
    V: ReadableTable<Place, &'static [u8]>,
    N: ReadableTable<&'static str, u64>,
{
    fn number(&self, name: &str) -> Result<u64, Flaw> {
        Ok(self.numbers.get(name)?.map_or(0, |number| number.value()))
    }

    /// The newest version at or below `ts`.
    fn newest(&self, key: &[u8], ts: u64) -> Result<Option<Entry<'_>>, Flaw> {
        Ok(self
            .versions
            .range((key, 0)..=(key, ts))?
            .next_back()
            .transpose()?)
    }

    fn latest(&self, key: &[u8]) -> Result<Option<u64>, Flaw> {
        let newest = self.newest(key, u64::MAX)?;
        Ok(newest.map(|(place, _)| place.value().1))
    }

    fn visible(&self, key: &[u8], ts: u64) -> Result<Option<Bytes>, Stop> {
        rules::check_read(ts, self.number(MIN_RETAINED_TS)?)?;
        match self.newest(key, ts)? {
            Some(entry) => Ok(value_at(&entry, ts)?),
            None => Ok(None),
        }
    }

    fn scan(
        &self,
        order: Order,
        range: KeyRange<'_>,
        limit: usize,
        ts: u64,
    ) -> Result<Vec<Pair>, Stop> {
        rules::check_read(ts, self.number(MIN_RETAINED_TS)?)?;
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let versions = match range.end {
            Some(end) => self.versions.range((range.start, 0)..(end, 0)),
            None => self.versions.range((range.start, 0)..),
        };
        let versions = versions.map_err(Flaw::from)?;
        Ok(match order {
            Order::Ascending => pairs(versions, order, limit, ts)?,
            Order::Descending => pairs(versions.rev(), order, limit, ts)?,
        })
    }
}

impl Reading {
    fn new(from: &ReadTransaction) -> Result<Self, Flaw> {
        Ok(Self {
            versions: from.open_table(VERSIONS)?,
            numbers: from.open_table(NUMBERS)?,
        })
    }
}

impl<'t> Writing<'t> {
    fn new(to: &'t WriteTransaction) -> Result<Self, Flaw> {
        Ok(Self {
            versions: to.open_table(VERSIONS)?,
            numbers: to.open_table(NUMBERS)?,
        })
    }

    fn raise(&mut self, name: &str, to: u64) -> Result<(), Flaw> {
        let number = self.number(name)?.max(to);
        self.numbers.insert(name, number)?;
        Ok(())
    }

    fn insert(&mut self, key: &[u8], version: &Version) -> Result<(), Flaw> {
        let record = record::encode(version);
        self.versions.insert((key, version.ts), record.as_slice())?;
        Ok(())
    }

    fn apply(
        &mut self,
        mutations: &[Mutation],
        start_ts: u64,
        commit_ts: u64,
    ) -> Result<u64, Stop> {
        rules::check_conflicts::<Stop>(mutations, start_ts, |key| Ok(self.latest(key)?))?;
        self.raise(LAST_COMMIT_TS, commit_ts)?;
        for (index, mutation) in mutations.iter().enumerate() {
            let version = rules::version(index, mutation, commit_ts)?;
            self.insert(&mutation.key, &version)?;
        }
        Ok(commit_ts)
    }

    /// Drops the versions older than the newest one at or below `min_ts` of each key; `before` is what the
    /// table holds.
    fn drop_shadowed(&mut self, before: &Reading, min_ts: u64) -> Result<(), Flaw> {
        let mut older: Option<AccessGuard<'_, Place>> = None;
        for entry in before.versions.iter()? {
            let (place, _) = entry?;
            let (key, ts) = place.value();
            if ts > min_ts {
                continue;
            }
            let shadowed = older.filter(|older| older.value().0 == key);
            if let Some(shadowed) = shadowed {
                self.versions.remove(shadowed.value())?;
            }
            older = Some(place);
        }
        Ok(())
    }

    /// Replaces everything by what another state holds.
    fn become_as(&mut self, other: &Reading) -> Result<(), Flaw> {
        self.versions.retain(|_, _| false)?;
        for entry in other.versions.iter()? {
            let (place, record) = entry?;
            self.versions.insert(place.value(), record.value())?;
        }
        for name in [LAST_COMMIT_TS, MIN_RETAINED_TS] {
            self.numbers.insert(name, other.number(name)?)?;
        }
        Ok(())
    }
}

/// The pairs visible at `ts` of versions that come in this order, at most `limit`.
fn pairs<'a>(
    versions: impl Iterator<Item = Result<Entry<'a>, StorageError>>,
    order: Order,
    limit: usize,
    ts: u64,
) -> Result<Vec<Pair>, Flaw> {
    let mut pairs = Vec::new();
    // The newest version so far at or below `ts` of the key that is being passed over.
    let mut newest: Option<Entry<'a>> = None;
    for entry in versions {
        let entry = entry?;
        let (key, version_ts) = entry.0.value();
        if version_ts > ts {
            continue;
        }
        match (&newest, order) {
            (Some((place, _)), Order::Descending) if place.value().0 == key => continue,
            (Some((place, _)), Order::Ascending) if place.value().0 == key => {}
            (Some(passed), _) => pairs.extend(pair(passed, ts)?),
            (None, _) => {}
        }
        if pairs.len() >= limit {
            return Ok(pairs);
        }
        newest = Some(entry);
    }
    if let Some(last) = &newest {
        pairs.extend(pair(last, ts)?);
    }
    Ok(pairs)
}

fn pair(newest: &Entry<'_>, ts: u64) -> Result<Option<Pair>, Flaw> {
    let value = value_at(newest, ts)?;
    Ok(value.map(|value| Pair {
        key: Bytes::copy_from_slice(newest.0.value().0),
        value,
    }))
}

/// What a reader at `ts` sees, if this is the newest version at or below `ts`.
fn value_at((place, record): &Entry<'_>, ts: u64) -> Result<Option<Bytes>, Flaw> {
    let (key, version_ts) = place.value();
    let version = record::decode(version_ts, record.value());
    let version = version.map_err(|found| {
        let key = HEXLOWER.encode(key);
        Flaw::Record(format!("version {version_ts} of key {key}: {found}"))
    })?;
    Ok(version.value_at(ts).cloned())
}

/// The kind of file that holds such a store.
struct Versions {
    cache: usize,
}

impl Kind for Versions {
    type Opened = ();

    fn format(&self) -> String {
        String::from("concord/1 versions")
    }

    fn cache(&self) -> usize {
        self.cache
    }

    fn make(&self, to: &WriteTransaction) -> Result<(), redb::Error> {
        to.open_table(VERSIONS)?;
        to.open_table(NUMBERS)?;
        Ok(())
    }

    /// Records are looked at when they are asked for: there may be more than fit in memory, and redb has
    /// checked that all are as they were written.
    fn read(&self, _: &ReadTransaction) -> Result<(), Flaw> {
        Ok(())
    }
}
