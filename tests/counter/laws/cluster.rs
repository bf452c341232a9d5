//! Real replicas on disks in memory, and what a workload makes them do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use concord::models::counter::workload::{BumpFault, Operation, Trouble};
use concord::systems::counter::{
    CallId, DataKey, Direction, Failure, Generation, Input, Output, QueryEnd, Small, SmallAddress,
    SmallKey, Space, State, Strategies, Text,
};
use concord::systems::machine::Machine as _;
use concord::systems::merkle::driver::{Durable, Interner, exchange};
use concord::systems::merkle::{self, Block, Disk, Write};

/// The data keys of workloads. The second lies below the first, which is also a prefix of the third.
pub(crate) const KEYS: [&str; 4] = [
    "/LIKES/INCR/t1",
    "/LIKES/INCR/t1/x",
    "/LIKES/INCR/t10",
    "/TWEETS/VIEWS/t1",
];

/// What the numbers of a workload are called.
pub(crate) trait Named: Space {
    /// What is needed to find the address of a block.
    type Book: Default;

    fn key(key: u8) -> Self::DataKey;
    fn node(node: u8) -> Self::Node;
    fn generation(node: u8, life: u8) -> Self::Generation;
    fn address(book: &mut Self::Book, block: &Arc<Block<Self>>) -> Self::Address;
}

impl Named for Small {
    type Book = ();

    fn key(key: u8) -> u8 {
        key
    }

    fn node(node: u8) -> u8 {
        node
    }

    fn generation(_: u8, life: u8) -> u8 {
        life
    }

    fn address((): &mut (), block: &Arc<Block<Small>>) -> SmallAddress {
        SmallAddress::of(block)
    }
}

fn text_node(node: u8) -> Arc<str> {
    String::from(char::from(b'a' + node)).into()
}

fn text_generation(node: u8, life: u8) -> Generation {
    let mut bytes = [0xf0; 16];
    [bytes[0], bytes[15]] = [life, node];
    Generation(bytes)
}

/// Blocks are numbered in order of appearance.
impl Named for Text<u32> {
    type Book = Interner<Self>;

    fn key(key: u8) -> DataKey {
        DataKey::new(KEYS[usize::from(key)])
    }

    fn node(node: u8) -> Arc<str> {
        text_node(node)
    }

    fn generation(node: u8, life: u8) -> Generation {
        text_generation(node, life)
    }

    fn address(book: &mut Interner<Self>, block: &Arc<Block<Self>>) -> u32 {
        book.address(block).0
    }
}

/// Blocks have the address that the same block with small names has.
impl Named for Text<SmallAddress> {
    type Book = ();

    fn key(key: u8) -> DataKey {
        DataKey::new(KEYS[usize::from(key)])
    }

    fn node(node: u8) -> Arc<str> {
        text_node(node)
    }

    fn generation(node: u8, life: u8) -> Generation {
        text_generation(node, life)
    }

    fn address((): &mut (), block: &Arc<Block<Self>>) -> SmallAddress {
        SmallAddress::of(&Block {
            height: block.height,
            parents: block.parents.clone(),
            key: small_key(&block.key),
            value: Self::decode(&block.value),
        })
    }
}

/// Takes a full key apart.
fn small_key(full: &str) -> SmallKey {
    let rest = full.strip_prefix("/STATS/").expect("a sub-counter");
    let (direction, rest) = rest.split_at(4);
    let mut parts = rest.rsplitn(3, '/');
    let generation = parts.next().and_then(Generation::parse);
    let node = parts.next().expect("a node").as_bytes()[0] - b'a';
    let key = parts.next();
    let key = KEYS.iter().position(|known| Some(*known) == key);
    SmallKey {
        direction: match direction {
            "incr" => Direction::Incr,
            _ => Direction::Decr,
        },
        key: key.expect("a key of a workload") as u8,
        node,
        generation: generation.expect("a generation").0[0],
    }
}

/// What an operation showed; blocks by number, in order of writing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Observed {
    /// A call returned.
    Returned(Result<Option<u64>, Failure>),
    /// An exchange or repair ended.
    Exchanged {
        dirty: bool,
        merged: BTreeSet<u32>,
        missing: BTreeSet<u32>,
    },
    /// The node crashed and is up again.
    Crashed,
}

