//! A durable counter: the core of `concord_systems::counter` over a database.
//!
//! Claim: a bump that returned without error survives a crash of process and machine (the table of
//! section 4 of `docs/spec/counter.md`); every bump says whether it was applied. Assumed: the
//! generation is fresh (CTR-5), which [`Counter::open`] sees to.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use concord_systems::counter::{
    CallId, DataKey, Direction, Failure, Generation, Input, Output, QueryEnd, State, Strategies,
    Text,
};
use concord_systems::machine::Machine;
use concord_systems::merkle::driver::{Backend, Durable, exchange};
use concord_systems::merkle::{self, Block, Disk, Exchanged, Write};
use thiserror::Error;

use crate::codec::{decode_block, encode_block, sha256};
use crate::database::Database;
use crate::error::Error;
use crate::merkle::MerkleTables;

/// SHA-256 of the bytes of a block.
pub type Address = [u8; 32];

/// Keys as text, blocks under their hashes.
pub type Ids = Text<Address>;

/// The way to the peers.
pub trait Network {
    /// Tells the peers of these blocks. Whether it arrives is another matter.
    ///
    /// # Errors
    /// If it is known not to have left.
    fn announce(&mut self, blocks: &[Address]) -> Result<(), Unreachable>;

    /// The bytes of a block, as [`Counter::block`] of some peer gives them, if anybody has it in time.
    fn fetch(&mut self, block: &Address) -> Option<Vec<u8>>;
}

/// An announcement did not leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("no peer could be reached")]
pub struct Unreachable;

/// No peers: announcements go nowhere, as they may on any network.
#[derive(Clone, Copy, Debug)]
pub struct Offline;

impl Network for Offline {
    fn announce(&mut self, _: &[Address]) -> Result<(), Unreachable> {
        Ok(())
    }

    fn fetch(&mut self, _: &Address) -> Option<Vec<u8>> {
        None
    }
}

/// An open counter; one process life (section 3 of the spec).
#[derive(Debug)]
pub struct Counter<B = Database<MerkleTables<Ids>>> {
    state: State<Ids>,
    disk: B,
    calls: CallId,
    /// A database error came; memory may be ahead of the disk.
    stopped: bool,
}

/// Why a counter could not be opened. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError<E: std::error::Error = Error> {
    /// The node id cannot be part of a key.
    #[error("node id {0:?}: expected a non-empty text without slash that is no dot segment")]
    Node(String),
    /// The operating system gave no random bytes for a generation (CTR-5).
    #[error("no random bytes for a generation: {0}")]
    Random(getrandom::Error),
    /// The database could not be opened or read.
    #[error(transparent)]
    Database(E),
}

/// Why a call failed, and whether it changed anything.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError<E: std::error::Error = Error> {
    /// The counter says why and whether the call was applied.
    #[error(transparent)]
    Failed(Failure),
    /// The database failed; the counter is of no further use.
    #[error("{applied}: {source}; open the counter again")]
    Database {
        /// Whether a bump was applied, or blocks were merged.
        applied: Applied,
        /// What the database says.
        source: E,
    },
    /// The database failed in an earlier call.
    #[error("not applied: the counter was stopped by an earlier failure of its database")]
    Stopped,
}

/// What became of a call whose database failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// Nothing, and nothing will: the call may be repeated on the counter once opened again.
    No,
    /// Nothing, everything, or of several writes some: a read on the counter once opened again tells.
    Unknown,
    /// Some of it may be there. It is harmless to repeat the call.
    Partly,
}

impl std::fmt::Display for Applied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::No => "not applied",
            Self::Unknown => "applied or not, a read after opening again tells",
            Self::Partly => "merged in part, harmless to repeat",
        })
    }
}

impl Counter {
    /// Opens the counter in this file, or makes one, with a fresh generation (CTR-5, CTR-12).
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: impl AsRef<Path>, node: &str) -> Result<Self, OpenError> {
        let generation = fresh_generation(node)?;
        let disk = Database::open(path).map_err(OpenError::Database)?;
        Self::on(disk, node, generation)
    }

    /// Closes the counter and its file in good order (CTR-15).
    ///
    /// # Errors
    /// If the file cannot be closed in good order. Nothing acknowledged is lost by that.
    pub fn close(self) -> Result<(), Error> {
        self.disk.close()
    }
}

impl<B: Backend<Disk<Ids>, Write<Ids>>> Counter<B> {
    /// Opens the counter on any disk. The generation must never have been used before.
    ///
    /// # Errors
    /// If the node id is not fit or the disk cannot be read.
    pub fn on(disk: B, node: &str, generation: Generation) -> Result<Self, OpenError<B::Error>> {
        Self::with(disk, node, generation, Strategies::REMEDIED)
    }

