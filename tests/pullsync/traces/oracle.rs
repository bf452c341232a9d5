//! Sections 3 to 9 once more, slow and obvious: the traces drawn at random tell what this does, not what
//! the core does.

use std::collections::BTreeMap;

use super::MAX;
use crate::chunks::tree;

pub(super) type Hash = [u8; 32];
pub(super) type Code = &'static str;

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Chunk {
    pub(super) address: Hash,
    pub(super) data: Vec<u8>,
    pub(super) stamp: Vec<u8>,
}

/// The content address of data with span.
pub(super) fn content_address(data: &[u8]) -> Option<Hash> {
    let right = (8..=4104).contains(&data.len());
    right.then(|| tree::address(data))
}

fn bit(hash: &Hash, at: usize) -> bool {
    hash[at / 8] & (0x80 >> (at % 8)) != 0
}

pub(super) fn proximity(one: &Hash, other: &Hash) -> u8 {
    let equal = (0..31).take_while(|at| bit(one, *at) == bit(other, *at));
    u8::try_from(equal.count()).expect("at most 31")
}

/// Every range that was ever added.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Set {
    pub(super) start: u64,
    added: Vec<(u64, u64)>,
}

impl Set {
    pub(super) fn new(start: u64) -> Self {
        let added = Vec::new();
        Self { start, added }
    }

    pub(super) fn add(&mut self, from: u64, to: u64) -> Result<(), Code> {
        if from > to {
            return Err("invalid_range");
        }
        self.added.push((from, to));
        Ok(())
    }

    pub(super) fn has(&self, number: u64) -> bool {
        let within = |(from, to): &(u64, u64)| (*from..=*to).contains(&number);
        number >= self.start && self.added.iter().any(within)
    }

    /// A range begins where a number is in the set and the one before is not.
    pub(super) fn ranges(&self) -> Vec<(u64, u64)> {
        let begins = self.added.iter().map(|(from, _)| (*from).max(self.start));
        let begins = begins.filter(|number| self.has(*number));
        let mut begins: Vec<u64> = begins
            .filter(|number| *number == 0 || !self.has(number - 1))
            .collect();
        begins.sort_unstable();
        begins.dedup();
        let ends = self.added.iter().map(|(_, to)| *to);
        let ends = ends.filter(|number| self.has(*number));
        let mut ends: Vec<u64> = ends
            .filter(|number| *number == MAX || !self.has(number + 1))
            .collect();
        ends.sort_unstable();
        ends.dedup();
        begins.into_iter().zip(ends).collect()
    }

    pub(super) fn last(&self) -> u64 {
        self.ranges().last().map_or(0, |(_, to)| *to)
    }

    /// The first missing number from `from` on, and the last of its run unless that never ends.
    pub(super) fn gap(&self, from: u64) -> Option<(u64, Option<u64>)> {
        let from = from.max(self.start);
        let ranges = self.ranges();
        let first = match ranges.iter().find(|(a, b)| (*a..=*b).contains(&from)) {
            Some((_, to)) => to.checked_add(1)?,
            None => from,
        };
        let after = ranges.iter().find(|(a, _)| *a > first);
        Some((first, after.map(|(a, _)| a - 1)))
    }

    pub(super) fn text(&self) -> String {
        let ranges = self.ranges().into_iter();
        let ranges = ranges.map(|(a, b)| format!(";{},{}", base36(a), base36(b)));
        base36(self.start) + &ranges.collect::<String>()
    }
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).expect("a digit");
        digits.push(char::from_digit(digit, 36).expect("a digit"));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

/// The field of a message that holds bytes, or nothing if there are none.
pub(super) fn bytes_field(number: u8, bytes: &[u8]) -> Vec<u8> {
    if bytes.is_empty() {
        return Vec::new();
    }
    [&[number * 8 + 2], &varint(bytes.len() as u64)[..], bytes].concat()
}

/// The field of a message that holds a number, or nothing for 0.
pub(super) fn number_field(number: u8, value: u64) -> Vec<u8> {
    if value == 0 {
        return Vec::new();
    }
    [&[number * 8], &varint(value)[..]].concat()
}

pub(super) fn framed(body: &[u8]) -> Vec<u8> {
    [&varint(body.len() as u64)[..], body].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(u8::try_from(value % 128).expect("seven bits") | 0x80);
        value /= 128;
    }
    bytes.push(u8::try_from(value).expect("seven bits"));
    bytes
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum HandlerState {
    Open,
    Waiting(i64, u64, u64),
    Offered(Vec<Hash>),
    Canceled,
    Finished,
}

