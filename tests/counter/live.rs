//! Live counts against the deterministic core, and under real threads.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use concord::systems::counter::shell::{Counted, GroupCommit, Live};
use concord::systems::counter::{
    DataKey, Direction, Generation, Input, Output, Space, State, Strategies, Text,
};
use concord::systems::machine::Machine as _;
use concord::systems::merkle::value::encode;
use concord::systems::merkle::{self, Block, Disk};
use proptest::prelude::*;

use crate::common::soak;

type Ids = Text<u32>;

/// What happens to both.
#[derive(Clone, Debug)]
enum Op {
    Bump(usize, Direction, bool),
    /// A peer's sub-counter is heard of.
    Merge(usize, Direction, u64, u64),
    Read(usize),
    Flush(bool),
}

const KEYS: [&str; 3] = ["/k", "/LIKES/INCR/t1", "/"];
const OTHER_SPELLINGS: [&str; 3] = ["k//", "LIKES/./INCR/t1/", "x/.."];

fn op() -> impl Strategy<Value = Op> {
    let key = 0..KEYS.len();
    let direction = prop_oneof![Just(Direction::Incr), Just(Direction::Decr)];
    prop_oneof![
        4 => (key.clone(), direction.clone(), any::<bool>())
            .prop_map(|(key, direction, other)| Op::Bump(key, direction, other)),
        2 => (key.clone(), direction, 0..3_u64, 0..6_u64)
            .prop_map(|(key, direction, peer, total)| Op::Merge(key, direction, peer, total)),
        2 => key.prop_map(Op::Read),
        1 => any::<bool>().prop_map(Op::Flush),
    ]
}

/// The core, with the outside world answering at once.
struct Core {
    state: State<Ids>,
    blocks: u32,
}

impl Core {
    fn new() -> Self {
        let generation = Generation([0; 16]);
        let disk = Disk::default();
        let state = State::open("own".into(), generation, disk, Strategies::REMEDIED);
        Self { state, blocks: 0 }
    }

    fn step(&mut self, input: Input<Ids>) {
        self.state.step(input, &mut Vec::new());
    }

    fn bump(&mut self, direction: Direction, key: &DataKey) {
        let call = self.blocks;
        self.blocks += 1;
        let (key, unreadable) = (key.clone(), false);
        self.step(Input::Bump { call, direction, key, unreadable });
        self.step(Input::Store(merkle::Input::Stored(Some(call))));
        self.step(Input::Published { call, ok: true });
    }

    /// Peers write each total once, so the larger is the later.
    fn merge(&mut self, direction: Direction, key: &DataKey, peer: u64, total: u64) {
        let node = format!("peer{peer}").into();
        let full = Ids::full(direction, key, &node, &Generation([1; 16]));
        let block = Block { height: total + 1, parents: [].into_iter().collect(), key: full, value: encode(total) };
        let address = self.blocks;
        self.blocks += 1;
        self.step(Input::Store(merkle::Input::Announced(vec![address])));
        let mut outputs = Vec::new();
        let fetched = merkle::Input::Fetched { address, block: Some(block.into()) };
        self.state.step(Input::Store(fetched), &mut outputs);
        let _: Vec<Output<Ids>> = outputs;
    }
}
