//! What entries and sums must be, recomputed from the blocks: slow, obvious, and independent of the
//! store's own merging.

use std::collections::{BTreeMap, BTreeSet};

use concord_systems::counter::{Direction, Small, SmallKey};
use concord_systems::merkle::Disk;

/// Whether every entry is the greatest write, by height and then by value, among the blocks merged
/// for its key, and no key is without its entry. A block merged by a step that a crash cut short is
/// stored and not marked, so an entry may stem from a stored block that outranks the marked ones.
pub(super) fn entries_follow_from_blocks(disk: &Disk<Small>) -> bool {
    let mut marked: BTreeMap<SmallKey, (u64, u64)> = BTreeMap::new();
    let mut stored: BTreeMap<SmallKey, BTreeSet<(u64, u64)>> = BTreeMap::new();
    for (address, block) in disk.blocks.iter() {
        let write = (block.height, block.value);
        stored.entry(block.key).or_default().insert(write);
        if disk
            .processed
            .iter()
            .any(|(processed, ())| processed == address)
        {
            let greatest = marked.entry(block.key).or_default();
            *greatest = write.max(*greatest);
        }
    }
    let entries: BTreeMap<SmallKey, (u64, u64)> = disk
        .entries
        .iter()
        .map(|(key, entry)| (*key, (entry.priority, entry.value)))
        .collect();
    let each_key_has_an_entry = marked.keys().all(|key| entries.contains_key(key));
    each_key_has_an_entry
        && entries.iter().all(|(key, entry)| {
            let floor = marked.get(key).copied().unwrap_or_default();
            *entry >= floor && stored.get(key).is_some_and(|writes| writes.contains(entry))
        })
}

/// The sum of one direction of a counter.
pub(super) fn sum(disk: &Disk<Small>, direction: Direction, key: u8) -> u64 {
    let mut sum = 0_u64;
    for (full, entry) in disk.entries.iter() {
        if full.direction == direction && full.key == key {
            sum = sum.wrapping_add(entry.value);
        }
    }
    sum
}

/// What a read must return.
pub(super) fn value(disk: &Disk<Small>, key: u8) -> u64 {
    let (incr, decr) = (
        sum(disk, Direction::Incr, key),
        sum(disk, Direction::Decr, key),
    );
    incr.saturating_sub(decr)
}
