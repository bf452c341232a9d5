//! Carries out what a store asks for, one call at a time, against any backend.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::machine::Machine;

use super::block::{Block, Ids, Write};
use super::message::{Exchanged, Fetched, Input, Output, Patience};
use super::state::Store;

/// Where a replica's durable state is kept: `D` is its image, `W` one atomic write.
pub trait Backend<D, W> {
    /// Why it failed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The image as it is on disk now, as a process that starts finds it.
    ///
    /// # Errors
    /// If it cannot be read.
    fn load(&mut self) -> Result<D, Self::Error>;

    /// Carries out one write. It may be lost by a crash of the machine until [`Backend::sync`].
    ///
    /// # Errors
    /// If it cannot be written; nothing of it is then visible.
    fn write(&mut self, write: &W) -> Result<(), Self::Error>;

    /// Makes all writes so far durable.
    ///
    /// # Errors
    /// If that cannot be told.
    fn sync(&mut self) -> Result<(), Self::Error>;

    /// Loses everything (CTR-14).
    ///
    /// # Errors
    /// If the old state may still be there.
    fn wipe(&mut self) -> Result<(), Self::Error>;
}

/// A machine with a replicated store in it.
pub trait Host: Machine {
    /// Identifiers of the store.
    type Ids: Ids;

    /// The store, if the machine has one.
    fn store(&self) -> Option<&Store<Self::Ids>>;

    /// Makes an input for the store one for the machine.
    fn wrap(input: Input<Self::Ids>) -> Self::Input;

    /// An output of the store, or one of the machine itself.
    fn unwrap(output: Self::Output) -> Result<Output<Self::Ids>, Self::Output>;
}

/// Runs one announcement or repair to its end and says what it achieved.
///
/// `fetch` answers a fetch at once; `write` and `sync` carry out what the store makes durable.
///
/// # Errors
/// The first of `carry`; the machine is then of no further use.
pub fn exchange<M: Host, E>(
    machine: &mut M,
    input: Input<M::Ids>,
    mut fetch: impl FnMut(&<M::Ids as Ids>::Address) -> Option<Arc<Block<M::Ids>>>,
    mut carry: impl FnMut(Durable<'_, M::Ids>) -> Result<(), E>,
) -> Result<Option<Exchanged<M::Ids>>, E> {
    let mut achieved = None;
    let mut outputs = Vec::new();
    machine.step(M::wrap(input), &mut outputs);
    let mut outputs = VecDeque::from(outputs);
    while let Some(output) = outputs.pop_front() {
        match M::unwrap(output) {
            Ok(Output::Write(write)) => carry(Durable::Write(&write))?,
            Ok(Output::Sync) => carry(Durable::Sync)?,
            Ok(Output::Fetch {
                address,
                // Whoever answers at once has no one to wait for.
                patience: Patience::Limited | Patience::Endless,
            }) => {
                let found = fetch(&address);
                let outcome = found.map_or(Fetched::Unavailable, Fetched::Block);
                let mut more = Vec::new();
                machine.step(M::wrap(Input::Fetched { address, outcome }), &mut more);
                outputs.extend(more);
            }
            Ok(Output::Exchanged(exchanged)) => achieved = Some(exchanged),
            Ok(Output::Store(_) | Output::Put(_) | Output::Announce(_)) | Err(_) => {}
        }
    }
    Ok(achieved)
}

/// What [`exchange`] wants made durable.
#[derive(Debug)]
pub enum Durable<'a, I: Ids> {
    /// One atomic write.
    Write(&'a Write<I>),
    /// All writes so far.
    Sync,
}

/// An address for models: 64 bits mixed from the content of a block, word by word.
pub fn mixed(words: impl IntoIterator<Item = u64>) -> u64 {
    let words = words.into_iter();
    let hash = words.fold(0xcbf2_9ce4_8422_2325_u64, |hash, word| {
        let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 29)
    });
    hash ^ (hash >> 32)
}

/// Numbers blocks by content in order of first appearance: addresses without hashing.
#[derive(Clone, Debug)]
pub struct Interner<I: Ids<Address = u32>> {
    numbers: BTreeMap<Arc<Block<I>>, u32>,
}

impl<I: Ids<Address = u32>> Interner<I> {
    /// No block yet.
    pub const fn new() -> Self {
        let numbers = BTreeMap::new();
        Self { numbers }
    }

    /// The number of `block`, and whether it is new. O(log n).
    pub fn address(&mut self, block: &Arc<Block<I>>) -> (u32, bool) {
        if let Some(number) = self.numbers.get(block) {
            return (*number, false);
        }
        let number = u32::try_from(self.numbers.len());
        let number = number.expect("four thousand million blocks do not fit in memory");
        self.numbers.insert(Arc::clone(block), number);
        (number, true)
    }
}

impl<I: Ids<Address = u32>> Default for Interner<I> {
    fn default() -> Self {
        Self::new()
    }
}
