//! Workloads of a cluster of counters, drawn from a seed: what property tests and benches run.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use concord_systems::counter::Direction;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How large a workload is.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Nodes, numbered from 0; at least one.
    pub nodes: u8,
    /// Data keys, numbered from 0; at least one.
    pub keys: u8,
    /// Operations.
    pub operations: usize,
    /// Whether writes fail, blocks are withheld, and nodes crash and lose their data.
    pub faults: bool,
}

/// One thing that happens to a cluster. Node 1 after three crashes is in its fourth life: whoever
/// crashes is up again at once, with a new generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// A node increments or decrements.
    Bump {
        /// The node.
        node: u8,
        /// Up or down.
        direction: Direction,
        /// The counter.
        key: u8,
        /// What goes wrong.
        fault: Option<BumpFault>,
    },
    /// A node reads a counter.
    Read {
        /// The node.
        node: u8,
        /// The counter.
        key: u8,
    },
    /// A node hears of the heads of another and fetches from it.
    Exchange {
        /// The node.
        node: u8,
        /// The other.
        source: u8,
        /// What goes wrong.
        trouble: Trouble,
    },
    /// A node repairs, fetching from another.
    Repair {
        /// The node.
        node: u8,
        /// The other.
        source: u8,
        /// What goes wrong.
        trouble: Trouble,
    },
    /// A node crashes.
    Crash {
        /// The node.
        node: u8,
    },
    /// A node crashes and its disk is gone.
    LoseData {
        /// The node.
        node: u8,
    },
}

/// What goes wrong with a bump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BumpFault {
    /// The block cannot be stored.
    Write,
    /// The announcement fails.
    Publish,
    /// The node crashes once the block is stored.
    CrashAfterBlock,
}

/// What goes wrong with an exchange; nothing by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trouble {
    /// The block that was written nth cannot be fetched if bit n modulo 64 is set.
    pub withheld: u64,
    /// The node crashes after so many durable writes.
    pub crash_after: Option<u8>,
}

impl Trouble {
    /// Whether the block that was written nth can be fetched.
    pub fn serves(&self, nth: u32) -> bool {
        self.withheld >> (nth % 64) & 1 == 0
    }
}

/// The operations that `seed` gives. A shorter workload of the same seed is a prefix of a longer one.
pub fn workload(seed: u64, shape: Shape) -> Vec<Operation> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let operations = 0..shape.operations;
    operations.map(|_| operation(&mut rng, shape)).collect()
}

fn operation(rng: &mut ChaCha8Rng, shape: Shape) -> Operation {
    let node = rng.random_range(0..shape.nodes);
    let source = rng.random_range(0..shape.nodes);
    let key = rng.random_range(0..shape.keys);
    let kinds = if shape.faults { 100 } else { 85 };
    match rng.random_range(0..kinds) {
        0..50 => Operation::Bump {
            node,
            direction: direction(rng),
            key,
            fault: bump_fault(rng, shape),
        },
        50..65 => Operation::Read { node, key },
        65..85 => Operation::Exchange {
            node,
            source,
            trouble: trouble(rng, shape),
        },
        85..93 => Operation::Repair {
            node,
            source,
            trouble: trouble(rng, shape),
        },
        93..98 => Operation::Crash { node },
        _ => Operation::LoseData { node },
    }
}

fn direction(rng: &mut ChaCha8Rng) -> Direction {
    if rng.random_bool(0.7) {
        Direction::Incr
    } else {
        Direction::Decr
    }
}

fn bump_fault(rng: &mut ChaCha8Rng, shape: Shape) -> Option<BumpFault> {
    if !shape.faults {
        return None;
    }
    match rng.random_range(0..20) {
        0 => Some(BumpFault::Write),
        1 => Some(BumpFault::Publish),
        2 => Some(BumpFault::CrashAfterBlock),
        _ => None,
    }
}

