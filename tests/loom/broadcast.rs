//! The broadcaster's shell under loom: the cases of section 5, their faults, and whether they end as
//! the model says.

pub use concord::systems::broadcast::*;

// These take the place of those that ship, here and inside the shell.
#[allow(unused_imports, reason = "tests take what they need")]
pub use shell::{Broadcaster, Inbox, NextMessage, PubSub, Signal};

#[path = "../../src/systems/broadcast/shell.rs"]
#[allow(dead_code, reason = "tests take what they need")]
pub mod shell;

mod cases;
mod checks;
mod dropped;
mod faults;
mod run;
mod setting;
