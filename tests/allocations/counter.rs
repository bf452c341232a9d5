//! The counter where threads share it.

use std::hint::black_box;

use concord::systems::counter::shell::Live;
use concord::systems::counter::{DataKey, Direction, Totals};

use crate::allocates_nothing;

fn key() -> DataKey {
    DataKey::new("/LIKES/INCR/t1")
}

#[test]
fn counting_does_not() {
    let live = Live::new();
    for direction in [Direction::Incr, Direction::Decr] {
        let handle = live.handle(&key(), direction);
        allocates_nothing("Handle::add_one", || handle.add_one());
    }
}

#[test]
fn counting_by_known_name_does_not() {
    let mut writer = Live::new().writer();
    allocates_nothing("Writer", || {
        writer.increment("/LIKES/INCR/t1");
        writer.decrement("/LIKES/INCR/t1");
    });
}

#[test]
fn reading_does_not_however_many_sub_counters_there_are() {
    let live = Live::new();
    let handle = live.handle(&key(), Direction::Decr);
    handle.add_one();
    let others = Totals::from_sorted((0..100_000).map(|id| (id, id.into())));
    live.merge(&key(), Direction::Incr, &others);
    let (key, reader) = (key(), live.reader(&key()));
    allocates_nothing("reads", || {
        let values = black_box([live.read(&key), reader.value(), handle.value()]);
        assert_eq!(values, [others.sum() - 1; 3]);
    });
}

#[test]
fn merging_known_sub_counters_does_not() {
    let key = key();
    let live = Live::new();
    let mut dense = Totals::from_sorted((0..100).map(|id| (id, id.into())));
    let others = dense.clone();
    let mut total = 0;
    allocates_nothing("merges", || {
        total += 1;
        live.merge(&key, Direction::Incr, &others);
        live.apply(&key, Direction::Incr, 7, total);
        dense.merge(&others);
        dense.apply(7, total);
    });
}
