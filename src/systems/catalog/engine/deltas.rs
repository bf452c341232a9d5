//! Deltas (13.5).
#![allow(missing_docs, unused_variables, reason = "skeleton")]

use super::Engine;
use crate::catalog::delta::Delta;
use crate::catalog::error::Error;

impl Engine {
    pub fn apply_delta(&mut self, delta: &Delta) -> Result<(), Error> {
        todo!()
    }
}
