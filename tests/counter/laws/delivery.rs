//! CTR-S1 and CTR-16: what is merged is a function of the set of blocks, on the real store.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use concord::models::counter::workload::workload;
use concord::models::laws::{delivered, every_order, merges};
use concord::systems::counter::{Generation, State, Strategies, Text};
use concord::systems::merkle::driver::exchange;
use concord::systems::merkle::value::Bytes;
use concord::systems::merkle::{self, Block, Disk, Input, Merge};
use proptest::prelude::*;

use super::cluster::Cluster;
use super::{cases, shape};

type Ids = Text<u32>;
type Blocks = BTreeMap<u32, Arc<Block<Ids>>>;

/// A replica that can fetch what has arrived somewhere near. Two are equal if they merged the same
/// blocks and have the same entries: which ancestors of a head stay heads depends on the order (5.4).
#[derive(Clone)]
struct Replica {
    machine: State<Ids>,
    near: Blocks,
}

impl PartialEq for Replica {
    fn eq(&self, other: &Self) -> bool {
        let [one, other] = [self, other].map(|replica| replica.machine.store().disk());
        one.entries == other.entries && one.processed == other.processed
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.machine.store().disk().entries.fmt(f)
    }
}

impl Replica {
    fn open(disk: Disk<Ids>, strategies: Strategies) -> Self {
        let machine = State::open("z".into(), Generation([9; 16]), disk, strategies);
        Self {
            machine,
            near: Blocks::new(),
        }
    }

    fn hears(&mut self, blocks: Vec<u32>, fetch: impl Fn(u32) -> Option<Arc<Block<Ids>>>) {
        let input = Input::Announced(blocks);
        let carried: Result<_, Infallible> =
            exchange(&mut self.machine, input, |block| fetch(*block), |_| Ok(()));
        let Ok(_) = carried;
    }

    /// A block arrives: it can be fetched from now on, and is announced.
    fn arrives(&mut self, number: u32, block: &Arc<Block<Ids>>) {
        self.near.insert(number, Arc::clone(block));
        let near = self.near.clone();
        self.hears(vec![number], |block| near.get(&block).cloned());
    }

    /// Takes over all that another replica has.
    fn merge(&mut self, other: &Self) {
        let theirs = other.machine.store().disk();
        let heads = theirs.heads.keys().copied().collect();
        self.hears(heads, |block| theirs.blocks.get(&block).cloned());
    }
}

/// The replicas that a workload without faults leaves behind.
fn replicas(seed: u64, operations: usize) -> Vec<Replica> {
    let mut cluster = Cluster::<Ids>::new(3, Strategies::REMEDIED);
    cluster.run(&workload(seed, shape(operations, false)));
    let disks = cluster.nodes.into_iter().map(|node| node.disk);
    disks
        .map(|disk| Replica::open(disk, Strategies::REMEDIED))
        .collect()
}

/// All blocks that a workload without faults writes.
fn blocks(seed: u64, operations: usize) -> Vec<(u32, Arc<Block<Ids>>)> {
    let replicas = replicas(seed, operations);
    let disks = replicas
        .iter()
        .map(|replica| replica.machine.store().disk());
    let blocks: Blocks = disks
        .flat_map(|disk| disk.blocks.iter())
        .map(|(number, block)| (*number, Arc::clone(block)))
        .collect();
    blocks.into_iter().collect()
}

/// Blocks without parents that write one key at any height: what CTR-16 decides between.
fn writes(list: &[(u64, Vec<u8>)]) -> Vec<(u32, Arc<Block<Ids>>)> {
    let block = |(height, value): &(u64, Vec<u8>)| Block {
        height: 1 + height,
        parents: Vec::new(),
        key: "/STATS/incr/k/a/0".into(),
        value: Bytes::from_slice(value),
    };
    let blocks = list.iter().map(|write| Arc::new(block(write)));
    (0..).zip(blocks).collect()
}

fn empty(strategies: Strategies) -> Replica {
    Replica::open(Disk::default(), strategies)
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn merging_replicas_obeys_the_laws(seed: u64, operations in 1usize..60) {
        merges(&replicas(seed, operations), Replica::merge)?;
    }

    /// Also without the remedies: what is lost there is lost by faults.
    #[test]
    fn blocks_may_arrive_in_any_order_late_and_often(
        seed: u64,
        operations in 1usize..50,
        schedules in prop::collection::vec(prop::collection::vec(any::<usize>(), 0..60), 1..4),
        remedied: bool,
    ) {
        let strategies = if remedied { Strategies::REMEDIED } else { Strategies::REFERENCE };
        let blocks = blocks(seed, operations);
        delivered(&empty(strategies), &blocks, schedules, |replica, (number, block)| {
            replica.arrives(*number, block);
        })?;
    }

    #[test]
    fn the_highest_write_wins_in_every_order(
        list in prop::collection::vec((0u64..3, prop::collection::vec(0u8..3, 0..4)), 1..5),
    ) {
        let blocks = writes(&list);
        let start = empty(Strategies::REMEDIED);
        let orders = every_order(blocks.len());
        delivered(&start, &blocks, orders, |replica, (number, block)| {
            replica.arrives(*number, block);
        })?;
        let mut replica = start;
        for (number, block) in &blocks {
            replica.arrives(*number, block);
        }
        // Vectors of bytes compare as CTR-16 says: bytewise, and a proper prefix is smaller.
        let (height, value) = list.iter().max().expect("at least one");
        let entry = replica.machine.store().disk().entries.values().next();
        let entry = entry.map(|entry| (entry.priority - 1, entry.value.to_vec()));
        prop_assert_eq!(entry, Some((*height, value.clone())));
    }
}

quickcheck::quickcheck! {
    fn any_two_orders_give_equal_replicas(seed: u64, schedule: Vec<usize>) -> Result<bool, String> {
        let blocks = blocks(seed, 30);
        let start = empty(Strategies::REMEDIED);
        let arrive = |replica: &mut Replica, (number, block): &(u32, Arc<Block<Ids>>)| {
            replica.arrives(*number, block);
        };
        delivered(&start, &blocks, [schedule], arrive).map_err(|broken| broken.to_string())?;
        Ok(true)
    }
}

#[test]
fn the_laws_catch_a_store_in_which_the_latest_wins() {
    let store = merkle::Strategies {
        merge: Merge::LatestWins,
        ..merkle::Strategies::REMEDIED
    };
    let strategies = Strategies {
        store,
        ..Strategies::REMEDIED
    };
    let blocks = writes(&[(0, vec![1]), (0, vec![2])]);
    let result = delivered(
        &empty(strategies),
        &blocks,
        every_order(2),
        |replica, (number, block)| replica.arrives(*number, block),
    );
    assert!(result.is_err());
}
