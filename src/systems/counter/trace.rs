//! Traces of the counter (section 11 of its spec).

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, Seek};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::merkle::driver::{Backend, Interner};
use crate::merkle::key::norm;
use crate::merkle::trace::{Replica, Told, broken, entries, read_node, read_nodes, run_exchange};
use crate::merkle::value::Bytes;
use crate::merkle::{self, Disk, Exchanged, Memory, Write};
use crate::replay::{self, Answer, Args, Flaw, Interpreter, Replayed, Vocabulary};

use super::message::{Direction, Failure, Input, Output, QueryEnd};
use super::space::{DataKey, Generation, Text};
use super::state::State;
use super::strategy::Strategies;

/// Keys of a replayed trace; blocks are numbered in order of first appearance.
pub type Ids = Text<u32>;

/// Replays a trace on the reference, its disks held in memory.
///
/// # Errors
/// Only those of reading `source`.
pub fn replay(source: impl BufRead + Seek) -> io::Result<Replayed> {
    replay_on(source, |_| Ok(Memory::<Disk<Ids>>::default()))
}

/// Replays a trace on the reference, with a disk of the caller's for every node.
///
/// # Errors
/// Only those of reading `source`.
pub fn replay_on<B: Backend<Disk<Ids>, Write<Ids>>>(
    source: impl BufRead + Seek,
    disk: impl FnMut(&str) -> Result<B, B::Error>,
) -> io::Result<Replayed> {
    replay::replay(source, |words: &Words| {
        Ok(Replay {
            nodes: Replica::all(&words.nodes, disk)?,
            blocks: Interner::new(),
            addresses: BTreeMap::new(),
            names: Vec::new(),
        })
    })
}

/// The vocabulary, with the block names given so far.
#[derive(Debug)]
pub struct Words {
    nodes: Vec<String>,
    blocks: BTreeMap<String, usize>,
}

/// One step of a trace.
#[derive(Debug)]
pub struct Step {
    node: usize,
    op: Op,
}

#[derive(Debug)]
enum Op {
    Start(Generation),
    Bump(Direction, DataKey, Put),
    RawPut(Arc<str>, Bytes, Put),
    Read(DataKey),
    Deliver {
        blocks: Vec<usize>,
        from: Vec<usize>,
        withhold: Vec<usize>,
        crash: bool,
    },
    Sync {
        source: usize,
    },
    Repair {
        from: Vec<usize>,
    },
    Heads,
    Entries,
    Stop,
    LoseData,
}

/// What a writing step says of its block.
#[derive(Debug)]
struct Put {
    /// Index of the block's name, in order of mention.
    block: usize,
    name: String,
    fault: Option<PutFault>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PutFault {
    Write,
    Publish,
    CrashBlock,
    CrashMerge,
    CrashMark,
    CrashHead,
}

const PUT_FAULTS: &[(&str, PutFault)] = &[
    ("write", PutFault::Write),
    ("publish", PutFault::Publish),
    ("crash_block", PutFault::CrashBlock),
    ("crash_merge", PutFault::CrashMerge),
    ("crash_mark", PutFault::CrashMark),
    ("crash_head", PutFault::CrashHead),
];

impl Vocabulary for Words {
    const SYSTEM: &'static str = "counter";
    type Step = Step;

