//! Traces of catalog (section 15 of its spec).
#![allow(missing_docs, reason = "skeleton")]

use std::io::{self, BufRead, Seek};

use crate::replay::Replayed;

/// Replays a trace on the reference.
///
/// # Errors
/// Only those of reading `source`.
pub fn replay(_source: impl BufRead + Seek) -> io::Result<Replayed> {
    todo!()
}
