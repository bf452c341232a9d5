//! An embedded database as the disk of a replica.
//!
//! Claim: what was synced survives a crash of the process or the machine, whole (CTR-13); each write
//! is there whole or not at all, and never without those before it. A file that is not an intact
//! database of the right format is refused with its name and is not touched. Assumed: redb 4.5 on
//! storage that keeps what it flushed; redb checks every page of the file when it is opened here.
//! Tested by killed processes and on a simulated disk (`tests/counter/{kill,disk,storage}.rs`).

use std::any::Any;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use concord_systems::merkle::driver::Backend;
use redb::backends::FileBackend;
use redb::{Durability, ReadableDatabase, StorageBackend, WriteTransaction};
use tempfile::TempPath;

use crate::error::Error;
use crate::held::Held;
use crate::schema::{Flaw, Schema, read_format, write_format};

/// First bytes of every redb file.
const MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";

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
        let name = path.display().to_string();
        match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Self::create(path, name),
            Err(source) => Err(io_error(name, "found", source)),
            Ok(metadata) if !metadata.is_file() => Err(not_a_database::<S>(name, "no file")),
            Ok(_) => Self::open_file(path, name),
        }
    }

    /// Opens the database in this storage, or makes one if nothing was ever stored there; `name` is
    /// for errors.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn with_backend(name: &str, storage: impl StorageBackend) -> Result<Self, Error> {
        let opened = unpanicked(|| Self::start(name, storage, true));
        opened.unwrap_or_else(|found| Err(damaged::<S>(name, found)))
    }

    fn open_file(path: &Path, name: String) -> Result<Self, Error> {
        let opened = File::options().read(true).write(true).open(path);
        let mut file = opened.map_err(|source| io_error(name.clone(), "opened", source))?;
        let mut start = Vec::new();
        let read = (&mut file).take(MAGIC.len() as u64).read_to_end(&mut start);
        read.map_err(|source| io_error(name.clone(), "read", source))?;
        if start != MAGIC {
            let found = match start.as_slice() {
                [] => "an empty file",
                _ => "another kind of file",
            };
            return Err(not_a_database::<S>(name, found));
        }
        let storage = match FileBackend::new(file) {
            Ok(storage) => storage,
            Err(error) => return Err(refused::<S>(&name, error.into())),
        };
        let opened = unpanicked(|| Self::start(&name, storage, false));
        opened.unwrap_or_else(|found| Err(damaged::<S>(&name, found)))
    }

    /// Makes the database under a temporary name and then gives it its own, unless somebody else was
    /// faster.
    fn create(path: &Path, name: String) -> Result<Self, Error> {
        let failed = |source| io_error(name.clone(), "made", source);
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let temporary = tempfile::Builder::new()
            .prefix(".concord-")
            .tempfile_in(folder)
            .map_err(failed)?;
        let (file, temporary) = temporary.into_parts();
        let storage = match FileBackend::new(file) {
            Ok(storage) => storage,
            Err(error) => return Err(refused::<S>(&name, error.into())),
        };
        let made = Self::start(&name, storage, true)?;
        match TempPath::persist_noclobber(temporary, path) {
            Ok(()) => {
                sync_folder(folder).map_err(failed)?;
                Ok(made)
            }
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                drop(made);
                Self::open_file(path, name)
            }
            Err(error) => Err(failed(error.error)),
        }
    }

    /// Opens a storage with all writes held back until its content has been checked.
    fn start(name: &str, storage: impl StorageBackend, create: bool) -> Result<Self, Error> {
        let held = Held::new(storage).map_err(|error| refused::<S>(name, error.into()))?;
        let checked = Self::check(name, held.clone(), create)?;
        // What this carries out is what redb does on any opening: it may stop anywhere.
        let released = held.release();
        released.map_err(|source| io_error(name.to_owned(), "marked as open", source))?;
        Ok(checked)
    }

    fn check(name: &str, storage: impl StorageBackend, create: bool) -> Result<Self, Error> {
        let lift = |error: redb::Error| refused::<S>(name, error);
        let mut builder = redb::Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        builder.set_check_integrity_on_open(true);
        let opened = builder.create_with_backend(storage);
        let redb = opened.map_err(|error| lift(error.into()))?;
        let expected = S::format();
        match format_of(&redb).map_err(lift)? {
            Some(found) if found == expected => {}
            None if create => make::<S>(&redb).map_err(lift)?,
            other => {
                let found = match other {
                    Some(found) => format!("\"{}\"", found.escape_debug()),
                    None => String::from("no format"),
                };
                let file = name.to_owned();
                return Err(Error::OtherFormat {
                    file,
                    found,
                    expected,
                });
            }
        }
        let opened = load::<S>(name, &redb)?;
        Ok(Self {
            file: name.to_owned(),
            redb,
            opened: Some(opened),
            unsynced: false,
            stopped: false,
        })
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
            None => load::<S>(&self.file, &self.redb),
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

fn begin(redb: &redb::Database, durability: Durability) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = redb.begin_write()?;
    transaction.set_durability(durability)?;
    // With one phase redb takes a damaged page of the newest commit for a torn write and goes back to
    // the commit before it, silently; with two it reports the damage. Costs a second flush.
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// Makes the tables of a new database.
fn make<S: Schema>(redb: &redb::Database) -> Result<(), redb::Error> {
    let transaction = begin(redb, Durability::Immediate)?;
    write_format(&transaction, &S::format())?;
    S::clear(&transaction)?;
    Ok(transaction.commit()?)
}

/// The format of the database; none if there is not a single table in it.
fn format_of(redb: &redb::Database) -> Result<Option<String>, redb::Error> {
    let transaction = redb.begin_read()?;
    match read_format(&transaction)? {
        Some(format) => Ok(Some(format)),
        None if transaction.list_tables()?.next().is_none() => Ok(None),
        None => Ok(Some(String::from("tables of another program"))),
    }
}

fn load<S: Schema>(name: &str, redb: &redb::Database) -> Result<S::Disk, Error> {
    let transaction = redb.begin_read();
    let transaction = transaction.map_err(|error| refused::<S>(name, error.into()))?;
    S::load(&transaction).map_err(|flaw| match flaw {
        Flaw::Database(error) => refused::<S>(name, error),
        Flaw::Record(found) => damaged::<S>(name, found),
    })
}

/// Makes the name of a new file as durable as its content.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Folders cannot be flushed here.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Runs `open` and gives back what it says if it panics: redb promises errors for damaged files with
/// the check that is made here, and in debug builds panics all the same.
fn unpanicked<T>(open: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(open)).map_err(|panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("redb panicked").to_owned()
    })
}

fn refused<S: Schema>(name: &str, error: redb::Error) -> Error {
    let file = name.to_owned();
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
            Error::InUse { file }
        }
        redb::Error::UpgradeRequired(version) => Error::OtherFormat {
            file,
            found: format!("redb file format {version}"),
            expected: S::format(),
        },
        redb::Error::Io(source)
            if !matches!(
                source.kind(),
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof
            ) =>
        {
            io_error(file, "read", source)
        }
        other => damaged::<S>(name, other.to_string()),
    }
}

fn damaged<S: Schema>(name: &str, found: String) -> Error {
    Error::Damaged {
        file: name.to_owned(),
        found,
        expected: S::format(),
    }
}

fn not_a_database<S: Schema>(file: String, found: &str) -> Error {
    Error::NotADatabase {
        file,
        found: found.to_owned(),
        expected: S::format(),
    }
}

fn io_error(file: String, task: &'static str, source: io::Error) -> Error {
    Error::Io { file, task, source }
}
