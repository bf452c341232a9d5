//! Opening the file of a database: made whole or not at all, checked before it is changed.

use std::any::Any;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::backends::FileBackend;
use redb::{Durability, ReadTransaction, ReadableDatabase, StorageBackend, WriteTransaction};
use tempfile::TempPath;

use crate::error::Error;
use crate::held::Held;
use crate::schema::{Flaw, read_format, write_format};

/// First bytes of every redb file.
const MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";

/// What a file is to hold.
pub(crate) trait Kind {
    /// What is read while the file is checked.
    type Opened;

    /// Names the format of the file with its version; files of another are refused.
    fn format(&self) -> String;

    /// Bytes of pages that redb may keep in memory.
    fn cache(&self) -> usize;

    /// Makes the tables of a new database, empty.
    fn make(&self, to: &WriteTransaction) -> Result<(), redb::Error>;

    /// Reads what is wanted at once, and checks it.
    fn read(&self, from: &ReadTransaction) -> Result<Self::Opened, Flaw>;
}

/// Opens the database in this file, or makes one if there is no file.
///
/// The file appears whole: a crash while it is made leaves a temporary file `.concord-*` beside
/// it at worst. So an empty file is not a new database, but one that lost its content. A file that is
/// refused is as it was.
pub(crate) fn open<K: Kind>(path: &Path, kind: &K) -> Result<(redb::Database, K::Opened), Error> {
    let name = path.display().to_string();
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => create(path, name, kind),
        Err(source) => Err(io_error(name, "found", source)),
        Ok(metadata) if !metadata.is_file() => Err(not_a_database(name, "no file", kind)),
        Ok(_) => open_file(path, name, kind),
    }
}

/// Opens the database in this storage, or makes one if nothing was ever stored there; `name` is
/// for errors.
pub(crate) fn with_backend<K: Kind>(
    name: &str,
    storage: impl StorageBackend,
    kind: &K,
) -> Result<(redb::Database, K::Opened), Error> {
    let opened = unpanicked(|| start(name, storage, kind, true));
    opened.unwrap_or_else(|found| Err(damaged(name, found, kind)))
}

/// Begins a transaction of this durability.
pub(crate) fn begin(
    redb: &redb::Database,
    durability: Durability,
) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = redb.begin_write()?;
    transaction.set_durability(durability)?;
    // With one phase redb takes a damaged page of the newest commit for a torn write and goes back to
    // the commit before it, silently; with two it reports the damage. Costs a second flush.
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// Reads what a file of this kind opens with.
pub(crate) fn read<K: Kind>(
    name: &str,
    redb: &redb::Database,
    kind: &K,
) -> Result<K::Opened, Error> {
    let transaction = redb.begin_read();
    let transaction = transaction.map_err(|error| refused(name, error.into(), kind))?;
    kind.read(&transaction).map_err(|flaw| match flaw {
        Flaw::Database(error) => refused(name, error, kind),
        Flaw::Record(found) => damaged(name, found, kind),
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

fn open_file<K: Kind>(
    path: &Path,
    name: String,
    kind: &K,
) -> Result<(redb::Database, K::Opened), Error> {
    let opened = File::options().read(true).write(true).open(path);
    let mut file = opened.map_err(|source| io_error(name.clone(), "opened", source))?;
    let mut start_of_file = Vec::new();
    let read = (&mut file)
        .take(MAGIC.len() as u64)
        .read_to_end(&mut start_of_file);
    read.map_err(|source| io_error(name.clone(), "read", source))?;
    if start_of_file != MAGIC {
        let found = match start_of_file.as_slice() {
            [] => "an empty file",
            _ => "another kind of file",
        };
        return Err(not_a_database(name, found, kind));
    }
    let storage = match FileBackend::new(file) {
        Ok(storage) => storage,
        Err(error) => return Err(refused(&name, error.into(), kind)),
    };
    let opened = unpanicked(|| start(&name, storage, kind, false));
    opened.unwrap_or_else(|found| Err(damaged(&name, found, kind)))
}

/// Makes the database under a temporary name and then gives it its own, unless somebody else was
/// faster.
fn create<K: Kind>(
    path: &Path,
    name: String,
    kind: &K,
) -> Result<(redb::Database, K::Opened), Error> {
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
        Err(error) => return Err(refused(&name, error.into(), kind)),
    };
    let made = start(&name, storage, kind, true)?;
    match TempPath::persist_noclobber(temporary, path) {
        Ok(()) => {
            sync_folder(folder).map_err(failed)?;
            Ok(made)
        }
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
            drop(made);
            open_file(path, name, kind)
        }
        Err(error) => Err(failed(error.error)),
    }
}

/// Opens a storage with all writes held back until its content has been checked.
fn start<K: Kind>(
    name: &str,
    storage: impl StorageBackend,
    kind: &K,
    create: bool,
) -> Result<(redb::Database, K::Opened), Error> {
    let held = Held::new(storage).map_err(|error| refused(name, error.into(), kind))?;
    let checked = check(name, held.clone(), kind, create)?;
    // What this carries out is what redb does on any opening: it may stop anywhere.
    let released = held.release();
    released.map_err(|source| io_error(name.to_owned(), "marked as open", source))?;
    Ok(checked)
}

fn check<K: Kind>(
    name: &str,
    storage: impl StorageBackend,
    kind: &K,
    create: bool,
) -> Result<(redb::Database, K::Opened), Error> {
    let lift = |error: redb::Error| refused(name, error, kind);
    let mut builder = redb::Builder::new();
    builder.set_cache_size(kind.cache());
    builder.set_check_integrity_on_open(true);
    let opened = builder.create_with_backend(storage);
    let redb = opened.map_err(|error| lift(error.into()))?;
    let expected = kind.format();
    match format_of(&redb).map_err(lift)? {
        Some(found) if found == expected => {}
        None if create => make(&redb, kind).map_err(lift)?,
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
    let opened = read(name, &redb, kind)?;
    Ok((redb, opened))
}

/// Makes the tables of a new database.
fn make<K: Kind>(redb: &redb::Database, kind: &K) -> Result<(), redb::Error> {
    let transaction = begin(redb, Durability::Immediate)?;
    write_format(&transaction, &kind.format())?;
    kind.make(&transaction)?;
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

/// Runs `open` and gives back what it says if it panics: redb promises errors for damaged files with
/// the check that is made here, and in debug builds panics all the same.
fn unpanicked<T>(open: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(open)).map_err(|panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("redb panicked").to_owned()
    })
}

fn refused<K: Kind>(name: &str, error: redb::Error, kind: &K) -> Error {
    let file = name.to_owned();
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
            Error::InUse { file }
        }
        redb::Error::UpgradeRequired(version) => Error::OtherFormat {
            file,
            found: format!("redb file format {version}"),
            expected: kind.format(),
        },
        redb::Error::Io(source)
            if !matches!(
                source.kind(),
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof
            ) =>
        {
            io_error(file, "read", source)
        }
        other => damaged(name, other.to_string(), kind),
    }
}

fn damaged<K: Kind>(name: &str, found: String, kind: &K) -> Error {
    Error::Damaged {
        file: name.to_owned(),
        found,
        expected: kind.format(),
    }
}

fn not_a_database<K: Kind>(file: String, found: &str, kind: &K) -> Error {
    Error::NotADatabase {
        file,
        found: found.to_owned(),
        expected: kind.format(),
    }
}

fn io_error(file: String, task: &'static str, source: io::Error) -> Error {
    Error::Io { file, task, source }
}
