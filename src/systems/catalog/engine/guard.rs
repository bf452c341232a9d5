//! The commit guard (13.7).

use super::{Engine, Table};
use crate::catalog::error::Error;
use crate::catalog::strategy::Guard;

impl Engine {
    /// Whether `group` may commit writes to `keys`, given the version that the transaction observed. Group 0,
    /// transactions that are not pinned and empty keys pass. O(k log n) for k keys.
    pub fn verify_commit<K: AsRef<[u8]>>(
        &self,
        group: u64,
        observed: Option<u64>,
        keys: &[K],
    ) -> Result<(), Error> {
        let (1.., Some(version)) = (group, observed) else {
            return Ok(());
        };
        let observed = self.history_at(version);
        let observed = observed.ok_or(Error::Composed1VersionGcd { version })?;
        let current = self.history_current();
        match self.settings.strategies.guard {
            Guard::Both => {
                verify(observed, group, keys)?;
                current.map_or(Ok(()), |current| verify(current, group, keys))
            }
            Guard::Observed => verify(observed, group, keys),
            Guard::Current => current.map_or(Ok(()), |current| verify(current, group, keys)),
        }
    }
}

/// Whether all keys belong to the group in this table.
fn verify<K: AsRef<[u8]>>(table: &Table, group: u64, keys: &[K]) -> Result<(), Error> {
    let mut keys = keys.iter().map(AsRef::as_ref).enumerate();
    let is_foreign = |key: &[u8]| !key.is_empty() && table.group(key) != Some(group);
    match keys.find(|(_, key)| is_foreign(key)) {
        Some((index, _)) => Err(Error::Composed1Violation {
            index,
            group,
            version: table.version,
        }),
        None => Ok(()),
    }
}
