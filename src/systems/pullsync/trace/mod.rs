//! Traces of pullsync (section 12 of its spec).

mod code;
mod codec;
mod json;
mod names;
mod node;
mod pull;
mod serve;
mod session;
mod store;
mod sync;
mod value;

use std::io::{self, BufRead, Seek};

use serde_json::Value;

use crate::pullsync::Batches;
use crate::pullsync::limits::BINS;
use crate::pullsync::space::Address;
use crate::replay::{self, Answer, Args, Flaw, Interpreter, Replayed, Vocabulary};

use codec::Codec;
use json::address;
use names::Names;
use node::{Call, Read, Replica};
use sync::Exchanging;
use value::Values;

/// Replays a trace on the reference. Memory grows with what its nodes hold and with the number of
/// names that it gives, not with its length.
///
/// # Errors
/// Only those of reading `source`.
pub fn replay(source: impl BufRead + Seek) -> io::Result<Replayed> {
    replay::replay(source, |words: &Words| Ok(Replay::new(words.settings)))
}

/// The header's configuration, and the names given so far.
#[derive(Debug)]
struct Words {
    settings: Settings,
    names: Names,
}

/// The header's configuration (12), for all nodes.
#[derive(Clone, Copy, Debug)]
struct Settings {
    max_page: usize,
    bins: u8,
    pending_cancels: usize,
}

/// One step of a trace.
#[derive(Debug)]
enum Step {
    Codec(Codec),
    Value(value::Call),
    NewNode { overlay: Address, batches: Batches },
    Node { node: usize, call: Call },
    Exchange(Exchanging),
}

impl Vocabulary for Words {
    const SYSTEM: &'static str = "pullsync";
    type Step = Step;

    fn configure(config: &Args<'_>) -> Result<Self, Flaw> {
        let settings = Settings {
            max_page: json::size(config.integer("max_page", 1..=u64::MAX)?),
            bins: config.integer("bins", 1..=BINS)?,
            pending_cancels: json::size(config.u64("pending_cancels")?),
        };
        let names = Names::default();
        Ok(Self { settings, names })
    }

    fn parse(&mut self, op: &str, args: &Args<'_>) -> Result<Step, Flaw> {
        let Self { names, .. } = self;
        match op {
            "node_new" => {
                names.new_node(args)?;
                let overlay = address(args, "overlay")?;
                let batches = args.arrays("batches")?.into_iter().collect();
                let batches = Batches(std::sync::Arc::new(batches));
                return Ok(Step::NewNode { overlay, batches });
            }
            "get_cursors" => {
                names.node(args, "node")?;
                let node = names.node(args, "server")?;
                let call = Call::Store(store::Call::Cursors);
                return Ok(Step::Node { node, call });
            }
            "sync_interval" => return Exchanging::read(args, names).map(Step::Exchange),
            _ => {}
        }
        if let Some(codec) = Codec::read(op, args)? {
            return Ok(Step::Codec(codec));
        }
        if let Some(call) = value::Call::read(op, args, names)? {
            return Ok(Step::Value(call));
        }
        let read = reader(op).ok_or_else(|| Args::unknown_op(op))?;
        let node = names.node(args, "node")?;
        let call = read(args, names.of_node(node))?;
        Ok(Step::Node { node, call })
    }
}

/// How to read an operation of one node, if `op` is one.
fn reader(op: &str) -> Option<Read> {
    let read = store::reader(op).or_else(|| serve::reader(op));
    read.or_else(|| session::reader(op))
        .or_else(|| pull::reader(op))
}

/// The reference under replay.
#[derive(Debug)]
struct Replay {
    settings: Settings,
    values: Values,
    /// In order of creation, which is how steps name them.
    nodes: Vec<Replica>,
}

impl Replay {
    fn new(settings: Settings) -> Self {
        Self {
            settings,
            values: Values::default(),
            nodes: Vec::new(),
        }
    }
}

impl Interpreter for Replay {
    type Vocabulary = Words;

    fn perform(&mut self, step: Step) -> Result<Answer, Flaw> {
        match step {
            Step::Codec(codec) => Ok(codec.perform()),
            Step::Value(call) => self.values.call(call),
            Step::NewNode { overlay, batches } => {
                let node = Replica::new(overlay, batches, self.settings);
                self.nodes.push(node);
                Ok(Answer::Returns(Value::Null))
            }
            Step::Node { node, call } => self.nodes[node].call(call),
            Step::Exchange(exchange) => exchange.perform(&mut self.nodes),
        }
    }
}
