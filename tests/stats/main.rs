//! The tweet statistics as their users meet them.

mod defects;
mod forms;
mod notation;
mod remedies;
mod renaming;
mod rig;
mod sentences;
