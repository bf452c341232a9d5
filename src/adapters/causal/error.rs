//! Why a directory of a node cannot be opened or written.

use std::io;

use concord_systems::causal::RecoverError;
use thiserror::Error;

/// Why a node's directory could not be opened, read or written. Each says whether files changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process, or another handle of this one, uses the directory.
    #[error("{directory}: is in use elsewhere, expected to be its only user; nothing was changed")]
    InUse {
        /// The directory.
        directory: String,
    },
    /// A file could not be reached or read.
    #[error("{file}: could not be {task}: {source}; nothing was changed")]
    Unchanged {
        /// The file.
        file: String,
        /// What was tried.
        task: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A file holds what no write of this program leaves, whenever it stops.
    #[error("{file}: damaged at byte {offset}: {found}, expected {expected}; nothing was changed")]
    Damaged {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is there.
        found: String,
        /// What should be.
        expected: String,
    },
    /// The directory is of another node, group or profile.
    #[error("{file}: is of {found}, expected {expected}; nothing was changed")]
    OtherNode {
        /// The file.
        file: String,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// The state is older than one that was reached before: an old copy was put in its place (D10).
    #[error(
        "{file}: the clock of {node:?} had reached {reached}, but the files beside it only tell up \
         to {found}; expected a state that is not older; nothing was changed"
    )]
    RolledBack {
        /// The clock file.
        file: String,
        /// Whose clock entry.
        node: String,
        /// What it was.
        reached: u64,
        /// What it is.
        found: u64,
    },
    /// The core finds more to object to.
    #[error("{directory}: {source}; nothing was changed")]
    Unrecoverable {
        /// The directory.
        directory: String,
        /// Why.
        source: RecoverError,
    },
    /// A write or sync failed. For the node this is a crash (6.1).
    #[error(
        "{file}: could not be {task} at byte {offset}: {source}; what was written since the last \
         sync may or may not be there; open the directory again"
    )]
    Write {
        /// The file.
        file: String,
        /// What was tried.
        task: &'static str,
        /// Its length before.
        offset: u64,
        /// Why not.
        source: io::Error,
    },
    /// An earlier write or sync failed.
    #[error("{directory}: stopped by an earlier failure; nothing was changed; open it again")]
    Stopped {
        /// The directory.
        directory: String,
    },
    /// A write that only faulty variants of the core ask for.
    #[error("{directory}: {found} cannot be carried out here; nothing was changed")]
    Unsupported {
        /// The directory.
        directory: String,
        /// What was asked for.
        found: &'static str,
    },
}

impl StoreError {
    pub(super) fn unchanged(file: String, task: &'static str, source: io::Error) -> Self {
        Self::Unchanged { file, task, source }
    }
}
