//! What the store does with each input.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::machine::Machine;

use super::block::{Block, Disk, Entry, Ids, Write};
use super::message::{Exchanged, Fetched, Input, Output, Patience};
use super::state::{Exchange, Stage, Store, Task, Walk};
use super::strategy::{FirstFetch, Interruption, Merge, Unreadable, WalkRoot};
use crate::map::SortedSet;

impl<I: Ids> Machine for Store<I> {
    type Input = Input<I>;
    type Output = Output<I>;

    fn step(&mut self, input: Input<I>, outputs: &mut Vec<Output<I>>) {
        let mut out = Effects::new(outputs);
        match input {
            Input::Put { key, value } => self.put(key, value, VecDeque::new(), &mut out),
            Input::PutAll(writes) => {
                let mut rest = VecDeque::from(writes);
                let (key, value) = rest.pop_front().expect("a group is not empty");
                self.put(key, value, rest, &mut out);
            }
            Input::Stored(address) => {
                let put = self.put.take().expect("Stored answers the Store of a Put");
                match address {
                    Some(address) => self.stored(address, put, &mut out),
                    None => out.after(Output::Put(None)),
                }
            }
            Input::Announced(blocks) => {
                for block in &blocks {
                    self.seen.insert(*block, ());
                }
                self.queue.push_back(Task::Announcement(blocks));
            }
            Input::Fetched { address, outcome } => self.fetched(address, outcome, &mut out),
            Input::Repair => self.queue.push_back(Task::Repair),
            Input::Reannounce => {
                let heads = self.unannounced();
                self.seen = SortedSet::new();
                if !heads.is_empty() {
                    out.after(Output::Announce(heads));
                }
            }
        }
        self.advance(&mut out);
        self.forget_seen();
        out.finish();
    }
}

/// Outputs of one step: the writes, a [`Output::Sync`] if there was any, then the rest, so that
/// nothing becomes known outside before it is durable.
pub(super) struct Effects<'a, I: Ids> {
    outputs: &'a mut Vec<Output<I>>,
    rest: Vec<Output<I>>,
    wrote: bool,
}

impl<'a, I: Ids> Effects<'a, I> {
    fn new(outputs: &'a mut Vec<Output<I>>) -> Self {
        Self {
            outputs,
            rest: Vec::new(),
            wrote: false,
        }
    }

    pub(super) fn after(&mut self, output: Output<I>) {
        self.rest.push(output);
    }

    fn finish(self) {
        if self.wrote {
            self.outputs.push(Output::Sync);
        }
        self.outputs.extend(self.rest);
    }
}

/// What comes of asking for a block.
enum Obtained {
    Here,
    Asked,
}

impl<I: Ids> Store<I> {
    pub(super) fn write(&mut self, write: Write<I>, out: &mut Effects<'_, I>) {
        self.disk.apply(&write);
        out.outputs.push(Output::Write(write));
        out.wrote = true;
    }

    /// The write that merging `block` takes, if any (CTR-16).
    pub(super) fn merge(&self, block: &Block<I>) -> Option<Write<I>> {
        let wins = match self.strategies.merge {
            Merge::HighestWins => block.outranks(self.disk.entries.get(&block.key)),
            Merge::LatestWins => true,
        };
        wins.then(|| {
            let entry = Entry {
                priority: block.height,
                value: block.value.clone(),
            };
            Write::Entry(block.key.clone(), entry)
        })
    }

    /// Forgets announcements of blocks that are processed and no head: they are not announced again,
    /// so it no longer matters who heard of them.
    fn forget_seen(&mut self) {
        let Disk {
            heads, processed, ..
        } = &self.disk;
        let matters = |block: &I::Address| heads.contains(block) || !processed.contains(block);
        if !self.seen.keys().all(matters) {
            let seen = self.seen.keys().copied();
            self.seen = seen.filter(matters).map(|block| (block, ())).collect();
        }
    }

    /// Works until a fetch is outstanding or nothing is left to do.
    fn advance(&mut self, out: &mut Effects<'_, I>) {
        loop {
            let Some(exchange) = self.exchange.take().or_else(|| self.begin()) else {
                return;
            };
            if exchange.fetching.is_some() {
                self.exchange = Some(exchange);
                return;
            }
            self.exchange = self.turn(exchange, out);
        }
    }

    /// Takes the next task, if there is one.
    fn begin(&mut self) -> Option<Exchange<I>> {
        let stage = match self.queue.pop_front()? {
            Task::Announcement(blocks) if self.disk.heads.is_empty() => {
                Stage::Seed { blocks, next: 0 }
            }
            Task::Announcement(blocks) => Stage::Walk { blocks, next: 0 },
            Task::Repair => Stage::Repair {
                queue: self.disk.heads.keys().map(|head| (*head, *head)).collect(),
                visited: self.disk.heads.keys().map(|head| (*head, ())).collect(),
            },
        };
        Some(Exchange {
            stage,
            walk: None,
            fetching: None,
            merged: SortedSet::new(),
            missing: SortedSet::new(),
            marked: false,
            hole: false,
        })
    }

