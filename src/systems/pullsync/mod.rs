//! Replication of content-addressed chunks between neighbours, by intervals of insertion numbers.
//!
//! Claim: what a puller sealed it holds, no chunk is fetched twice, every exchange ends, and when uploads
//! stop every node ends up with every admissible chunk of the bins it syncs (section 10 of the spec).
//! Assumed: what was synced to the disk survives; servers offer what they hold; a stream delivers in
//! order until it ends.
//!
//! Source: `docs/spec/pullsync.md`, whose sections are cited by number. Models: `pullsync/*`.

pub mod bits;
pub mod chunk;
mod error;
mod exchange;
pub mod interval;
pub mod limits;
mod message;
mod node;
mod puller;
mod server;
pub mod shell;
mod space;
mod state;
pub mod store;
pub mod strategy;
pub mod trace;
pub mod wire;

pub use bits::BitVector;
pub use error::{
    ArgumentError, ExchangeError, HandlerError, PageError, Reason, SealError, StoreError,
};
pub use exchange::{Broken, Complete, Delivered, Exchange, Offered};
pub use interval::{Gap, IntervalSet};
pub use message::{Exchanged, Failure, Input, Message, Output, Protocol, Purpose};
pub use node::{Node, Running, Settings};
pub use puller::{
    Arrived, Changed, CursorsError, Neighbour, Outcome, Puller, Range, Start, Worker, WorkerState,
    hist_next, live_next, seal,
};
pub use server::{Canceled, Ending, Handler, HandlerState, Opened, Ranged, Server, process_want};
pub use space::{Address, Batches, Chunk, Delivery, Real, Small, SmallData, Space};
pub use state::State;
pub use store::{Disk, Mode, Page, Placed, Scan, Storage, Write};
pub use strategy::Strategies;