/// An operation after it was performed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Performed {
    pub(crate) observed: Observed,
    /// Blocks whose entry or mark reached the disk.
    pub(crate) kept: BTreeSet<u32>,
}

pub(crate) struct Node<S: Space> {
    pub(crate) machine: State<S>,
    pub(crate) disk: Disk<S>,
    pub(crate) life: u8,
}

/// Nodes that are always up.
pub(crate) struct Cluster<S: Named> {
    pub(crate) nodes: Vec<Node<S>>,
    strategies: Strategies,
    book: S::Book,
    numbers: BTreeMap<S::Address, u32>,
    /// The block that wrote a key at a height.
    writes: BTreeMap<(S::Key, u64), u32>,
    /// Everything that every node ever put out.
    pub(crate) log: Vec<Output<S>>,
    calls: CallId,
}

struct Crash;

impl<S: Named> Cluster<S> {
    pub(crate) fn new(nodes: u8, strategies: Strategies) -> Self {
        let node = |node| {
            let disk = Disk::default();
            let generation = S::generation(node, 0);
            Node {
                machine: State::open(S::node(node), generation, disk.clone(), strategies),
                disk,
                life: 0,
            }
        };
        Self {
            nodes: (0..nodes).map(node).collect(),
            strategies,
            book: S::Book::default(),
            numbers: BTreeMap::new(),
            writes: BTreeMap::new(),
            log: Vec::new(),
            calls: 0,
        }
    }

    pub(crate) fn run(&mut self, operations: &[Operation]) -> Vec<Performed> {
        let operations = operations.iter();
        operations
            .map(|operation| self.perform(operation))
            .collect()
    }

    pub(crate) fn perform(&mut self, operation: &Operation) -> Performed {
        let mut kept = BTreeSet::new();
        let observed = match *operation {
            Operation::Bump {
                node,
                direction,
                key,
                fault,
            } => self.bump(node, direction, key, fault, &mut kept),
            Operation::Read { node, key } => self.read(node, key),
            Operation::Exchange {
                node,
                source,
                trouble,
            } => {
                let heads = self.disk(source).heads.keys().copied().collect();
                let input = merkle::Input::Announced(heads);
                self.exchange(node, source, input, trouble, &mut kept)
            }
            Operation::Repair {
                node,
                source,
                trouble,
            } => self.exchange(node, source, merkle::Input::Repair, trouble, &mut kept),
            Operation::Crash { node } => self.crash(node),
            Operation::LoseData { node } => {
                self.nodes[usize::from(node)].disk = Disk::default();
                self.crash(node)
            }
        };
        Performed { observed, kept }
    }

    pub(crate) fn disk(&self, node: u8) -> &Disk<S> {
        self.nodes[usize::from(node)].machine.store().disk()
    }

    fn call(&mut self) -> CallId {
        self.calls += 1;
        self.calls
    }

    fn crash(&mut self, node: u8) -> Observed {
        let crashed = &mut self.nodes[usize::from(node)];
        crashed.life += 1;
        let generation = S::generation(node, crashed.life);
        let disk = crashed.disk.clone();
        crashed.machine = State::open(S::node(node), generation, disk, self.strategies);
        Observed::Crashed
    }

