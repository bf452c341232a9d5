//! Live counts against the deterministic core, and under real threads.

use std::sync::Mutex;
use std::thread;

use concord::systems::counter::shell::{Counted, GroupCommit, Live};
use concord::systems::counter::{
    DataKey, Direction, Generation, Input, Space, State, Strategies, Text,
};
use concord::systems::machine::Machine as _;
use concord::systems::merkle::{self, Disk};
use proptest::prelude::*;

use crate::common::soak;

type Ids = Text<u32>;

/// What happens to both.
#[derive(Clone, Debug)]
enum Op {
    /// The key is spelled in another way.
    Bump(usize, Direction, bool),
    /// A peer's sub-counter is heard of.
    Merge(usize, Direction, u8, u64),
    Read(usize),
    /// Well or not.
    Flush(bool),
}

const KEYS: [[&str; 2]; 3] = [["/k", "k//"], ["/LIKES/t1", "LIKES/./t1"], ["/", "x/.."]];

fn op() -> impl proptest::strategy::Strategy<Value = Op> {
    let key = || 0..KEYS.len();
    let direction = || prop_oneof![Just(Direction::Incr), Just(Direction::Decr)];
    let bump = (key(), direction(), any::<bool>());
    let total = prop_oneof![0..6_u64, Just(u64::MAX)];
    let merge = (key(), direction(), 0..3_u8, total);
    prop_oneof![
        4 => bump.prop_map(|(key, direction, other)| Op::Bump(key, direction, other)),
        2 => merge.prop_map(|(key, direction, peer, total)| Op::Merge(key, direction, peer, total)),
        2 => key().prop_map(Op::Read),
        1 => any::<bool>().prop_map(Op::Flush),
    ]
}

/// The core, with an outside world that answers at once.
struct Core {
    state: State<Ids>,
    calls: u32,
}

impl Core {
    fn new() -> Self {
        let (node, generation) = ("own".into(), Generation([0; 16]));
        let state = State::open(node, generation, Disk::default(), Strategies::REMEDIED);
        Self { state, calls: 0 }
    }

    fn write(&mut self, input: impl FnOnce(u32) -> Input<Ids>) {
        self.calls += 1;
        let call = self.calls;
        let stored = Input::Store(merkle::Input::Stored(Some(call)));
        for input in [input(call), stored, Input::Published { call, ok: true }] {
            self.state.step(input, &mut Vec::new());
        }
    }

    fn bump(&mut self, direction: Direction, key: DataKey) {
        self.write(|call| Input::Bump {
            call,
            direction,
            key,
            unreadable: false,
        });
    }

    /// Writes it here in the peer's name, as its block would be merged. Peers never go back.
    fn merge(&mut self, direction: Direction, key: &DataKey, peer: u8, total: u64) {
        let node = format!("peer{peer}").into();
        let key = Ids::full(direction, key, &node, &Generation([1; 16]));
        let entries = &self.state.store().disk().entries;
        if entries
            .get(&key)
            .is_none_or(|entry| Ids::decode(&entry.value) < total)
        {
            let value = Ids::encode(total);
            self.write(|call| Input::RawPut { call, key, value });
        }
    }

    fn totals(&self) -> Vec<Counted> {
        let directions = [Direction::Incr, Direction::Decr];
        let all = directions.iter().flat_map(|direction| {
            KEYS.map(|[key, _]| {
                let key = DataKey::new(key);
                let total = self.state.total(*direction, &key);
                ((*direction, key), total)
            })
        });
        let mut all: Vec<Counted> = all.filter(|(_, total)| *total != 0).collect();
        all.sort();
        all
    }
}

proptest! {
    #![proptest_config(crate::common::cases(200))]

    #[test]
    fn live_counts_agree_with_the_core(ops in prop::collection::vec(op(), 0..60)) {
        let (live, mut core) = (Live::new(), Core::new());
        let mut writer = live.writer();
        let mut durable = Vec::new();
        for op in ops {
            match op {
                Op::Bump(key, direction, other) => {
                    let name = KEYS[key][usize::from(other)];
                    core.bump(direction, DataKey::new(name));
                    match direction {
                        Direction::Incr => writer.increment(name),
                        Direction::Decr => writer.decrement(name),
                    }
                }
                Op::Merge(key, direction, peer, total) => {
                    let key = DataKey::new(KEYS[key][0]);
                    core.merge(direction, &key, peer, total);
                    live.apply(&key, direction, peer.into(), total);
                }
                Op::Read(key) => {
                    let key = DataKey::new(KEYS[key][0]);
                    prop_assert_eq!(Ok(live.read(&key)), core.state.value(&key));
                }
                Op::Flush(well) => {
                    let mut counted = Vec::new();
                    let mut flush = live.flush();
                    flush.counted(&mut counted);
                    let mut changed = core.totals();
                    changed.retain(|total| !durable.contains(total));
                    prop_assert_eq!(&counted, &changed);
                    if well {
                        flush.done();
                        durable = core.totals();
                    }
                }
            }
        }
        let mut all = Vec::new();
        live.totals(&mut all);
        prop_assert_eq!(all, core.totals());
        for [key, _] in KEYS {
            let key = DataKey::new(key);
            prop_assert_eq!(Ok(live.reader(&key).value()), core.state.value(&key));
        }
    }
}

/// More threads than slots, some of which end before others begin.
#[test]
fn threads_lose_nothing() {
    const THREADS: u64 = 8;
    let times = soak(20_000, 2_000_000);
    let live = Live::new();
    let durable = Mutex::new(Vec::new());
    let write = |counted: &[Counted]| {
        durable
            .lock()
            .expect("a panic ends the case")
            .push(counted[0].1);
        Ok::<_, ()>(())
    };
    let commit = GroupCommit::new(live.clone(), write);
    let key = DataKey::new("/k");
    thread::scope(|scope| {
        for _ in 0..3 * THREADS {
            let (live, commit, handle) = (&live, &commit, live.handle(&key, Direction::Incr));
            scope.spawn(move || {
                let mut writer = live.writer();
                let mut last = 0;
                for time in 0..times {
                    match time % 2 {
                        0 => handle.add_one(),
                        _ => writer.increment("/k"),
                    }
                    let value = handle.value();
                    assert!(value > last, "{value} after {last}");
                    last = value;
                    if time % 1_000 == 0 {
                        assert_eq!(commit.wait(), Ok(()));
                    }
                }
            });
        }
    });
    assert_eq!(commit.wait(), Ok(()));
    assert_eq!(live.read(&key), 3 * THREADS * times);
    let durable = durable.lock().expect("a panic ends the case");
    assert!(durable.is_sorted_by(|before, after| before < after));
    assert_eq!(durable.last(), Some(&(3 * THREADS * times)));
}

#[test]
fn who_leads_a_round_and_panics_leaves_it_to_the_next() {
    let live = Live::new();
    let panics = std::sync::atomic::AtomicBool::new(true);
    let commit = GroupCommit::new(live.clone(), |_: &[Counted]| {
        let panics = panics.swap(false, std::sync::atomic::Ordering::Relaxed);
        assert!(!panics, "the disk is gone");
        Ok::<_, ()>(())
    });
    live.writer().increment("k");
    thread::scope(|scope| {
        let panicked = scope.spawn(|| commit.wait()).join();
        assert!(panicked.is_err());
    });
    assert_eq!(commit.wait(), Ok(()));
    assert!(!panics.into_inner());
}
