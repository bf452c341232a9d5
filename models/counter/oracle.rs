//! What sums must be, recomputed from the entries: slow, obvious, and independent of the counter's own
//! queries.

use concord_systems::counter::{Direction, Small};
use concord_systems::merkle::Disk;

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
