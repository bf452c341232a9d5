//! Replicas with faults against the history: what they read, what they keep, that they agree in the
//! end, and that nothing depends on chance.

use std::collections::BTreeMap;

use concord::models::counter::workload::{BumpFault, Operation, Shape, Trouble, trace, workload};
use concord::systems::counter::{
    Difference, Direction, Failure, Isolation, PublishFailure, Space, Strategies, Text,
    trace::replay,
};
use concord::systems::merkle::{self, Disk, Merge};
use concord::systems::replay::Outcome;
use proptest::prelude::*;

use crate::common::{seed, soak};

use super::cluster::{Cluster, Named, Observed, Performed};
use super::oracle::{Oracle, SubCounter};
use super::{cases, shape};

type Ids = Text<u32>;

/// A cluster and what its history says of it.
struct Watched {
    cluster: Cluster<Ids>,
    oracle: Oracle,
}

/// Where cluster and history differ.
type Disagreement = String;

impl Watched {
    fn new(nodes: u8, strategies: Strategies) -> Self {
        Self {
            cluster: Cluster::new(nodes, strategies),
            oracle: Oracle::new(),
        }
    }

    fn perform(&mut self, operation: &Operation) -> Result<Performed, Disagreement> {
        if let Operation::Bump {
            node,
            direction,
            key,
            fault,
        } = *operation
            && fault != Some(BumpFault::Write)
        {
            self.oracle.stored(node, direction, key);
        }
        let performed = self.cluster.perform(operation);
        let node = match *operation {
            Operation::Bump { node, .. }
            | Operation::Read { node, .. }
            | Operation::Exchange { node, .. }
            | Operation::Repair { node, .. }
            | Operation::Crash { node }
            | Operation::LoseData { node } => node,
        };
        self.oracle.sees(node, &performed.kept);
        if performed.observed == Observed::Crashed {
            self.oracle.crashed(node);
        }
        if let Operation::LoseData { node } = *operation {
            self.oracle.lost(node);
        }
        self.agrees(node, operation, &performed)
            .map_err(|difference| format!("{operation:?}: {difference}: {performed:?}"))?;
        Ok(performed)
    }

    fn agrees(
        &self,
        node: u8,
        operation: &Operation,
        performed: &Performed,
    ) -> Result<(), Disagreement> {
        let check = |holds: bool, what: &str| holds.then_some(()).ok_or_else(|| what.to_owned());
        match (operation, &performed.observed) {
            (Operation::Read { key, .. }, observed) => {
                let value = self.oracle.value(node, *key);
                let read = Observed::Returned(Ok(Some(value)));
                check(*observed == read, &format!("the history says {value}"))?;
            }
            (Operation::Bump { fault, .. }, Observed::Returned(result)) => {
                let expected = match fault {
                    Some(BumpFault::Write) => Err(Failure::WriteFailed),
                    Some(BumpFault::Publish) => Err(Failure::PublishFailed),
                    _ => Ok(None),
                };
                check(*result == expected, &format!("expected {expected:?}"))?;
            }
            (
                Operation::Exchange {
                    source, trouble, ..
                },
                Observed::Exchanged { dirty, missing, .. },
            ) if trouble.withheld == 0 && !dirty && missing.is_empty() => {
                let (seen, theirs) = (self.oracle.seen_by(node), self.oracle.seen_by(*source));
                check(theirs.is_subset(&seen), "not all of the source's blocks")?;
            }
            _ => {}
        }
        let disk = self.cluster.disk(node);
        let at = &self.cluster.nodes[usize::from(node)];
        check(disk == &at.disk, "the image is not what was written")?;
        check(
            totals(&self.cluster, node) == full(&self.oracle.totals(node)),
            "entries",
        )?;
        check(disk.heads_cover_processed(), "CTR-S12")?;
        check(at.machine.store().holes_are_known(), "CTR-S13")
    }

    fn disks(&self) -> Vec<Disk<Ids>> {
        let nodes = self.cluster.nodes.iter();
        nodes.map(|node| node.disk.clone()).collect()
    }