    /// Likewise, with a choice of strategies.
    pub(crate) fn with(
        mut disk: B,
        node: &str,
        generation: Generation,
        strategies: Strategies,
    ) -> Result<Self, OpenError<B::Error>> {
        fit(node).map_err(OpenError::Node)?;
        let image = disk.load().map_err(OpenError::Database)?;
        Ok(Self {
            state: State::open(node.into(), generation, image, strategies),
            disk,
            calls: 0,
            stopped: false,
        })
    }

    /// The generation of this process life.
    pub fn generation(&self) -> Generation {
        self.state.generation()
    }

    /// Raises a counter by one (CTR-8). Its key is a path; ids in it should be
    /// [escaped](merkle::key::escape).
    ///
    /// # Errors
    /// Each says whether the bump was applied.
    pub fn increment(
        &mut self,
        key: &str,
        network: &mut impl Network,
    ) -> Result<(), CallError<B::Error>> {
        self.bump(Direction::Incr, key, network)
    }

    /// Lowers a counter by one (CTR-8).
    ///
    /// # Errors
    /// As [`Counter::increment`].
    pub fn decrement(
        &mut self,
        key: &str,
        network: &mut impl Network,
    ) -> Result<(), CallError<B::Error>> {
        self.bump(Direction::Decr, key, network)
    }

    /// The value of a counter (CTR-9).
    ///
    /// # Errors
    /// If the counter was stopped.
    pub fn read(&mut self, key: &str) -> Result<u64, CallError<B::Error>> {
        let call = self.begin()?;
        let key = DataKey::new(key);
        let sum = self.call(Input::Read { call, key }, &mut Offline)?;
        Ok(sum.expect("a read that returns has a sum"))
    }

    /// The heads, ascending.
    pub fn heads(&self) -> Vec<Address> {
        self.disk_image().heads.keys().copied().collect()
    }

    /// What the re-announcement timer should announce now (section 6).
    pub fn announcements(&mut self) -> Vec<Address> {
        let mut outputs = Vec::new();
        let input = Input::Store(merkle::Input::Reannounce);
        self.state.step(input, &mut outputs);
        let announced = outputs.into_iter().find_map(|output| match output {
            Output::Store(merkle::Output::Announce(heads)) => Some(heads),
            _ => None,
        });
        announced.unwrap_or_default()
    }

    /// The bytes of a stored block, for a peer that asks.
    pub fn block(&self, address: &Address) -> Option<Vec<u8>> {
        let block = self.disk_image().blocks.get(address)?;
        Some(encode_block(block))
    }

    /// Takes in an announcement (CTR-18), fetching from the peers what is missing here.
    ///
    /// # Errors
    /// If the database failed, or did so earlier.
    pub fn receive(
        &mut self,
        announced: &[Address],
        network: &mut impl Network,
    ) -> Result<Exchanged<Ids>, CallError<B::Error>> {
        self.exchange(merkle::Input::Announced(announced.to_vec()), network)
    }

    /// Whether [`Counter::repair`] should run: at start-up and hourly (CTR-20).
    pub fn needs_repair(&self) -> bool {
        self.state.store().needs_repair()
    }

    /// Fetches what is missing below the heads (CTR-20).
    ///
    /// # Errors
    /// As [`Counter::receive`].
    pub fn repair(
        &mut self,
        network: &mut impl Network,
    ) -> Result<Exchanged<Ids>, CallError<B::Error>> {
        self.exchange(merkle::Input::Repair, network)
    }

    /// The core.
    pub(crate) fn state(&self) -> &State<Ids> {
        &self.state
    }

