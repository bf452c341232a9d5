//! Traces of catalog (section 15 of its spec).

mod code;
mod codec;
mod deltas;
mod durable;
mod engine;
mod json;
mod node;
mod store;
mod watcher;

use std::collections::BTreeMap;
use std::io::{self, BufRead, Seek};

use serde_json::Value;
use smol_str::SmolStr;

use crate::catalog::strategy::{Admission, Level, Settings, Strategies};
use crate::replay::{self, Answer, Args, Exact, Flaw, Interpreter, Replayed, Vocabulary};

use code::Code;
use node::{Call, Nodes};
use store::Shared;

/// Replays a trace on the reference. Memory grows with what the store, its checkpoints, the engines and
/// the plans hold, not with the length of the trace.
///
/// # Errors
/// Only those of reading `source`.
pub fn replay(source: impl BufRead + Seek) -> io::Result<Replayed> {
    replay_on(source, Strategies::REFERENCE)
}

/// Replays a trace on a variant: whether it tells the variant from the reference.
///
/// # Errors
/// Only those of reading `source`.
pub fn replay_on(source: impl BufRead + Seek, strategies: Strategies) -> io::Result<Replayed> {
    replay::replay(source, |words: &Words| Ok(Replay::new(words, strategies)))
}

/// The header's configuration (15.1).
#[derive(Debug)]
struct Words {
    level: Level,
    admission: Admission,
    /// Places of the declared nodes.
    nodes: BTreeMap<SmolStr, usize>,
}

/// One step of a trace.
#[derive(Debug)]
enum Step {
    /// Without node or store (15.2).
    Codec(codec::Call),
    /// Without node (15.3).
    Store(store::Call),
    Node {
        node: usize,
        call: Call,
    },
}

/// The members of a step's `args`.
type Fields<'a, 'b> = Exact<'a, 'b>;

/// What a step gave.
type Told = Result<Value, Code>;

const ADMISSIONS: &[(&str, Admission)] = &[
    ("strict", Admission::Strict),
    ("permissive", Admission::Permissive),
];

impl Vocabulary for Words {
    const SYSTEM: &'static str = "catalog";
    type Step = Step;

    fn configure(config: &Args<'_>) -> Result<Self, Flaw> {
        let admission = config.choice("admission", ADMISSIONS)?;
        let level = match config.integer("level", 1..=2_u8)? {
            1 => Level::One,
            _ => Level::Two,
        };
        let nodes = read_nodes(config)?;
        Ok(Self {
            level,
            admission,
            nodes,
        })
    }

    fn parse(&mut self, op: &str, args: &Args<'_>) -> Result<Step, Flaw> {
        if let Some(read) = codec::reader(op, self.level) {
            return args.exactly(|of| Ok(Step::Codec(read(of, self.level)?)));
        }
        if let Some(read) = store::reader(op) {
            return args.exactly(|of| Ok(Step::Store(read(of)?)));
        }
        let read = node::reader(op, self.level).ok_or_else(|| Args::unknown_op(op))?;
        args.exactly(|of| {
            let node = of.read("node", |args, name| self.node(args, name))?;
            let call = read(of, self.level)?;
            Ok(Step::Node { node, call })
        })
    }
}

impl Words {
    /// The place of a declared node.
    fn node(&self, args: &Args<'_>, field: &str) -> Result<usize, Flaw> {
        let name = args.string(field)?;
        let place = self.nodes.get(name).copied();
        let undeclared = || format!("\"{name}\", expected a node of the header");
        place.ok_or_else(|| args.flaw(field, undeclared()))
    }
}

/// The declared nodes, at least one, each once.
fn read_nodes(config: &Args<'_>) -> Result<BTreeMap<SmolStr, usize>, Flaw> {
    let mut nodes = BTreeMap::new();
    for (place, name) in config.strings("nodes")?.into_iter().enumerate() {
        if nodes.insert(name.into(), place).is_some() {
            return Err(config.flaw("nodes", format!("\"{name}\" is listed twice")));
        }
    }
    match nodes.is_empty() {
        true => Err(config.flaw("nodes", "an empty list, expected a node")),
        false => Ok(nodes),
    }
}

/// The reference under replay, or a variant.
#[derive(Debug)]
struct Replay {
    settings: Settings,
    shared: Shared,
    nodes: Nodes,
}

impl Replay {
    fn new(words: &Words, strategies: Strategies) -> Self {
        let settings = Settings {
            level: words.level,
            admission: words.admission,
            strategies,
        };
        Self {
            settings,
            shared: Shared::new(strategies),
            nodes: Nodes::new(words.nodes.len()),
        }
    }
}

impl Interpreter for Replay {
    type Vocabulary = Words;

    fn perform(&mut self, step: Step) -> Result<Answer, Flaw> {
        let Self {
            settings,
            shared,
            nodes,
        } = self;
        let told = match step {
            Step::Codec(call) => call.perform(settings),
            Step::Store(call) => shared.call(call),
            Step::Node { node, call } => nodes.call(node, call, shared, settings),
        };
        Ok(match told {
            Ok(value) => Answer::Returns(value),
            Err(Code(code)) => Answer::Fails(code),
        })
    }
}
