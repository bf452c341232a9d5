//! The storage contract on an embedded database.
//!
//! Claim: each call is one transaction; a put, a deletion or a removal of interval sets that returned
//! survives a crash, and a seal is never there without the puts before it. Assumed: as for
//! [`crate::Database`]. Memory is that of the cache, however much is stored.

use std::fmt;
use std::path::Path;

use bytes::Bytes;
use concord_systems::pullsync::limits::{BINS, HASH_SIZE};
use concord_systems::pullsync::store::interval_key;
use concord_systems::pullsync::{
    Address, Chunk, IntervalSet, Mode, Placed, Real, Scan, Space, Storage, StoreError,
};
use data_encoding::HEXLOWER;
use redb::{
    Durability, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    StorageBackend, Table, TableDefinition, WriteTransaction,
};
use serde::Serialize;
use smol_str::format_smolstr;

use crate::error::Error;
use crate::opening::{self, Kind, begin};
use crate::schema::Flaw;

type Hash = [u8; HASH_SIZE];

/// Data and stamp, cached chunks included.
const CHUNKS: TableDefinition<'_, &Hash, (&[u8], &[u8])> = TableDefinition::new("chunks");

/// The pull index: by bin and number.
const INDEX: TableDefinition<'_, (u8, u64), &Hash> = TableDefinition::new("index");

/// Where a chunk stands in the pull index.
const PLACES: TableDefinition<'_, &Hash, (u8, u64)> = TableDefinition::new("places");

/// The highest number ever assigned, for each bin that has any.
const COUNTERS: TableDefinition<'_, u8, u64> = TableDefinition::new("counters");

/// Interval sets in binary form, by their keys (4).
const INTERVALS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("intervals");

/// What became of chunks that were synced, by name.
const SYNCED: TableDefinition<'_, &str, u64> = TableDefinition::new("synced");

/// In [`SYNCED`]: those that were new.
const NEW: &str = "new";

/// In [`SYNCED`]: those that were in the pull index already.
const AGAIN: &str = "again";

/// An open chunk store. One process, one handle: a second one is refused.
///
/// Puts, deletions and removals of interval sets are durable when they return; a set that is written
/// becomes so with the next of these, or when the store is closed. After a failed write everything is
/// refused until the file is opened again.
pub struct ChunkStore {
    /// Name of the file, for errors.
    file: String,
    redb: redb::Database,
    overlay: Address,
    /// Why nothing is done any more.
    failure: Option<StoreError>,
}

/// What became of all chunks ever synced. Kept with the chunks, so it is exact after crashes, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Synced {
    /// Chunks that were stored.
    pub new: u64,
    /// Chunks that were in the pull index already. Exchanges that do not overlap bring none (10,
    /// `fetched_once`).
    pub again: u64,
}

impl ChunkStore {
    /// Opens the store of the node `overlay` in this file, or makes one if there is no file, with about
    /// `cache` bytes of pages kept in memory. Reads all of the file to check it.
    ///
    /// The file appears whole, as that of [`crate::Database::open`] does.
    ///
    /// # Errors
    /// If the file is anything else than an intact store of this node that nobody else uses; it is then
    /// as it was.
    pub fn open(path: impl AsRef<Path>, overlay: Address, cache: usize) -> Result<Self, Error> {
        let path = path.as_ref();
        let (redb, ()) = opening::open(path, &StoreOf { overlay, cache })?;
        Ok(Self::new(path.display().to_string(), redb, overlay))
    }

    /// Opens the store in this storage, or makes one if nothing was ever stored there; `name` is for
    /// errors.
    ///
    /// # Errors
    /// As [`ChunkStore::open`].
    pub fn with_backend(
        name: &str,
        storage: impl StorageBackend,
        overlay: Address,
        cache: usize,
    ) -> Result<Self, Error> {
        let (redb, ()) = opening::with_backend(name, storage, &StoreOf { overlay, cache })?;
        Ok(Self::new(name.to_owned(), redb, overlay))
    }

    fn new(file: String, redb: redb::Database, overlay: Address) -> Self {
        Self {
            file,
            redb,
            overlay,
            failure: None,
        }
    }

    /// The node whose store this is.
    pub const fn overlay(&self) -> &Address {
        &self.overlay
    }

    /// Why nothing is done any more, if so.
    pub const fn failure(&self) -> Option<&StoreError> {
        self.failure.as_ref()
    }

