//! An embedded database as the disk of a replica.
//!
//! Claim: what was synced survives a crash of the process or the machine, whole (CTR-13); each write
//! is there whole or not at all, and never without those before it. A file that is not an intact
//! database of the right format is refused with its name and is not touched. Assumed: redb 4.5 on
//! storage that keeps what it flushed; redb checks every page of the file when it is opened here.
//! Tested by killed processes and on a simulated disk (`tests/counter/{kill,disk,storage}.rs`).

use std::marker::PhantomData;
use std::path::Path;

use concord_systems::merkle::driver::Backend;
use redb::{Durability, ReadTransaction, StorageBackend, WriteTransaction};

use crate::error::Error;
use crate::opening::{self, Kind, begin};
use crate::schema::{Flaw, Schema};

/// Pages that redb may keep in memory. A replica holds its whole image itself, so this need only
/// serve writes.
const CACHE_BYTES: usize = 16 << 20;

/// An open database. One process, one handle: a second one is refused.
///
/// A write is a transaction of its own that redb keeps in memory; [`Backend::sync`] makes all of them
/// durable with one more. After a failed write or sync everything is refused: what redb holds and what
/// the file holds may differ until it is opened again.
#[derive(Debug)]
pub struct Database<S: Schema> {
    /// Name of the file, for errors.
    file: String,
    redb: redb::Database,
    /// The image as it was read while opening, until something is written or it is asked for.
    opened: Option<S::Disk>,
    unsynced: bool,
    stopped: bool,
}

impl<S: Schema> Database<S> {
    /// Opens the database in this file, or makes one if there is no file. Reads all of it.
    ///
    /// The file appears whole: a crash while it is made leaves a temporary file `.concord-*` beside
    /// it at worst. So an empty file is not a new database, but one that lost its content.
    ///
    /// # Errors
    /// If the file is anything else than an intact database of this schema that nobody else uses; it
    /// is then as it was.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let (redb, opened) = opening::open(path, &Image::<S>(PhantomData))?;
        Ok(Self::new(path.display().to_string(), redb, opened))
    }

    /// Opens the database in this storage, or makes one if nothing was ever stored there; `name` is
    /// for errors.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn with_backend(name: &str, storage: impl StorageBackend) -> Result<Self, Error> {
        let (redb, opened) = opening::with_backend(name, storage, &Image::<S>(PhantomData))?;
        Ok(Self::new(name.to_owned(), redb, opened))
    }

    fn new(file: String, redb: redb::Database, opened: S::Disk) -> Self {
        Self {
            file,
            redb,
            opened: Some(opened),
            unsynced: false,
            stopped: false,
        }
    }

    /// Closes the file in good order, so that opening it again need not repair it.
    ///
    /// # Errors
    /// If that fails; what was synced is safe all the same.
    pub fn close(mut self) -> Result<(), Error> {
        if !self.stopped {
            self.sync()?;
        }
        let file = self.file;
        self.redb.close().map_err(|error| Error::InDoubt {
            file,
            cause: error.to_string(),
        })
    }

    fn refuse_if_stopped(&self) -> Result<(), Error> {
        if self.stopped {
            let file = self.file.clone();
            return Err(Error::Stopped { file });
        }
        Ok(())
    }

    /// Runs one transaction to its commit.
    fn transact(
        &self,
        durability: Durability,
        apply: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), redb::Error> {
        let transaction = begin(&self.redb, durability)?;
        apply(&transaction)?;
        Ok(transaction.commit()?)
    }

    /// A commit that was to be durable failed, or one that could not.
    fn stop(&mut self, error: &redb::Error) -> Error {
        self.stopped = true;
        Error::InDoubt {
            file: self.file.clone(),
            cause: error.to_string(),
        }
    }
}

impl<S: Schema> Backend<S::Disk, S::Write> for Database<S> {
    type Error = Error;

    fn load(&mut self) -> Result<S::Disk, Error> {
        self.refuse_if_stopped()?;
        match self.opened.take() {
            Some(disk) => Ok(disk),
            None => opening::read(&self.file, &self.redb, &Image::<S>(PhantomData)),
        }
    }

    fn write(&mut self, write: &S::Write) -> Result<(), Error> {
        self.refuse_if_stopped()?;
        self.opened = None;
        self.unsynced = true;
        let written = self.transact(Durability::None, |to| S::apply(to, write));
        written.map_err(|source| {
            self.stopped = true;
            Error::Write {
                file: self.file.clone(),
                source: Box::new(source),
            }
        })
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.refuse_if_stopped()?;
        if self.unsynced {
            let synced = self.transact(Durability::Immediate, |_| Ok(()));
            synced.map_err(|error| self.stop(&error))?;
            self.unsynced = false;
        }
        Ok(())
    }

    fn wipe(&mut self) -> Result<(), Error> {
        self.refuse_if_stopped()?;
        self.opened = None;
        let wiped = self.transact(Durability::Immediate, S::clear);
        wiped.map_err(|error| self.stop(&error))?;
        self.unsynced = false;
        Ok(())
    }
}

/// The kind of file that holds such an image.
struct Image<S>(PhantomData<S>);

impl<S: Schema> Kind for Image<S> {
    type Opened = S::Disk;

    fn format(&self) -> String {
        S::format()
    }

    fn cache(&self) -> usize {
        CACHE_BYTES
    }

    fn make(&self, to: &WriteTransaction) -> Result<(), redb::Error> {
        S::clear(to)
    }

    fn read(&self, from: &ReadTransaction) -> Result<S::Disk, Flaw> {
        S::load(from)
    }
}