    /// One move of an exchange. Returns nothing once it has ended.
    fn turn(&mut self, mut exchange: Exchange<I>, out: &mut Effects<'_, I>) -> Option<Exchange<I>> {
        if let Some(walk) = exchange.walk.take() {
            self.walk(walk, &mut exchange, out);
            return Some(exchange);
        }
        match &mut exchange.stage {
            Stage::Seed { blocks, next } => match blocks.get(*next).copied() {
                Some(block) => match self.obtain(block, &mut exchange, out) {
                    Obtained::Here => self.seeded(block, &mut exchange, out),
                    Obtained::Asked => {}
                },
                None => {
                    let blocks = std::mem::take(blocks);
                    exchange.stage = Stage::Walk { blocks, next: 0 };
                }
            },
            Stage::Walk { blocks, next } => match blocks.get(*next).copied() {
                Some(block) if self.disk.processed.contains(&block) => *next += 1,
                Some(block) => match self.obtain(block, &mut exchange, out) {
                    Obtained::Here => self.announced(block, &mut exchange, out),
                    Obtained::Asked => {}
                },
                None => return self.end(exchange, out),
            },
            Stage::Repair { queue, .. } => match queue.front().copied() {
                Some((block, root)) => match self.obtain(block, &mut exchange, out) {
                    Obtained::Here => self.visited(block, root, &mut exchange, out),
                    Obtained::Asked => {}
                },
                None => {
                    if self.disk.dirty {
                        self.write(Write::Dirty(false), out);
                    }
                    exchange.marked = false;
                    return self.end(exchange, out);
                }
            },
        }
        Some(exchange)
    }

    /// Ends an exchange and says what it achieved.
    fn end(&mut self, exchange: Exchange<I>, out: &mut Effects<'_, I>) -> Option<Exchange<I>> {
        if exchange.marked && !exchange.hole {
            self.write(Write::Dirty(false), out);
        }
        out.after(Output::Exchanged(Exchanged {
            dirty: self.disk.dirty,
            merged: exchange.merged.keys().copied().collect(),
            missing: exchange.missing.keys().copied().collect(),
        }));
        None
    }

    /// Looks at the local blocks, then asks the peers.
    fn obtain(
        &self,
        address: I::Address,
        exchange: &mut Exchange<I>,
        out: &mut Effects<'_, I>,
    ) -> Obtained {
        if self.disk.blocks.contains(&address) {
            return Obtained::Here;
        }
        exchange.fetching = Some(address);
        out.after(Output::Fetch {
            address,
            patience: self.patience_of(exchange),
        });
        Obtained::Asked
    }

    fn patience_of(&self, exchange: &Exchange<I>) -> Patience {
        let first = matches!(exchange.stage, Stage::Seed { .. });
        match self.strategies.first_fetch {
            FirstFetch::Endless if first => Patience::Endless,
            FirstFetch::Endless | FirstFetch::Limited => Patience::Limited,
        }
    }

    /// Whether the outstanding fetch may be given up.
    pub fn patience(&self) -> Patience {
        self.exchange
            .as_ref()
            .map_or(Patience::Limited, |exchange| self.patience_of(exchange))
    }

    /// Takes the answer to a fetch. An answer that was not asked for is dropped.
    fn fetched(&mut self, address: I::Address, outcome: Fetched<I>, out: &mut Effects<'_, I>) {
        let Some(mut exchange) = self.exchange.take() else {
            return;
        };
        if exchange.fetching == Some(address) {
            exchange.fetching = None;
            let readable = !matches!(outcome, Fetched::Unreadable);
            if let Fetched::Block(block) = outcome {
                self.mark(&mut exchange, out);
                self.write(Write::Block(address, block), out);
            } else {
                self.failed(address, readable, &mut exchange);
            }
        }
        self.exchange = Some(exchange);
    }

    /// Goes on without a block.
    fn failed(&mut self, address: I::Address, readable: bool, exchange: &mut Exchange<I>) {
        if let Some(walk) = &mut exchange.walk {
            walk.awaited = false;
            if let Some((_, next)) = &mut walk.current {
                *next += 1;
            }
            if !readable && self.strategies.unreadable == Unreadable::Reserved {
                self.stuck.insert(address, ());
                return;
            }
            exchange.hole = true;
            exchange.missing.insert(address, ());
            return;
        }
        exchange.missing.insert(address, ());
        match &mut exchange.stage {
            Stage::Seed { next, .. } | Stage::Walk { next, .. } => *next += 1,
            // The flag stays as it is: the exchange ends with nothing left to visit and without
            // the clearing that an emptied queue brings.
            Stage::Repair { .. } => {
                exchange.hole = true;
                exchange.stage = Stage::Walk {
                    blocks: Vec::new(),
                    next: 0,
                };
            }
        }
    }