    /// Number of chunks held, cached ones included.
    ///
    /// # Errors
    /// Those of the database.
    pub fn held(&self) -> Result<u64, StoreError> {
        self.read(|from| Ok(from.open_table(CHUNKS)?.len()?))
    }

    /// Number of chunks in the pull index.
    ///
    /// # Errors
    /// Those of the database.
    pub fn indexed(&self) -> Result<u64, StoreError> {
        self.read(|from| Ok(from.open_table(PLACES)?.len()?))
    }

    /// What became of the chunks that were ever synced.
    ///
    /// # Errors
    /// Those of the database.
    pub fn synced(&self) -> Result<Synced, StoreError> {
        self.read(|from| {
            let table = from.open_table(SYNCED)?;
            let count = |name| Ok::<_, Flaw>(table.get(name)?.map_or(0, |count| count.value()));
            Ok(Synced {
                new: count(NEW)?,
                again: count(AGAIN)?,
            })
        })
    }

    /// All interval sets, by peer and then bin as text.
    ///
    /// # Errors
    /// Those of the database, or a set that nobody has written.
    pub fn sets(&self) -> Result<Vec<(Address, u8, IntervalSet)>, StoreError> {
        self.read(|from| {
            let table = from.open_table(INTERVALS)?;
            let set =
                |entry: Result<(redb::AccessGuard<'_, &str>, redb::AccessGuard<'_, &[u8]>), _>| {
                    let (key, value) = entry?;
                    let (peer, bin) = owner(key.value()).ok_or_else(|| flaw(key.value()))?;
                    Ok((peer, bin, decode(key.value(), value.value())?))
                };
            table.iter()?.map(set).collect()
        })
    }

    /// Closes the file in good order, so that opening it again need not repair it.
    ///
    /// # Errors
    /// If that fails; all puts are safe all the same.
    pub fn close(self) -> Result<(), Error> {
        let synced = match self.failure {
            Some(_) => Ok(()),
            None => self.sync().map_err(|error| error.to_string()),
        };
        let closed = synced.and_then(|()| self.redb.close().map_err(|error| error.to_string()));
        closed.map_err(|cause| Error::InDoubt {
            file: self.file,
            cause,
        })
    }

    /// Makes the sets durable that were written since the last put.
    ///
    /// # Errors
    /// If that fails; all puts are safe all the same.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.refuse_if_failed()?;
        let synced = begin(&self.redb, Durability::Immediate).and_then(|to| Ok(to.commit()?));
        synced.map_err(|error| self.told(Flaw::Database(error)))
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, Flaw>,
    ) -> Result<T, StoreError> {
        self.refuse_if_failed()?;
        let begun = self.redb.begin_read().map_err(Flaw::from);
        let read = begun.and_then(|from| read(&from));
        read.map_err(|flaw| self.told(flaw))
    }

    /// Runs one transaction to its commit, unless `apply` says that nothing changed.
    fn write<T>(
        &mut self,
        durability: Durability,
        apply: impl FnOnce(&WriteTransaction, &Address) -> Result<Changed<T>, Flaw>,
    ) -> Result<T, StoreError> {
        self.refuse_if_failed()?;
        let written = begin(&self.redb, durability)
            .map_err(Flaw::from)
            .and_then(|to| match apply(&to, &self.overlay)? {
                Changed::Yes(told) => {
                    to.commit()?;
                    Ok(told)
                }
                Changed::No(told) => {
                    to.abort()?;
                    Ok(told)
                }
            });
        written.map_err(|flaw| {
            let error = self.told(flaw);
            self.failure = Some(error.clone());
            error
        })
    }

    fn refuse_if_failed(&self) -> Result<(), StoreError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn told(&self, flaw: Flaw) -> StoreError {
        let file = &self.file;
        StoreError(match flaw {
            Flaw::Database(error) => format_smolstr!("{file}: {error}"),
            Flaw::Record(record) => format_smolstr!("{file}: {record}"),
        })
    }
}

impl Storage<Real> for ChunkStore {
    fn has(&self, address: &Address) -> Result<bool, StoreError> {
        self.read(|from| Ok(from.open_table(PLACES)?.get(&address.0)?.is_some()))
    }

    fn chunk(&self, address: &Address) -> Result<Option<Chunk<Real>>, StoreError> {
        self.read(|from| {
            let found = from.open_table(CHUNKS)?.get(&address.0)?;
            Ok(found.map(|found| {
                let (data, stamp) = found.value();
                Chunk {
                    address: *address,
                    data: Bytes::copy_from_slice(data),
                    stamp: Bytes::copy_from_slice(stamp),
                }
            }))
        })
    }

