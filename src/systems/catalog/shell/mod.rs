//! The engine that many threads share: lookups take no lock, accesses are counted without contention, and one
//! writer at a time replaces the table as a whole.
//!
//! Claim: every answer stems from one table, whose version never falls; an access to a route that stays in the
//! table is counted exactly once; of several snapshots the highest wins; a crossing of the threshold leads to
//! one split at most. Source: sections 8, 11 and 13.5 to 13.7 of `docs/spec/catalog.md`, where it says "lock,
//! shared" a table is read that nobody changes. Checked by the tests of interleavings, which compile these very
//! files.
//!
//! What a table holds is the core's [`Engine`](crate::catalog::Engine), an [`Index`](crate::catalog::index::Index)
//! over its starts, and where its accesses are counted. Changes are steps of a copy of that engine.
//!
//! Any thread may look up at the engine itself. One that does so often holds a [`Reader`], which keeps the table until
//! there is another: it writes no memory, so that the processor may begin with the next lookup before it is done with
//! this one (`benches/catalog.rs`).
//!
//! # Counting
//!
//! Each [`Accessor`] counts in a lane of its own, by a load and a store, which is several times as fast as one
//! indivisible addition (`benches/catalog.rs`); those who come when there is none left share one, and add there. The
//! load of a route is the sum over all lanes, less what refused splits took from it. A route keeps its counts for as
//! long as it is in the table, so accessors that still hold an older table lose nothing. With a split, its counts are
//! abandoned, and so is what is still counted there. A [`fence`](crate::sync::fence) stands before each sum: of two
//! accessors that count and then look, one sees both counts, so a crossing cannot be missed.
//!
//! # Buffers
//!
//! Keys are [`bytes::Bytes`], which nobody can change: C2 does not compile.
//!
//! ```compile_fail,E0382
//! # use concord_systems::catalog::shell::SharedEngine;
//! # use concord_systems::catalog::strategy::{Level, Settings};
//! let engine = SharedEngine::new(Settings::strict(Level::One), false, 0, 1);
//! let mut start = b"a".to_vec();
//! engine.update_route(start.into(), None, 1);
//! start[0] = b'b'; // the table has it now
//! ```
//!
//! ```compile_fail,E0594
//! # use concord_systems::catalog::shell::SharedEngine;
//! # use concord_systems::catalog::strategy::{Level, Settings};
//! let engine = SharedEngine::new(Settings::strict(Level::One), true, 0, 1);
//! let found = engine.lookup(b"a").expect("the default route has all keys");
//! found.start()[0] = b'b'; // what a lookup hands out is to be read
//! ```

mod access;
mod engine;
mod found;
mod lanes;
mod loads;
mod reader;
mod routing;

pub use access::Accessor;
pub use engine::SharedEngine;
pub use found::{Found, Seen};
pub use lanes::{Collect, Counting, Strategies};
pub use reader::Reader;
