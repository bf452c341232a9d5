//! Why a database fails. Every message names the file and says whether it was changed.

use std::io;

use thiserror::Error;

/// Why a database could not be opened, read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// There is something else under this name.
    #[error("{file}: found {found}, expected {expected}; nothing was changed")]
    NotADatabase {
        /// The file.
        file: String,
        /// What is there.
        found: String,
        /// The format that was asked for.
        expected: String,
    },
    /// The file is a database of another program, another kind or another version.
    #[error("{file}: holds {found}, expected {expected}; nothing was changed")]
    OtherFormat {
        /// The file.
        file: String,
        /// Its format.
        found: String,
        /// The format that was asked for.
        expected: String,
    },
    /// The file was altered or cut by something else than this program.
    #[error("{file}: damaged: {found}; expected an intact {expected}; nothing was changed")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong with it.
        found: String,
        /// The format that was asked for.
        expected: String,
    },
    /// Another process, or another handle of this one, has the file open.
    #[error("{file}: is open elsewhere, expected to be its only user; nothing was changed")]
    InUse {
        /// The file.
        file: String,
    },
    /// The file could not be reached or read.
    #[error("{file}: could not be {task}: {source}; nothing was changed")]
    Io {
        /// The file.
        file: String,
        /// What was tried.
        task: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// One atomic write failed.
    #[error("{file}: a write failed: {source}; nothing of it was applied; open the file again")]
    Write {
        /// The file.
        file: String,
        /// Why.
        source: Box<redb::Error>,
    },
    /// Earlier writes could not be made durable.
    #[error(
        "{file}: the writes since the last sync may or may not be on disk, all earlier ones are: \
         {cause}; open the file again"
    )]
    InDoubt {
        /// The file.
        file: String,
        /// Why.
        cause: String,
    },
    /// An earlier write or sync failed.
    #[error("{file}: stopped by an earlier failure; nothing was changed; open the file again")]
    Stopped {
        /// The file.
        file: String,
    },
}