#[derive(Clone, Debug)]
pub(super) struct Handler {
    pub(super) name: String,
    pub(super) peer: Hash,
    pub(super) ruid: u32,
    pub(super) state: HandlerState,
}

impl Handler {
    /// It is registered exactly while it runs.
    pub(super) fn runs(&self) -> bool {
        !matches!(self.state, HandlerState::Canceled | HandlerState::Finished)
    }
}

/// What serving a range gave.
#[derive(Clone, Debug)]
pub(super) enum Served {
    Offered(u64, Vec<Hash>),
    Empty(u64),
    Waiting,
}

/// The puller's side of one exchange.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) range: (u64, u64),
    pub(super) ruid: u32,
    pub(super) phase: Phase,
    pub(super) topmost: u64,
    pub(super) outstanding: Vec<Hash>,
    pub(super) kept: Vec<Chunk>,
    pub(super) rejected: Vec<Hash>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Offer,
    Deliveries,
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Worker {
    Running,
    Finished,
    Failed,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Tracked {
    pub(super) cursors: Option<Vec<u64>>,
    /// Hist and live of each active bin.
    pub(super) bins: BTreeMap<u8, [Worker; 2]>,
}

/// Peer, bin, worker, range.
pub(super) type Start = (Hash, u8, &'static str, u64, u64);

#[derive(Clone, Debug, Default)]
pub(super) struct Changed {
    pub(super) fetch: Vec<Hash>,
    pub(super) start: Vec<Start>,
    pub(super) stop: Vec<(Hash, u8)>,
    pub(super) drop: Vec<Hash>,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) overlay: Hash,
    pub(super) batches: Vec<Hash>,
    pub(super) bins: u8,
    pub(super) max_page: usize,
    pub(super) pending_cancels: usize,
    /// Data in any form.
    pub(super) chunks: Vec<Chunk>,
    /// Surviving entries in the order of their assignment.
    pub(super) entries: Vec<(u8, u64, Hash)>,
    pub(super) cursors: Vec<u64>,
    pub(super) sets: BTreeMap<(Hash, u8), Set>,
    /// All there ever were, in the order of their opening.
    pub(super) handlers: Vec<Handler>,
    pub(super) pending: Vec<(Hash, u32)>,
    pub(super) closed: bool,
    pub(super) tracked: BTreeMap<Hash, Tracked>,
    pub(super) depth: u64,
}

impl Node {
    pub(super) fn data(&self, address: &Hash) -> Option<&Chunk> {
        self.chunks.iter().find(|chunk| chunk.address == *address)
    }

    pub(super) fn entry(&self, address: &Hash) -> Option<u64> {
        let entry = self.entries.iter().find(|entry| entry.2 == *address);
        entry.map(|entry| entry.1)
    }

    /// Bin, number, whether it existed.
    pub(super) fn put(&mut self, mode: &str, chunk: &Chunk) -> (u8, Option<u64>, bool) {
        let bin = proximity(&self.overlay, &chunk.address);
        let held = self.data(&chunk.address).is_some();
        if mode == "cache" {
            if !held {
                self.chunks.push(chunk.clone());
            }
            return (bin, self.entry(&chunk.address), held);
        }
        if let Some(id) = self.entry(&chunk.address) {
            return (bin, Some(id), true);
        }
        self.chunks.retain(|other| other.address != chunk.address);
        self.chunks.push(chunk.clone());
        let cursor = &mut self.cursors[usize::from(bin)];
        *cursor += 1;
        let id = *cursor;
        self.entries.push((bin, id, chunk.address));
        (bin, Some(id), false)
    }

    pub(super) fn delete(&mut self, address: &Hash) -> bool {
        let held = self.data(address).is_some();
        self.chunks.retain(|chunk| chunk.address != *address);
        self.entries.retain(|entry| entry.2 != *address);
        held
    }

    pub(super) fn index(&self, bin: u8) -> Vec<(u64, Hash)> {
        let entries = self.entries.iter().filter(|entry| entry.0 == bin);
        entries.map(|entry| (entry.1, entry.2)).collect()
    }

    /// Topmost and addresses; none while it waits.
    pub(super) fn page(
        &self,
        (bin, from, to): (i64, u64, u64),
        limit: u64,
        idle: bool,
    ) -> Result<Option<(u64, Vec<Hash>)>, Code> {
        if !(0..=31).contains(&bin) {
            return Err("bin_out_of_range");
        }
        if to == 0 || from > to {
            return Err("invalid_range");
        }
        let bin = u8::try_from(bin).expect("a bin");
        let entries = self.index(bin).into_iter();
        let mut entries: Vec<_> = entries.filter(|(id, _)| (from..=to).contains(id)).collect();
        let full = entries.len() as u64 >= limit;
        if full {
            entries.truncate(usize::try_from(limit).expect("not more than there are"));
        }
        let last = entries.last().map(|(id, _)| *id);
        let addresses = entries.into_iter().map(|(_, address)| address).collect();
        Ok(match last {
            Some(last) if full => Some((last, addresses)),
            _ if to <= self.cursors[usize::from(bin)] => Some((to, addresses)),
            Some(last) if idle => Some((last, addresses)),
            _ => None,
        })
    }

    /// What is delivered, and what is missing.
    pub(super) fn want(
        &self,
        hashes: &[Hash],
        bits: &[u8],
    ) -> Result<(Vec<Chunk>, Vec<Hash>), Code> {
        if hashes.is_empty() || bits.len() * 8 < hashes.len() {
            return Err("invalid_length");
        }
        let wanted = (0..hashes.len()).filter(|at| bits[at / 8] & (1 << (at % 8)) != 0);
        let wanted: Vec<Hash> = wanted.map(|at| hashes[at]).collect();
        let missing = wanted.iter().filter(|hash| self.data(hash).is_none());
        let missing = missing.copied().collect();
        let there = wanted.iter().filter_map(|hash| self.data(hash).cloned());
        Ok((there.collect(), missing))
    }

    /// Whether it starts out cancelled, and the name of the one replaced.
    pub(super) fn open(
        &mut self,
        name: &str,
        peer: Hash,
        ruid: u32,
    ) -> Result<(bool, Option<String>), Code> {
        if self.closed {
            return Err("shutdown");
        }
        let pending = self.pending.iter().position(|key| *key == (peer, ruid));
        let canceled = pending.map(|at| self.pending.remove(at)).is_some();
        let replaced = if canceled {
            None
        } else {
            self.stop(peer, ruid)
        };
        let state = match canceled {
            true => HandlerState::Canceled,
            false => HandlerState::Open,
        };
        let name = name.to_owned();
        self.handlers.push(Handler {
            name,
            peer,
            ruid,
            state,
        });
        Ok((canceled, replaced))
    }

    fn stop(&mut self, peer: Hash, ruid: u32) -> Option<String> {
        let mut handlers = self.handlers.iter_mut();
        let handler =
            handlers.find(|other| other.runs() && (other.peer, other.ruid) == (peer, ruid));
        let handler = handler?;
        handler.state = HandlerState::Canceled;
        Some(handler.name.clone())
    }

    pub(super) fn cancel(&mut self, peer: Hash, ruid: u32) -> (Option<String>, bool) {
        if let Some(name) = self.stop(peer, ruid) {
            return (Some(name), false);
        }
        if self.pending.contains(&(peer, ruid)) {
            return (None, true);
        }
        self.pending.push((peer, ruid));
        let of_peer = self.pending.iter().filter(|key| key.0 == peer).count();
        if of_peer > self.pending_cancels {
            let oldest = self.pending.iter().position(|key| key.0 == peer);
            self.pending.remove(oldest.expect("one was entered"));
        }
        (None, self.pending.contains(&(peer, ruid)))
    }

    pub(super) fn registered(&self) -> Vec<&Handler> {
        let mut running: Vec<_> = self.handlers.iter().filter(|one| one.runs()).collect();
        running.sort_by_key(|handler| (handler.peer, handler.ruid));
        running
    }

    /// Cancels the handlers of a peer, or all, and names them.
    pub(super) fn stop_all(&mut self, peer: Option<Hash>) -> Vec<String> {
        let matches = |other: &Hash| peer.is_none_or(|peer| peer == *other);
        self.pending.retain(|key| !matches(&key.0));
        let keys: Vec<_> = self
            .registered()
            .iter()
            .map(|one| (one.peer, one.ruid))
            .collect();
        let keys = keys.into_iter().filter(|key| matches(&key.0));
        keys.filter_map(|(peer, ruid)| self.stop(peer, ruid))
            .collect()
    }

    /// Serves a range to a handler, by its place.
    pub(super) fn serve(
        &mut self,
        at: usize,
        range: (i64, u64, u64),
        idle: bool,
    ) -> Result<Served, Code> {
        let page = self.page(range, self.max_page as u64, idle);
        let (state, served) = match page {
            Err(code) => (HandlerState::Finished, Err(code)),
            Ok(None) => {
                let (bin, from, to) = range;
                (HandlerState::Waiting(bin, from, to), Ok(Served::Waiting))
            }
            Ok(Some((topmost, hashes))) if hashes.is_empty() => {
                (HandlerState::Finished, Ok(Served::Empty(topmost)))
            }
            Ok(Some((topmost, hashes))) => (
                HandlerState::Offered(hashes.clone()),
                Ok(Served::Offered(topmost, hashes)),
            ),
        };
        self.handlers[at].state = state;
        served
    }

    /// What a set says to be missing up to a cursor, and beyond.
    fn hist(&self, peer: Hash, bin: u8, cursor: u64) -> Option<(u64, u64)> {
        let set = self.set(peer, bin);
        let (from, to) = set.gap(0)?;
        (from <= cursor).then(|| (from, to.unwrap_or(MAX).min(cursor)))
    }

    fn live(&self, peer: Hash, bin: u8, cursor: u64) -> Option<(u64, u64)> {
        let (from, _) = self.set(peer, bin).gap(cursor.checked_add(1)?)?;
        Some((from, MAX))
    }

    pub(super) fn set(&self, peer: Hash, bin: u8) -> Set {
        let set = self.sets.get(&(peer, bin)).cloned();
        set.unwrap_or_else(|| Set::new(1))
    }

    pub(super) fn next(
        &mut self,
        worker: &str,
        peer: Hash,
        bin: u8,
        cursor: u64,
    ) -> Option<(u64, u64)> {
        if worker == "live" {
            return self.live(peer, bin, cursor);
        }
        let set = self.set(peer, bin);
        self.sets.insert((peer, bin), set);
        self.hist(peer, bin, cursor)
    }

    pub(super) fn seal(
        &mut self,
        peer: Hash,
        bin: u8,
        from: u64,
        topmost: u64,
    ) -> Result<Set, Code> {
        if topmost < from || topmost == MAX {
            return Err("topmost_out_of_range");
        }
        let mut set = self.set(peer, bin);
        set.add(from, topmost)?;
        self.sets.insert((peer, bin), set.clone());
        Ok(set)
    }

    pub(super) fn reset(&mut self, peer: Option<Hash>, below: Option<u64>) -> usize {
        let before = self.sets.len();
        self.sets.retain(|(of, bin), _| {
            let listed = peer.is_none_or(|peer| peer == *of);
            let low = below.is_none_or(|below| u64::from(*bin) < below);
            !(listed && low)
        });
        before - self.sets.len()
    }

    fn start_one(&mut self, peer: Hash, bin: u8, worker: usize, starts: &mut Vec<Start>) {
        let cursors = self.tracked[&peer]
            .cursors
            .as_ref()
            .expect("they are known");
        let cursor = cursors[usize::from(bin)];
        let (name, range) = match worker {
            0 => ("hist", self.hist(peer, bin, cursor)),
            _ => ("live", self.live(peer, bin, cursor)),
        };
        let state = match range {
            Some((from, to)) => {
                starts.push((peer, bin, name, from, to));
                Worker::Running
            }
            None => Worker::Finished,
        };
        let tracked = self.tracked.get_mut(&peer).expect("it is tracked");
        tracked.bins.entry(bin).or_insert([Worker::Finished; 2])[worker] = state;
    }

    /// Starts the wanted bins that are not active, and the workers that failed.
    fn start(&mut self, peer: Hash, starts: &mut Vec<Start>) {
        for bin in 1..self.bins {
            if u64::from(bin) < self.depth {
                continue;
            }
            let workers = self.tracked[&peer].bins.get(&bin).copied();
            for worker in 0..2 {
                if workers.is_none_or(|workers| workers[worker] == Worker::Failed) {
                    self.start_one(peer, bin, worker, starts);
                }
            }
        }
    }

    pub(super) fn change(&mut self, depth: u64, peers: &[(Hash, u64)]) -> Changed {
        let mut changed = Changed::default();
        self.depth = depth;
        let near = peers.iter().filter(|(_, order)| *order >= depth);
        let near: Vec<Hash> = near.map(|(peer, _)| *peer).collect();
        let tracked: Vec<Hash> = self.tracked.keys().copied().collect();
        for peer in tracked {
            if !near.contains(&peer) {
                self.tracked.remove(&peer);
                changed.drop.push(peer);
            }
        }
        for peer in near {
            self.tracked.entry(peer).or_default();
        }
        let tracked: Vec<Hash> = self.tracked.keys().copied().collect();
        for peer in tracked {
            let of_peer = self.tracked.get_mut(&peer).expect("it is tracked");
            if of_peer.cursors.is_none() {
                changed.fetch.push(peer);
                continue;
            }
            let low: Vec<u8> = of_peer.bins.keys().copied().collect();
            for bin in low {
                if u64::from(bin) < depth.max(1) {
                    of_peer.bins.remove(&bin);
                    changed.stop.push((peer, bin));
                }
            }
            self.start(peer, &mut changed.start);
        }
        changed
    }

    /// Bins that were reset, and what starts.
    pub(super) fn arrive(
        &mut self,
        peer: Hash,
        cursors: Option<&[u64]>,
    ) -> Result<(Vec<u8>, Vec<Start>), Code> {
        let nothing = Ok((Vec::new(), Vec::new()));
        let Some(tracked) = self.tracked.get_mut(&peer) else {
            return nothing;
        };
        let (Some(cursors), None) = (cursors, &tracked.cursors) else {
            return nothing;
        };
        if cursors.len() != usize::from(self.bins) {
            return Err("cursors_length_mismatch");
        }
        tracked.cursors = Some(cursors.to_vec());
        let mut reset = Vec::new();
        for bin in 1..self.bins {
            if self.set(peer, bin).last() > cursors[usize::from(bin)] {
                self.sets.remove(&(peer, bin));
                reset.push(bin);
            }
        }
        let mut starts = Vec::new();
        self.start(peer, &mut starts);
        Ok((reset, starts))
    }
}

impl Exchange {
    pub(super) fn open(bin: i64, from: u64, to: u64, ruid: u32) -> Result<Self, Code> {
        if to == 0 || from > to {
            return Err("invalid_range");
        }
        if !(0..=31).contains(&bin) {
            return Err("bin_out_of_range");
        }
        Ok(Self {
            range: (from, to),
            ruid,
            phase: Phase::Offer,
            topmost: 0,
            outstanding: Vec::new(),
            kept: Vec::new(),
            rejected: Vec::new(),
        })
    }

    /// The bit vector, unless nothing is offered.
    pub(super) fn offer(
        &mut self,
        node: &Node,
        topmost: u64,
        hashes: &[u8],
    ) -> Result<Option<Vec<u8>>, Code> {
        self.phase = Phase::Ended;
        if !hashes.len().is_multiple_of(32) {
            return Err("inconsistent_hash_length");
        }
        let (from, to) = self.range;
        if topmost < from || topmost > to || topmost == MAX {
            return Err("topmost_out_of_range");
        }
        self.topmost = topmost;
        let hashes: Vec<Hash> = hashes
            .chunks(32)
            .map(|hash| hash.try_into().expect("32 bytes"))
            .collect();
        if hashes.is_empty() {
            return Ok(None);
        }
        if hashes.contains(&[0; 32]) {
            return Err("zero_address");
        }
        let mut bits = vec![0; hashes.len() / 8 + 1];
        for (at, hash) in hashes.iter().enumerate() {
            if node.entry(hash).is_none() && !self.outstanding.contains(hash) {
                self.outstanding.push(*hash);
                bits[at / 8] |= 1 << (at % 8);
            }
        }
        if !self.outstanding.is_empty() {
            self.phase = Phase::Deliveries;
        }
        Ok(Some(bits))
    }

    /// Whether the stamp was rejected.
    pub(super) fn deliver(
        &mut self,
        node: &mut Node,
        (address, data, stamp): (&[u8], &[u8], &[u8]),
    ) -> Result<bool, Code> {
        self.phase = Phase::Ended;
        let at = self
            .outstanding
            .iter()
            .position(|hash| hash[..] == *address);
        let address = self.outstanding.remove(at.ok_or("unsolicited_chunk")?);
        let batch = |batch: &Hash| stamp.starts_with(batch);
        let rejected = stamp.len() != 97 || !node.batches.iter().any(batch);
        if rejected {
            self.rejected.push(address);
        } else if content_address(data) != Some(address) {
            return Err("invalid_chunk");
        } else {
            self.kept.push(Chunk {
                address,
                data: data.to_vec(),
                stamp: stamp.to_vec(),
            });
        }
        if self.outstanding.is_empty() {
            self.store(node);
        } else {
            self.phase = Phase::Deliveries;
        }
        Ok(rejected)
    }

    /// Stores what was kept.
    pub(super) fn store(&mut self, node: &mut Node) {
        self.phase = Phase::Ended;
        for chunk in &self.kept {
            node.put("sync", chunk);
        }
    }
}
