//! Local writes (CTR-17), alone or in groups.

use std::collections::VecDeque;
use std::sync::Arc;

use super::block::{Block, Ids, Write};
use super::message::Output;
use super::state::{Put, Store};
use super::step::Effects;
use super::strategy::{Height, LocalWrite};

impl<I: Ids> Store<I> {
    /// Begins a put with the first block of its group, which stands on all heads.
    pub(super) fn put(
        &mut self,
        key: I::Key,
        value: I::Value,
        rest: VecDeque<(I::Key, I::Value)>,
        out: &mut Effects<'_, I>,
    ) {
        assert!(
            self.put.is_none(),
            "one write at a time: the caller holds the lock"
        );
        let block = Arc::new(self.draft(key, value));
        out.after(Output::Store(Arc::clone(&block)));
        let stored = Vec::new();
        self.put = Some(Put {
            block,
            stored,
            rest,
        });
    }

    /// Step 2 of CTR-17 is done for a block. Nothing is merged before the last block of its group is
    /// stored: a block that is stored and not merged is not visible, and a crash that leaves some of
    /// a group leaves nothing that counts.
    pub(super) fn stored(
        &mut self,
        address: I::Address,
        mut put: Put<I>,
        out: &mut Effects<'_, I>,
    ) {
        self.disk.blocks.insert(address, Arc::clone(&put.block));
        let Some((key, value)) = put.rest.pop_front() else {
            self.attach(&put.stored, &(address, put.block), out);
            return out.after(Output::Put(Some(address)));
        };
        let next = Arc::new(Block {
            height: 1 + put.block.height,
            parents: vec![address],
            key,
            value,
        });
        out.after(Output::Store(Arc::clone(&next)));
        let block = std::mem::replace(&mut put.block, next);
        put.stored.push((address, block));
        self.put = Some(put);
    }

    /// Steps 3 to 5 of CTR-17 for a group of blocks that are on disk already. Only the last becomes a
    /// head: it is the descendant of the others.
    fn attach(
        &mut self,
        earlier: &[(I::Address, Arc<Block<I>>)],
        last: &(I::Address, Arc<Block<I>>),
        out: &mut Effects<'_, I>,
    ) {
        let mut steps = Vec::with_capacity(2 * earlier.len() + 3);
        for (address, block) in earlier.iter().chain([last]) {
            steps.extend(self.merge(block));
            steps.push(Write::Processed(*address));
        }
        let (_, first) = earlier.first().unwrap_or(last);
        steps.push(Write::Heads {
            remove: first.parents.clone(),
            add: (last.0, last.1.height),
        });
        match self.strategies.local_write {
            LocalWrite::Stepwise => {
                for step in steps {
                    self.write(step, out);
                }
            }
            LocalWrite::Atomic => self.write(Write::Batch(steps), out),
        }
    }

    /// The block that a write of `value` under `key` makes now (CTR-17, step 1). O(heads).
    fn draft(&self, key: I::Key, value: I::Value) -> Block<I> {
        let heights = self.disk.heads.values().copied();
        let base = match self.strategies.height {
            Height::AboveHighest => heights.max(),
            Height::AboveLowest => heights.min(),
        };
        Block {
            height: 1 + base.unwrap_or(0),
            parents: self.disk.heads.keys().copied().collect(),
            key,
            value,
        }
    }
}
