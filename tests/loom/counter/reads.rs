//! Reads beside increments, decrements, merges and new handles. Each case records what every thread
//! did and saw; some order of the calls must explain it.

use loom::thread;

use super::key;
use super::shell::{Collect, Handle, Live, Reader};
use super::{DataKey, Direction, Totals};
use crate::explore::{fails, reach};
use crate::orders::{Call, explained};
use crate::sync::weakened;

use Direction::{Decr, Incr};

fn add(handle: &Handle, direction: Direction) -> Call {
    handle.add_one();
    Call::Add(direction)
}

fn read(reader: &Reader) -> Call {
    Call::Read(reader.value())
}

fn two_adders() -> bool {
    let live = Live::new();
    let reader = live.reader(&key());
    let adders = [(); 2].map(|()| {
        let handle = live.handle(&key(), Incr);
        thread::spawn(move || [add(&handle, Incr)])
    });
    let reads = [read(&reader), read(&reader)];
    let adds = adders.map(|adder| adder.join().expect("a panic ends the case"));
    assert_eq!(reader.value(), 2);
    assert!(explained(&[], &[&adds[0], &adds[1], &reads]), "{reads:?}");
    matches!(reads, [Call::Read(0), Call::Read(1)])
}

#[test]
fn nothing_is_lost_and_reads_never_go_back() {
    reach("counter: two adders", 900, None, two_adders);
}

fn add_then_read() -> bool {
    let live = Live::new();
    let (mine, theirs) = (live.handle(&key(), Incr), live.handle(&key(), Incr));
    let there = thread::spawn(move || {
        let call = add(&theirs, Incr);
        [call, Call::Read(theirs.value())]
    });
    let here = [add(&mine, Incr), Call::Read(mine.value())];
    let there = there.join().expect("a panic ends the case");
    assert!(explained(&[], &[&here, &there]), "{here:?} {there:?}");
    matches!((here[1], there[1]), (Call::Read(2), Call::Read(2)))
}

#[test]
fn of_two_who_add_and_read_one_sees_both() {
    reach("counter: add then read", 15, None, add_then_read);
}

#[test]
fn without_a_total_order_both_miss_the_other() {
    let message = fails(|| weakened(|| _ = add_then_read()));
    assert!(
        message.contains("[Add(Incr), Read(1)] [Add(Incr), Read(1)]"),
        "{message}"
    );
}

/// The counter is 1, then 0, then 1 again.
fn down_and_up(collect: Collect) -> bool {
    let live = Live::new();
    let [up, down] = [Incr, Decr].map(|direction| live.handle(&key(), direction));
    let reader = live.reader(&key());
    let before = add(&up, Incr);
    let writes = thread::spawn(move || [add(&down, Decr), add(&up, Incr)]);
    let read = [Call::Read(reader.value_by(collect))];
    let writes = writes.join().expect("a panic ends the case");
    let order = explained(&[before], &[&writes, &read]);
    assert!(order && reader.value() == 1, "{read:?}");
    matches!(read, [Call::Read(0)])
}

#[test]
fn a_read_is_a_value_that_was() {
    reach("counter: down and up", 70, None, || {
        down_and_up(Collect::Double)
    });
}

#[test]
fn a_single_collect_returns_what_never_was() {
    let message = fails(|| _ = down_and_up(Collect::Once));
    assert!(message.contains("[Read(2)]"), "{message}");
}

/// One adds and one takes away; each then reads.
fn up_or_down() -> bool {
    let live = Live::new();
    let [up, down] = [Incr, Decr].map(|direction| live.handle(&key(), direction));
    let before = add(&up, Incr);
    let down = thread::spawn(move || [add(&down, Decr), Call::Read(down.value())]);
    let up = [add(&up, Incr), Call::Read(up.value())];
    let down = down.join().expect("a panic ends the case");
    assert!(explained(&[before], &[&up, &down]), "{up:?} {down:?}");
    matches!((up[1], down[1]), (Call::Read(1), Call::Read(0)))
}

#[test]
fn of_two_who_count_up_or_down_one_sees_both() {
    reach("counter: up or down", 28, None, up_or_down);
}

