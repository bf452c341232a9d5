//! What the entries of the replicated store must be, recomputed from its blocks: slow, obvious, and
//! independent of the store's own merging. The oracle of CTR-S1 for every system on that store.

use std::collections::{BTreeMap, BTreeSet};

use concord_systems::merkle::{Disk, Ids};

/// Whether every entry is the greatest write, by height and then by value, among the blocks merged
/// for its key, and no key is without its entry. A block merged by a step that a crash cut short is
/// stored and not marked, so an entry may stem from a stored block that outranks the marked ones.
pub(crate) fn entries_follow_from_blocks<I: Ids>(disk: &Disk<I>) -> bool {
    let mut marked: BTreeMap<&I::Key, (u64, &I::Value)> = BTreeMap::new();
    let mut stored: BTreeMap<&I::Key, BTreeSet<(u64, &I::Value)>> = BTreeMap::new();
    for (address, block) in disk.blocks.iter() {
        let write = (block.height, &block.value);
        stored.entry(&block.key).or_default().insert(write);
        if disk
            .processed
            .iter()
            .any(|(processed, ())| processed == address)
        {
            let greatest = marked.entry(&block.key).or_insert(write);
            *greatest = write.max(*greatest);
        }
    }
    let entries: BTreeMap<&I::Key, (u64, &I::Value)> = disk
        .entries
        .iter()
        .map(|(key, entry)| (key, (entry.priority, &entry.value)))
        .collect();
    let each_key_has_an_entry = marked.keys().all(|key| entries.contains_key(key));
    each_key_has_an_entry
        && entries.iter().all(|(key, entry)| {
            let floor = marked.get(key);
            floor.is_none_or(|floor| entry >= floor)
                && stored.get(key).is_some_and(|writes| writes.contains(entry))
        })
}
