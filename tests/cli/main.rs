//! The `concord` command as its users meet it: as a process over the systems that ship, and as a
//! function over toys that hold, are violated, escape, or never end.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod check;
mod explore;
mod files;
mod names;
mod output;
mod process;
mod report;
mod rerun;
mod support;
mod toy;