    /// Whether no block that some node has descends from one that no node has.
    fn every_block_is_held(&self) -> bool {
        let disks = || self.cluster.nodes.iter().map(|node| &node.disk);
        let held = |block| disks().any(|disk| disk.blocks.contains(block));
        disks().all(|disk| {
            disk.blocks
                .values()
                .all(|block| block.parents.iter().all(held))
        })
    }

    /// Exchanges without trouble until nothing changes any more.
    fn settle(&mut self) -> Result<(), Disagreement> {
        let nodes = self.cluster.nodes.len() as u8;
        loop {
            let before = self.disks();
            for (node, source) in (0..nodes).flat_map(|a| (0..nodes).map(move |b| (a, b))) {
                let trouble = Trouble::default();
                let exchange = Operation::Exchange {
                    node,
                    source,
                    trouble,
                };
                let repair = Operation::Repair {
                    node,
                    source,
                    trouble,
                };
                for operation in [exchange, repair] {
                    self.perform(&operation)?;
                }
            }
            if self.disks() == before {
                return Ok(());
            }
        }
    }
}

/// Totals of a node by full key, as the counter keeps them.
fn totals(cluster: &Cluster<Ids>, node: u8) -> BTreeMap<<Ids as merkle::Ids>::Key, u64> {
    let entries = cluster.disk(node).entries.iter();
    entries
        .map(|(key, entry)| (key.clone(), Ids::decode(&entry.value)))
        .collect()
}

fn full(totals: &BTreeMap<SubCounter, u64>) -> BTreeMap<<Ids as merkle::Ids>::Key, u64> {
    let full = |(&(direction, key, node, life), total): (&SubCounter, &u64)| {
        let (key, name) = (Ids::key(key), <Ids as Named>::node(node));
        let generation = <Ids as Named>::generation(node, life);
        (Ids::full(direction, &key, &name, &generation), *total)
    };
    totals.iter().map(full).collect()
}

fn follows_history(strategies: Strategies, seed: u64, shape: Shape) -> Result<Watched, String> {
    let mut watched = Watched::new(shape.nodes, strategies);
    for operation in workload(seed, shape) {
        watched.perform(&operation)?;
    }
    Ok(watched)
}

