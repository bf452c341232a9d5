//! The counter where threads share it: counting costs one atomic addition, reading takes no lock.
//!
//! Claim: every increment is counted exactly once, a read returns a value that the counter had at
//! some instant between call and return (CTR-S9), what is flushed never exceeds what was counted and
//! never falls, and who waited for a flush is covered by it. Assumed: no sum grows by 2^64 during one
//! call. Source: CTR-2, CTR-7 to CTR-10 and defect C-3 of `docs/spec/counter.md`; the double collect
//! is that of Afek et al., "Atomic Snapshots of Shared Memory", JACM 40(4), 1993. Checked by the tests
//! of interleavings, which compile these very files.
//!
//! A [`Live`] holds what one process life counted, by data key and direction, beside the sums of all
//! other sub-counters as merges report them. Who counts holds a [`Handle`] or a [`Writer`], who reads
//! a [`Reader`]. The totals are made durable through [`Flush`], best by a [`GroupCommit`].
//!
//! # Order of memory
//!
//! Counts are sequentially consistent ([`crate::sync::SeqCstU64`]). Relaxed additions would not lose
//! any, but two threads that each add and then read could both miss the other's addition, and two
//! readers could see an increment and a decrement in different orders; no one order of the calls
//! explains either. The total order of all accesses is what "instant" means here.

mod cell;
mod commit;
mod flush;
mod handle;
mod live;
mod writer;

pub use cell::Collect;
pub use commit::{GroupCommit, Join};
pub use flush::{Counted, Flush};
pub use handle::{Handle, Reader};
pub use live::Live;
pub use writer::Writer;
