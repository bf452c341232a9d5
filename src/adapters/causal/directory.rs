//! A directory of files as a node uses it: appends, cuts, replacements and syncs.
//!
//! The one place that touches a file system. Tests put a directory in its stead that loses what was
//! not synced and stops in the middle of a write.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::error::StoreError;
use crate::opening::sync_folder;

/// Name of the file whose lock says that the directory is in use.
const LOCK: &str = "lock";

/// The files of one directory, by name. A crash may leave any prefix of the bytes of an append, and
/// takes back what was neither synced nor is synced by another means; nothing else is torn.
pub trait Directory {
    /// How errors name it.
    fn name(&self) -> String;

    /// The names of its files, in any order.
    ///
    /// # Errors
    /// Those of the file system.
    fn files(&mut self) -> io::Result<Vec<String>>;

    /// The content of a file; none if there is no such file.
    ///
    /// # Errors
    /// Those of the file system.
    fn read(&mut self, file: &str) -> io::Result<Option<Vec<u8>>>;

    /// Makes a file with this content, in place of one of the same name.
    ///
    /// # Errors
    /// Those of the file system; any prefix of the content may then be there.
    fn create(&mut self, file: &str, content: &[u8]) -> io::Result<()>;

    /// Appends to a file that exists.
    ///
    /// # Errors
    /// Those of the file system; any prefix of the bytes may then be there.
    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file that exists to its first `len` bytes.
    ///
    /// # Errors
    /// Those of the file system.
    fn cut(&mut self, file: &str, len: u64) -> io::Result<()>;

    /// Makes the content of a file durable, but not its name.
    ///
    /// # Errors
    /// Those of the file system; what was not durable before may or may not be.
    fn sync(&mut self, file: &str) -> io::Result<()>;

    /// Gives a file another name, atomically in place of what had it.
    ///
    /// # Errors
    /// Those of the file system.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// Those of the file system.
    fn remove(&mut self, file: &str) -> io::Result<()>;

    /// Makes the names of all files durable.
    ///
    /// # Errors
    /// Those of the file system.
    fn sync_names(&mut self) -> io::Result<()>;
}

/// A directory of the file system, of which this is the only user.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Open for appends.
    open: BTreeMap<String, File>,
    /// Its lock ends with this value, or with the process.
    _lock: File,
}

impl Folder {
    /// Takes the directory at `path`, and makes it if there is none.
    ///
    /// # Errors
    /// If it cannot be made or somebody else uses it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let failed = |task| {
            let file = path.display().to_string();
            move |source| StoreError::unchanged(file, task, source)
        };
        fs::create_dir_all(&path).map_err(failed("made"))?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))
            .map_err(failed("locked"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let directory = path.display().to_string();
                return Err(StoreError::InUse { directory });
            }
            Err(TryLockError::Error(source)) => return Err(failed("locked")(source)),
        }
        if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) {
            sync_folder(parent).map_err(failed("synced"))?;
        }
        Ok(Self {
            path,
            open: BTreeMap::new(),
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        match self.open.entry(name.to_owned()) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let file = File::options().append(true).open(self.path.join(name))?;
                Ok(entry.insert(file))
            }
        }
    }
}

impl Directory for Folder {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn files(&mut self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }

    fn read(&mut self, file: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path.join(file)) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn create(&mut self, file: &str, content: &[u8]) -> io::Result<()> {
        self.open.remove(file);
        File::create(self.path.join(file))?;
        self.append(file, content)
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.file(file)?.write_all(bytes)
    }

    fn cut(&mut self, file: &str, len: u64) -> io::Result<()> {
        self.file(file)?.set_len(len)
    }

    fn sync(&mut self, file: &str) -> io::Result<()> {
        self.file(file)?.sync_data()
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.open.remove(from);
        self.open.remove(to);
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        self.open.remove(file);
        fs::remove_file(self.path.join(file))
    }

    fn sync_names(&mut self) -> io::Result<()> {
        sync_folder(&self.path)
    }
}
