//! Stores converge, whatever breaks.

use concord::systems::pullsync::strategy::{
    EarlyCancel, Eviction, FailedWorker, Presence, Sealing, Strategies, Topmost,
};
use concord::systems::pullsync::{Mode, Reason};
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
