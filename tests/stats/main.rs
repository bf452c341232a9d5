//! The tweet statistics as their users meet them.

#[path = "../common/reopening.rs"]
mod reopening;

mod defects;
mod forms;
mod notation;
mod remedies;
mod renaming;
mod rig;
mod sentences;
mod storage;