proptest! {
    #![proptest_config(cases(64))]

    /// CTR-S3, S5 to S8, S11, S15, and S12, S13 at every step.
    #[test]
    fn reads_and_entries_follow_from_the_history(seed: u64, operations in 1usize..120, faults: bool) {
        let followed = follows_history(Strategies::REMEDIED, seed, shape(operations, faults));
        prop_assert_eq!(followed.err(), None);
    }

    /// CTR-S1, CTR-L1, CTR-L2, whatever failed before, if every block is still held by someone: a
    /// repair ends at the first block that nobody has (CTR-20), and what lies behind it stays away.
    #[test]
    fn replicas_that_exchange_everything_agree(seed: u64, operations in 1usize..120) {
        let shape = shape(operations, true);
        let followed = follows_history(Strategies::REMEDIED, seed, shape);
        let mut watched = followed.map_err(TestCaseError::fail)?;
        watched.settle().map_err(TestCaseError::fail)?;
        prop_assume!(watched.every_block_is_held());
        for node in 1..shape.nodes {
            prop_assert_eq!(watched.oracle.seen_by(0), watched.oracle.seen_by(node));
            prop_assert_eq!(&watched.cluster.disk(0).entries, &watched.cluster.disk(node).entries);
            prop_assert!(!watched.cluster.disk(node).dirty);
        }
        for key in 0..shape.keys {
            let first = watched.cluster.read(0, key);
            for node in 1..shape.nodes {
                prop_assert_eq!(&watched.cluster.read(node, key), &first);
            }
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_states_and_outputs(seed: u64, operations in 1usize..120, remedied: bool) {
        let strategies = if remedied { Strategies::REMEDIED } else { Strategies::REFERENCE };
        let operations = workload(seed, shape(operations, true));
        let [one, other] = [(); 2].map(|()| {
            let mut cluster = Cluster::<Ids>::new(3, strategies);
            let performed = cluster.run(&operations);
            (cluster, performed)
        });
        prop_assert_eq!(one.1, other.1);
        prop_assert_eq!(one.0.log, other.0.log);
        for (one, other) in one.0.nodes.iter().zip(&other.0.nodes) {
            prop_assert_eq!(&one.machine, &other.machine);
            prop_assert_eq!(&one.disk, &other.disk);
        }
    }

    #[test]
    fn a_counted_trace_conforms(seed: u64, steps in 1usize..200) {
        let trace = trace(seed, 3, 4, steps);
        let replayed = replay(std::io::Cursor::new(&trace)).expect("memory can be read");
        prop_assert_eq!(replayed.outcome, Outcome::Conforms, "{}", trace);
    }
}

quickcheck::quickcheck! {
    fn history_and_replicas_agree(seed: u64, operations: u8, faults: bool) -> Result<bool, String> {
        let shape = shape(usize::from(operations) % 100, faults);
        follows_history(Strategies::REMEDIED, seed, shape)?.settle()?;
        Ok(true)
    }
}

/// One long run; its seed is `CONCORD_SEED` or 1.
#[test]
fn a_long_workload_follows_the_history() {
    let seed = seed();
    println!("seed {seed}");
    let shape = Shape {
        nodes: 4,
        keys: 4,
        operations: soak(250, 2_000) as usize,
        faults: true,
    };
    let followed = follows_history(Strategies::REMEDIED, seed, shape);
    followed
        .and_then(|mut watched| watched.settle())
        .expect("cluster and history agree");
}

/// Found by `replicas_that_exchange_everything_agree` before it asked that every block be held:
/// block 0 is lost with its writer, and since a repair ends at the first block it cannot get
/// (CTR-20), node 0 never comes to block 1, which node 1 holds.
#[test]
fn a_block_that_nobody_has_hides_what_stands_beside_it() {
    let mut watched = Watched::new(3, Strategies::REMEDIED);
    let bump = |node| Operation::Bump {
        node,
        direction: Direction::Incr,
        key: 3,
        fault: None,
    };
    let exchange = |node, source, withheld| Operation::Exchange {
        node,
        source,
        trouble: Trouble {
            withheld,
            crash_after: None,
        },
    };
    let operations = [
        bump(2),
        bump(1),
        exchange(2, 1, 0),
        // Block 2 stands on blocks 0 and 1.
        bump(2),
        exchange(1, 2, 0b001),
        exchange(0, 2, 0b011),
        Operation::LoseData { node: 2 },
    ];
    for operation in &operations {
        watched.perform(operation).expect("the history agrees");
    }
    watched.settle().expect("the history agrees");
    assert!(!watched.every_block_is_held());
    let seen = [0, 1].map(|node| Vec::from_iter(watched.oracle.seen_by(node)));
    assert_eq!(seen, [vec![2], vec![1, 2]]);
}

/// An oracle that nothing can contradict would be decoration.
#[test]
fn the_history_contradicts_each_of_these_variants() {
    let correct = Strategies::REMEDIED;
    let with_store = |store| Strategies { store, ..correct };
    let variants = [
        (
            "merge",
            with_store(merkle::Strategies {
                merge: Merge::LatestWins,
                ..correct.store
            }),
        ),
        (
            "walk_root",
            with_store(merkle::Strategies {
                walk_root: merkle::WalkRoot::OnContact,
                ..correct.store
            }),
        ),
        (
            "isolation",
            Strategies {
                isolation: Isolation::AnyDepth,
                ..correct
            },
        ),
        (
            "publish_failure",
            Strategies {
                publish_failure: PublishFailure::ForgetsTotal,
                ..correct
            },
        ),
        (
            "difference",
            Strategies {
                difference: Difference::Wrapping,
                ..correct
            },
        ),
    ];
    for (name, strategies) in variants {
        let contradicted = (1..100).any(|seed| {
            let followed = follows_history(strategies, seed, shape(120, true));
            followed.and_then(|mut watched| watched.settle()).is_err()
        });
        assert!(contradicted, "{name}");
    }
}

/// The oracle knows the counter's inputs and results and nothing else of it.
#[test]
fn the_oracle_shares_nothing_with_the_counter() {
    let imports = include_str!("oracle.rs").lines();
    let of_concord: Vec<&str> = imports.filter(|line| line.contains("concord::")).collect();
    assert_eq!(of_concord, ["use concord::systems::counter::Direction;"]);
}