    fn scan(&self, bin: u8, from: u64, to: u64, limit: usize) -> Result<Scan<Real>, StoreError> {
        self.read(|tables| {
            let counters = tables.open_table(COUNTERS)?;
            let counter = counters.get(bin)?.map_or(0, |counter| counter.value());
            let mut entries = Vec::new();
            if from <= to {
                let index = tables.open_table(INDEX)?;
                for entry in index.range((bin, from)..=(bin, to))?.take(limit) {
                    let (place, address) = entry?;
                    entries.push((place.value().1, Address(*address.value())));
                }
            }
            Ok(Scan { entries, counter })
        })
    }

    fn cursors(&self) -> Result<Vec<u64>, StoreError> {
        self.read(|from| {
            let counters = from.open_table(COUNTERS)?;
            let cursor = |bin| Ok(counters.get(bin)?.map_or(0, |counter| counter.value()));
            (0..BINS).map(cursor).collect()
        })
    }

    fn put(&mut self, mode: Mode, chunks: &[Chunk<Real>]) -> Result<Vec<Placed>, StoreError> {
        self.write(Durability::Immediate, |to, overlay| {
            let mut putting = Putting::new(to, overlay, mode)?;
            let placed = chunks.iter().map(|chunk| putting.put(chunk));
            let placed = placed.collect::<Result<_, Flaw>>()?;
            Ok(Changed::if_so(putting.tally()?, placed))
        })
    }

    fn delete(&mut self, address: &Address) -> Result<bool, StoreError> {
        self.write(Durability::Immediate, |to, _| {
            let existed = to.open_table(CHUNKS)?.remove(&address.0)?.is_some();
            let mut places = to.open_table(PLACES)?;
            if let Some(place) = places.remove(&address.0)?.map(|place| place.value()) {
                to.open_table(INDEX)?.remove(place)?;
            }
            Ok(Changed::if_so(existed, existed))
        })
    }

    fn intervals(&self, peer: &Address, bin: u8) -> Result<Option<IntervalSet>, StoreError> {
        let key = interval_key(peer, bin.into());
        self.read(|from| {
            let found = from.open_table(INTERVALS)?.get(key.as_str())?;
            found.map(|found| decode(&key, found.value())).transpose()
        })
    }

    fn set_intervals(
        &mut self,
        peer: &Address,
        bin: u8,
        set: &IntervalSet,
    ) -> Result<(), StoreError> {
        let key = interval_key(peer, bin.into());
        let value = set.encode();
        // What is lost with a crash is asked for once more, and found to be present.
        self.write(Durability::None, |to, _| {
            let mut table = to.open_table(INTERVALS)?;
            table.insert(key.as_str(), value.as_bytes())?;
            Ok(Changed::Yes(()))
        })
    }

    fn reset_intervals(
        &mut self,
        peer: Option<&Address>,
        below: Option<u8>,
    ) -> Result<u64, StoreError> {
        self.write(Durability::Immediate, |to, _| {
            let mut deleted = 0;
            let mut foreign = None;
            let mut table = to.open_table(INTERVALS)?;
            table.retain(|key, _| {
                let Some((of, bin)) = owner(key) else {
                    foreign = Some(flaw(key));
                    return true;
                };
                let goes =
                    peer.is_none_or(|peer| *peer == of) && below.is_none_or(|below| bin < below);
                deleted += u64::from(goes);
                !goes
            })?;
            match foreign {
                Some(flaw) => Err(flaw),
                None => Ok(Changed::if_so(deleted > 0, deleted)),
            }
        })
    }

    fn remove_intervals(&mut self, peer: &Address, bin: u8) -> Result<bool, StoreError> {
        let key = interval_key(peer, bin.into());
        self.write(Durability::Immediate, |to, _| {
            let existed = to.open_table(INTERVALS)?.remove(key.as_str())?.is_some();
            Ok(Changed::if_so(existed, existed))
        })
    }
}

impl fmt::Debug for ChunkStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("ChunkStore");
        fields
            .field("file", &self.file)
            .field("overlay", &self.overlay)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// What a transaction tells, and whether there is anything to commit.
enum Changed<T> {
    Yes(T),
    No(T),
}

impl<T> Changed<T> {
    fn if_so(changed: bool, told: T) -> Self {
        match changed {
            true => Self::Yes(told),
            false => Self::No(told),
        }
    }
}

