//! The tweet statistics as their users meet them.

#[path = "../common/reopening.rs"]
mod reopening;
#[path = "../common/notation.rs"]
mod steps;

mod defects;
mod forms;
mod notation;
mod remedies;
mod renaming;
mod rig;
mod sentences;
mod storage;
