//! The commit guard (13.7).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use super::Engine;
use crate::catalog::error::Error;

impl Engine {
    /// Whether `group` may commit writes to `keys`, given the version that the transaction observed.
    pub fn verify_commit<K: AsRef<[u8]>>(
        &self,
        group: u64,
        observed: Option<u64>,
        keys: &[K],
    ) -> Result<(), Error> {
        todo!()
    }
}