/// One put.
struct Putting<'t> {
    overlay: Address,
    mode: Mode,
    chunks: Table<'t, &'static Hash, (&'static [u8], &'static [u8])>,
    index: Table<'t, (u8, u64), &'static Hash>,
    places: Table<'t, &'static Hash, (u8, u64)>,
    counters: Table<'t, u8, u64>,
    synced: Table<'t, &'static str, u64>,
    changed: bool,
    tally: Synced,
}

impl<'t> Putting<'t> {
    fn new(to: &'t WriteTransaction, overlay: &Address, mode: Mode) -> Result<Self, Flaw> {
        Ok(Self {
            overlay: *overlay,
            mode,
            chunks: to.open_table(CHUNKS)?,
            index: to.open_table(INDEX)?,
            places: to.open_table(PLACES)?,
            counters: to.open_table(COUNTERS)?,
            synced: to.open_table(SYNCED)?,
            changed: false,
            tally: Synced::default(),
        })
    }

    fn put(&mut self, chunk: &Chunk<Real>) -> Result<Placed, Flaw> {
        let address = &chunk.address.0;
        let place = self.places.get(address)?.map(|place| place.value());
        if let (Mode::Upload | Mode::Sync, Some((bin, number))) = (self.mode, place) {
            self.tally.again += u64::from(self.mode == Mode::Sync);
            return Ok(Placed {
                bin,
                bin_id: Some(number),
                exists: true,
            });
        }
        let bin = Real::bin(&self.overlay, &chunk.address);
        if self.mode == Mode::Cache {
            let exists = self.chunks.get(address)?.is_some();
            if !exists {
                self.store(chunk)?;
            }
            let bin_id = place.map(|(_, number)| number);
            return Ok(Placed {
                bin,
                bin_id,
                exists,
            });
        }
        self.store(chunk)?;
        let number = 1 + self.counters.get(bin)?.map_or(0, |counter| counter.value());
        self.counters.insert(bin, number)?;
        self.index.insert((bin, number), address)?;
        self.places.insert(address, (bin, number))?;
        self.tally.new += u64::from(self.mode == Mode::Sync);
        Ok(Placed {
            bin,
            bin_id: Some(number),
            exists: false,
        })
    }

    fn store(&mut self, chunk: &Chunk<Real>) -> Result<(), Flaw> {
        let value = (chunk.data.as_ref(), chunk.stamp.as_ref());
        self.chunks.insert(&chunk.address.0, value)?;
        self.changed = true;
        Ok(())
    }

    /// Adds up what was synced; whether there is anything to commit.
    fn tally(mut self) -> Result<bool, Flaw> {
        for (name, more) in [(NEW, self.tally.new), (AGAIN, self.tally.again)] {
            if more > 0 {
                let before = self.synced.get(name)?.map_or(0, |count| count.value());
                self.synced.insert(name, before + more)?;
                self.changed = true;
            }
        }
        Ok(self.changed)
    }
}

/// The kind of file that holds the store of a node. Bins depend on the overlay, so it is a part of the
/// format.
struct StoreOf {
    overlay: Address,
    cache: usize,
}

impl Kind for StoreOf {
    type Opened = ();

    fn format(&self) -> String {
        format!("concord/1 chunks of {:?}", self.overlay)
    }

    fn cache(&self) -> usize {
        self.cache
    }

    fn make(&self, to: &WriteTransaction) -> Result<(), redb::Error> {
        to.open_table(CHUNKS)?;
        to.open_table(INDEX)?;
        to.open_table(PLACES)?;
        to.open_table(COUNTERS)?;
        to.open_table(INTERVALS)?;
        to.open_table(SYNCED)?;
        Ok(())
    }

    /// Records are looked at when they are asked for: there may be more than fit in memory, and redb has
    /// checked that all are as they were written.
    fn read(&self, _: &ReadTransaction) -> Result<(), Flaw> {
        Ok(())
    }
}

/// The peer and bin of a key of [`INTERVALS`].
fn owner(key: &str) -> Option<(Address, u8)> {
    let (peer, bin) = key.split_once('|')?;
    let peer = HEXLOWER.decode(peer.as_bytes()).ok()?.try_into().ok()?;
    Some((Address(peer), bin.parse().ok()?))
}

fn decode(key: &str, value: &[u8]) -> Result<IntervalSet, Flaw> {
    IntervalSet::decode(value).map_err(|error| Flaw::Record(format!("interval set {key}: {error}")))
}

/// A key that nobody writes.
fn flaw(key: &str) -> Flaw {
    Flaw::Record(format!(
        "interval set under {key:?}, expected a peer and a bin"
    ))
}