#[test]
fn without_a_total_order_up_and_down_miss_each_other() {
    let message = fails(|| weakened(|| _ = up_or_down()));
    assert!(
        message.contains("Read(2)] [Add(Decr), Read(0)"),
        "{message}"
    );
}

/// Two who read, beside an increment and a decrement that know nothing of each other.
fn two_readers() -> bool {
    let live = Live::new();
    let [up, down] = [Incr, Decr].map(|direction| live.handle(&key(), direction));
    let readers = [(); 2].map(|()| live.reader(&key()));
    let before = add(&up, Incr);
    let down = thread::spawn(move || [add(&down, Decr)]);
    let readers = readers.map(|reader| thread::spawn(move || [read(&reader)]));
    let up = [add(&up, Incr)];
    let down = down.join().expect("a panic ends the case");
    let reads = readers.map(|reader| reader.join().expect("a panic ends the case"));
    assert!(
        explained(&[before], &[&up, &down, &reads[0], &reads[1]]),
        "{reads:?}"
    );
    matches!(reads, [[Call::Read(0)], [Call::Read(1)]])
}

#[test]
fn two_readers_agree_on_the_order() {
    reach("counter: two readers", 600, Some(3), two_readers);
}

#[test]
fn without_a_total_order_readers_disagree() {
    let message = fails(|| weakened(|| _ = two_readers()));
    assert!(
        message.contains("Read(2)") && message.contains("Read(0)"),
        "{message}"
    );
}

/// The sum jumps by five, then grows by one.
fn merge_then_add(collect: Collect) -> bool {
    let live = Live::new();
    let handle = live.handle(&key(), Incr);
    let reader = live.reader(&key());
    let writes = thread::spawn(move || {
        live.merged(&key(), Incr, 5);
        [Call::Merged(Incr, 5), add(&handle, Incr)]
    });
    let reads = [(); 2].map(|()| Call::Read(reader.value_by(collect)));
    let writes = writes.join().expect("a panic ends the case");
    assert!(explained(&[], &[&writes, &reads]), "{reads:?}");
    matches!(reads[0], Call::Read(5))
}

#[test]
fn merges_are_seen_in_order_with_increments() {
    reach("counter: merge then add", 290, None, || {
        merge_then_add(Collect::Double)
    });
}

#[test]
fn a_single_collect_splits_a_merge_from_what_follows() {
    let message = fails(|| _ = merge_then_add(Collect::Once));
    assert!(message.contains("Read(1)"), "{message}");
}

/// Each thread takes a new handle while the other does, counts and reads.
fn new_handles() -> bool {
    let live = Live::new();
    let other = live.clone();
    let call = |live: &Live| {
        let handle = live.handle(&key(), Incr);
        [add(&handle, Incr), Call::Read(handle.value())]
    };
    let there = thread::spawn(move || call(&other));
    let here = call(&live);
    let there = there.join().expect("a panic ends the case");
    assert_eq!(live.read(&key()), 2);
    assert!(explained(&[], &[&here, &there]), "{here:?} {there:?}");
    matches!((here[1], there[1]), (Call::Read(2), Call::Read(2)))
}

#[test]
fn slots_of_new_handles_are_read() {
    reach("counter: new handles", 1400, None, new_handles);
}

/// Two peers are heard of at a time.
fn two_merges(tell: fn(&Live, &DataKey, u32)) -> bool {
    let live = Live::new();
    let reader = live.reader(&key());
    let peers = [1, 2].map(|peer| {
        let live = live.clone();
        thread::spawn(move || tell(&live, &key(), peer))
    });
    let during = reader.value();
    for peer in peers {
        peer.join().expect("a panic ends the case");
    }
    assert!(during <= 2, "{during}");
    assert_eq!(reader.value(), 2, "a merge was lost");
    during == 1
}

#[test]
fn merges_of_two_peers_add_up() {
    reach("counter: two merges", 25_000, None, || {
        two_merges(|live, key, peer| live.apply(key, Incr, peer, 1))
    });
}

#[test]
fn sums_from_two_unguarded_tables_lose_a_merge() {
    let message = fails(|| {
        two_merges(|live, key, peer| {
            let mine = Totals::from_sorted([(peer, 1)]);
            live.merged(key, Incr, mine.sum());
        });
    });
    assert!(message.contains("a merge was lost"), "{message}");
}