    /// Makes totals counted outside durable, with one sync (grouped commits only). That a block could
    /// not be announced is no failure: it is announced again.
    ///
    /// # Errors
    /// If the database failed, or did so earlier; a read on the counter once opened again tells which
    /// totals are there.
    pub(crate) fn commit(
        &mut self,
        counted: &[((Direction, DataKey), u64)],
        network: &mut impl Network,
    ) -> Result<(), CallError<B::Error>> {
        let call = self.begin()?;
        for ((direction, key), total) in counted {
            let input = Input::Count {
                direction: *direction,
                key: key.clone(),
                total: *total,
            };
            self.state.step(input, &mut Vec::new());
        }
        match self.call(Input::Flush { call }, network) {
            Ok(_) | Err(CallError::Failed(Failure::PublishFailed)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn disk_image(&self) -> &Disk<Ids> {
        self.state.store().disk()
    }

    fn begin(&mut self) -> Result<CallId, CallError<B::Error>> {
        if self.stopped {
            return Err(CallError::Stopped);
        }
        self.calls = self.calls.wrapping_add(1);
        Ok(self.calls)
    }

    fn bump(
        &mut self,
        direction: Direction,
        key: &str,
        network: &mut impl Network,
    ) -> Result<(), CallError<B::Error>> {
        let input = Input::Bump {
            call: self.begin()?,
            direction,
            key: DataKey::new(key),
            unreadable: false,
        };
        self.call(input, network).map(|_| ())
    }

    /// Carries out one call, effect by effect in the order in which the core gives them.
    fn call(
        &mut self,
        input: Input<Ids>,
        network: &mut impl Network,
    ) -> Result<Option<u64>, CallError<B::Error>> {
        // A group of writes may be there in part once one of them is.
        let mut applied = Applied::No;
        let grouped = matches!(input, Input::Flush { .. });
        let mut outputs = VecDeque::new();
        let mut answer = Some(input);
        loop {
            if let Some(input) = answer.take() {
                let mut more = Vec::new();
                self.state.step(input, &mut more);
                outputs.extend(more);
            }
            let next = outputs.pop_front();
            match next.expect("a call that nobody else holds up returns") {
                Output::Store(merkle::Output::Store(block)) => {
                    let address = sha256(&block);
                    let write = Write::Block(address, block);
                    self.carry(applied, |disk| disk.write(&write))?;
                    answer = Some(Input::Store(merkle::Input::Stored(Some(address))));
                }
                Output::Store(merkle::Output::Write(write)) => {
                    self.carry(applied, |disk| disk.write(&write))?;
                    if grouped {
                        applied = Applied::Unknown;
                    }
                }
                Output::Store(merkle::Output::Sync) => {
                    self.carry(Applied::Unknown, B::sync)?;
                }
                Output::Publish { call, block } => {
                    let ok = network.announce(&[block]).is_ok();
                    answer = Some(Input::Published { call, ok });
                }
                Output::Query { call } => {
                    let end = QueryEnd::Complete;
                    answer = Some(Input::Queried { call, end });
                }
                Output::Returned { result, .. } => return result.map_err(CallError::Failed),
                // Calls make no exchange.
                Output::Store(_) => {}
            }
        }
    }

    /// Lets the database do something, and stops the counter if it cannot.
    fn carry(
        &mut self,
        applied: Applied,
        carry: impl FnOnce(&mut B) -> Result<(), B::Error>,
    ) -> Result<(), CallError<B::Error>> {
        carry(&mut self.disk).map_err(|source| {
            self.stopped = true;
            CallError::Database { applied, source }
        })
    }

    fn exchange(
        &mut self,
        input: merkle::Input<Ids>,
        network: &mut impl Network,
    ) -> Result<Exchanged<Ids>, CallError<B::Error>> {
        self.begin()?;
        let done = exchange(
            &mut self.state,
            input,
            // With every remedy on, what cannot be read counts as missing, as what never came.
            |address| verified(address, &network.fetch(address)?),
            |durable| match durable {
                Durable::Write(write) => self.disk.write(write),
                Durable::Sync => self.disk.sync(),
            },
        );
        match done {
            Ok(done) => Ok(done.expect("whoever answers every fetch at once ends every exchange")),
            Err(source) => {
                self.stopped = true;
                let applied = Applied::Partly;
                Err(CallError::Database { applied, source })
            }
        }
    }
}

/// A generation for a process life (CTR-5). Comes before the file: a failure must leave nothing open
/// or made (C-13).
pub(crate) fn fresh_generation(node: &str) -> Result<Generation, OpenError> {
    fit(node).map_err(OpenError::Node)?;
    let mut generation = [0; 16];
    getrandom::fill(&mut generation).map_err(OpenError::Random)?;
    Ok(Generation(generation))
}

/// Whether a node id can be a segment of a key; if not, the id.
fn fit(node: &str) -> Result<(), String> {
    if matches!(node, "" | "." | "..") || node.contains('/') {
        return Err(node.to_owned());
    }
    Ok(())
}

/// The block with these bytes, if it is the one asked for.
fn verified(address: &Address, bytes: &[u8]) -> Option<Arc<Block<Ids>>> {
    let block = decode_block(bytes)?;
    (sha256(&block) == *address).then(|| Arc::new(block))
}
