//! Stores converge, whatever breaks.

use concord::systems::pullsync::Mode;
use concord::systems::pullsync::strategy::{
    Cursor, Eviction, FailedScan, FailedWorker, Partial, Presence, Sealing, Stamps, Strategies,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::common::cases;
use super::network::{Act, Network, Verdict, act};

const PAIR: [(u8, u8); 1] = [(0, 1)];
const CHAIN: [(u8, u8); 2] = [(0, 1), (1, 2)];
const RING: [(u8, u8); 3] = [(0, 1), (0, 2), (1, 2)];

/// Does all that, lets the network come to rest, and closes it.
fn run(plan: &[(u8, u8)], how: Strategies, acts: &[Act], seed: u64) -> Verdict {
    let mut network = Network::new(plan, how);
    acts.iter().try_for_each(|act| network.act(act))?;
    network.settle(seed)?;
    network.close()
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 0..60)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn two_stores_converge(acts in acts(), seed: u64) {
        prop_assert_eq!(run(&PAIR, Strategies::REFERENCE, &acts, seed), Ok(()));
    }

    #[test]
    fn three_stores_in_a_chain_converge(acts in acts(), seed: u64) {
        prop_assert_eq!(run(&CHAIN, Strategies::REFERENCE, &acts, seed), Ok(()));
    }

    #[test]
    fn three_stores_in_a_ring_converge(acts in acts(), seed: u64) {
        prop_assert_eq!(run(&RING, Strategies::REFERENCE, &acts, seed), Ok(()));
    }
}

/// Whether some run of a chain shows that these strategies are wrong.
fn is_found_out(how: Strategies) -> bool {
    let mut runner = TestRunner::deterministic();
    (0..2000).any(|seed| {
        let acts = acts().new_tree(&mut runner).expect("acts can be drawn");
        run(&CHAIN, how, &acts.current(), seed).is_err()
    })
}

#[test]
fn faulty_nodes_do_not_converge() {
    let reference = Strategies::REFERENCE;
    let faulty = [
        Strategies {
            presence: Presence::Data,
            ..reference
        },
        Strategies {
            failed_worker: FailedWorker::LeftAlone,
            ..reference
        },
        Strategies {
            eviction: Eviction::Kept,
            ..reference
        },
        Strategies {
            stamps: Stamps::Fatal,
            ..reference
        },
        Strategies {
            partial: Partial::Sealed,
            ..reference
        },
        Strategies {
            failed_scan: FailedScan::Complete,
            ..reference
        },
        Strategies {
            sealing: Sealing::ReadEarly,
            ..reference
        },
        Strategies {
            cursor: Cursor::Surviving,
            ..reference
        },
        Strategies::UPSTREAM,
    ];
    for how in faulty {
        assert!(is_found_out(how), "{how:?}");
    }
}

#[test]
fn a_cached_copy_does_not_stop_a_chunk_on_its_way() {
    let acts = [
        Act::Put(1, Mode::Cache, 0x21),
        Act::Put(0, Mode::Upload, 0x21),
    ];
    let chain = |how| {
        let mut network = Network::new(&CHAIN, how);
        acts.iter().try_for_each(|act| network.act(act))?;
        network.settle(1)?;
        Ok::<_, String>(network.has(2, 0x21))
    };
    assert_eq!(chain(Strategies::REFERENCE), Ok(true));
    let presence = Presence::Data;
    let how = Strategies {
        presence,
        ..Strategies::REFERENCE
    };
    assert!(chain(how).is_err(), "D20");
}