fn trouble(rng: &mut ChaCha8Rng, shape: Shape) -> Trouble {
    let mut trouble = Trouble::default();
    if shape.faults {
        if rng.random_bool(0.3) {
            // Every bit is set with a chance of one in four.
            trouble.withheld = rng.random::<u64>() & rng.random::<u64>();
        }
        if rng.random_bool(0.1) {
            trouble.crash_after = Some(rng.random_range(0..12));
        }
    }
    trouble
}

/// A trace of `steps` bumps, reads and whole exchanges without faults, as `concord replay` reads it.
/// Its results do not come from the counter: they are counted here.
pub fn trace(seed: u64, nodes: u8, keys: u8, steps: usize) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut counted: Vec<Counted> = (0..nodes).map(|_| Counted::default()).collect();
    let mut blocks: Vec<(Direction, u8)> = Vec::new();
    let names: Vec<String> = (0..nodes).map(|node| format!("\"n{node}\"")).collect();
    let mut text = format!(
        r#"{{"trace":"concord/1","system":"counter","config":{{"nodes":[{}]}}}}"#,
        names.join(",")
    );
    for (node, name) in names.iter().enumerate() {
        let args = format!(r#""node":{name},"generation":"{node:032x}""#);
        line(&mut text, "start", &args, "null");
    }
    for _ in 0..steps {
        let node = usize::from(rng.random_range(0..nodes));
        let source = usize::from(rng.random_range(0..nodes));
        let key = rng.random_range(0..keys);
        let (at, from) = (&names[node], &names[source]);
        match rng.random_range(0..100) {
            0..70 => {
                let direction = direction(&mut rng);
                let op = match direction {
                    Direction::Incr => "increment",
                    Direction::Decr => "decrement",
                };
                let block = blocks.len();
                let args = format!(r#""node":{at},"key":"/k/{key}","block":"b{block}""#);
                line(&mut text, op, &args, "null");
                blocks.push((direction, key));
                counted[node].take(block, &blocks);
            }
            70..90 => {
                let args = format!(r#""node":{at},"key":"/k/{key}""#);
                let value = counted[node].value(key);
                line(&mut text, "read", &args, &value.to_string());
            }
            _ => {
                let new = &counted[source].blocks - &counted[node].blocks;
                let mut merged: Vec<_> = new.iter().map(|block| format!("\"b{block}\"")).collect();
                merged.sort_unstable();
                let merged = merged.join(",");
                let done = format!(r#"{{"dirty":false,"merged":[{merged}],"missing":[]}}"#);
                let args = format!(r#""node":{at},"source":{from}"#);
                line(&mut text, "sync", &args, &done);
                for block in new {
                    counted[node].take(block, &blocks);
                }
            }
        }
    }
    text.push('\n');
    text
}

fn line(text: &mut String, op: &str, args: &str, returns: &str) {
    let line = write!(
        text,
        "\n{{\"op\":\"{op}\",\"args\":{{{args}}},\"returns\":{returns}}}"
    );
    line.expect("a string takes any text");
}

/// What one node knows.
#[derive(Default)]
struct Counted {
    blocks: BTreeSet<usize>,
    /// Increments and decrements by key.
    sums: Vec<(u64, u64)>,
}

impl Counted {
    fn take(&mut self, block: usize, blocks: &[(Direction, u8)]) {
        self.blocks.insert(block);
        let (direction, key) = blocks[block];
        let key = usize::from(key);
        if self.sums.len() <= key {
            self.sums.resize(key + 1, (0, 0));
        }
        match direction {
            Direction::Incr => self.sums[key].0 += 1,
            Direction::Decr => self.sums[key].1 += 1,
        }
    }

    fn value(&self, key: u8) -> u64 {
        let sums = self.sums.get(usize::from(key)).copied();
        let (incr, decr) = sums.unwrap_or_default();
        incr.saturating_sub(decr)
    }
}