    /// Sets dirty before the first durable write of an exchange, if a crash must leave a trace.
    fn mark(&mut self, exchange: &mut Exchange<I>, out: &mut Effects<'_, I>) {
        if self.strategies.interruption == Interruption::MarkedDirty && !self.disk.dirty {
            self.write(Write::Dirty(true), out);
            exchange.marked = true;
        }
    }

    /// CTR-18 step 1, for a block that is here.
    fn seeded(&mut self, block: I::Address, exchange: &mut Exchange<I>, out: &mut Effects<'_, I>) {
        self.mark(exchange, out);
        self.make_head(block, None, out);
        if let Stage::Seed { next, .. } = &mut exchange.stage {
            *next += 1;
        }
    }

    /// CTR-18 step 2, for an unprocessed block that is here.
    fn announced(
        &mut self,
        block: I::Address,
        exchange: &mut Exchange<I>,
        out: &mut Effects<'_, I>,
    ) {
        self.mark(exchange, out);
        self.begin_walk(block, block, exchange, out);
        if let Stage::Walk { next, .. } = &mut exchange.stage {
            *next += 1;
        }
    }

    /// CTR-20, for a reachable block that is here.
    fn visited(
        &mut self,
        block: I::Address,
        root: I::Address,
        exchange: &mut Exchange<I>,
        out: &mut Effects<'_, I>,
    ) {
        if let Stage::Repair { queue, visited } = &mut exchange.stage {
            queue.pop_front();
            let parents = self.disk.blocks.get(&block).map(|b| b.parents.as_slice());
            for parent in parents.unwrap_or_default() {
                if visited.insert(*parent, ()).is_none() {
                    queue.push_back((*parent, root));
                }
            }
        }
        if !self.disk.processed.contains(&block) {
            self.mark(exchange, out);
            self.begin_walk(block, root, exchange, out);
        }
    }

    fn begin_walk(
        &mut self,
        start: I::Address,
        root: I::Address,
        exchange: &mut Exchange<I>,
        out: &mut Effects<'_, I>,
    ) {
        if self.strategies.walk_root == WalkRoot::First {
            self.make_head(root, None, out);
        }
        exchange.walk = Some(Walk {
            root,
            list: VecDeque::from([start]),
            reserved: SortedSet::new(),
            current: None,
            awaited: false,
        });
    }

    /// Makes `root` a head in place of `instead`, doing nothing if that changes nothing.
    fn make_head(
        &mut self,
        root: I::Address,
        instead: Option<I::Address>,
        out: &mut Effects<'_, I>,
    ) {
        if instead.is_none() && self.disk.heads.contains(&root) {
            return;
        }
        let height = self.disk.blocks.get(&root).map(|block| block.height);
        let height = height.expect("a root is stored before it is walked from");
        self.write(
            Write::Heads {
                remove: instead.into_iter().collect(),
                add: (root, height),
            },
            out,
        );
    }

    /// One move of a walk (CTR-19): merge the next block, or look at the next parent.
    fn walk(&mut self, mut walk: Walk<I>, exchange: &mut Exchange<I>, out: &mut Effects<'_, I>) {
        let Some((address, next)) = walk.current else {
            let Some(address) = walk.list.pop_front() else {
                if exchange.hole && !self.disk.dirty {
                    self.write(Write::Dirty(true), out);
                }
                return;
            };
            let block = self.local(address);
            if let Some(write) = self.merge(&block) {
                self.write(write, out);
            }
            if !self.disk.processed.contains(&address) {
                self.write(Write::Processed(address), out);
                exchange.merged.insert(address, ());
            }
            if block.parents.is_empty() {
                self.make_head(walk.root, None, out);
            }
            walk.current = Some((address, 0));
            exchange.walk = Some(walk);
            return;
        };
        match self.local(address).parents.get(next).copied() {
            None => walk.current = None,
            Some(parent) => {
                if self.look(parent, &mut walk, exchange, out) {
                    walk.current = Some((address, next + 1));
                }
            }
        }
        exchange.walk = Some(walk);
    }

    /// Step 3 of CTR-19 for one parent. False while its block is awaited.
    fn look(
        &mut self,
        parent: I::Address,
        walk: &mut Walk<I>,
        exchange: &mut Exchange<I>,
        out: &mut Effects<'_, I>,
    ) -> bool {
        if !walk.awaited {
            let processed = self.disk.processed.contains(&parent);
            if self.disk.heads.contains(&parent) {
                self.make_head(walk.root, Some(parent), out);
                if processed {
                    return true;
                }
            }
            if processed || walk.reserved.contains(&parent) || self.stuck.contains(&parent) {
                self.make_head(walk.root, None, out);
                return true;
            }
            walk.reserved.insert(parent, ());
            walk.awaited = true;
        }
        match self.obtain(parent, exchange, out) {
            Obtained::Asked => false,
            Obtained::Here => {
                walk.awaited = false;
                walk.list.push_back(parent);
                true
            }
        }
    }

    fn local(&self, address: I::Address) -> Arc<Block<I>> {
        let block = self.disk.blocks.get(&address);
        Arc::clone(block.expect("the work list holds stored blocks only"))
    }
}