    fn configure(config: &Args<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            nodes: read_nodes(config)?,
            blocks: BTreeMap::new(),
        })
    }

    fn parse(&mut self, op: &str, args: &Args<'_>) -> Result<Step, Flaw> {
        let read: fn(&mut Self, &Args<'_>) -> Result<Op, Flaw> = match op {
            "start" => |_, args| {
                let text = args.string("generation")?;
                let generation = Generation::parse(text).ok_or_else(|| {
                    let wanted = "32 lower-case hex digits";
                    args.flaw("generation", format!("\"{text}\", expected {wanted}"))
                })?;
                Ok(Op::Start(generation))
            },
            "increment" => |words, args| words.bump(Direction::Incr, args),
            "decrement" => |words, args| words.bump(Direction::Decr, args),
            "raw_put" => |words, args| {
                let key = norm(args.string("key")?).into();
                let value = Bytes::from_vec(args.hex("value")?);
                Ok(Op::RawPut(key, value, words.put(args)?))
            },
            "read" => |_, args| Ok(Op::Read(DataKey::new(args.string("key")?))),
            "deliver" => Self::deliver,
            "sync" => |words, args| {
                let source = read_node(&words.nodes, args, "source")?;
                Ok(Op::Sync { source })
            },
            "repair" => |words, args| {
                let from = words.sources(args)?;
                Ok(Op::Repair { from })
            },
            "heads" => |_, _| Ok(Op::Heads),
            "entries" => |_, _| Ok(Op::Entries),
            "crash" | "close" => |_, _| Ok(Op::Stop),
            "lose_data" => |_, _| Ok(Op::LoseData),
            _ => return Err(Args::unknown_op(op)),
        };
        let node = read_node(&self.nodes, args, "node")?;
        Ok(Step {
            node,
            op: read(self, args)?,
        })
    }
}

impl Words {
    fn bump(&mut self, direction: Direction, args: &Args<'_>) -> Result<Op, Flaw> {
        let key = DataKey::new(args.string("key")?);
        Ok(Op::Bump(direction, key, self.put(args)?))
    }

    fn put(&mut self, args: &Args<'_>) -> Result<Put, Flaw> {
        let name = args.string("block")?;
        let fault = args.optional_choice("fault", PUT_FAULTS)?;
        let block = self.blocks.len();
        if self.blocks.insert(name.to_owned(), block).is_some() {
            let message = format!("\"{name}\" was given to an earlier block");
            return Err(args.flaw("block", message));
        }
        let name = name.to_owned();
        Ok(Put { block, name, fault })
    }

    fn deliver(&mut self, args: &Args<'_>) -> Result<Op, Flaw> {
        let blocks = self.known(args, "blocks", args.strings("blocks")?)?;
        let from = self.sources(args)?;
        let withhold = self.known(args, "withhold", args.optional_strings("withhold")?)?;
        let fault = args.optional_choice("fault", &[("crash_waiting", ())])?;
        let crash = fault.is_some();
        if crash && blocks.len() != 1 {
            let found = blocks.len();
            let message = format!("crash_waiting with {found} announced blocks, expected one");
            return Err(args.flaw("fault", message));
        }
        Ok(Op::Deliver {
            blocks,
            from,
            withhold,
            crash,
        })
    }

    fn known(&self, args: &Args<'_>, field: &str, names: Vec<&str>) -> Result<Vec<usize>, Flaw> {
        let known = names.into_iter().map(|name| {
            let block = self.blocks.get(name).copied();
            block.ok_or_else(|| {
                let message = format!("\"{name}\" was not given to a block by an earlier step");
                args.flaw(field, message)
            })
        });
        known.collect()
    }

    fn sources(&self, args: &Args<'_>) -> Result<Vec<usize>, Flaw> {
        let sources = args.strings("from")?.into_iter().map(|node| {
            let at = self.nodes.iter().position(|known| known == node);
            at.ok_or_else(|| args.flaw("from", format!("\"{node}\" is not a node of this trace")))
        });
        sources.collect()
    }
}

/// The reference under replay.
#[derive(Debug)]
struct Replay<B> {
    nodes: Vec<Replica<State<Ids>, B>>,
    blocks: Interner<Ids>,
    /// Address of the block that a mentioned name means; absent while the name is unused.
    addresses: BTreeMap<usize, u32>,
    /// The first name of each block, by address.
    names: Vec<String>,
}

impl<B: Backend<Disk<Ids>, Write<Ids>>> Interpreter for Replay<B> {
    type Vocabulary = Words;

