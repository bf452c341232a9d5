//! Interval sets (4).

mod defects;
mod examples;
mod large;
mod window;

use concord::systems::pullsync::IntervalSet;

/// A set with this limit to which these ranges were added.
fn set(start: u64, ranges: &[(u64, u64)]) -> IntervalSet {
    let mut set = IntervalSet::new(start);
    for (from, to) in ranges {
        set.add(*from, *to).expect("it is not inverted");
    }
    set
}

fn ranges(set: &IntervalSet) -> Vec<(u64, u64)> {
    set.ranges().collect()
}
