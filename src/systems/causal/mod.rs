//! Reliable, causally ordered messages with vector clocks, and the OR-set they carry.
//!
//! Claim: every message is delivered at every node exactly once and in causal order, and nodes that
//! delivered the same messages hold equal sets, whatever the network loses, repeats or reorders and
//! wherever a node crashes (section 8 of the spec). Assumed: appends and replacements that were
//! synced survive, an append may be torn, nothing else is (6.1); the group is fixed.
//!
//! Source: `docs/spec/causal.md`, whose sections are cited by number. Models: `causal/text`,
//! `causal/framed`.
//!
//! The core works on the bytes that travel and that stand in the logs, since the spec's crash points
//! are counted in bytes: models run the codecs, too. Nodes are places in their group.

pub mod areas;
pub mod base64;
mod clock;
pub mod clock_file;
mod crash;
mod delivery;
mod error;
pub mod framed;
mod group;
mod local;
mod log;
mod message;
mod orset;
pub mod orset_file;
mod record;
pub mod shell;
mod state;
mod step;
pub mod strategy;
pub mod text;
pub mod trace;

pub use clock::{Clock, Deliverability, Node};
pub use crash::CrashPoint;
pub use delivery::{Found, Pending, Scan};
pub use error::{AckError, FlushError, ReceiveError, RecoverError, Refusal, SubmitError};
pub use group::{Group, GroupError, Profile};
pub use local::{FramedRequest, Request, TextRequest};
pub use log::{Log, LogName};
pub use message::{
    Applied, Change, Delivery, Entry, Flushed, Input, Message, Operation, Output, Received,
    Stopped, Submitted, Write,
};
pub use orset::{Contents, Dot, Pair, Set, Sets, UserSets};
pub use record::Record;
pub use state::{Disk, Halt, Recovered, Settings, State};
pub use strategy::{Dependencies, Duplicates, Strategies};

/// Names of nodes, users, mailboxes, values and tags. Short ones are held in place.
pub type Name = smol_str::SmolStr;