    fn perform(&mut self, Step { node, op }: Step) -> Result<Answer, Flaw> {
        if self.nodes[node].running.is_none() && !matches!(op, Op::Start(_) | Op::LoseData) {
            return Ok(Answer::Fails("not_running"));
        }
        match op {
            Op::Start(generation) => self.start(node, generation),
            Op::Bump(direction, key, put) => {
                let input = Input::Bump {
                    call: 0,
                    direction,
                    key,
                    unreadable: false,
                };
                self.put(node, input, put)
            }
            Op::RawPut(key, value, put) => {
                let call = 0;
                self.put(node, Input::RawPut { call, key, value }, put)
            }
            Op::Read(key) => Ok(self.read(node, key)),
            Op::Deliver {
                blocks,
                from,
                withhold,
                crash,
            } => self.deliver(node, &blocks, &from, &withhold, crash),
            Op::Sync { source } => self.sync(node, source),
            Op::Repair { from } => {
                let done = self.exchange(node, merkle::Input::Repair, &from, &[], false)?;
                Ok(Answer::Returns(self.describe(done)))
            }
            Op::Heads => {
                let heads = self.disk(node).heads.keys();
                let mut names: Vec<&str> = heads.map(|head| self.name(*head)).collect();
                names.sort_unstable();
                Ok(Answer::Returns(json!(names)))
            }
            Op::Entries => Ok(Answer::Returns(entries(self.disk(node)))),
            Op::Stop => {
                self.nodes[node].running = None;
                Ok(Answer::Returns(Value::Null))
            }
            Op::LoseData if self.nodes[node].running.is_some() => Ok(Answer::Fails("running")),
            Op::LoseData => {
                self.nodes[node].disk.wipe().map_err(broken)?;
                Ok(Answer::Returns(Value::Null))
            }
        }
    }
}

impl<B: Backend<Disk<Ids>, Write<Ids>>> Replay<B> {
    fn disk(&self, node: usize) -> &Disk<Ids> {
        self.nodes[node].machine().store().disk()
    }

    fn start(&mut self, node: usize, generation: Generation) -> Result<Answer, Flaw> {
        let node = &mut self.nodes[node];
        if node.running.is_some() {
            return Ok(Answer::Fails("already_running"));
        }
        let disk = node.disk.load().map_err(broken)?;
        let name = Arc::clone(&node.name);
        node.running = Some(State::open(name, generation, disk, Strategies::REFERENCE));
        Ok(Answer::Returns(Value::Null))
    }