    fn bump(
        &mut self,
        node: u8,
        direction: Direction,
        key: u8,
        fault: Option<BumpFault>,
        kept: &mut BTreeSet<u32>,
    ) -> Observed {
        let call = self.call();
        let mut inputs = vec![Input::Bump {
            call,
            direction,
            key: S::key(key),
            unreadable: false,
        }];
        while let Some(input) = inputs.pop() {
            let at = &mut self.nodes[usize::from(node)];
            let mut outputs = Vec::new();
            at.machine.step(input, &mut outputs);
            self.log.extend(outputs.iter().cloned());
            for output in outputs {
                match output {
                    Output::Store(merkle::Output::Store(block)) => {
                        let address = (fault != Some(BumpFault::Write)).then(|| {
                            let address = S::address(&mut self.book, &block);
                            let number = self.numbers.len() as u32;
                            let known = self.numbers.insert(address, number);
                            assert_eq!(known, None, "two writes have one address");
                            let write = (block.key.clone(), block.height);
                            self.writes.insert(write, number);
                            at.disk.apply(&Write::Block(address, block));
                            address
                        });
                        if fault == Some(BumpFault::CrashAfterBlock) {
                            return self.crash(node);
                        }
                        inputs.push(Input::Store(merkle::Input::Stored(address)));
                    }
                    Output::Store(merkle::Output::Write(write)) => {
                        at.disk.apply(&write);
                        note(&write, &self.numbers, &self.writes, kept);
                    }
                    Output::Publish { call, .. } => {
                        let ok = fault != Some(BumpFault::Publish);
                        inputs.push(Input::Published { call, ok });
                    }
                    Output::Returned { result, .. } => return Observed::Returned(result),
                    Output::Store(_) | Output::Query { .. } => {}
                }
            }
        }
        unreachable!("every bump returns (CTR-L4)")
    }

    pub(crate) fn read(&mut self, node: u8, key: u8) -> Observed {
        let call = self.call();
        let key = S::key(key);
        let mut outputs = vec![];
        let machine = &mut self.nodes[usize::from(node)].machine;
        machine.step(Input::Read { call, key }, &mut outputs);
        while let Some(output) = outputs.pop() {
            self.log.push(output.clone());
            match output {
                Output::Query { call } => {
                    let end = QueryEnd::Complete;
                    machine.step(Input::Queried { call, end }, &mut outputs);
                }
                Output::Returned { result, .. } => return Observed::Returned(result),
                Output::Store(_) | Output::Publish { .. } => {}
            }
        }
        unreachable!("every read returns")
    }

    fn exchange(
        &mut self,
        node: u8,
        source: u8,
        input: merkle::Input<S>,
        trouble: Trouble,
        kept: &mut BTreeSet<u32>,
    ) -> Observed {
        let at = usize::from(node);
        let mut machine = self.nodes[at].machine.clone();
        let source = self.disk(source).clone();
        let disk = &mut self.nodes[at].disk;
        let (numbers, writes, log) = (&self.numbers, &self.writes, &mut self.log);
        let mut left = trouble.crash_after;
        let done = exchange(
            &mut machine,
            input,
            |address| {
                let served = trouble.serves(numbers[address]);
                served.then(|| source.blocks.get(address).cloned())?
            },
            |durable| {
                let Durable::Write(write) = durable else {
                    return Ok::<(), Crash>(());
                };
                log.push(Output::Store(merkle::Output::Write(write.clone())));
                if let Some(left) = &mut left {
                    *left = left.checked_sub(1).ok_or(Crash)?;
                }
                disk.apply(write);
                note(write, numbers, writes, kept);
                Ok(())
            },
        );
        let Ok(done) = done else {
            return self.crash(node);
        };
        self.nodes[at].machine = machine;
        let done = done.expect("whoever answers every fetch at once ends every exchange");
        let numbered = |blocks: Vec<S::Address>| {
            let blocks = blocks.iter();
            blocks.map(|block| self.numbers[block]).collect()
        };
        Observed::Exchanged {
            dirty: done.dirty,
            merged: numbered(done.merged),
            missing: numbered(done.missing),
        }
    }
}

/// Notes whose entry or mark `write` brings to the disk.
fn note<S: Space>(
    write: &Write<S>,
    numbers: &BTreeMap<S::Address, u32>,
    writes: &BTreeMap<(S::Key, u64), u32>,
    kept: &mut BTreeSet<u32>,
) {
    match write {
        Write::Entry(key, entry) => {
            kept.insert(writes[&(key.clone(), entry.priority)]);
        }
        Write::Processed(address) => {
            kept.insert(numbers[address]);
        }
        Write::Batch(batch) => batch
            .iter()
            .for_each(|write| note(write, numbers, writes, kept)),
        Write::Block(..) | Write::Heads { .. } | Write::Dirty(_) => {}
    }
}
