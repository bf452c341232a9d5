//! The durability table of section 4 (CTR-13, CTR-S6), checked on what a restart finds.

use std::collections::BTreeMap;
use std::sync::Arc;

use concord::adapters::{Address, Ids};
use concord::systems::counter::{DataKey, Direction, Generation, Space};
use concord::systems::merkle::Disk;

pub(crate) const NODE: &str = "a";
pub(crate) const KEYS: [&str; 3] = ["/LIKES/INCR/t1", "/LIKES/INCR/t2", "/TWEETS/VIEWS/t1"];

/// What every sub-counter may hold.
#[derive(Default, Debug)]
pub(crate) struct Ledger {
    /// By full key: bumps acknowledged, and attempted.
    own: BTreeMap<Arc<str>, (u64, u64)>,
    /// Bumps that had not returned at a crash and turned out applied, or not.
    pub(crate) in_doubt_kept: u64,
    pub(crate) in_doubt_gone: u64,
}

/// A bump of one process life, by sub-counter.
pub(crate) fn sub_counter(direction: Direction, key: &str, generation: Generation) -> Arc<str> {
    Ids::full(direction, &DataKey::new(key), &NODE.into(), &generation)
}

impl Ledger {
    pub(crate) fn begin(&mut self, sub_counter: &Arc<str>) {
        let (_, attempted) = self.own.entry(Arc::clone(sub_counter)).or_default();
        *attempted += 1;
    }

    pub(crate) fn acknowledge(&mut self, sub_counter: &Arc<str>) {
        let own = self.own.get_mut(sub_counter);
        own.expect("it was begun").0 += 1;
    }

    /// Compares with a disk image found after a crash, which is from then on what was acknowledged.
    pub(crate) fn check(&mut self, disk: &Disk<Ids>) -> Result<(), String> {
        for (key, (acknowledged, attempted)) in &mut self.own {
            let stored = disk.entries.get(key);
            let stored = stored.map_or(0, |entry| Ids::decode(&entry.value));
            if stored < *acknowledged || stored > *attempted {
                return Err(format!(
                    "{key} holds {stored}, acknowledged {acknowledged}, attempted {attempted}"
                ));
            }
            self.in_doubt_kept += stored - *acknowledged;
            self.in_doubt_gone += *attempted - stored;
            (*acknowledged, *attempted) = (stored, stored);
        }
        if let Some(key) = disk.entries.keys().find(|key| !self.own.contains_key(*key)) {
            return Err(format!("{key} was never bumped"));
        }
        sound(disk)
    }

    /// Bumps acknowledged and found again.
    pub(crate) fn acknowledged(&self) -> u64 {
        let found: u64 = self.own.values().map(|(found, _)| found).sum();
        found - self.in_doubt_kept
    }
}

/// Whole-disk invariants: no hole, heads over everything, consistent heights, right entries.
fn sound(disk: &Disk<Ids>) -> Result<(), String> {
    if !disk.heads_cover_processed() {
        return Err("a processed block is below no head (CTR-S12)".into());
    }
    if !disk.processed_is_closed() {
        return Err("a parent of a processed block is not processed (CTR-S13)".into());
    }
    let height = |address: &Address| disk.blocks.get(address).map_or(0, |block| block.height);
    for (address, block) in disk.blocks.iter() {
        let parents = block.parents.iter().map(height);
        if block.height != 1 + parents.max().unwrap_or(0) {
            return Err(format!("block {address:?} has height {}", block.height));
        }
    }
    for (head, at) in disk.heads.iter() {
        if height(head) != *at || !disk.processed.contains(head) {
            return Err(format!("head {head:?} at height {at}"));
        }
    }
    for (key, entry) in disk.entries.iter() {
        let writes = disk.processed.keys().filter_map(|at| disk.blocks.get(at));
        let writes = writes.filter(|block| block.key == *key);
        let highest = writes.map(|block| (block.height, &block.value)).max();
        if highest != Some((entry.priority, &entry.value)) {
            return Err(format!("entry {key} is not its highest write (CTR-16)"));
        }
    }
    Ok(())
}
