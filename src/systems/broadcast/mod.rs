//! The gossip broadcaster between network and replicated store: a mutex and a drop-oldest channel.
//!
//! Claim: with the remedies of [`Strategies::REMEDIED`] every message received is returned once, in
//! order, or counted as dropped or rejected; the newest is kept; a message is dropped only while the
//! queue is full; nobody waits for a publication; and consumers learn of the end (BRC-S1 to S10,
//! BRC-L1 to L4). Assumed: threads are scheduled fairly. Source: `docs/spec/broadcast.md`. Models:
//! `broadcast/*`; every interleaving of the shell is explored in `tests/`.

mod call;
mod channel;
mod message;
pub mod shell;
mod state;
mod step;
mod strategy;
pub mod trace;

pub use call::{Next, Progress, Receive};
pub use channel::{Channel, Choices};
pub use message::{
    Abort, CAPACITY, CallId, Choice, Counts, Input, Output, Reason, Receipt, Stop, TOPIC, Taken,
};
pub use shell::{Broadcaster, Inbox, NextMessage, PubSub, Signal};
pub use state::{Broadcast, Call, State};
pub use strategy::{Close, Drained, Losses, Overflow, Publication, Shutdown, Strategies, Waiting};