    /// Runs one write to its end, or to the step after which the process dies.
    fn put(&mut self, node: usize, input: Input<Ids>, put: Put) -> Result<Answer, Flaw> {
        let node = &mut self.nodes[node];
        let machine = node.running.as_mut();
        let machine = machine.expect("stopped nodes are answered first");
        let mut outputs = Vec::new();
        machine.step(input, &mut outputs);
        let mut outputs = VecDeque::from(outputs);
        let mut more = Vec::new();
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Store(merkle::Output::Store(block)) => {
                    let address = (put.fault != Some(PutFault::Write)).then(|| {
                        let (address, new) = self.blocks.address(&block);
                        if new {
                            self.names.push(put.name.clone());
                        }
                        self.addresses.insert(put.block, address);
                        address
                    });
                    if let Some(address) = address {
                        let write = Write::Block(address, block);
                        node.disk.write(&write).map_err(broken)?;
                    }
                    if put.fault == Some(PutFault::CrashBlock) {
                        break;
                    }
                    let stored = merkle::Input::Stored(address);
                    machine.step(Input::Store(stored), &mut more);
                }
                Output::Store(merkle::Output::Write(write)) => {
                    // Not every put changes the entry, but every put marks its block.
                    let marks = matches!(write, Write::Processed(_));
                    if marks && put.fault == Some(PutFault::CrashMerge) {
                        break;
                    }
                    let heads = matches!(write, Write::Heads { .. });
                    node.disk.write(&write).map_err(broken)?;
                    if marks && put.fault == Some(PutFault::CrashMark)
                        || heads && put.fault == Some(PutFault::CrashHead)
                    {
                        break;
                    }
                }
                Output::Store(merkle::Output::Sync) => node.disk.sync().map_err(broken)?,
                Output::Publish { call, .. } => {
                    let ok = put.fault != Some(PutFault::Publish);
                    machine.step(Input::Published { call, ok }, &mut more);
                }
                Output::Returned { result, .. } => {
                    return Ok(match result {
                        Ok(_) => Answer::Returns(Value::Null),
                        Err(failure) => Answer::Fails(code(failure)),
                    });
                }
                Output::Store(_) | Output::Query { .. } => {}
            }
            outputs.extend(more.drain(..));
        }
        node.disk.sync().map_err(broken)?;
        node.running = None;
        Ok(Answer::Fails("crashed"))
    }

    fn read(&mut self, node: usize, key: DataKey) -> Answer {
        let machine = self.nodes[node].running.as_mut();
        let machine = machine.expect("stopped nodes are answered first");
        let mut outputs = Vec::new();
        machine.step(Input::Read { call: 0, key }, &mut outputs);
        loop {
            match outputs.pop() {
                Some(Output::Query { call }) => {
                    let end = QueryEnd::Complete;
                    machine.step(Input::Queried { call, end }, &mut outputs);
                }
                Some(Output::Returned { result, .. }) => {
                    return match result {
                        Ok(sum) => Answer::Returns(json!(sum)),
                        Err(failure) => Answer::Fails(code(failure)),
                    };
                }
                Some(Output::Store(_) | Output::Publish { .. }) => {}
                None => return Answer::Returns(Value::Null),
            }
        }
    }

    fn deliver(
        &mut self,
        node: usize,
        blocks: &[usize],
        from: &[usize],
        withhold: &[usize],
        crash: bool,
    ) -> Result<Answer, Flaw> {
        let blocks = self.resolve("args.blocks", blocks)?;
        let withhold = self.resolve("args.withhold", withhold)?;
        let input = merkle::Input::Announced(blocks);
        let done = self.exchange(node, input, from, &withhold, crash)?;
        if crash {
            self.nodes[node].running = None;
            return Ok(Answer::Fails("crashed"));
        }
        Ok(Answer::Returns(self.describe(done)))
    }

    fn sync(&mut self, node: usize, source: usize) -> Result<Answer, Flaw> {
        if self.nodes[source].running.is_none() {
            return Ok(Answer::Fails("source_not_running"));
        }
        let heads = self.disk(source).heads.keys().copied().collect();
        let input = merkle::Input::Announced(heads);
        let done = self.exchange(node, input, &[source], &[], false)?;
        Ok(Answer::Returns(self.describe(done)))
    }

    /// The blocks that names mean.
    fn resolve(&self, field: &str, names: &[usize]) -> Result<Vec<u32>, Flaw> {
        let addresses = names.iter().map(|name| {
            let address = self.addresses.get(name).copied();
            address
                .ok_or_else(|| Flaw::of(field, "names a block that its call did not in fact store"))
        });
        addresses.collect()
    }

    /// Runs an announcement or repair. With `crash` the dirty flag is not written.
    fn exchange(
        &mut self,
        node: usize,
        input: merkle::Input<Ids>,
        from: &[usize],
        withhold: &[u32],
        crash: bool,
    ) -> Result<Exchanged<Ids>, Flaw> {
        let told = Told {
            input,
            from,
            withhold,
            unmarked: crash,
        };
        run_exchange(&mut self.nodes, node, told)
    }

    fn name(&self, address: u32) -> &str {
        // Names are pushed as addresses are handed out.
        &self.names[address as usize]
    }

    fn describe(&self, done: Exchanged<Ids>) -> Value {
        let names = |blocks: Vec<u32>| {
            let blocks = blocks.into_iter();
            let mut names: Vec<&str> = blocks.map(|block| self.name(block)).collect();
            names.sort_unstable();
            json!(names)
        };
        json!({
            "dirty": done.dirty,
            "merged": names(done.merged),
            "missing": names(done.missing),
        })
    }
}

/// The code of a failure in traces.
fn code(failure: Failure) -> &'static str {
    match failure {
        // Traces replay on the reference, which commits each bump.
        Failure::WriteFailed | Failure::FlushFailed => "write_failed",
        Failure::PublishFailed => "publish_failed",
        Failure::QueryFailed => "query_failed",
        Failure::Closed => "not_running",
        Failure::NotFound => "not_found",
    }
}
